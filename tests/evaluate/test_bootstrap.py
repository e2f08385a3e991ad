from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.errors import InputError
from lookalike.evaluate.bootstrap import bootstrap_interval, paired_test


def covered(truth: float, samples: list[np.ndarray], *, clusters: np.ndarray | None = None) -> float:
    """Share of samples whose 95 % interval holds the truth."""
    intervals = [
        bootstrap_interval(s, resamples=400, seed=i, clusters=clusters) for i, s in enumerate(samples)
    ]
    return float(np.mean([i.low <= truth <= i.high for i in intervals]))


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(10)
    assert covered(0.5, [rng.normal(0.5, 1, 60) for _ in range(600)]) == pytest.approx(0.95, abs=0.03)


def test_intervals_of_skewed_measures_hold_the_truth() -> None:
    rng = np.random.default_rng(1)  # average precisions crowd near 0 with a long tail
    assert covered(0.2, [rng.beta(0.4, 1.6, 80) for _ in range(300)]) == pytest.approx(0.95, abs=0.04)


def test_photos_of_one_product_are_not_counted_as_independent() -> None:
    rng = np.random.default_rng(2)
    clusters = np.repeat(np.arange(50), 4)
    samples = [np.repeat(rng.normal(0, 1, 50), 4) + rng.normal(0, 0.3, 200) for _ in range(200)]
    assert covered(0, samples, clusters=clusters) == pytest.approx(0.95, abs=0.04)
    assert covered(0, samples) < 0.75


def test_bca_follows_the_skew_that_percentiles_ignore() -> None:
    values = np.random.default_rng(3).exponential(1, 40)
    bca = bootstrap_interval(values, resamples=20_000)
    plain = bootstrap_interval(values, resamples=20_000, method="percentile")
    assert bca.high > plain.high
    assert bca.low > plain.low
    assert bca.estimate == plain.estimate == pytest.approx(values.mean())


@pytest.mark.parametrize("method", ["bca", "percentile"])
def test_the_ends_are_those_of_scipy(method: str) -> None:
    from scipy.stats import bootstrap

    values = np.random.default_rng(4).exponential(1, 50)
    interval = bootstrap_interval(values, resamples=5000, seed=5, level=0.9, method=method)  # type: ignore[arg-type]
    options = {"n_resamples": 5000, "rng": 5, "confidence_level": 0.9, "method": method}
    expected = bootstrap((values,), np.mean, vectorized=True, **options).confidence_interval
    assert [interval.low, interval.high] == pytest.approx(list(expected))


@given(st.lists(st.floats(0, 1), min_size=2, max_size=30), st.integers(0, 100))
@settings(max_examples=60, deadline=None)
def test_intervals_lie_in_the_range_and_repeat(values: list[float], seed: int) -> None:
    interval = bootstrap_interval(values, resamples=200, seed=seed)
    assert min(values) - 1e-9 <= interval.low <= interval.high <= max(values) + 1e-9
    assert interval == bootstrap_interval(values, resamples=200, seed=seed)


def test_queries_without_an_answer_are_left_out() -> None:
    with_gaps = bootstrap_interval([1, math.nan, 0, 1], clusters=["a", "b", "a", "c"])
    assert (with_gaps.count, with_gaps.clusters) == (3, 2)
    assert with_gaps.estimate == pytest.approx(2 / 3)


def test_one_cluster_says_nothing_about_the_spread() -> None:
    interval = bootstrap_interval([0.2, 0.8], clusters=["a", "a"])
    assert interval.estimate == 0.5
    assert math.isnan(interval.low)
    assert math.isnan(interval.high)


def test_equal_values_have_an_interval_without_width() -> None:
    assert (bootstrap_interval([1.0] * 9).low, bootstrap_interval([1.0] * 9).high) == (1, 1)


def test_the_p_value_of_equal_settings_is_uniform() -> None:
    rng = np.random.default_rng(6)
    p = [paired_test(rng.random(40), rng.random(40), resamples=200, seed=i).p_value for i in range(300)]
    assert np.mean(np.array(p) <= 0.05) == pytest.approx(0.05, abs=0.03)
    assert np.mean(np.array(p) <= 0.5) == pytest.approx(0.5, abs=0.08)


def test_the_p_value_is_that_of_all_signs() -> None:
    differences = np.array([0.3, 0.1, -0.05, 0.2, 0.15, 0.25, -0.1, 0.4])
    signs = 1 - 2 * ((np.arange(256)[:, None] >> np.arange(8)) & 1)
    exact = np.mean(np.abs(signs @ differences) >= abs(differences.sum()) - 1e-12)
    result = paired_test(differences, np.zeros(8), resamples=40_000)
    assert result.p_value == pytest.approx(exact, abs=0.003)
    assert result.difference == pytest.approx(differences.mean())


def test_a_small_gain_on_every_query_is_seen_where_the_means_overlap() -> None:
    base = np.random.default_rng(7).random(100)
    result = paired_test(base + 0.01, base)
    assert result.p_value < 0.001
    assert result.low == pytest.approx(0.01)
    assert result.high == pytest.approx(0.01)


def test_swapping_the_settings_turns_the_result_round() -> None:
    rng = np.random.default_rng(8)
    a, b = rng.random(30), rng.random(30)
    one, other = paired_test(a, b), paired_test(b, a)
    assert one.difference == -other.difference
    assert one.p_value == other.p_value


def test_repeating_a_photo_does_not_make_a_difference_significant() -> None:
    rng = np.random.default_rng(9)
    products = rng.normal(0.1, 0.3, 12)
    photos, of = np.repeat(products, 10), np.repeat(np.arange(12), 10)
    zeros = np.zeros(120)
    assert paired_test(photos, zeros, clusters=of).p_value == pytest.approx(
        paired_test(products, np.zeros(12)).p_value, abs=0.02
    )
    assert paired_test(photos, zeros).p_value < 0.2 * paired_test(photos, zeros, clusters=of).p_value


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        ([], {}, "no value is left"),
        ([math.nan], {}, "no value is left"),
        ([1.0], {"level": 1.0}, "level 1.0"),
        ([1.0], {"resamples": 10}, "10 resamples"),
        ([1.0], {"clusters": [1, 2]}, "2 clusters for 1 values"),
        ([1.0], {"method": "magic"}, "bca, percentile"),
        ([math.inf], {}, "infinity"),
        ([[1.0]], {}, "shape"),
    ],
)
def test_what_cannot_be_resampled_is_refused(
    values: list[float], options: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        bootstrap_interval(values, **options)  # type: ignore[arg-type]


def test_different_queries_cannot_be_paired() -> None:
    with pytest.raises(InputError, match="a has 2 values and b 1"):
        paired_test([1.0, 0.0], [1.0])
