"""From which similarity on two tracklets are taken for one thing: learned from the recordings themselves.

Nobody labels pairs, but many are known: whoever is seen by two cameras at one time that do not overlap are two, and
so are two at different places of a common ground; two at one place of it are one. Together with all other pairs they
give the distributions of the similarity of different things and of one thing
(:mod:`lookalike.tracking.pair_mixture`). The line is drawn where as many pairs are expected to be matched falsely as
are missed. A handful of pairs knows little, and what was measured elsewhere speaks for the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erf, sqrt
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.tracking.pair_mixture import COSINES, ENOUGH, LEAST_SPREAD, Curve, PairPrior, learn_mixture

Floats = npt.NDArray[np.float64]

PEAKS = 25
"""Pairs whose similarity stands for all greater ones."""

STEEPEST = 40.0
"""Log odds by unit of cosine."""


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
    different: Floats,
    same: Floats,
    other: Floats,
    *,
    false_match_rate: float | None = None,
    prior: PairPrior = COSINES,
) -> MatchingThreshold:
    """Draw the line.

    Args:
        different: Cosines of pairs that are known to be of two things.
        same: Cosines of pairs that are known to be of one.
        other: Cosines of pairs of which nothing is known.
        false_match_rate: Share of pairs of different things that may lie above the line; None for the line at
            which false matches equal misses.
        prior: What is believed of such similarities before a pair is seen.

    Raises:
        InputError: If there is no pair at all, or the rate is not between 0 and 1.
    """
    if not len(different) + len(same) + len(other):
        raise InputError(
            "there is no pair of tracklets to learn a threshold from: expected two tracklets at least"
        )
    if false_match_rate is not None and not 0 < false_match_rate < 1:
        raise InputError(f"false_match_rate is {false_match_rate}: expected a share between 0 and 1")
    low, high, share = learn_mixture(different, same, other, prior)
    pairs = max(1, len(other) + len(same) + len(different))
    whole = (share * len(other) + len(same)) / pairs

    tail = _Tail.of(different) if len(different) >= ENOUGH else None

    def false(at: float) -> float:
        return 1 - _below(at, low) if tail is None else tail.above(at)

    def missed(at: float) -> float:
        return _below(at, high)

    grid = np.linspace(
        min(low.mean, high.mean), max(low.mean, high.mean) + 4 * max(low.spread, high.spread), 801
    )
    if false_match_rate is None:
        gap = [(1 - whole) * false(at) - whole * missed(at) for at in grid.tolist()]
        line = float(grid[int(np.argmax(np.array(gap) <= 0))]) if min(gap) <= 0 else float(grid[-1])
    else:
        seldom = [false(at) <= false_match_rate for at in grid.tolist()]
        line = float(grid[int(np.argmax(seldom))]) if any(seldom) else float(grid[-1])
    pooled = (low.spread**2 + high.spread**2) / 2
    slope = float(np.clip((high.mean - low.mean) / pooled, 1.0, STEEPEST))
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


def _below(at: float, curve: Curve) -> float:
    return 0.5 * (1 + erf((at - curve.mean) / (curve.spread * sqrt(2))))
