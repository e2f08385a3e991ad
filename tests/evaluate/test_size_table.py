"""The size table says what a search would find, and the choice by it is the fewest dimensions that suffice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from clustered_vectors import clustered
from lookalike.errors import InputError
from lookalike.evaluate.reduction import Labels, SizeRow, choose_dims, size_table
from lookalike.evaluate.retrieval import mean_average_precision
from lookalike.vectors.metrics import cosine
from lookalike.vectors.neighbours import ArrayVectors, Exact
from lookalike.vectors.reduction import fit_reducer

VECTORS = clustered(900, dimensions=40, clusters=60)
OWN = np.arange(0, 900, 6)
QUERIES = VECTORS[OWN]


def top(queries: np.ndarray, gallery: np.ndarray, own: np.ndarray, k: int) -> list[set[int]]:
    found = Exact(ArrayVectors(gallery)).search(queries, k + 1).positions
    return [
        set([p for p in row if p != at][:k]) for row, at in zip(found.tolist(), own.tolist(), strict=True)
    ]


def row_of(rows: tuple[SizeRow, ...], method: str, dimensions: int, precision: str) -> SizeRow:
    (found,) = [r for r in rows if (r.method, r.dimensions, r.precision) == (method, dimensions, precision)]
    return found


def test_kept_is_the_share_of_neighbours_that_a_search_still_finds() -> None:
    reducer = fit_reducer(VECTORS, method="svd")
    rows = size_table(reducer, QUERIES, VECTORS, own=OWN, dimensions=[6, 20], precisions=["f32"])
    truth = top(QUERIES, VECTORS, OWN, 10)
    for m in (6, 20):
        reduced = reducer.truncated(m).transform(VECTORS)
        found = top(reduced[OWN], reduced, OWN, 10)
        expected = np.mean([len(a & b) / 10 for a, b in zip(truth, found, strict=True)])
        row = row_of(rows, "svd", m, "f32")
        assert row.kept == pytest.approx(expected, abs=1e-9)
        assert row.unchanged == row.kept
        assert row.kept_low <= row.kept <= row.kept_high
        assert row.kept_high - row.kept_low < 0.1


def test_a_method_that_centres_is_compared_with_centred_vectors_and_says_what_changes_besides() -> None:
    rows = size_table(fit_reducer(VECTORS), QUERIES, VECTORS, own=OWN, precisions=["f32"])
    whole = row_of(rows, "pca", 40, "f32")
    assert whole.kept == pytest.approx(1, abs=1e-3)
    assert whole.unchanged < 0.99
    svd = size_table(
        fit_reducer(VECTORS, method="svd"), QUERIES, VECTORS, own=OWN, dimensions=[40], precisions=["f32"]
    )
    assert row_of(svd, "svd", 40, "f32").unchanged == pytest.approx(1, abs=1e-3)


def test_more_dimensions_keep_more_and_explain_more_and_take_more() -> None:
    rows = size_table(fit_reducer(VECTORS), QUERIES, VECTORS, own=OWN, dimensions=[4, 12, 24, 40])
    for precision in ("f16", "i8", "binary"):
        line = [row for row in rows if row.precision == precision and row.method == "pca"]
        assert [row.dimensions for row in line] == [4, 12, 24, 40]
        for what in ("kept", "explained_variance", "bytes_per_vector"):
            values = [getattr(row, what) for row in line]
            assert values == sorted(values)
    assert [row.precision for row in rows[:4]] == ["f32", "f16", "i8", "binary"]
    assert {row.method for row in rows[:4]} == {"none"}
    assert row_of(rows, "pca", 24, "i8").bytes_per_vector == 24
    assert row_of(rows, "pca", 24, "binary").bytes_per_vector == 8 + 24
    assert row_of(rows, "none", 40, "f32").kept == 1
    assert row_of(rows, "none", 40, "i8").kept > 0.97
    assert row_of(rows, "none", 40, "binary").kept > 0.9


def test_queries_from_outside_need_no_own_place_and_blocks_are_as_good_as_an_array() -> None:
    reducer = fit_reducer(VECTORS)
    outside = clustered(950, dimensions=40, clusters=60)[900:]
    whole = size_table(reducer, outside, VECTORS, dimensions=[10])
    blocks = size_table(
        reducer, outside, (VECTORS[at : at + 100] for at in range(0, 900, 100)), dimensions=[10]
    )
    assert whole == blocks


def test_labels_give_the_mean_average_precision_of_the_same_vectors() -> None:
    labels = np.arange(900) // 9
    reducer = fit_reducer(VECTORS, method="svd")
    rows = size_table(
        reducer,
        QUERIES,
        VECTORS,
        own=OWN,
        dimensions=[10],
        precisions=["f32", "binary"],
        labels=Labels(labels[OWN], labels),
    )
    reduced = reducer.truncated(10).transform(VECTORS)
    relevant = labels[OWN][:, None] == labels[None]
    excluded = np.arange(900)[None] == OWN[:, None]
    expected = mean_average_precision(cosine(reduced[OWN], reduced), relevant, excluded=excluded)
    assert row_of(rows, "svd", 10, "f32").mean_average_precision == pytest.approx(expected, abs=1e-6)
    bits = row_of(rows, "svd", 10, "binary").mean_average_precision
    assert bits is not None
    assert 0 < bits <= expected + 0.01


def test_progress_counts_the_rows() -> None:
    seen: list[tuple[int, int]] = []
    rows = size_table(
        fit_reducer(VECTORS),
        QUERIES,
        VECTORS,
        own=OWN,
        dimensions=[5, 9],
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(at + 1, len(rows)) for at in range(len(rows))]


def test_two_vectors_are_enough_to_measure_and_one_is_not() -> None:
    reducer = fit_reducer(VECTORS, 3)
    rows = size_table(reducer, VECTORS[:2], VECTORS[:2], own=np.arange(2), dimensions=[3])
    assert all(row.kept == 1 for row in rows)
    with pytest.raises(InputError, match="no neighbours"):
        size_table(reducer, VECTORS[:1], VECTORS[:1], own=np.arange(1))
    with pytest.raises(InputError, match="own has shape"):
        size_table(reducer, VECTORS[:2], VECTORS, own=np.arange(3))
    with pytest.raises(InputError, match="from 1 to the reducer's 3"):
        size_table(reducer, VECTORS[:2], VECTORS, dimensions=[4])


ROW = SizeRow("pca", 10, "i8", 0.5, 0.96, 0.95, 0.97, 0.9, 10)


def test_the_choice_is_the_fewest_dimensions_that_keep_enough() -> None:
    rows = [
        replace(ROW, method="none", dimensions=5, kept=1.0),
        replace(ROW, dimensions=20, kept=0.99),
        replace(ROW, dimensions=10, kept=0.955),
        replace(ROW, dimensions=8, kept=0.94),
        replace(ROW, dimensions=4, kept=0.99, precision="f16"),
    ]
    assert choose_dims(rows, "i8").dimensions == 10
    assert choose_dims(rows, "i8", keep=0.96).dimensions == 20
    assert choose_dims(rows, "f16").dimensions == 4
    with pytest.raises(InputError, match=r"the most is 99.0% with 20"):
        choose_dims(rows, "i8", keep=0.995)
    with pytest.raises(InputError, match="'binary' is not among"):
        choose_dims(rows, "binary")
    with pytest.raises(InputError, match="keep 0"):
        choose_dims(rows, "i8", keep=0)
