"""From which similarity on two tracklets are taken for one thing: learned from the recordings themselves.

Nobody labels pairs, but many are known: whoever is seen by two cameras at one time that do not overlap are two, and
so are two at different places of a common ground; two at one place of it are one. Together with all other pairs they
give the distributions of the similarity of different things and of one thing, by expectation maximisation in which
known pairs keep their label. The line is drawn where as many pairs are expected to be matched falsely as are missed.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erf, sqrt
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError

Floats = npt.NDArray[np.float64]

ROUNDS = 200
LEAST_SPREAD = 0.02
"""Of cosines: a handful of equal pairs does not make a distribution without width."""

ENOUGH = 30
"""Pairs known to differ from which on they speak for themselves; fewer are helped by all other pairs."""

PEAKS = 25
"""Pairs whose similarity stands for all greater ones."""

STEEPEST = 40.0
"""Log odds by unit of cosine."""

DEFAULT_SHARE = 0.05
PRIOR_PAIRS = 20
"""Share of pairs of one thing before anything is known, and the pairs that this counts for."""

LEAST_APART = 2.5
"""Spreads of different things by which one thing is more alike: with less there would be two sorts of different
things."""


@dataclass(frozen=True, slots=True)
class MatchingThreshold:
    """Where the line lies and what is expected of it.

    Args:
        cosine: Pairs above it are matched.
        slope: Log odds by unit of cosine there.
        false_match_rate: Share of pairs of different things that lie above.
        miss_rate: Share of pairs of one thing that lie below.
        share: Of all pairs, those of one thing.
        known_different, known_same, other: Numbers of pairs that it was learned from.
    """

    cosine: float
    slope: float
    false_match_rate: float
    miss_rate: float
    share: float
    known_different: int
    known_same: int
    other: int


def learn_threshold(
    different: Floats, same: Floats, other: Floats, *, false_match_rate: float | None = None
) -> MatchingThreshold:
    """Draw the line.

    Args:
        different: Cosines of pairs that are known to be of two things.
        same: Cosines of pairs that are known to be of one.
        other: Cosines of pairs of which nothing is known.
        false_match_rate: Share of pairs of different things that may lie above the line; None for the line at
            which false matches equal misses.

    Raises:
        InputError: If there is no pair at all, or the rate is not between 0 and 1.
    """
    if not len(different) + len(same) + len(other):
        raise InputError(
            "there is no pair of tracklets to learn a threshold from: expected two tracklets at least"
        )
    if false_match_rate is not None and not 0 < false_match_rate < 1:
        raise InputError(f"false_match_rate is {false_match_rate}: expected a share between 0 and 1")
    (mean0, spread0), (mean1, spread1), share = _mixture(different, same, other)
    pairs = max(1, len(other) + len(same) + len(different))
    whole = (share * len(other) + len(same)) / pairs

    tail = _Tail.of(different) if len(different) >= ENOUGH else None

    def false(at: float) -> float:
        return 1 - _below(at, mean0, spread0) if tail is None else tail.above(at)

    def missed(at: float) -> float:
        return _below(at, mean1, spread1)

    grid = np.linspace(min(mean0, mean1), max(mean0, mean1) + 4 * max(spread0, spread1), 801)
    if false_match_rate is None:
        gap = [(1 - whole) * false(at) - whole * missed(at) for at in grid.tolist()]
        line = float(grid[int(np.argmax(np.array(gap) <= 0))]) if min(gap) <= 0 else float(grid[-1])
    else:
        low = [false(at) <= false_match_rate for at in grid.tolist()]
        line = float(grid[int(np.argmax(low))]) if any(low) else float(grid[-1])
    pooled = (spread0**2 + spread1**2) / 2
    slope = float(np.clip((mean1 - mean0) / pooled, 1.0, STEEPEST))
    return MatchingThreshold(
        line, slope, false(line), missed(line), float(whole), len(different), len(same), len(other)
    )


class _Tail(NamedTuple):
    """Shares of values above a level: counted up to the last few dozen, which then fall off exponentially.

    Peaks over a threshold with shape 0 (Pickands 1975, https://doi.org/10.1214/aos/1176343003): a single large value
    does not decide where the line lies.
    """

    values: Floats
    level: float
    share: float
    excess: float

    @classmethod
    def of(cls, values: Floats) -> _Tail:
        ordered = np.sort(values)
        n = len(ordered)
        last = max(n // 50, min(n // 4, PEAKS))
        level = float(ordered[-last - 1])
        return cls(ordered, level, last / n, max(LEAST_SPREAD / 4, float((ordered[-last:] - level).mean())))

    def above(self, at: float) -> float:
        if at >= self.level:
            return float(self.share * np.exp(-(at - self.level) / self.excess))
        return float(1 - np.searchsorted(self.values, at, side="right") / len(self.values))


def _mixture(
    different: Floats, same: Floats, other: Floats
) -> tuple[tuple[float, float], tuple[float, float], float]:
    """Mean and spread of pairs of two things, of one thing, and the share of the latter among ``other``."""
    everything = np.concatenate([different, other]) if len(other) else np.concatenate([different, same])
    base = different if len(different) >= ENOUGH else everything
    mean0 = float(np.median(base))
    spread0 = max(LEAST_SPREAD, float(np.std(base)))
    high = same if len(same) >= 3 else other[other > mean0 + 2.5 * spread0]
    mean1 = float(np.mean(high)) if len(high) else mean0 + 4 * spread0
    spread1 = max(LEAST_SPREAD, float(np.std(high))) if len(high) >= 3 else spread0
    share = DEFAULT_SHARE
    for _ in range(ROUNDS if len(other) else 0):
        ratio = (
            np.log((1 - share) / share)
            + _log_density(other, mean0, spread0)
            - _log_density(other, mean1, spread1)
        )
        one = 1 / (1 + np.exp(np.clip(ratio, -50, 50)))
        one[other < mean0] = 0.0  # a wide upper curve also reaches below the lower one
        share = float((one.sum() + DEFAULT_SHARE * PRIOR_PAIRS) / (len(other) + PRIOR_PAIRS))
        mean0, spread0 = _moments(different, other, 1 - one, mean0, spread0)
        mean1, spread1 = _moments(same, other, one, mean1, spread1)
        mean1 = max(mean1, mean0 + LEAST_APART * spread0)
    return (mean0, spread0), (mean1, spread1), share


def _moments(known: Floats, other: Floats, weight: Floats, mean: float, spread: float) -> tuple[float, float]:
    values = np.concatenate([known, other])
    weights = np.concatenate([np.ones(len(known)), weight])
    total = weights.sum()
    if total < 2:
        return mean, spread
    centre = float(weights @ values / total)
    return centre, max(LEAST_SPREAD, float(np.sqrt(weights @ (values - centre) ** 2 / total)))


def _log_density(values: Floats, mean: float, spread: float) -> Floats:
    density: Floats = -0.5 * ((values - mean) / spread) ** 2 - np.log(spread)
    return density


def _below(at: float, mean: float, spread: float) -> float:
    return 0.5 * (1 + erf((at - mean) / (spread * sqrt(2))))
