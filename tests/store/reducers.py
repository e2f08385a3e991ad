"""Reducers for the tests of galleries: every precision, with and without centring."""

from __future__ import annotations

from clustered_vectors import clustered
from lookalike.store.searched import ActiveReducer
from lookalike.vectors.quantise import KeptPrecision
from lookalike.vectors.reduced_space import ReducedSpace
from lookalike.vectors.reduction import Method, fit_reducer
from store_records import DIMENSIONS, FINGERPRINT

VECTORS = clustered(6000, dimensions=DIMENSIONS, clusters=300)


def reduced_space(
    dimensions: int = 12, precision: KeptPrecision = "i8", method: Method = "pca", *, seed: int = 0
) -> ReducedSpace:
    """A space fitted on a sample of VECTORS."""
    sample = VECTORS[:3000]
    return ReducedSpace.fit(fit_reducer(sample, dimensions, method=method, seed=seed), precision, sample)


def active(space: ReducedSpace, version: int = 1) -> ActiveReducer:
    """The same as a collection's active reducer."""
    return ActiveReducer(version, FINGERPRINT, space)
