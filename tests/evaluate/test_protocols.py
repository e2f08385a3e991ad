from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.errors import InputError
from lookalike.evaluate.protocols import gpr1200, revisited


class Judgement(NamedTuple):
    easy: tuple[int, ...]
    hard: tuple[int, ...]
    junk: tuple[int, ...]


def slow(scores: np.ndarray, positive: set[int], ignored: set[int], k: int) -> tuple[float, float]:
    """AP by trapezoids and precision@k of one query, straight from the paper's words."""
    if not positive:
        return math.nan, math.nan
    ranking = sorted((i for i in range(len(scores)) if i not in ignored), key=lambda i: (-scores[i], i))
    area, found, precision_before = 0.0, 0, 1.0
    for rank, item in enumerate(ranking, start=1):
        recall_before = found / len(positive)
        found += item in positive
        area += (found / len(positive) - recall_before) * (precision_before + found / rank) / 2
        precision_before = found / rank
    last = max(rank for rank, item in enumerate(ranking, start=1) if item in positive)
    cut = min(last, k)
    return area, sum(item in positive for item in ranking[:cut]) / cut


@given(st.integers(0, 10_000), st.integers(3, 25))
def test_the_revisited_protocol_is_that_of_the_paper(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    scores = np.round(rng.random((3, n)), 1)
    kinds = rng.choice(4, size=(3, n), p=[0.2, 0.2, 0.2, 0.4])
    judgements = [
        Judgement(*(tuple(np.flatnonzero(row == kind).tolist()) for kind in range(3))) for row in kinds
    ]
    results = revisited(scores, judgements, ks=(1, 5))
    for row, (easy, hard, junk) in enumerate(judgements):
        for setup, positive, ignored in (
            ("easy", {*easy}, {*hard, *junk}),
            ("medium", {*easy, *hard}, {*junk}),
            ("hard", {*hard}, {*easy, *junk}),
        ):
            result = results[setup]  # type: ignore[index]
            for k in (1, 5):
                area, precision = slow(scores[row], positive, ignored, k)
                assert result.average_precision[row] == pytest.approx(area, nan_ok=True)
                assert result.precision_at[k][row] == pytest.approx(precision, nan_ok=True)


def test_a_worked_example_of_the_revisited_protocol() -> None:
    scores = np.array([[0.9, 0.8, 0.7, 0.6, 0.5]])  # ranking: junk, easy, negative, hard, negative
    results = revisited(scores, [Judgement((1,), (3,), (0,))])
    assert results["easy"].mean_average_precision == 1  # junk before it is gone
    assert results["hard"].mean_average_precision == pytest.approx(
        (0 + 1 / 2) / 2
    )  # second, after a negative
    medium = (1 + 1) / 2 * 0.5 + (1 / 2 + 2 / 3) / 2 * 0.5
    assert results["medium"].mean_average_precision == pytest.approx(medium)
    assert results["medium"].mean_precision_at == {1: 1, 5: pytest.approx(2 / 3), 10: pytest.approx(2 / 3)}


def test_queries_without_positives_are_skipped() -> None:
    scores = np.array([[0.9, 0.1], [0.9, 0.1]])
    results = revisited(scores, [Judgement((0,), (), ()), Judgement((), (1,), ())])
    assert results["easy"].mean_average_precision == 1
    assert math.isnan(results["easy"].average_precision[1])
    assert results["hard"].mean_average_precision == pytest.approx(0.25)


def test_places_outside_the_gallery_are_refused() -> None:
    with pytest.raises(InputError, match="place 2 lies outside the gallery of 2"):
        revisited(np.ones((1, 2)), [Judgement((2,), (), ())])
    with pytest.raises(InputError, match="for 2 queries"):
        revisited(np.ones((1, 2)), [Judgement((), (), ())] * 2)
    with pytest.raises(InputError, match="k = 0"):
        revisited(np.ones((1, 2)), [Judgement((0,), (), ())], ks=(0,))


def test_gpr1200_counts_the_query_itself() -> None:
    categories = [0, 0, 200, 200]
    scores = np.array(
        [[1.0, 0.2, 0.5, 0.4], [0.2, 1.0, 0.1, 0.1], [0.5, 0.1, 1.0, 0.9], [0.4, 0.1, 0.9, 1.0]]
    )
    result = gpr1200(categories, lambda part: scores[part])
    assert result.average_precision.tolist() == [(1 + 2 / 4) / 2, 1, 1, 1]
    assert result.parts == {"Landmarks": 0.875, "iNat": 1}
    assert result.mean_average_precision == 0.9375


def test_gpr1200_is_at_least_a_tenth_whatever_the_vectors() -> None:
    categories = np.repeat(np.arange(0, 1200, 100), 10).tolist()
    scores = np.random.default_rng(0).random((120, 120))
    np.fill_diagonal(scores, 2)
    result = gpr1200(categories, lambda part: scores[part])
    assert result.average_precision.min() >= 0.1
    assert set(result.parts) == {"Landmarks", "iNat", "Sketch", "INSTRE", "SOP", "Faces"}


def test_gpr1200_agrees_with_its_published_rule() -> None:
    rng = np.random.default_rng(1)
    categories = np.repeat(np.arange(6), 5)
    scores = rng.random((30, 30))
    expected = []
    for row, category in zip(scores, categories, strict=True):
        truth = categories[np.argsort(-row)] == category
        places = np.flatnonzero(truth) + 1
        expected.append(sum(found / place for found, place in enumerate(places, 1)) / len(places))
    assert gpr1200(categories.tolist(), lambda part: scores[part]).average_precision == pytest.approx(
        expected
    )


def test_other_categories_are_refused() -> None:
    with pytest.raises(InputError, match="0 to 1199"):
        gpr1200([1200], lambda part: np.ones((1, 1))[part])
