"""How far a measured mean can be trusted, and whether two settings differ: resampling over queries.

What is resampled are clusters: queries that say the same thing twice, such as four photos of one product,
go in and out together, since as single queries they would make the interval too narrow.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError

Values = npt.NDArray[np.float64]
IntervalMethod = Literal["bca", "percentile"]

BLOCK_VALUES = 1 << 22
"""Drawn numbers that are held at a time: 32 MiB."""

ROUNDING = 1e-12
"""Two resampled means that differ by less are equal: sums in another order differ in the last digits."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and the interval that its resampling gives.

    Args:
        estimate: The mean of the values.
        low, high: Ends of the confidence interval; NaN when there are fewer than two clusters, which say
            nothing about their spread.
        level: Confidence of the interval.
        count: Values that went in.
        clusters: Clusters that they form; equal to ``count`` where each stands for itself.
    """

    estimate: float
    low: float
    high: float
    level: float
    count: int
    clusters: int


@dataclass(frozen=True, slots=True)
class PairedResult:
    """Two settings on the same queries.

    Args:
        difference: mean(a) - mean(b).
        low, high: Ends of its confidence interval; NaN with fewer than two clusters.
        p_value: Probability of a difference at least as large, either way, if a and b were alike.
        level: Confidence of the interval.
        count: Pairs that went in.
        clusters: Clusters that they form.
    """

    difference: float
    low: float
    high: float
    p_value: float
    level: float
    count: int
    clusters: int


def bootstrap_interval(
    values: npt.ArrayLike,
    *,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
    clusters: Sequence[object] | npt.NDArray[Any] | None = None,
    method: IntervalMethod = "bca",
) -> Interval:
    """Confidence interval of a mean by the cluster bootstrap.

    ``bca`` is bias-corrected and accelerated (Efron 1987, https://doi.org/10.1080/01621459.1987.10478410): it
    follows the skew that recall near 0 or 1 has, where ``percentile`` (Efron 1979) cuts both tails alike. With
    clusters of unequal size the mean is that of the queries, sum over drawn clusters / their number of queries.
    Where all values are equal the interval has no width: nothing in the data says how others would be.

    Args:
        values: float (n,), one a query; NaN (a query without an answer) is left out.
        level: Confidence, between 0 and 1.
        resamples: How often to resample, at least 100.
        seed: Of the resampling.
        clusters: n hashable values; queries of equal value are resampled together. None: each for itself.
        method: ``bca`` or ``percentile``.

    Raises:
        InputError: If an argument is out of range, or no value is left.

    Example:
        >>> bootstrap_interval([1, 0, 1, 1, 0, 1, 1, 1]).estimate
        0.75
    """
    _check(level, resamples)
    if method not in get_args(IntervalMethod):
        raise InputError(
            f"method {method!r} is not known: choose one of {', '.join(get_args(IntervalMethod))}"
        )
    numbers = _column(values, "values")
    kept = ~np.isnan(numbers)
    sums, sizes = _clustered(numbers[kept], _chosen(clusters, kept))
    estimate = float(numbers[kept].mean())
    low, high = _interval(sums, sizes, level, resamples, seed, method)
    return Interval(estimate, low, high, level, int(kept.sum()), len(sums))


def paired_test(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    *,
    level: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
    clusters: Sequence[object] | npt.NDArray[Any] | None = None,
) -> PairedResult:
    """Whether setting a answers the same queries better than setting b.

    The p-value is that of the two-sided randomisation test: if a and b were alike, the sign of each cluster's
    difference would be a coin's toss (Fisher 1935; recommended for retrieval by Smucker, Allan and Carterette
    2007, https://doi.org/10.1145/1321440.1321528). It is (1 + tosses at least as extreme) / (1 + tosses), so it is
    never 0. The interval is the BCa bootstrap of the mean difference, as in :func:`bootstrap_interval`.

    Args:
        a, b: float (n,), the same queries in the same order; pairs with a NaN are left out.
        level: Confidence of the interval.
        resamples: Tosses, and resamples of the interval, at least 100.
        seed: Of both.
        clusters: n hashable values; queries of equal value are resampled together. None: each for itself.

    Raises:
        InputError: If the lengths differ, an argument is out of range, or no pair is left.
    """
    _check(level, resamples)
    left, right = _column(a, "a"), _column(b, "b")
    if len(left) != len(right):
        raise InputError(f"a has {len(left)} values and b {len(right)}: expected the same queries in both")
    differences = left - right
    kept = ~np.isnan(differences)
    sums, sizes = _clustered(differences[kept], _chosen(clusters, kept))
    observed = float(sums.sum() / sizes.sum())

    def toss(rng: np.random.Generator, rows: int) -> Values:
        signs = rng.integers(0, 2, size=(rows, len(sums)), dtype=np.int8) * np.int8(2) - np.int8(1)
        return np.asarray(signs @ sums / sizes.sum(), dtype=np.float64)

    tossed = np.concatenate(list(_drawn(toss, resamples, len(sums), seed)))
    extreme = int(np.count_nonzero(np.abs(tossed) >= abs(observed) - ROUNDING))
    low, high = _interval(sums, sizes, level, resamples, seed, "bca")
    return PairedResult(
        observed, low, high, (1 + extreme) / (1 + resamples), level, int(kept.sum()), len(sums)
    )


def _interval(
    sums: Values, sizes: Values, level: float, resamples: int, seed: int, method: IntervalMethod
) -> tuple[float, float]:
    """Ends of the interval of sum(sums) / sum(sizes) when clusters are drawn with replacement."""
    if len(sums) < 2:
        return math.nan, math.nan

    def draw(rng: np.random.Generator, rows: int) -> Values:
        chosen = rng.integers(0, len(sums), size=(rows, len(sums)))
        return np.asarray(sums[chosen].sum(axis=1) / sizes[chosen].sum(axis=1), dtype=np.float64)

    means = np.concatenate(list(_drawn(draw, resamples, len(sums), seed)))
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    shares = tails if method == "percentile" else _bca_shares(means, sums, sizes, tails)
    low, high = np.quantile(means, shares).tolist()
    return low, high


def _bca_shares(means: Values, sums: Values, sizes: Values, tails: Values) -> Values:
    """The quantiles of the resampled means that BCa takes for the two tails."""
    estimate = sums.sum() / sizes.sum()
    below = np.count_nonzero(means < estimate - ROUNDING)
    same = np.count_nonzero(np.abs(means - estimate) <= ROUNDING)
    share = (below + same / 2) / len(means)
    left_out = (sums.sum() - sums) / (sizes.sum() - sizes)  # the jackknife, one cluster at a time
    deviations = left_out.mean() - left_out
    spread = float((deviations**2).sum())
    if not 0 < share < 1 or spread <= ROUNDING**2:
        return tails  # every resample is the same: nothing to correct
    normal = NormalDist()
    bias = normal.inv_cdf(share)
    acceleration = float((deviations**3).sum()) / (6 * spread**1.5)
    shares = []
    for tail in tails.tolist():
        z = bias + normal.inv_cdf(tail)
        shares.append(normal.cdf(bias + z / (1 - acceleration * z)))
    return np.array(shares)


def _drawn(
    draw: Callable[[np.random.Generator, int], Values], resamples: int, clusters: int, seed: int
) -> Iterator[Values]:
    """Resamples in blocks, so that memory does not grow with their number."""
    rng = np.random.default_rng(seed)
    step = max(1, BLOCK_VALUES // max(clusters, 1))
    for first in range(0, resamples, step):
        yield draw(rng, min(step, resamples - first))


def _clustered(values: Values, clusters: Sequence[object] | None) -> tuple[Values, Values]:
    """Sum and number of the values of each cluster, in order of first appearance."""
    if not len(values):
        raise InputError(
            "no value is left to average: no query has an answer. Check that the labels of queries and "
            "gallery are spelled alike"
        )
    if clusters is None:
        return values, np.ones(len(values))
    codes: dict[object, int] = {}
    of = np.array([codes.setdefault(value, len(codes)) for value in clusters])
    return np.bincount(of, weights=values).astype(np.float64), np.bincount(of).astype(np.float64)


def _chosen(
    clusters: Sequence[object] | npt.NDArray[Any] | None, kept: npt.NDArray[np.bool_]
) -> list[object] | None:
    if clusters is None:
        return None
    listed: list[object] = list(clusters.tolist() if isinstance(clusters, np.ndarray) else clusters)
    if len(listed) != len(kept):
        raise InputError(f"{len(listed)} clusters for {len(kept)} values: expected one a value")
    return [value for value, keep in zip(listed, kept.tolist(), strict=True) if keep]


def _column(values: npt.ArrayLike, name: str) -> Values:
    column = np.asarray(values, dtype=np.float64)
    if column.ndim != 1:
        raise InputError(f"{name} have shape {column.shape}: expected (n,), one a query")
    if np.isinf(column).any():
        raise InputError(f"{name} hold infinity, which has no mean: look for queries that were not answered")
    return column


def _check(level: float, resamples: int) -> None:
    if not 0 < level < 1:
        raise InputError(f"level {level} is no confidence: expected a number between 0 and 1, such as 0.95")
    if resamples < 100:
        raise InputError(f"{resamples} resamples say little about tails: expected at least 100")
