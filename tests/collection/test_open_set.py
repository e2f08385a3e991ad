"""What a similarity means, from comparisons with somebody else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.collection.open_set import OpenSet, checked_rate, surely_two
from lookalike.errors import InputError
from lookalike.store.tracking import StoredTracklet
from lookalike.tracking.cameras import Camera


def learned(count: int = 5000, seed: int = 0) -> OpenSet:
    rng = np.random.default_rng(seed)
    return OpenSet(np.sort(rng.normal(0.1, 0.1, count)), np.sort(rng.normal(0.8, 0.05, 500)))


@pytest.mark.parametrize("rate", [0.2, 0.05, 0.01, 0.001])
def test_somebody_else_reaches_the_line_as_seldom_as_was_asked(rate: float) -> None:
    line = learned().line(rate)
    fresh = np.random.default_rng(1).normal(0.1, 0.1, 200_000)
    assert 0.5 * rate < float(np.mean(fresh >= line.cosine)) < 1.6 * rate
    assert line.false_match_rate <= rate * 1.001
    assert line.miss_rate < 0.01
    assert (line.different, line.same) == (5000, 500)


@given(st.integers(1, 300), st.integers(0, 1000), st.floats(-1, 1), st.floats(-1, 1))
def test_the_rate_falls_as_similarity_rises(count: int, seed: int, a: float, b: float) -> None:
    known = OpenSet(np.sort(np.random.default_rng(seed).uniform(-1, 1, count)), np.empty(0))
    low, high = sorted((a, b))
    assert 0 <= known.false_match_rate(high) <= known.false_match_rate(low) <= 1


def test_a_single_large_value_does_not_decide() -> None:
    plain = learned(2000)
    odd = OpenSet(np.sort(np.append(plain.others, 0.99)), plain.own)
    assert odd.line(0.001).cosine - plain.line(0.001).cosine < 0.1


def test_without_pairs_of_one_thing_nobody_knows_what_is_missed() -> None:
    assert np.isnan(OpenSet(np.array([0.0, 0.1]), np.empty(0)).line(0.1).miss_rate)


@pytest.mark.parametrize("rate", [0, 1, -1, 2.0, float("nan")])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    with pytest.raises(InputError, match="between 0 and 1"):
        checked_rate(rate)


def at(camera: str, start: int, end: int) -> StoredTracklet:
    return StoredTracklet(1, camera, 1, start, end, 3, 1, 0.5, 1, start, (0, 0, 1, 1), "f", 1)


def test_who_was_seen_at_one_time_in_two_places_is_two() -> None:
    cameras = [
        Camera("a", "a", "frames", overlaps=("b",)),
        Camera("b", "b", "frames", overlaps=("a",)),
        Camera("c", "c", "frames", overlaps=()),
    ]
    assert surely_two([at("a", 0, 5)], [at("c", 4, 9)], cameras)
    assert surely_two([at("a", 0, 5)], [at("a", 5, 9)], cameras)
    assert not surely_two([at("a", 0, 5)], [at("b", 4, 9)], cameras), "their views overlap"
    assert not surely_two([at("a", 0, 5)], [at("c", 6, 9)], cameras), "there was time to go"
