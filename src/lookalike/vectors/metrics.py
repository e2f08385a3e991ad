"""The one place that normalises vectors and computes their similarity."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.types import Embeddings
from lookalike.vectors.half import widened

Floats = npt.NDArray[np.floating[Any]]

FEW_QUERIES = 6
"""Up to so many queries, one matrix-vector product each beats one matrix product (measured, OpenBLAS)."""


BLOCK = 256
"""Rows that are widened to float64 at a time, so that the work takes little memory beside the result."""


def normalise(raw: npt.ArrayLike) -> Embeddings:
    """Scale every row to length 1.

    Lengths are computed in float64 after division by the largest magnitude, so that rows of very large or
    very small numbers neither overflow nor vanish.

    Args:
        raw: (n, d) or (d,), any real dtype.

    Returns:
        float32, same shape, rows of Euclidean length 1.

    Raises:
        InputError: If a row is zero or not finite (the message names up to ten), or the shape is another.
    """
    array = np.asarray(raw)
    if array.ndim not in (1, 2) or array.shape[-1] == 0 or array.dtype.kind not in "fiu":
        raise InputError(
            f"vectors of shape {array.shape} and type {array.dtype} cannot be normalised: "
            "expected numbers of shape (n, d) or (d,) with d >= 1"
        )
    rows = np.atleast_2d(array)
    unit = np.empty(rows.shape, dtype=np.float32)
    bad: list[int] = []
    for first in range(0, len(rows), BLOCK):
        matrix = rows[first : first + BLOCK].astype(np.float64)
        largest = np.abs(matrix).max(axis=1)
        wrong = ~np.isfinite(largest) | (largest == 0)
        if wrong.any():
            bad += (first + np.flatnonzero(wrong)).tolist()
            continue
        matrix /= largest[:, None]
        matrix /= np.sqrt(np.einsum("nd,nd->n", matrix, matrix))[:, None]
        unit[first : first + BLOCK] = matrix
    if bad:
        named = ", ".join(map(str, bad[:10])) + (", ..." if len(bad) > 10 else "")
        raise InputError(
            f"row {named} of {len(rows)} is zero or not finite, so it has no direction: "
            "leave such rows out, or look at the images they came from"
        )
    return unit.reshape(array.shape)


def renormalise(rows: Floats) -> Embeddings:
    """Undo the rounding of unit vectors that were kept in fewer bits; several times faster than :func:`normalise`.

    Args:
        rows: float16 or float32 (n, d), rows of length about 1.

    Returns:
        float32 (n, d), rows of Euclidean length 1 within float32.
    """
    wide = widened(rows) if rows.dtype == np.float16 else np.array(rows, dtype=np.float32)
    wide /= np.sqrt(np.einsum("nd,nd->n", wide, wide))[:, None]
    return wide


def cosine(queries: Embeddings, gallery: Floats) -> npt.NDArray[np.float32]:
    """Cosine similarity of every query with every gallery vector.

    The gallery's rows are divided by their own length, which undoes the rounding of vectors that were kept
    in half precision.

    Args:
        queries: float32 (q, d), L2-normalised rows.
        gallery: float16 or float32 (n, d), rows of length about 1.

    Returns:
        float32 (q, n), in [-1, 1].
    """
    wide = widened(gallery)
    lengths = np.sqrt(np.einsum("nd,nd->n", wide, wide))
    similarities: npt.NDArray[np.float32] = inner(queries, wide) / lengths
    return np.clip(similarities, -1.0, 1.0, out=similarities)


def inner(queries: Embeddings, gallery: Embeddings) -> npt.NDArray[np.float32]:
    """Inner products of every query with every gallery vector: the cosine, where all rows have length 1.

    Args:
        queries: float32 (q, d).
        gallery: float32 (n, d).

    Returns:
        float32 (q, n).
    """
    if len(queries) > FEW_QUERIES:
        return queries @ gallery.T
    # a matrix product first copies the whole gallery into its own order: six times slower for one query
    products = np.empty((len(queries), len(gallery)), dtype=np.float32)
    for query, row in zip(queries, products, strict=True):
        row[:] = gallery @ query
    return products


def cosine_pairs(queries: Embeddings, gallery: Floats) -> npt.NDArray[np.float32]:
    """Cosine similarity of each query with vectors of its own.

    Each pair is summed by itself, so equal vectors have bitwise equal similarities wherever they stand,
    which a matrix product does not promise.

    Args:
        queries: float32 (q, d), L2-normalised rows.
        gallery: float16 or float32 (q, k, d), rows of length about 1.

    Returns:
        float32 (q, k), in [-1, 1].
    """
    wide = widened(gallery)
    lengths = np.sqrt(np.einsum("qkd,qkd->qk", wide, wide))
    similarities: npt.NDArray[np.float32] = np.einsum("qd,qkd->qk", queries, wide) / lengths
    return np.clip(similarities, -1.0, 1.0, out=similarities)
