"""Whose fault the misses are, on a gallery whose index is made to forget."""

from __future__ import annotations

import numpy as np
import pytest

from clustered_vectors import clustered
from lookalike.collection.evaluation.index_answers import index_misses
from lookalike.evaluate.labelled import LabelledTask, cosines, measure
from lookalike.types import Embeddings, Rows
from lookalike.vectors.neighbours import ArrayVectors, Exact


class Forgetful:
    """A gallery whose index never finds the rows that it forgot, unless it is asked for recall 1."""

    def __init__(self, vectors: Embeddings, rows: Rows, forgotten: Rows) -> None:
        self._exact, self._rows = Exact(ArrayVectors(vectors)), rows
        self._remembered = ~np.isin(rows, forgotten)

    def search(
        self, queries: Embeddings, k: int, rows: Rows | None = None, recall: float | None = None
    ) -> tuple[Rows, np.ndarray]:
        allowed = np.ones(len(self._rows), bool) if rows is None else np.isin(self._rows, rows)
        if recall != 1:
            allowed &= self._remembered
        places, scores = self._exact.search(queries, k, allowed)
        return np.where(places >= 0, self._rows[places], -1), scores

    def kind(self) -> str:
        return "forgetful"


@pytest.mark.parametrize("grouped", [False, True])
def test_misses_are_those_of_the_index_alone(grouped: bool) -> None:
    vectors = clustered(600)
    rows = np.arange(600, dtype=np.int64) * 3 + 1
    rng = np.random.default_rng(0)
    labels = [f"l{n}" for n in rng.integers(0, 10, 600)]
    groups = [f"g{n}" for n in rng.integers(0, 200, 600)] if grouped else None
    queries = np.arange(0, 600, 7)
    task = LabelledTask([labels[q] for q in queries], labels, queries, groups)
    exact = measure(task, cosines(vectors[queries], vectors), ks=(1, 5))
    forgotten = rows[1::2]
    gallery = Forgetful(vectors, rows, forgotten)

    def at(recall: float | None) -> tuple[object, ...]:
        return index_misses(
            gallery,  # type: ignore[arg-type]
            task,
            vectors[queries],
            rows,
            exact,
            ks=(1, 5),
            allowed=None,
            recall=recall,
        )

    remembered = np.where(np.isin(rows, forgotten), -np.inf, 1)
    with_holes = measure(
        task, lambda part: cosines(vectors[queries], vectors)(part) - (1 - remembered) * 10, ks=(1, 5)
    )
    for misses, sound, k in zip(at(None), at(1.0), (1, 5), strict=True):
        right, got = exact.values[f"recall@{k}"], with_holes.values[f"recall@{k}"]
        assert misses.index_misses == int(((right == 1) & (got == 0)).sum()) > 0  # type: ignore[attr-defined]
        assert misses.model_misses == int(((right == 0) & (got == 0)).sum())  # type: ignore[attr-defined]
        assert sound.index_misses == 0  # type: ignore[attr-defined]
        assert sound.model_misses == int((right == 0).sum())  # type: ignore[attr-defined]
