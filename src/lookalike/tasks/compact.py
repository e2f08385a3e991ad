"""Fewer dimensions with nearly the same distances: what the layout of a large set is computed on."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from lookalike.types import Embeddings
from lookalike.vectors.metrics import normalise
from lookalike.vectors.reduction import Reducer, fit_reducer
from lookalike.vectors.threads import one_thread_each

DIMENSIONS = 100
SAMPLE = 20_000
"""Rows that principal components are learned from at most: a hundred directions need no more."""


class Compact:
    """Unit vectors of at most 100 dimensions whose distances come close to those of the embeddings.

    An embedding is projected on the 99 main principal directions; the length of what is left of it becomes the
    last coordinate. So rows keep length 1 and cosine indexes work on them; distances are never greater than the
    true ones, and closer to them than those of the projection alone.

    Linear algebra runs on one thread here: sums in another order have other last digits, which a layout
    magnifies.

    Args:
        sample: float32 (m, d), L2-normalised rows to learn the directions from. With d at most 100 there is
            nothing to learn, and embeddings stay as they are.
    """

    def __init__(self, sample: Embeddings) -> None:
        self._directions: npt.NDArray[np.float32] | None = None
        if sample.shape[1] > DIMENSIONS and len(sample) > 1:
            self._directions = _principal(sample, DIMENSIONS - 1).matrix

    def __call__(self, embeddings: Embeddings) -> Embeddings:
        """Embeddings float32 (n, d) as float32 (n, at most 100), L2-normalised rows."""
        if self._directions is None:
            return embeddings
        with one_thread_each():
            projected = embeddings @ self._directions
        rest = np.sqrt(np.maximum(0, 1 - np.einsum("nd,nd->n", projected, projected)))
        return normalise(np.column_stack([projected, rest]))

    def gather(self, blocks: Iterable[Embeddings]) -> Embeddings:
        """Blocks of embeddings as one compact array; holds one block at a time in full."""
        parts = [self(block) for block in blocks]
        return np.concatenate(parts) if parts else np.empty((0, DIMENSIONS), dtype=np.float32)


def main_plane(embeddings: Embeddings) -> npt.NDArray[np.float32]:
    """Coordinates along the two main principal components, float32 (n, 2), centred, the first of variance 1.

    Args:
        embeddings: float32 (n, d), L2-normalised rows, at least one.
    """
    reducer = _principal(embeddings, 2)
    plane = np.zeros((len(embeddings), 2), dtype=np.float32)
    with one_thread_each():
        plane[:, : reducer.dimensions] = reducer.project(embeddings)
    spread = float(plane[:, 0].std())
    return plane / np.float32(spread) if spread > 0 else plane


def _principal(embeddings: Embeddings, most: int) -> Reducer:
    """A PCA to ``most`` dimensions, or as many as vary."""
    with one_thread_each():
        reducer = fit_reducer(embeddings, method="pca")
    return reducer.truncated(min(most, reducer.dimensions))
