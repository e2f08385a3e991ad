"""Similarities of all pairs, sharpened by what their neighbourhoods share: k-reciprocal re-ranking for grouping.

:func:`lookalike.vectors.reranking.k_reciprocal` answers one query on a shortlist. Grouping needs every pair on one
scale, so here neighbourhoods are worked out once for all, and cosines stay cosines.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError

Floats = npt.NDArray[np.float64]


def reciprocal_similarity(similarity: Floats, *, k1: int = 6, k2: int = 3, original: float = 0.5) -> Floats:
    """original * cosine + (1 - original) * Jaccard similarity of mutual neighbourhoods.

    Zhong, Zheng, Cao & Li 2017, https://arxiv.org/abs/1701.08398: x belongs to the neighbourhood of y when each is
    among the k1 nearest of the other; neighbourhoods grow by those of half the size of which two thirds lie inside, are
    weighted by exp(cosine - 1), and averaged over the k2 nearest.

    Args:
        similarity: float64 (n, n), symmetric cosines.
        k1: Neighbours that have to be mutual, at least 1; about the number of tracklets of one thing.
        k2: Neighbours whose neighbourhoods are averaged, at least 1; 1 averages nothing.
        original: Weight of the cosine itself, in [0, 1].

    Returns:
        float64 (n, n), symmetric, in [-1, 1].

    Raises:
        InputError: If a parameter is out of range.
    """
    if k1 < 1 or k2 < 1 or not 0 <= original <= 1:
        raise InputError(
            f"k1 {k1}, k2 {k2}, original {original}: expected k1 and k2 of at least 1, original in [0, 1]"
        )
    n = len(similarity)
    near = similarity.copy()
    np.fill_diagonal(near, np.inf)
    order = np.argsort(-near, axis=1, kind="stable")
    wide, narrow = _mutual(order, k1), _mutual(order, max(1, round(k1 / 2)))
    inside = wide.astype(np.float64) @ narrow.T.astype(np.float64)
    joins = wide & (inside > 2 / 3 * narrow.sum(axis=1)[None])
    belongs = wide | (joins.astype(np.float64) @ narrow.astype(np.float64) > 0)
    weights = np.where(belongs, np.exp(np.clip(similarity, -1, 1) - 1), 0.0)
    weights /= weights.sum(axis=1, keepdims=True)
    if k2 > 1:
        weights = np.mean([weights[order[:, at]] for at in range(min(k2, n))], axis=0)
    shared = _shared(weights)
    jaccard = shared / (2 - shared)  # rows sum to 1
    return original * similarity + (1 - original) * jaccard


def _mutual(order: npt.NDArray[np.int64], k: int) -> npt.NDArray[np.bool_]:
    among = np.zeros(order.shape, dtype=np.bool_)
    np.put_along_axis(among, order[:, : k + 1], True, axis=1)
    mutual: npt.NDArray[np.bool_] = among & among.T
    return mutual


def _shared(weights: Floats) -> Floats:
    """Sums of the smaller weight of every pair of rows; columns are mostly 0, so they are taken one by one."""
    shared = np.zeros((len(weights), len(weights)))
    for column in weights.T:
        members = np.flatnonzero(column)
        shared[np.ix_(members, members)] += np.minimum.outer(column[members], column[members])
    return shared
