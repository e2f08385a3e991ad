"""Match strength: a score made comparable across queries, so that one cutoff means the same for all of them.

A cosine of 0.6 is a match for one query and background noise for another. The strength says how surprising a
score would be if nothing in the collection were related to the query:

    strength(s) = P(the best of N unrelated candidates scores below s) = (1 - S(z))^N,    z = (s - mu) / sigma

A cutoff of 0.95 therefore lets a query with nothing related in the collection pass anything in about one
case of twenty. It says nothing about what "related" means: that is the encoder's doing.

Derivation
    mu and sigma are the query's own, from its similarities to a background sample of the collection. That is
    the cohort normalisation of speaker verification (Z-norm and T-norm: Auckenthaler, Carey & Lloyd-Thomas
    2000, https://doi.org/10.1006/dspr.1999.0360), one-sided, since the strength must rise with the score.

    What matters is the upper tail, and the whole distribution tells little of it: two thirds of a catalogue
    are of quite another kind than the query. As in extreme-value recognition scores (Scheirer et al. 2011,
    "Meta-Recognition", https://doi.org/10.1109/TPAMI.2011.54) the model is fitted to the tail of the
    non-matches: a normal distribution through the quantiles a and b of the similarities,

        sigma = (q_b - q_a) / (z_b - z_a),    mu = q_a - z_a * sigma,    S(z) = 1 - Phi(z)

    with b = 1 - max(0.02, 8 / n) and a = max(0.5, 1 - 5 (1 - b)) for a sample of n: 90 % and 98 % from 400
    items on. The quantiles stay below the top few because a catalogue holds several views of one thing, and
    such relatives are the very matches that the strength has to reveal. The best of N normal variables
    follows a Gumbel law (Fisher & Tippett 1928); Phi(z)^N is its exact form.

    A query with very many relatives would widen its own tail and hide them, so sigma is at most 1.5 times the
    median sigma of the background items themselves.

    Below 50 items there is no tail to look at: mu = 0.30 and sigma = 0.15 stand in, broad enough for the
    usual networks, and the strength is then only a rescaled cosine.

Measured by ``python -m benchmarks strength`` (benchmarks/results): with products left out, 8 to 11 % pass 0.95.
A normal fit to the body of the similarities (50 % and 90 %) and an exponential tail were both further off.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.types import Embeddings
from lookalike.vectors.metrics import cosine, inner, normalise

SAMPLE = 2000
"""Background items that are kept."""

BLOCK = 128
"""Items that are compared with the sample at a time."""

ENOUGH = 50
"""From so many background items on, the tail is fitted."""

PRIOR_MU, PRIOR_SIGMA = 0.30, 0.15
LEAST_SIGMA = 1e-3
MOST_SIGMA = 1.5

_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Background:
    """What unrelated similarities look like in a collection.

    Args:
        sample: float16 (m, d), m at most 2,000 items of the collection.
        sigma: Median sigma of the sample's own items; what bounds a query's.
    """

    sample: npt.NDArray[np.float16]
    sigma: float
    _unit: Embeddings = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_unit", normalise(self.sample))  # widening it for each query takes 10 ms

    @classmethod
    def fit(cls, embeddings: Embeddings, seed: int = 0) -> Background:
        """Learn from a collection's embeddings, or from a sample of them.

        Args:
            embeddings: float32 (n, d), L2-normalised rows; may be empty.
            seed: Of the sample, when there are more than 2,000.
        """
        chosen = embeddings
        if len(embeddings) > SAMPLE:
            picks = np.random.default_rng(seed).choice(len(embeddings), SAMPLE, replace=False)
            chosen = embeddings[np.sort(picks)]
        sigma = PRIOR_SIGMA
        if len(chosen) > ENOUGH:
            sigmas = [_own_sigmas(chosen, first) for first in range(0, len(chosen), BLOCK)]
            sigma = max(LEAST_SIGMA, float(np.median(np.concatenate(sigmas))))
        return cls(chosen.astype(np.float16), sigma)

    def strength(
        self, queries: Embeddings, scores: npt.NDArray[np.float32], *, candidates: int
    ) -> npt.NDArray[np.float64]:
        """How surprising scores would be if nothing were related to the query.

        Args:
            queries: float32 (q, d) or (d,), L2-normalised.
            scores: float32 (q, k) or (k,), cosines with what was found; -inf gives 0.
            candidates: Number of items that were searched, after filtering.

        Returns:
            float64 of the scores' shape, in [0, 1], rising with the score of a query.

        Raises:
            InputError: If the shapes do not fit.
        """
        rows, table = np.atleast_2d(queries), np.atleast_2d(scores)
        if len(rows) != len(table) or rows.shape[1] != self.sample.shape[1]:
            raise InputError(
                f"queries {queries.shape} and scores {scores.shape} do not fit a background of "
                f"{self.sample.shape[1]} dimensions: expected (q, d) and (q, k)"
            )
        mu, sigma = self._moments(rows)
        z = (table.astype(np.float64) - mu[:, None]) / sigma[:, None]
        strengths: npt.NDArray[np.float64] = np.exp(max(1, candidates) * _log_phi(z))
        return strengths.reshape(scores.shape)

    def _moments(self, queries: Embeddings) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Location and scale of each query's unrelated similarities."""
        if len(self.sample) < ENOUGH:
            return np.full(len(queries), PRIOR_MU), np.full(len(queries), PRIOR_SIGMA)
        anchor, sigma, z = _tail(inner(queries, self._unit))
        bounded = np.clip(sigma, LEAST_SIGMA, MOST_SIGMA * self.sigma)
        return anchor - z * bounded, bounded


def _own_sigmas(sample: Embeddings, first: int) -> npt.NDArray[np.float64]:
    """Sigma of a block of the sample's items, each compared with the others."""
    similarities = cosine(sample[first : first + BLOCK], sample)
    themselves = np.arange(len(similarities))  # says nothing of others: let a neighbour stand in
    similarities[themselves, first + themselves] = similarities[themselves, first + themselves - 1]
    return _tail(similarities)[1]


def _tail(
    similarities: npt.NDArray[np.float32],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], float]:
    """The normal tail of each row: quantile a, sigma, and z_a."""
    upper = 1 - max(0.02, 8 / similarities.shape[1])
    lower = max(0.5, 1 - 5 * (1 - upper))
    q_a, q_b = np.quantile(similarities.astype(np.float64), [lower, upper], axis=1)
    z_a, z_b = _NORMAL.inv_cdf(lower), _NORMAL.inv_cdf(upper)
    return q_a, (q_b - q_a) / (z_b - z_a), z_a


def _log_phi(z: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Logarithm of the normal distribution function, accurate in both tails."""
    flat = []
    for value in z.ravel().tolist():
        tail = 0.5 * math.erfc(abs(value) / math.sqrt(2))
        if value > 0:
            flat.append(math.log1p(-tail))
        else:
            flat.append(math.log(tail) if tail > 0 else -math.inf)
    return np.array(flat, dtype=np.float64).reshape(z.shape)
