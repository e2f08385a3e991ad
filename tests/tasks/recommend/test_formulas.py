"""Qdrant's strategies against straightforward loops over their published definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lookalike.errors import InputError
from lookalike.tasks.recommend import formulas

COSINES = st.floats(-1.0, 1.0, allow_subnormal=False)


def fast_sigmoid(x: float) -> float:
    return x / (1.0 + abs(x))


def scaled(x: float) -> float:
    return 0.5 * (fast_sigmoid(x) + 1.0)


def matrices(least: int = 0) -> st.SearchStrategy[np.ndarray]:
    return arrays(np.float64, st.tuples(st.integers(least, 4), st.just(5)), elements=COSINES)


@given(matrices(), matrices())
def test_best_score_is_the_sigmoid_of_the_nearest_example_negated_for_a_dislike(
    positives: np.ndarray, negatives: np.ndarray
) -> None:
    expected = []
    for column in range(5):
        best = max(positives[:, column], default=-math.inf)
        worst = max(negatives[:, column], default=-math.inf)
        if best > worst:
            expected.append(scaled(best))
        else:
            expected.append(-scaled(worst) if math.isfinite(worst) else 0.0)
    np.testing.assert_allclose(formulas.best_score(positives, negatives), expected)


@given(matrices(), matrices())
def test_sum_scores_adds_likes_and_subtracts_dislikes(positives: np.ndarray, negatives: np.ndarray) -> None:
    expected = [sum(positives[:, c]) - sum(negatives[:, c]) for c in range(5)]
    np.testing.assert_allclose(formulas.sum_scores(positives, negatives), expected, atol=1e-12)


@given(arrays(np.float64, 5, elements=COSINES), st.data())
def test_discover_ranks_by_pairs_that_agree_then_by_the_target(
    target: np.ndarray, data: st.DataObject
) -> None:
    positives = data.draw(matrices())
    negatives = data.draw(arrays(np.float64, positives.shape, elements=COSINES))
    expected = [
        sum(1 if p > n else -1 for p, n in zip(positives[:, c], negatives[:, c], strict=True))
        + scaled(target[c])
        for c in range(5)
    ]
    np.testing.assert_allclose(formulas.discover(target, positives, negatives), expected)


@given(st.data())
def test_context_loses_only_where_the_disliked_side_is_nearer(data: st.DataObject) -> None:
    positives = data.draw(matrices(least=1))
    negatives = data.draw(arrays(np.float64, positives.shape, elements=COSINES))
    margin = float(np.finfo(np.float32).eps)
    expected = [
        sum(
            fast_sigmoid(min(p - n - margin, 0.0))
            for p, n in zip(positives[:, c], negatives[:, c], strict=True)
        )
        for c in range(5)
    ]
    scores = formulas.context(positives, negatives)
    np.testing.assert_allclose(scores, expected)
    assert (scores <= 0).all()


def test_average_vector_goes_from_the_dislikes_through_the_likes() -> None:
    liked = np.array([[1, 0, 0], [0, 1, 0]], dtype=np.float32)
    disliked = np.array([[0, 0, 1]], dtype=np.float32)
    alone = formulas.average_vector(liked, disliked[:0])
    np.testing.assert_allclose(alone, np.array([1, 1, 0]) / math.sqrt(2), rtol=1e-6)
    away = formulas.average_vector(liked, disliked)
    np.testing.assert_allclose(away, np.array([1, 1, -1]) / math.sqrt(3), rtol=1e-6)


def test_average_vector_refuses_what_says_nothing() -> None:
    liked = np.array([[1, 0]], dtype=np.float32)
    with pytest.raises(InputError, match="at least one liked example"):
        formulas.average_vector(liked[:0], liked)
    with pytest.raises(InputError, match="cancel each other out"):
        formulas.average_vector(np.concatenate([liked, -liked]), liked[:0])
