from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.tracking.matching_threshold import learn_threshold
from lookalike.tracking.pair_mixture import COSINES, LEAST_APART, Curve, PairPrior, learn_mixture

NOTHING = np.empty(0)


def test_before_a_pair_was_seen_the_prior_speaks() -> None:
    found = learn_mixture(NOTHING, NOTHING, NOTHING, COSINES)
    assert found.different == pytest.approx(COSINES.different)
    assert found.same.spread == pytest.approx(COSINES.same.spread)
    assert found.same.mean >= COSINES.same.mean


def test_many_pairs_decide_whatever_was_believed() -> None:
    random = np.random.default_rng(0)
    different, same = random.normal(0.5, 0.1, 3000), random.normal(0.9, 0.03, 400)
    found = learn_mixture(different[:1000], NOTHING, np.concatenate([different[1000:], same]), COSINES)
    assert found.different == pytest.approx((0.5, 0.1), abs=0.02)
    assert found.same == pytest.approx((0.9, 0.03), abs=0.04)
    assert found.share == pytest.approx(400 / 2400, abs=0.02)


def test_two_people_in_two_cameras_are_told_apart() -> None:
    line = learn_threshold(np.array([-0.6, -0.65]), NOTHING, np.array([0.5, 0.55, -0.6, -0.7]))
    assert -0.3 < line.cosine < 0.5


def test_two_people_of_whom_nothing_is_certain_need_to_be_very_alike() -> None:
    assert 0.45 < learn_threshold(NOTHING, NOTHING, np.array([0.3])).cosine < 0.8


def test_a_handful_of_pairs_of_one_sort_is_not_torn_apart() -> None:
    for seed in range(20):
        other = np.random.default_rng(seed).normal(0.1, 0.2, 25)
        assert np.mean(other > learn_threshold(NOTHING, NOTHING, other).cosine) <= 0.08


@given(
    st.lists(st.floats(-1, 1), max_size=40),
    st.lists(st.floats(-1, 1), max_size=10),
    st.lists(st.floats(-1, 1), max_size=60),
    st.floats(-0.3, 0.3),
)
def test_whatever_the_pairs_the_curves_stay_apart_and_in_order(
    different: list[float], same: list[float], other: list[float], mean: float
) -> None:
    prior = PairPrior(Curve(mean, 0.2), Curve(0.6, 0.15))
    found = learn_mixture(*(np.array(each, dtype=np.float64) for each in (different, same, other)), prior)
    assert np.isfinite([*found.different, *found.same, found.share]).all()
    assert 0 < found.share < 1
    assert found.same.mean >= found.different.mean + LEAST_APART * found.different.spread - 1e-4


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=60), st.floats(0.001, 0.2))
def test_a_line_for_fewer_false_matches_lies_higher(other: list[float], rate: float) -> None:
    pairs = np.array(other)
    strict = learn_threshold(NOTHING, NOTHING, pairs, false_match_rate=rate / 2)
    assert strict.cosine >= learn_threshold(NOTHING, NOTHING, pairs, false_match_rate=rate).cosine
