from __future__ import annotations

import numpy as np
import pytest

from clustered_vectors import clustered
from lookalike.errors import InputError
from lookalike.evaluate.index import evaluate_index
from lookalike.types import Embeddings, Rows
from lookalike.vectors.neighbours import ArrayVectors, Exact


class Forgetful:
    """A gallery whose index cannot find every second item unless it is asked for recall 1."""

    def __init__(self, vectors: Embeddings, *, forgets: bool = True) -> None:
        self._vectors, self._exact = vectors, Exact(ArrayVectors(vectors))
        self._remembered = np.ones(len(vectors), dtype=bool)
        self._remembered[1::2] = not forgets

    def __len__(self) -> int:
        return len(self._vectors)

    def search(
        self, queries: Embeddings, k: int, rows: Rows | None = None, recall: float | None = None
    ) -> tuple[Rows, np.ndarray]:
        assert rows is None
        return self._exact.search(queries, k, None if recall == 1 else self._remembered)

    def sample(self, n: int, *, seed: int = 0) -> tuple[Rows, Embeddings]:
        rows = np.sort(np.random.default_rng(seed).permutation(len(self))[:n])
        return rows, self._vectors[rows]

    def kind(self) -> str:
        return "forgetful"


def test_an_index_that_misses_half_has_half_the_recall() -> None:
    report = evaluate_index(Forgetful(clustered(2000)), k=20, queries=150)
    assert report.recall == pytest.approx(0.5, abs=0.05)
    assert report.worst_recall < 0.4
    assert (report.index, report.items, report.queries, report.k) == ("forgetful", 2000, 150, 20)
    assert 0 < report.p50_ms <= report.p95_ms
    assert 0 < report.exact_p50_ms <= report.exact_p95_ms


def test_an_index_that_finds_all_has_full_recall_also_beyond_the_last_item() -> None:
    report = evaluate_index(Forgetful(clustered(7), forgets=False), k=10, queries=30)
    assert report.recall == report.worst_recall == 1


def test_copies_may_stand_for_each_other() -> None:
    vectors = np.repeat(clustered(20), 2, axis=0)  # the copy at the odd place is never found
    assert evaluate_index(Forgetful(vectors), k=1, queries=40).recall == 1


def test_the_same_seed_asks_the_same() -> None:
    reports = [evaluate_index(Forgetful(clustered(500)), queries=30, seed=4) for _ in range(2)]
    assert reports[0].recall == reports[1].recall


@pytest.mark.parametrize(
    ("n", "k", "queries", "message"), [(5, 0, 1, "k = 0"), (5, 1, 0, "queries = 0"), (0, 1, 1, "empty")]
)
def test_what_cannot_be_measured_is_refused(n: int, k: int, queries: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        evaluate_index(Forgetful(clustered(5)[:n]), k=k, queries=queries)
