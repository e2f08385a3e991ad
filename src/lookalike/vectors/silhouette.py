"""Silhouettes by cosine distance: how much nearer an item is to its own group than to the next.

Rousseeuw, "Silhouettes", 1987, doi:10.1016/0377-0427(87)90125-7. The mean cosine distance to a group is 1 minus the
cosine with its mean, so no pairs of items are compared: exact in O(n d + m c d) for m items asked and c groups.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lookalike.types import Embeddings
from lookalike.vectors.metrics import inner

Labels = npt.NDArray[np.int64]

NOISE = -1
"""The label of an item that belongs to no cluster."""

BLOCK_VALUES = 1 << 22
"""Cosines of a block of items with all groups: 16 MiB."""


def group_sums(embeddings: Embeddings, labels: Labels, groups: int) -> Embeddings:
    """The sum of each group's vectors, float32 (groups, d); those labelled noise count nowhere."""
    from scipy.sparse import csr_array

    kept = np.flatnonzero(labels != NOISE)
    which = csr_array(
        (np.ones(len(kept), dtype=np.float32), (labels[kept], kept)), shape=(groups, len(labels))
    )
    sums: Embeddings = which @ embeddings
    return sums


def silhouettes(
    embeddings: Embeddings, labels: Labels, *, rows: npt.NDArray[np.int64] | None = None
) -> npt.NDArray[np.float64]:
    """The silhouette of items: (b - a) / max(a, b), from -1 to 1.

    a is the mean cosine distance to the others of its group, b to the items of the nearest other group.

    Args:
        embeddings: float32 (n, d), L2-normalised rows.
        labels: int64 (n,), groups 0 to c - 1, -1 for noise.
        rows: int64 (m,), whose silhouettes to compute; None: all.

    Returns:
        float64 (m,): 0 for noise, for items that are alone in their group, and where there is only one group.
    """
    asked = np.arange(len(labels)) if rows is None else rows
    values = np.zeros(len(asked))
    groups = int(labels.max(initial=NOISE)) + 1
    if groups < 2:
        return values
    sums = group_sums(embeddings, labels, groups)
    sizes = np.bincount(labels[labels != NOISE], minlength=groups)
    means: Embeddings = sums / np.maximum(sizes, 1).astype(np.float32)[:, None]
    counted = np.flatnonzero((labels[asked] != NOISE) & (sizes[labels[asked]] > 1))
    step = max(1, BLOCK_VALUES // groups)
    for first in range(0, len(counted), step):
        places = counted[first : first + step]
        vectors, own = embeddings[asked[places]], labels[asked[places]]
        similar = inner(vectors, means)
        similar[:, sizes == 0] = -np.inf
        line = np.arange(len(places))
        # the item itself is in the sum of its group with cosine 1
        within = 1 - (similar[line, own].astype(np.float64) * sizes[own] - 1) / (sizes[own] - 1)
        similar[line, own] = -np.inf
        outside = 1 - similar.max(axis=1).astype(np.float64)
        widest = np.maximum(within, outside)
        values[places] = np.where(widest > 1e-6, (outside - within) / np.maximum(widest, 1e-6), 0.0)
    return values
