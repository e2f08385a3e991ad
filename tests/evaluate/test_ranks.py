from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.evaluate.ranks import (
    FEW_RELEVANT,
    hit,
    ndcg,
    precision,
    precision_steps,
    precision_trapezoids,
    relevant_ranks,
)
from lookalike.evaluate.retrieval import hits_at_k, ndcg_at_k


@given(st.integers(0, 10_000), st.integers(1, 3 * FEW_RELEVANT), st.floats(0, 1))
def test_ranks_are_the_places_in_a_stable_sort(seed: int, n: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    scores = np.round(rng.random((2, n)), 1)  # with ties
    relevant, excluded = rng.random((2, n)) < share, rng.random((2, n)) < 0.2
    for row, ranks in enumerate(relevant_ranks(scores, relevant, excluded=excluded)):
        left = [i for i in range(n) if not excluded[row, i]]
        ordered = sorted(left, key=lambda i: (-scores[row, i], i))
        assert ranks.tolist() == [place for place, i in enumerate(ordered, 1) if relevant[row, i]]


def test_worked_examples() -> None:
    ranks = np.array([2, 4])
    assert [hit(ranks, k) for k in (1, 2)] == [0, 1]
    assert precision_steps(ranks) == (1 / 2 + 2 / 4) / 2
    assert precision_trapezoids(ranks) == pytest.approx(((0 / 1 + 1 / 2) / 2 + (1 / 3 + 2 / 4) / 2) / 2)
    assert precision_trapezoids(np.array([1])) == 1
    gain, ideal = 1 / math.log2(3) + 1 / math.log2(5), 1 + 1 / math.log2(3)
    assert ndcg(ranks, 10) == pytest.approx(gain / ideal)
    assert ndcg(ranks, 2) == pytest.approx(1 / math.log2(3) / ideal)
    assert ndcg(ranks, 1) == 0
    assert precision(ranks, 5) == 2 / 4  # the last relevant item ranks fourth, so it is cut there
    assert precision(ranks, 3) == 1 / 3


def test_nothing_relevant_has_no_measure() -> None:
    none = np.array([], dtype=np.int64)
    for value in (
        hit(none, 1),
        precision_steps(none),
        precision_trapezoids(none),
        ndcg(none, 3),
        precision(none, 3),
    ):
        assert math.isnan(value)


def test_ndcg_agrees_with_scikit_learn() -> None:
    from sklearn.metrics import ndcg_score

    rng = np.random.default_rng(0)
    scores, relevant = rng.random((20, 30)), rng.random((20, 30)) < 0.2
    relevant[:, 0] = True
    for k in (1, 5, 10, 40):
        expected = [ndcg_score(relevant[i : i + 1], scores[i : i + 1], k=k) for i in range(20)]
        assert ndcg_at_k(scores, relevant, k) == pytest.approx(expected)


def test_recall_of_single_queries() -> None:
    scores = np.array([[0.9, 0.1], [0.1, 0.9], [0.5, 0.5]])
    relevant = np.array([[True, False], [True, False], [False, False]])
    assert hits_at_k(scores, relevant, 1)[:2].tolist() == [1, 0]
    assert math.isnan(hits_at_k(scores, relevant, 1)[2])
