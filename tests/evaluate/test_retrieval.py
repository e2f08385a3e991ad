from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.errors import InputError
from lookalike.evaluate.retrieval import average_precision, by_group, mean_average_precision, recall_at_k


def naive(scores: np.ndarray, relevant: np.ndarray, excluded: np.ndarray, k: int) -> tuple[float, float]:
    """Recall@k and mAP by the definitions, one query and one rank at a time."""
    recalls, precisions = [], []
    for s, truth, out in zip(scores, relevant, excluded, strict=True):
        ranking = sorted((i for i in range(len(s)) if not out[i]), key=lambda i: (-s[i], i))
        wanted = sum(bool(truth[i]) for i in ranking)
        if not wanted:
            continue
        recalls.append(any(truth[i] for i in ranking[:k]))
        found, total = 0, 0.0
        for rank, i in enumerate(ranking, start=1):
            if truth[i]:
                found += 1
                total += found / rank
        precisions.append(total / wanted)
    if not recalls:
        return math.nan, math.nan
    return sum(recalls) / len(recalls), sum(precisions) / len(precisions)


@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(1, 12), st.integers(1, 14))
def test_measures_are_those_of_the_definition(seed: int, q: int, n: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    scores = np.round(rng.random((q, n)), 1)  # with ties
    relevant, excluded = rng.random((q, n)) < 0.3, rng.random((q, n)) < 0.2
    recall, precision = naive(scores, relevant, excluded, k)
    assert recall_at_k(scores, relevant, k, excluded=excluded) == pytest.approx(recall, nan_ok=True)
    assert mean_average_precision(scores, relevant, excluded=excluded) == pytest.approx(
        precision, nan_ok=True
    )


def test_a_worked_example() -> None:
    scores = np.array([[0.9, 0.8, 0.7, 0.6]])
    relevant = np.array([[False, True, False, True]])
    assert average_precision(scores, relevant).tolist() == [(1 / 2 + 2 / 4) / 2]
    assert [recall_at_k(scores, relevant, k) for k in (1, 2, 4)] == [0, 1, 1]
    first_gone = np.array([[True, False, False, False]])
    assert average_precision(scores, relevant, excluded=first_gone).tolist() == [(1 / 1 + 2 / 3) / 2]


def test_queries_without_an_answer_are_left_out_of_the_mean() -> None:
    scores, relevant = np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([[True, False], [False, False]])
    assert mean_average_precision(scores, relevant) == 1
    assert math.isnan(average_precision(scores, relevant)[1])
    assert math.isnan(recall_at_k(scores, np.zeros((2, 2), dtype=bool), 1))


def test_groups_count_by_their_best_item() -> None:
    scores = np.array([[0.1, 0.9, 0.5, 0.7, 0.2]])
    relevant = np.array([[True, True, False, False, False]])
    excluded = np.array([[False, True, False, False, True]])
    grouped = by_group(scores, relevant, ["a", "a", "b", None, None])
    assert grouped.groups == ["a", "b", None, None]
    assert grouped.scores.tolist() == [[0.9, 0.5, 0.7, 0.2]]
    assert grouped.relevant.tolist() == [[True, False, False, False]]
    assert recall_at_k(grouped.scores, grouped.relevant, 1, excluded=grouped.excluded) == 1
    without = by_group(scores, relevant, ["a", "a", "b", None, None], excluded=excluded)
    assert without.scores.tolist() == [[0.1, 0.5, 0.7, -np.inf]]
    assert without.excluded.tolist() == [[False, False, False, True]]


@pytest.mark.parametrize("call", [recall_at_k, by_group])
def test_shapes_that_do_not_fit_are_refused(call: object) -> None:
    with pytest.raises(InputError, match="do not fit"):
        call(np.ones((2, 3)), np.ones((2, 4), dtype=bool), 1 if call is recall_at_k else ["a"])  # type: ignore[operator]


def test_scores_without_a_rank_are_refused() -> None:
    with pytest.raises(InputError, match="NaN"):
        average_precision(np.array([[np.nan]]), np.array([[True]]))
    with pytest.raises(InputError, match="k = 0"):
        recall_at_k(np.ones((1, 1)), np.ones((1, 1), dtype=bool), 0)
    with pytest.raises(InputError, match="one an item"):
        by_group(np.ones((1, 2)), np.ones((1, 2), dtype=bool), ["a"])
