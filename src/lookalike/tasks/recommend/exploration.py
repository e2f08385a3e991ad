"""What to show a person of whom little is known: what is popular, and a sample that covers the catalogue."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from lookalike.tasks.recommend.catalogue import Catalogue, Units
from lookalike.tasks.recommend.selection import pool_size, varied
from lookalike.types import Embeddings
from lookalike.vectors.metrics import inner

KNOWN_WELL = 10
"""Liked examples from which on nothing is explored unless asked for."""

COVERAGE = 0.5
"""Diversity of what is explored."""


def exploring_slots(k: int, liked: int, exploration: float | None) -> int:
    """How many of k answers are explored.

    Args:
        k: Length of the answer.
        liked: How many examples the person liked.
        exploration: The share that was asked for; None: (1 - liked / KNOWN_WELL) / 2, not below 0.

    Returns:
        0 to k; all of them for a person who liked nothing yet, whatever was asked for.
    """
    if liked == 0:
        return k
    share = max(0.0, 1.0 - liked / KNOWN_WELL) / 2 if exploration is None else exploration
    return math.floor(share * k + 0.5)


def explored(
    catalogue: Catalogue,
    count: int,
    *,
    exclude: Units,
    popularity: npt.NDArray[np.float64] | None,
    seed: int,
    avoid: Embeddings,
    width: float,
) -> Units:
    """Units to get to know a person with.

    Half of the pool is what most people like, half a random sample; from both, a determinantal point process
    takes units that are popular and unlike each other. Without any interactions it is a sample that covers.

    Args:
        catalogue: What may be recommended.
        count: How many.
        exclude: Units that are no answer.
        popularity: float64 (len(catalogue),), how much each was liked; None: not known.
        seed: Of the sample; give each person their own.
        avoid: float32 (m, d), what the person dislikes: its look-alikes are not explored while others are left.
        width: 1 - cosine up to which things look alike.

    Returns:
        int64, at most ``count``.
    """
    if count <= 0:
        return np.empty(0, dtype=np.int64)
    open_units = np.setdiff1d(catalogue.units(), exclude, assume_unique=True)
    if not len(open_units):
        return open_units
    size = pool_size(count)
    random = np.random.default_rng(seed)
    prior = np.zeros(len(open_units)) if popularity is None else np.log1p(popularity[open_units])
    sample = random.permutation(len(open_units))[:size]
    best = np.argsort(-prior, kind="stable")[:size]
    pool = np.union1d(sample, best[prior[best] > 0])
    pool = pool[np.argsort(-prior[pool], kind="stable")]
    vectors = catalogue.vectors(open_units[pool])
    if len(avoid):
        pleasant = inner(avoid, vectors).max(axis=0) < 1.0 - width
        if pleasant.sum() >= count:
            pool, vectors = pool[pleasant], vectors[pleasant]
    order = varied(prior[pool], vectors, count, COVERAGE)
    chosen: Units = open_units[pool[order[:count]]]
    return chosen
