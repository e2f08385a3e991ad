"""Work on blocks in this process, and what is searched block by block, as if it were in another one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from clustered_vectors import clustered
from lookalike.vectors import graph
from lookalike.vectors.blocks import in_process
from lookalike.vectors.graph import nearest_others
from pickled_blocks import PickledBlocks


def test_answers_come_in_order_and_blocks_are_pulled_one_at_a_time() -> None:
    pulled = []

    def blocks() -> Iterator[int]:
        for number in range(5):
            pulled.append(number)
            yield number

    answers = in_process(lambda shared, block: shared * block, 10, blocks())
    assert next(answers) == 0
    assert pulled == [0]
    assert list(answers) == [10, 20, 30, 40]


@pytest.mark.parametrize("exact_most", [graph.EXACT_MOST, 500])
def test_neighbours_found_in_other_processes_are_the_same(
    exact_most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph, "EXACT_MOST", exact_most)
    embeddings = clustered(3000, spread=1.0)
    elsewhere = PickledBlocks()
    here, there = nearest_others(embeddings, 10), nearest_others(embeddings, 10, elsewhere)
    assert np.array_equal(here.positions, there.positions)
    assert np.array_equal(here.scores, there.scores)
    assert ("_others_of", "all") in elsewhere.works
    assert (("_descended", "all") in elsewhere.works) == (exact_most == 500)
