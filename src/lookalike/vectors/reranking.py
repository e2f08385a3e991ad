"""Second looks at the first answer: what the neighbours of a query, or of its answers, say about the order.

Three training-free methods, on arrays. All of them gain where a gallery holds several pictures of one thing, and
can lose where the first answers are wrong: measure them on the gallery at hand.

- :func:`alpha_query_expansion` moves a query towards its best answers: one more search.
- :func:`database_augmentation` moves gallery vectors towards their own neighbours: one search each.
- :func:`k_reciprocal` compares the neighbourhoods of query and answers: quadratic in the length of a shortlist.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.types import Embeddings, Rows
from lookalike.vectors.metrics import normalise

Floats: TypeAlias = npt.NDArray[np.floating[Any]]
Similarities: TypeAlias = npt.NDArray[np.float32]
Nearest: TypeAlias = Callable[[Embeddings, int], tuple[Rows, Similarities]]
"""``nearest(vectors (b, d), k)``: rows int64 (b, k) and cosines float32 (b, k), best first, -1 where fewer exist."""

ALPHA = 3.0
"""Exponent of the weights: an answer of cosine 0.5 counts an eighth of one of cosine 1."""

BLOCK = 1024
"""Vectors that are augmented at a time."""


def alpha_query_expansion(
    query: Embeddings, neighbours: Embeddings, scores: Floats, *, alpha: float = ALPHA
) -> Embeddings:
    """A query joined with its best answers: q' = normalise(q + sum_i max(s_i, 0)^alpha x_i).

    Radenovic, Tolias & Chum 2018, https://arxiv.org/abs/1711.02512, section 3.4; alpha 0 is the average query
    expansion of Chum et al. 2007, https://doi.org/10.1109/ICCV.2007.4408891, whose every wrong answer counts as much
    as a right one.

    Args:
        query: float32 (d,), L2-normalised; or (w, d) for a query of several vectors, which are expanded each.
        neighbours: float32 (n, d), L2-normalised rows: the answers that are trusted, a handful.
        scores: float (n,), their cosines with the query.
        alpha: At least 0; greater trusts near answers more.

    Returns:
        float32 of the query's shape, L2-normalised.

    Raises:
        InputError: If shapes do not fit or alpha is out of range.
    """
    _check_alpha(alpha)
    if query.ndim not in (1, 2) or neighbours.shape != (len(scores), query.shape[-1]):
        raise InputError(
            f"query {query.shape}, neighbours {neighbours.shape} and scores {np.shape(scores)} do not fit: "
            "expected (d,) or (w, d), (n, d) and (n,)"
        )
    return normalise(query + _weights(scores, alpha) @ neighbours.astype(np.float64))


def database_augmentation(
    vectors: Embeddings,
    nearest: Nearest,
    take: Callable[[Rows], Embeddings],
    *,
    k: int = 5,
    alpha: float = ALPHA,
) -> Embeddings:
    """Gallery vectors joined with their own neighbours, as :func:`alpha_query_expansion` joins a query.

    Arandjelovic & Zisserman 2012, https://doi.org/10.1109/CVPR.2012.6248018; with weights by similarity as in
    Gordo et al. 2017, https://arxiv.org/abs/1610.07940. Works in blocks of 1,024 by whatever index
    finds neighbours, so that memory does not grow beyond the result.

    Args:
        vectors: float32 (n, d), L2-normalised rows: a whole gallery, or the shortlist of a query.
        nearest: Finds neighbours in the gallery. A vector may find itself; that changes its weight alone.
        take: Embeddings of rows (m,), float32 (m, d), in the order asked.
        k: Neighbours of each, at least 1.
        alpha: As for queries.

    Returns:
        float32 (n, d), L2-normalised rows.

    Raises:
        InputError: If k or alpha is out of range.
    """
    _check_alpha(alpha)
    if k < 1:
        raise InputError(f"k = {k} neighbours augment nothing: expected k >= 1")
    augmented = np.empty(vectors.shape, dtype=np.float32)
    for first in range(0, len(vectors), BLOCK):
        block = vectors[first : first + BLOCK]
        rows, scores = nearest(block, k)
        known, position = np.unique(rows, return_inverse=True)
        there = known >= 0
        found = np.zeros((len(known), vectors.shape[1]), dtype=np.float32)
        if there.any():
            found[there] = take(known[there])
        weights = np.where(rows >= 0, _weights(np.where(rows >= 0, scores, 0.0), alpha), 0.0)
        joined = np.einsum("bk,bkd->bd", weights, found[position.reshape(rows.shape)])
        augmented[first : first + len(block)] = normalise(block + joined)
    return augmented


def k_reciprocal(
    scores: Floats, similarities: Floats, *, k1: int = 20, k2: int = 6, original: float = 0.3
) -> npt.NDArray[np.float64]:
    """Scores of a query's shortlist by how much the neighbourhoods of query and answer overlap.

    Zhong, Zheng, Cao & Li 2017, https://arxiv.org/abs/1701.08398: an answer counts when query and answer are among
    each other's k1 nearest; neighbourhoods grow by those of half the size that mostly lie inside, become vectors
    weighted by exp(-distance), are averaged over the k2 nearest, and compared by their Jaccard distance

        d* = (1 - original) * Jaccard + original * distance,    distance = 1 - cosine, by row over its greatest.

    Here every query is answered by itself, on its shortlist alone: queries say nothing about each other, and the
    work is that of a few hundred items whatever the size of the gallery.

    Args:
        scores: float (m,), similarity of the query with each of the shortlist.
        similarities: float (m, m), of the shortlist with itself, symmetric; greatest on the diagonal.
        k1: Neighbours that have to be mutual, at least 1.
        k2: Neighbours whose neighbourhoods are averaged, at least 1; 1 averages nothing.
        original: Weight of the distance itself, in [0, 1].

    Returns:
        float64 (m,): 1 - d*, greater is nearer.

    Raises:
        InputError: If shapes do not fit or a parameter is out of range.
    """
    m = len(scores)
    if scores.ndim != 1 or similarities.shape != (m, m):
        raise InputError(
            f"scores {scores.shape} and similarities {similarities.shape} do not fit: expected (m,) and (m, m)"
        )
    if k1 < 1 or k2 < 1 or not 0 <= original <= 1:
        raise InputError(
            f"k1 {k1}, k2 {k2}, original {original}: expected k1 and k2 of at least 1, original in [0, 1]"
        )
    if m == 0:
        return np.empty(0, dtype=np.float64)
    distances = _distances(scores, similarities)
    order = np.argsort(distances, axis=1, kind="stable")
    memberships = _memberships(distances, order, k1)
    if k2 > 1:
        memberships = memberships[order[:, :k2]].mean(axis=1)
    shared = np.minimum(memberships[0], memberships[1:]).sum(axis=1)
    jaccard = 1 - shared / (memberships[0].sum() + memberships[1:].sum(axis=1) - shared)
    reranked: npt.NDArray[np.float64] = 1 - ((1 - original) * jaccard + original * distances[0, 1:])
    return reranked


def _distances(scores: Floats, similarities: Floats) -> npt.NDArray[np.float64]:
    """Distances (m + 1, m + 1) of query (first) and shortlist, each row divided by its greatest."""
    m = len(scores)
    distances = np.zeros((m + 1, m + 1))
    distances[0, 1:] = distances[1:, 0] = 1 - scores.astype(np.float64)
    distances[1:, 1:] = 1 - similarities.astype(np.float64)
    distances = np.maximum(distances, 0)
    np.fill_diagonal(distances, 0)
    greatest = distances.max(axis=1, keepdims=True)
    scaled: npt.NDArray[np.float64] = distances / np.where(greatest > 0, greatest, 1)
    np.fill_diagonal(scaled, -1)  # itself first, also among copies
    return scaled


def _memberships(
    distances: npt.NDArray[np.float64], order: npt.NDArray[np.intp], k1: int
) -> npt.NDArray[np.float64]:
    """Soft neighbourhoods (m + 1, m + 1): rows sum to 1, exp(-distance) where i belongs to the neighbourhood."""
    near, nearer = _mutual(order, k1), _mutual(order, max(1, round(k1 / 2)))
    # a smaller neighbourhood joins when more than two thirds of it lie inside: equation 4 of the paper
    inside = near.astype(np.int32) @ nearer.T.astype(np.int32)
    joins = near & (inside > 2 / 3 * nearer.sum(axis=1)[None])
    belongs = near | (joins.astype(np.int32) @ nearer.astype(np.int32) > 0)
    weights = np.where(belongs, np.exp(-np.maximum(distances, 0)), 0.0)
    soft: npt.NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
    return soft


def _mutual(order: npt.NDArray[np.intp], k: int) -> npt.NDArray[np.bool_]:
    """Whether i and j are among each other's k nearest, beside themselves."""
    among = np.zeros(order.shape, dtype=np.bool_)
    np.put_along_axis(among, order[:, : k + 1], True, axis=1)
    mutual: npt.NDArray[np.bool_] = among & among.T
    return mutual


def _weights(scores: Floats, alpha: float) -> npt.NDArray[np.float64]:
    weights: npt.NDArray[np.float64] = np.maximum(np.asarray(scores, dtype=np.float64), 0.0) ** alpha
    return weights


def _check_alpha(alpha: float) -> None:
    if not (np.isfinite(alpha) and alpha >= 0):
        raise InputError(f"alpha is {alpha}: expected a number of at least 0, such as {ALPHA:g}")
