"""How alike pairs of two things and pairs of one thing look: two normal curves, some of whose pairs are known.

Expectation maximisation in which known pairs keep their label, from conjugate priors (normal-inverse-gamma for a curve,
beta for the share; Gelman et al., Bayesian Data Analysis, 3rd edition, section 3.3), so that a handful of pairs moves
the curves a little and thousands decide them. EM finds one of several answers: it starts from the prior and from the
pairs, and the more probable answer is taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

ROUNDS = 200
LEAST_SPREAD = 0.02
"""Of cosines: a handful of equal pairs does not make a distribution without width."""

ENOUGH = 30
"""Pairs known to differ from which on they speak for themselves; fewer are helped by all other pairs."""

DEFAULT_SHARE = 0.05
PRIOR_PAIRS = 20
"""Share of pairs of one thing before anything is known, and the pairs that this counts for."""

LEAST_APART = 2.5
"""Spreads of different things by which one thing is more alike: with less there would be two sorts of different
things."""


class Curve(NamedTuple):
    """Mean and standard deviation of similarities."""

    mean: float
    spread: float


@dataclass(frozen=True, slots=True)
class PairPrior:
    """What is believed of similarities before a pair is seen.

    Args:
        different, same: Curves of pairs of two things, and of one thing.
        mean_pairs: Pairs that the mean of either counts for: (spread within a scene / spread of means over scenes)².
        spread_pairs: Pairs that the spread of either counts for.
    """

    different: Curve
    same: Curve
    mean_pairs: tuple[float, float] = (2.0, 7.0)
    spread_pairs: tuple[float, float] = (20.0, 20.0)


COSINES = PairPrior(Curve(0.0, 0.25), Curve(0.6, 0.17))
"""Cosines of tracklets of two cameras after cameras' means were taken away.

Measured on the simulated cameras of :mod:`benchmarks.tracking`, in scenes of 2 to 14 of their 14 people: pairs of two
people have means of -0.63 (2 people; taking the mean away forces it down) to -0.05 (14) and spreads of 0.12 to 0.26,
pairs of one person means of 0.42 to 0.66 and spreads of 0.14 to 0.22. For different things the upper end is taken: a
line that is too high misses, one that is too low accuses."""

RERANKED = PairPrior(Curve(0.0, 0.2), Curve(0.73, 0.16), (0.1, 0.1), (1.0, 1.0))
"""The same after re-ranking: -0.20 to 0.00 and 0.09 to 0.20; 0.65 to 0.78 and 0.12 to 0.16. It is used with so many
tracklets, hundreds of pairs, that they speak for themselves: this counts for about one of them."""


class PairMixture(NamedTuple):
    """What is believed after pairs were seen.

    Args:
        different, same: Curves of pairs of two things, and of one.
        share: Of one thing, among the pairs of which nothing was known.
    """

    different: Curve
    same: Curve
    share: float


def learn_mixture(different: Floats, same: Floats, other: Floats, prior: PairPrior) -> PairMixture:
    """Learn the two curves.

    Args:
        different: float64 (n,), similarities of pairs that are known to be of two things.
        same: float64 (m,), of pairs that are known to be of one.
        other: float64 (k,), of pairs of which nothing is known.
        prior: What is believed before.
    """
    starts = [PairMixture(prior.different, prior.same, DEFAULT_SHARE)]
    if len(different) + len(same) + len(other):
        starts.append(_from_pairs(different, same, other))
    answers = [_climbed(start, different, same, other, prior) for start in starts]
    return max(answers, key=lambda answer: _log_posterior(answer, different, same, other, prior))


def _from_pairs(different: Floats, same: Floats, other: Floats) -> PairMixture:
    """A start that looks at nothing but the pairs."""
    everything = np.concatenate([different, other]) if len(other) else np.concatenate([different, same])
    base = different if len(different) >= ENOUGH else everything
    low = Curve(float(np.median(base)), max(LEAST_SPREAD, float(np.std(base))))
    high = same if len(same) >= 3 else other[other > low.mean + LEAST_APART * low.spread]
    mean = float(np.mean(high)) if len(high) else low.mean + 4 * low.spread
    spread = max(LEAST_SPREAD, float(np.std(high))) if len(high) >= 3 else low.spread
    return PairMixture(low, Curve(mean, spread), DEFAULT_SHARE)


def _climbed(
    start: PairMixture, different: Floats, same: Floats, other: Floats, prior: PairPrior
) -> PairMixture:
    """Expectation maximisation from a start."""
    low, high, share = start
    for _ in range(ROUNDS):
        ratio = np.log((1 - share) / share) + _log_density(other, low) - _log_density(other, high)
        one = 1 / (1 + np.exp(np.clip(ratio, -50, 50)))
        one[other < low.mean] = 0.0  # a wide upper curve also reaches below the lower one
        share = float((one.sum() + DEFAULT_SHARE * PRIOR_PAIRS) / (len(other) + PRIOR_PAIRS))
        before = low, high
        low = _fitted(different, other, 1 - one, prior.different, prior.mean_pairs[0], prior.spread_pairs[0])
        high = _fitted(same, other, one, prior.same, prior.mean_pairs[1], prior.spread_pairs[1])
        high = high._replace(mean=max(high.mean, low.mean + LEAST_APART * low.spread))
        if np.allclose(before, (low, high), rtol=0, atol=1e-6):
            break
    return PairMixture(low, high, share)


def _fitted(
    known: Floats, other: Floats, weight: Floats, prior: Curve, mean_pairs: float, spread_pairs: float
) -> Curve:
    """The most probable curve of known pairs and of others by weight."""
    values = np.concatenate([known, other])
    weights = np.concatenate([np.ones(len(known)), weight])
    total = float(weights.sum())
    mean = float((weights @ values + mean_pairs * prior.mean) / (total + mean_pairs))
    scatter = float(weights @ (values - mean) ** 2) + mean_pairs * (mean - prior.mean) ** 2
    variance = (scatter + spread_pairs * prior.spread**2) / (total + spread_pairs)
    return Curve(mean, max(LEAST_SPREAD, float(np.sqrt(variance))))


def _log_posterior(
    answer: PairMixture, different: Floats, same: Floats, other: Floats, prior: PairPrior
) -> float:
    """How probable an answer is, up to a constant."""
    low, high, share = answer
    mixed = np.logaddexp(
        np.log(1 - share) + _log_density(other, low), np.log(share) + _log_density(other, high)
    )
    total = float(_log_density(different, low).sum() + _log_density(same, high).sum() + mixed.sum())
    for curve, believed, mean_pairs, spread_pairs in zip(
        (low, high), (prior.different, prior.same), prior.mean_pairs, prior.spread_pairs, strict=True
    ):
        total -= mean_pairs * ((curve.mean - believed.mean) / curve.spread) ** 2 / 2
        total -= spread_pairs * ((believed.spread / curve.spread) ** 2 / 2 + np.log(curve.spread))
    ones = DEFAULT_SHARE * PRIOR_PAIRS
    return total + float(ones * np.log(share) + (PRIOR_PAIRS - ones) * np.log(1 - share))


def _log_density(values: Floats, curve: Curve) -> Floats:
    density: Floats = -0.5 * ((values - curve.mean) / curve.spread) ** 2 - np.log(curve.spread)
    return density
