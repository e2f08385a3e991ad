"""Vectors that look like embeddings: clusters on few latent dimensions, with exact copies among them."""

from __future__ import annotations

import numpy as np

from lookalike.types import Embeddings
from lookalike.vectors.metrics import normalise


def clustered(
    n: int, *, dimensions: int = 32, clusters: int = 40, spread: float = 0.5, seed: int = 0
) -> Embeddings:
    """float32 (n, d), L2-normalised rows: members of random clusters, which share a common direction."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((clusters, dimensions)) + 0.7
    members = centres[rng.integers(clusters, size=n)]
    return normalise(members + spread * rng.standard_normal((n, dimensions)))
