from __future__ import annotations

import numpy as np
import pytest

from lookalike.errors import InputError
from lookalike.tasks.recommend.catalogue import spread_of
from lookalike.tasks.recommend.examples import OUTSIDE, Examples, summed
from lookalike.tasks.recommend.interests import interests_of
from lookalike.tasks.recommend.taste import Taste, decayed
from lookalike.vectors.metrics import normalise


def examples(vectors: np.ndarray, weights: list[float]) -> Examples:
    n = len(weights)
    return Examples(np.arange(n), vectors, np.array(weights, dtype=np.float64))


def around(centres: np.ndarray, each: int, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return normalise(
        np.repeat(centres, each, axis=0) + 0.1 * random.standard_normal((len(centres) * each, 16))
    )


def test_three_tastes_are_three_interests_with_their_shares() -> None:
    vectors = around(np.eye(16)[:3], 5)
    weights = [1.0] * 5 + [2.0] * 5 + [3.0] * 5
    found = interests_of(examples(vectors, weights), Taste(), spread=1.0)
    assert [sorted(interest.members.tolist()) for interest in found] == [
        list(range(10, 15)),
        list(range(5, 10)),
        list(range(5)),
    ]
    np.testing.assert_allclose([interest.importance for interest in found], [3 / 6, 2 / 6, 1 / 6])


def test_the_medoid_is_the_member_most_like_the_others() -> None:
    vectors = normalise(np.array([[1, 0.3, 0], [1, 0, 0], [1, -0.3, 0]], dtype=np.float32))
    (interest,) = interests_of(examples(vectors, [1, 1, 1]), Taste(), spread=1.0)
    assert interest.medoid == 1


def test_what_is_disliked_is_no_interest() -> None:
    vectors = around(np.eye(16)[:2], 3)
    found = interests_of(examples(vectors, [1, 1, 1, -1, -1, -1]), Taste(), spread=1.0)
    assert len(found) == 1
    assert sorted(found[0].members.tolist()) == [0, 1, 2]
    assert interests_of(examples(vectors, [-1] * 6), Taste(), spread=1.0) == ()


def test_the_cut_follows_how_far_strangers_are() -> None:
    vectors = around(np.eye(16)[:4], 4)
    common = np.zeros(16)
    common[15] = 3.0
    narrow = normalise(vectors + common)  # as of an encoder whose vectors all point one way
    n = len(vectors)
    wide_found = interests_of(examples(vectors, [1.0] * n), Taste(), spread_of(vectors))
    narrow_found = interests_of(examples(narrow, [1.0] * n), Taste(), spread_of(narrow))
    assert len(wide_found) == len(narrow_found) == 4


def test_weights_halve_with_every_half_life_and_the_future_counts_as_today() -> None:
    faded = decayed(np.array([4.0, 4.0, -4.0, 4.0]), np.array([0.0, 10.0, 20.0, -5.0]), 10.0)
    np.testing.assert_allclose(faded, [4, 2, -1, 4])
    np.testing.assert_allclose(decayed(np.array([4.0]), np.array([99.0]), None), [4])
    with pytest.raises(InputError, match="half-life 0"):
        decayed(np.array([1.0]), np.array([1.0]), 0.0)


def test_events_of_one_unit_are_summed() -> None:
    units, weights = summed(np.array([7, 3, 7]), np.array([1.0, 2.0, -3.0]))
    assert units.tolist() == [3, 7]
    assert weights.tolist() == [2.0, -2.0]


def test_what_is_all_that_is_known_does_not_vanish_with_age() -> None:
    faded = decayed(np.array([4.0, 2.0]), np.array([1e6, 1e6]), 1.0)
    assert (faded > 0).all()
    assert faded[0] / faded[1] == pytest.approx(2.0)


def test_examples_that_do_not_fit_are_refused() -> None:
    vectors = np.eye(3, dtype=np.float32)
    with pytest.raises(InputError, match="a unit is an example twice"):
        Examples(np.array([1, 1, OUTSIDE]), vectors, np.ones(3))
    with pytest.raises(InputError, match="expected one of each"):
        Examples(np.array([1, 2]), vectors, np.ones(3))
    with pytest.raises(InputError, match="not finite"):
        Examples(np.array([1, 2, 3]), vectors, np.array([1, np.nan, 1]))
    outside_twice = Examples(np.array([OUTSIDE, OUTSIDE, 1]), vectors, np.ones(3))
    assert len(outside_twice) == 3


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("strategy", "magic", "choose one of interests"),
        ("sharpness", 0.0, "above 0"),
        ("beta", -1.0, "at least 0"),
        ("slots", 0.5, "at least 1"),
        ("diversity", 1.5, "from 0 to 1"),
        ("exploration", -0.1, "from 0 to 1"),
    ],
)
def test_a_taste_out_of_range_is_refused_with_what_was_expected(
    setting: str, value: object, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        Taste(**{setting: value})  # type: ignore[arg-type]
