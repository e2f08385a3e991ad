"""The line between edits and other pictures."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.errors import InputError
from lookalike.tasks.duplicate_threshold import (
    LEAST_DIFFERENCE,
    Joins,
    choose_threshold,
    describe_threshold,
    expected_false,
)

NONE = np.empty(0)


def pairs(residuals: np.ndarray) -> Joins:
    """Joins of two pictures each, among ten times as many."""
    n = len(residuals)
    return Joins(np.sort(residuals), 2 * np.arange(n), 2 * np.arange(n) + 1, 20 * n + 20)


def strangers(n: int, exponent: float, seed: int = 0) -> np.ndarray:
    """Residuals of different pictures whose lower tail is a power."""
    return np.random.default_rng(seed).uniform(0, 1, n) ** (1 / exponent) + LEAST_DIFFERENCE


@pytest.mark.parametrize("exponent", [2.0, 3.5, 6.0])
def test_the_number_of_false_pairs_is_foreseen_from_those_above(exponent: float) -> None:
    residuals = strangers(200_000, exponent)
    lines = np.array([0.1, 0.2])
    truth = np.array([(residuals <= line).sum() for line in lines])
    assert expected_false(residuals[residuals > 0.25], lines) == pytest.approx(truth, rel=0.35, abs=4)


@pytest.mark.parametrize("precision", [0.9, 0.99, 0.999])
def test_the_precision_asked_for_is_kept(precision: float) -> None:
    false = strangers(4_000, 3.0, seed=1)
    true = np.random.default_rng(2).gamma(4, 0.0125, 3000)
    line = choose_threshold(pairs(np.concatenate([false, true])), precision, NONE)
    kept = (true <= line.residual).sum()
    measured = kept / (kept + (false <= line.residual).sum())
    assert measured >= 1 - 1.5 * (1 - precision)
    assert line.learned
    assert line.precision is not None
    assert line.precision >= precision


def test_more_precision_is_a_tighter_line() -> None:
    residuals = np.concatenate([strangers(20_000, 3.0), np.full(500, 0.04)])
    lines = [choose_threshold(pairs(residuals), p, NONE).residual for p in (0.9, 0.99, 0.999)]
    assert lines == sorted(lines, reverse=True)
    assert lines[0] > lines[2]


def test_a_single_copy_among_few_pictures_is_believed() -> None:
    line = choose_threshold(pairs(np.array([0.04, 0.8, 1.1])), 0.99, NONE)
    assert line.residual >= 0.08
    assert line.pairs == 1
    assert line.precision is not None
    assert line.precision >= 0.9


@pytest.mark.parametrize("precision", [0.5, 0.9, 0.99])
def test_the_precision_stated_for_few_joins_is_never_far_from_the_one_asked_for(precision: float) -> None:
    line = choose_threshold(pairs(np.concatenate([strangers(300, 2.0), [0.06, 0.07]])), precision, NONE)
    assert line.precision is None or line.precision >= min(precision, 0.9)


def test_a_false_join_of_large_sets_counts_for_all_its_pairs() -> None:
    """Of the same joins, those that connect tens of pictures ask for a tighter line than those of two."""
    false, true = strangers(400, 2.5, seed=3), np.random.default_rng(4).gamma(4, 0.0125, 900)
    residuals = np.concatenate([true, false])
    first = np.arange(900) // 9 * 10
    chains = Joins(
        np.sort(residuals),
        np.concatenate([first, 100_000 + 2 * np.arange(400)])[np.argsort(residuals)],
        np.concatenate([first + 1 + np.arange(900) % 9, 100_001 + 2 * np.arange(400)])[np.argsort(residuals)],
        1800,
    )
    alone, together = (choose_threshold(joins, 0.99, NONE) for joins in (pairs(residuals), chains))
    assert together.pairs > 4 * alone.pairs
    assert together.expected_false <= 0.01 * together.pairs
    assert (
        describe_threshold(chains, 0.2, NONE).expected_false
        > describe_threshold(pairs(residuals), 0.2, NONE).expected_false
    )


def test_what_agrees_to_within_noise_is_believed_among_however_many_strangers() -> None:
    line = choose_threshold(pairs(np.concatenate([strangers(50_000, 1.5), [0.01]])), 0.99, NONE)
    assert line.residual >= LEAST_DIFFERENCE
    assert line.pairs >= 1


def test_without_any_pair_there_is_no_precision_to_state() -> None:
    line = choose_threshold(pairs(NONE), 0.99, NONE)
    assert line.precision is None
    assert line.recall is None
    assert 0 < line.residual <= 0.25


def test_recall_is_that_of_the_edits() -> None:
    line = describe_threshold(pairs(NONE), 0.2, np.array([0.01, 0.1, 0.3, np.inf]))
    assert line.recall == 0.5
    assert line.similarity == pytest.approx(0.8)
    assert not line.learned


@pytest.mark.parametrize("precision", [0, 1, -1, 2, float("nan")])
def test_a_precision_that_is_none_is_refused(precision: float) -> None:
    with pytest.raises(InputError, match="precision"):
        choose_threshold(pairs(NONE), precision, NONE)
