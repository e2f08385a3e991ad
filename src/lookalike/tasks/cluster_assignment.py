"""What ties items to clusters: how strongly members belong, who is noise, and where new items go."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.tasks.spherical_kmeans import Nearest, nearest_centroids
from lookalike.types import Embeddings
from lookalike.vectors.graph import distances, memberships
from lookalike.vectors.neighbours import NOWHERE, ArrayVectors, Exact, Neighbours
from lookalike.vectors.silhouette import NOISE, Labels

FENCE = 1.5
"""Tukey's fence: outliers lie farther above the third quartile than this many times the quartiles' distance."""

FEWEST_FOR_A_FENCE = 20
COPIES = 1e-2
"""Distance below which two vectors are of the same image; such pairs say nothing about how far apart members are."""

ASSIGN_BLOCK = 1024


class Assigned(NamedTuple):
    """Clusters of items.

    Args:
        labels: int64 (m,), -1 for noise.
        strengths: float32 (m,) in [0, 1], 0 for noise.
    """

    labels: Labels
    strengths: npt.NDArray[np.float32]


def own_shares(
    neighbours: Neighbours, labels: Labels, sizes: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    """Membership strength: how much of an item's neighbourhood lies in its own cluster.

    Only as many neighbours count as the cluster has other members, so that an item of a cluster of three that is
    nearest to the two others belongs to it with strength 1.

    Args:
        neighbours: Of the n items among themselves, each without itself.
        labels: int64 (n,), -1 for noise.
        sizes: int64 (c,), items of each cluster.

    Returns:
        float32 (n,) in [0, 1], 0 for noise.
    """
    weights = memberships(neighbours.scores)
    room = np.append(sizes, 1)[labels] - 1  # noise, -1, takes the last
    weights[np.arange(weights.shape[1]) >= room[:, None]] = 0.0
    same = (labels[neighbours.positions] == labels[:, None]) & (neighbours.positions != NOWHERE)
    total = weights.sum(axis=1)
    shares: npt.NDArray[np.float64] = np.zeros(len(labels))
    np.divide((weights * same).sum(axis=1), total, out=shares, where=total > 0)
    shares[(labels != NOISE) & (room == 0)] = 1.0
    return shares.astype(np.float32)


def reach(neighbours: Neighbours, labels: Labels) -> npt.NDArray[np.float64]:
    """Distance of each item from the nearest other member of its cluster, float64 (n,); infinite where none is near.

    A pair counts for both of its items, whichever has the other among its neighbours.
    """
    n, k = neighbours.positions.shape
    apart = distances(neighbours.scores).ravel()
    one, other = np.repeat(np.arange(n), k), neighbours.positions.ravel()
    same = (other != NOWHERE) & (labels[other] == labels[one]) & (labels[one] != NOISE)
    nearest = np.full(n, np.inf)
    np.minimum.at(nearest, one[same], apart[same])
    np.minimum.at(nearest, other[same], apart[same])
    return nearest


def fence(neighbours: Neighbours, labels: Labels) -> float:
    """How far from its cluster's nearest member an item may be and still belong to it.

    The greater of two distances: Tukey's fence of the members' own distances, and the median distance at which items
    meet their first neighbour of another cluster. The second keeps ordinary items of a collection in which
    most images have a near copy. Infinite when there are too few items to tell.
    """
    own = reach(neighbours, labels)
    own = own[np.isfinite(own) & (own > COPIES)]
    if len(own) < FEWEST_FOR_A_FENCE:
        return float("inf")
    lower, upper = np.percentile(own, [25, 75])
    apart = distances(neighbours.scores)
    stranger = (
        (neighbours.positions != NOWHERE)
        & (labels[neighbours.positions] != labels[:, None])
        & (labels[neighbours.positions] != NOISE)
    )
    meets = stranger.any(axis=1)
    first = apart[meets, stranger[meets].argmax(axis=1)]
    beside = float(np.median(first)) if len(first) else 0.0
    return max(float(upper + FENCE * (upper - lower)), beside)


def vote(
    scores: npt.NDArray[np.float32], labels: Labels, sizes: npt.NDArray[np.int64], limit: float
) -> Assigned:
    """Where new items belong, by their neighbours among items that are clustered.

    The neighbours vote with their weight in the neighbourhood; noise votes too. An item whose nearest neighbour in the
    winning cluster is beyond the limit is noise.

    Args:
        scores: float32 (m, k), cosines with the neighbours, best first; -inf where there is none.
        labels: int64 (m, k), clusters of the neighbours, -1 for noise.
        sizes: int64 (c,), items of each cluster.
        limit: Greatest distance of a member from the nearest other one.
    """
    m, k = scores.shape
    if not k or not m:
        return Assigned(np.full(m, NOISE, dtype=np.int64), np.zeros(m, dtype=np.float32))
    weights = memberships(scores)
    # each neighbour's cluster gets its weight from all its members among the neighbours: k x k comparisons an item
    votes = np.where(labels[:, :, None] == labels[:, None, :], weights[:, None, :], 0.0).sum(axis=2)
    line = np.arange(m)
    winner = labels[line, votes.argmax(axis=1)]
    same = (labels == winner[:, None]) & np.isfinite(scores)
    nearest = np.where(same, distances(scores), np.inf).min(axis=1)
    accepted = (winner != NOISE) & (nearest <= limit) & np.isfinite(nearest)
    room = np.where(accepted, np.append(sizes, 0)[winner], 0)
    counted = np.where(np.arange(k) < room[:, None], weights, 0.0)
    total = counted.sum(axis=1)
    shares = np.divide((counted * same).sum(axis=1), total, out=np.zeros(m), where=total > 0)
    return Assigned(np.where(accepted, winner, NOISE), np.where(accepted, shares, 0.0).astype(np.float32))


def by_votes(
    new: Embeddings,
    embeddings: Embeddings,
    labels: Labels,
    sizes: npt.NDArray[np.int64],
    k: int,
    limit: float,
) -> Assigned:
    """Where new vectors belong, by their k nearest vectors among those clustered; see :func:`vote`."""
    if new.ndim != 2 or new.shape[1] != embeddings.shape[1]:
        raise InputError(f"new vectors have shape {new.shape}: expected (m, {embeddings.shape[1]})")
    given = Assigned(np.full(len(new), NOISE, dtype=np.int64), np.zeros(len(new), dtype=np.float32))
    if not len(embeddings):
        return given
    index = Exact(ArrayVectors(embeddings), resident=True)
    for first in range(0, len(new), ASSIGN_BLOCK):
        block = slice(first, first + ASSIGN_BLOCK)
        found = index.search(new[block], min(k, len(embeddings)))
        given.labels[block], given.strengths[block] = vote(
            found.scores, labels[found.positions], sizes, limit
        )
    return given


def by_centroids(new: Embeddings, centroids: Embeddings, limit: float) -> Assigned:
    """Where new vectors belong, by the nearest centroid; beyond the limit from it they are noise.

    Args:
        new: float32 (m, d), L2-normalised rows.
        centroids: float32 (k, d), L2-normalised rows.
        limit: Greatest distance of a member from its centroid.
    """
    near = nearest_centroids(new, centroids)
    accepted = distances(near.best) <= limit
    return Assigned(
        np.where(accepted, near.labels, NOISE), np.where(accepted, margins(near), 0.0).astype(np.float32)
    )


def margins(near: Nearest) -> npt.NDArray[np.float32]:
    """Membership strength by centroids: (b - a) / b, with a and b the cosine distances to the nearest two; 0 to 1."""
    nearest, next_one = 1.0 - near.best.astype(np.float64), 1.0 - near.second.astype(np.float64)
    shares = np.divide(next_one - nearest, next_one, out=np.zeros(len(nearest)), where=next_one > 1e-9)
    return np.clip(shares, 0.0, 1.0).astype(np.float32)


def centroid_fence(near: Nearest) -> float:
    """How far from its centroid a vector may be and still belong to it: Tukey's fence; infinite for few vectors."""
    apart = distances(near.best)
    if len(apart) < FEWEST_FOR_A_FENCE:
        return float("inf")
    lower, upper = np.percentile(apart, [25, 75])
    return float(upper + FENCE * (upper - lower))
