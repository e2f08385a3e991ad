from __future__ import annotations

import numpy as np
import pytest

from lookalike.errors import InputError
from lookalike.tracking.matching_threshold import learn_threshold


def pairs(seed: int, *, different: int, same: int, other: int, share: float) -> tuple:
    random = np.random.default_rng(seed)
    one = random.random(other) < share
    mixed = np.where(one, random.normal(0.7, 0.1, other), random.normal(0.1, 0.15, other))
    return random.normal(0.1, 0.15, different), random.normal(0.7, 0.1, same), mixed, one


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("different", "same"), [(100, 20), (200, 0), (0, 0)])
def test_false_matches_equal_misses_with_whatever_is_known(seed: int, different: int, same: int) -> None:
    no, yes, other, truth = pairs(seed, different=different, same=same, other=2000, share=0.08)
    line = learn_threshold(no, yes, other)
    false, missed = (
        np.count_nonzero(other[~truth] > line.cosine),
        np.count_nonzero(other[truth] <= line.cosine),
    )
    assert line.share == pytest.approx((0.08 * 2000 + same) / (2000 + same + different), abs=0.02)
    assert false + missed < 0.02 * len(other)
    assert abs(false - missed) <= 20


def test_a_rate_that_is_asked_for_holds_on_new_pairs() -> None:
    no, yes, other, _ = pairs(1, different=4000, same=50, other=1000, share=0.1)
    fresh = np.random.default_rng(9).normal(0.1, 0.15, 20_000)
    for rate in (0.1, 0.01):
        line = learn_threshold(no, yes, other, false_match_rate=rate)
        assert np.mean(fresh > line.cosine) == pytest.approx(rate, rel=0.3)


def test_where_nobody_comes_twice_hardly_any_pair_is_matched() -> None:
    random = np.random.default_rng(2)
    different, other = random.normal(0.1, 0.15, 300), random.normal(0.1, 0.15, 1000)
    assert np.mean(other > learn_threshold(different, np.empty(0), other).cosine) < 0.01


def test_no_pairs_and_rates_out_of_range_are_refused() -> None:
    nothing = np.empty(0)
    with pytest.raises(InputError, match="no pair"):
        learn_threshold(nothing, nothing, nothing)
    with pytest.raises(InputError, match="between 0 and 1"):
        learn_threshold(np.ones(3), nothing, nothing, false_match_rate=0)
