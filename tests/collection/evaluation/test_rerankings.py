from __future__ import annotations

import numpy as np
import pytest

from clustered_vectors import clustered
from lookalike.collection.evaluation.rerankings import (
    NAMES,
    check_rerankings,
    describe_rerankings,
    rerankings,
)
from lookalike.errors import InputError
from lookalike.tasks.rerank import SHORTLIST, Reranking, reordered
from lookalike.vectors.metrics import cosine
from lookalike.vectors.neighbours import ArrayVectors, Exact

OUTSIDE = np.full(4, -1)


def ranking(scores: np.ndarray) -> list[int]:
    return np.argsort(-scores, kind="stable").tolist()


@pytest.mark.parametrize("name", NAMES)
def test_what_is_measured_is_what_a_search_answers(name: Reranking) -> None:
    vectors = clustered(400)
    queries, gallery = vectors[:4], vectors[4:]
    index = Exact(ArrayVectors(gallery))
    scores = rerankings([name], queries, gallery, OUTSIDE)[name](slice(1, 4))
    for row, query in zip(scores, queries[1:], strict=True):
        rows, found = (of[0] for of in index.search(query[None], SHORTLIST))
        order = reordered(
            name,
            query[None],
            rows,
            found,
            nearest=lambda asked, k: tuple(index.search(asked, k)),  # type: ignore[arg-type, return-value]
            take=lambda rows: gallery[rows],
        )
        assert ranking(row)[:SHORTLIST] == rows[order].tolist()
        assert ranking(row)[SHORTLIST:] == ranking(cosine(query[None], gallery)[0])[SHORTLIST:]


@pytest.mark.parametrize("name", NAMES)
def test_a_query_among_the_items_takes_no_part_in_its_own_answer(name: Reranking) -> None:
    vectors = clustered(200)
    outside = rerankings([name], vectors[:1], vectors[1:], OUTSIDE[:1])[name](slice(0, 1))
    among = rerankings([name], vectors[:1], vectors, np.array([0]))[name](slice(0, 1))
    assert ranking(among[0, 1:])[:SHORTLIST] == ranking(outside[0])[:SHORTLIST]


def test_parameters_are_told() -> None:
    assert describe_rerankings(["alpha-qe"])["alpha-qe"]["shortlist"] == SHORTLIST
    assert set(describe_rerankings(NAMES)) == set(NAMES)


@pytest.mark.parametrize("names", ["dba", ["none"], ["magic"]])
def test_other_names_are_refused(names: list[Reranking]) -> None:
    with pytest.raises(InputError, match="alpha-qe, dba, k-reciprocal"):
        check_rerankings(names)
