"""Qdrant's strategies by their published definitions, so that an answer there is an answer here.

https://qdrant.tech/documentation/search/explore/ and the score functions of the engine
(``lib/segment/src/vector_storage/query``). All but ``average_vector`` are functions of the similarities between a
candidate and the examples; ``average_vector`` is a query vector.

    average_vector   q = mean(+), or 2 mean(+) - mean(-) where there are negatives; then cosine(q, x)
    best_score       p = max s(+), n = max s(-);  sigma(p) if p > n, else -sigma(n)
    sum_scores       sum s(+) - sum s(-)
    discover         sum over pairs of sign(s(+) - s(-)), plus sigma(s(target)); a tie counts -1
    context          sum over pairs of phi(min(s(+) - s(-) - epsilon, 0))

with phi(x) = x / (1 + |x|), sigma(x) = (phi(x) + 1) / 2 and epsilon that of float32. The sigmoids keep the order of
what they are applied to.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.types import Embeddings
from lookalike.vectors.metrics import normalise

Similarities = npt.NDArray[np.float64]

MARGIN = float(np.finfo(np.float32).eps)


def average_vector(positives: Embeddings, negatives: Embeddings) -> Embeddings:
    """The query of ``average_vector``.

    Args:
        positives: float32 (p, d), at least one.
        negatives: float32 (m, d), none or more.

    Returns:
        float32 (d,), L2-normalised, as cosine similarity asks.

    Raises:
        InputError: If there is no positive, or the examples cancel each other out.
    """
    if not len(positives):
        raise InputError("average_vector needs at least one liked example: got none")
    query = positives.mean(axis=0, dtype=np.float64)
    if len(negatives):
        query = query + query - negatives.mean(axis=0, dtype=np.float64)
    try:
        return normalise(query)
    except InputError:
        raise InputError("the examples cancel each other out, so they say nothing: use fewer") from None


def best_score(positives: Similarities, negatives: Similarities) -> Similarities:
    """Scores of ``best_score``: float64 (n,), from similarities (p, n) and (m, n), either of which may be empty."""
    best = positives.max(axis=0, initial=-np.inf)
    worst = negatives.max(axis=0, initial=-np.inf)
    return np.where(best > worst, _sigmoid(best), -_sigmoid(worst))


def sum_scores(positives: Similarities, negatives: Similarities) -> Similarities:
    """Scores of ``sum_scores``: float64 (n,), from similarities (p, n) and (m, n)."""
    total: Similarities = positives.sum(axis=0) - negatives.sum(axis=0)
    return total


def discover(target: Similarities, positives: Similarities, negatives: Similarities) -> Similarities:
    """Scores of ``discover``.

    Args:
        target: float64 (n,), similarities with the target.
        positives, negatives: float64 (c, n), similarities with the two sides of each context pair.

    Returns:
        float64 (n,): the whole part says how many pairs agree, the fraction is the target's.
    """
    agreement = np.where(positives > negatives, 1.0, -1.0).sum(axis=0)
    scores: Similarities = agreement + _sigmoid(target)
    return scores


def context(positives: Similarities, negatives: Similarities) -> Similarities:
    """Scores of ``context``: float64 (n,), at most 0, from similarities (c, n) with the sides of each pair."""
    loss: Similarities = _fast_sigmoid(np.minimum(positives - negatives - MARGIN, 0.0)).sum(axis=0)
    return loss


def _fast_sigmoid(x: Similarities) -> Similarities:
    return x / (1.0 + np.abs(x))


def _sigmoid(x: Similarities) -> Similarities:
    """Of no example at all: 0 (its limit), not a division of infinities."""
    return np.where(np.isneginf(x), 0.0, 0.5 * (_fast_sigmoid(np.where(np.isneginf(x), 0.0, x)) + 1.0))
