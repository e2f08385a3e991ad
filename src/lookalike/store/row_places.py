"""Where rows stand among ascending ones, and the nearest of some rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lookalike.types import Embeddings, Rows
from lookalike.vectors.neighbours import NOWHERE, Neighbours, VectorSource, exact_range


def places_of(some: Rows, rows: Rows) -> npt.NDArray[np.int64]:
    """Places of some rows among others, in the time of the few, not of the many.

    Args:
        some: int64, any shape and order.
        rows: int64 (n,), ascending.

    Returns:
        int64 of the shape of ``some``; -1 for those that are not among them.
    """
    if not len(rows):
        return np.full(some.shape, NOWHERE, dtype=np.int64)
    found = np.minimum(np.searchsorted(rows, some), len(rows) - 1)
    return np.where(rows[found] == some, found, NOWHERE)


def nearest_rows(rows: Rows, vectors: VectorSource, queries: Embeddings, k: int) -> Neighbours:
    """The nearest of some rows, compared one by one.

    Args:
        rows: int64 (n,).
        vectors: Theirs, L2-normalised.
        queries: float32 (q, d), L2-normalised rows.
        k: At least 1.
    """
    found = exact_range(vectors, queries, k, 0, len(rows), unit=True)
    if not len(rows):
        return found
    return Neighbours(np.where(found.positions >= 0, rows[found.positions], NOWHERE), found.scores)
