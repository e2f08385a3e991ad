"""Spherical k-means: clusters around directions, for a given number of them and for very many vectors.

Dhillon & Modha, "Concept decompositions for large sparse text data using clustering", 2001,
doi:10.1023/A:1007612920971; seeds by k-means++ (Arthur & Vassilvitskii 2007); for many vectors mini-batches (Sculley
2010, doi:10.1145/1772690.1772862) before the last full rounds.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.types import Embeddings
from lookalike.vectors.metrics import inner, normalise
from lookalike.vectors.silhouette import Labels, group_sums
from lookalike.vectors.threads import one_thread_each

RESTARTS = 4
MANY = 100_000
BATCH = 10_000
BATCHES = 60
ROUNDS, LAST_ROUNDS = 50, 3
"""Full rounds at most; after mini-batches only a few."""

COPY = 1e-6
SEEDS_PER_CLUSTER, LEAST_SEED_SAMPLE = 20, 5_000
BLOCK_VALUES = 1 << 21
"""Cosines that one thread holds at a time: 8 MiB."""


class Centred(NamedTuple):
    """Vectors and the directions that they gather around.

    Args:
        labels: int64 (n,), the nearest centroid of each, 0 to k - 1.
        centroids: float32 (k, d), L2-normalised rows.
        similarity: Mean cosine of the vectors with their centroid.
    """

    labels: Labels
    centroids: Embeddings
    similarity: float


class Nearest(NamedTuple):
    """The two nearest centroids of each vector.

    Args:
        labels: int64 (n,), the nearest.
        best: float32 (n,), cosine with it.
        second: float32 (n,), cosine with the next; -1 where there is none.
    """

    labels: Labels
    best: npt.NDArray[np.float32]
    second: npt.NDArray[np.float32]


def spherical_kmeans(
    embeddings: Embeddings,
    k: int,
    *,
    seed: int = 0,
    start: Embeddings | None = None,
    restarts: int = RESTARTS,
) -> Centred:
    """Cluster around k directions.

    Deterministic by seed, whatever the number of threads: blocks of vectors are shared out among threads, and
    what they find is added up in the order of the vectors.

    Args:
        embeddings: float32 (n, d), L2-normalised rows.
        k: Number of clusters, 1 to n.
        seed: Of the k-means++ seeds and of the mini-batches.
        start: float32 (k, d), directions to begin with; None: k-means++.
        restarts: Starts from other seeds, the best of which counts; above 100,000 vectors there is one.

    Returns:
        The clusters; every label occurs, unless fewer than k different vectors exist.

    Raises:
        InputError: If k is out of range.
    """
    n = len(embeddings)
    if restarts < 1:
        raise InputError(f"{restarts} starts make no clusters: expected at least 1")
    if not 1 <= k <= n:
        raise InputError(f"k = {k} clusters of {n} items: expected a whole number from 1 to {n}")
    rng = np.random.default_rng(seed)
    many = n > MANY
    best: Centred | None = None
    with one_thread_each():
        for _ in range(1 if many or start is not None or k == n else restarts):
            centroids = _seeds(embeddings, k, rng) if start is None else start
            if many:
                centroids = _mini_batches(embeddings, centroids, rng)
            found = _rounds(embeddings, centroids, LAST_ROUNDS if many else ROUNDS)
            if best is None or found.similarity > best.similarity:
                best = found
    assert best is not None
    return best


def nearest_centroids(embeddings: Embeddings, centroids: Embeddings) -> Nearest:
    """The nearest centroid of each vector, and how near the next one is.

    Args:
        embeddings: float32 (n, d), L2-normalised rows.
        centroids: float32 (k, d), L2-normalised rows.
    """
    n, k = len(embeddings), len(centroids)
    found = Nearest(
        np.zeros(n, dtype=np.int64), np.empty(n, dtype=np.float32), np.full(n, -1.0, dtype=np.float32)
    )

    def compare(first: int) -> None:
        block = slice(first, first + step)
        similar = inner(embeddings[block], centroids)
        line = np.arange(len(similar))
        found.labels[block] = similar.argmax(axis=1)
        found.best[block] = np.clip(similar[line, found.labels[block]], -1, 1)
        if k > 1:
            similar[line, found.labels[block]] = -np.inf
            found.second[block] = np.clip(similar.max(axis=1), -1, 1)

    step = max(8, BLOCK_VALUES // max(k, embeddings.shape[1]))  # of fewer rows BLAS multiplies in another way
    with one_thread_each(), ThreadPoolExecutor(cpu_count() or 1) as pool:
        for _ in pool.map(compare, range(0, n, step)):
            pass
    return found


def _seeds(embeddings: Embeddings, k: int, rng: np.random.Generator) -> Embeddings:
    """Greedy k-means++: each further seed is the best of a few drawn in proportion to distance."""
    n = len(embeddings)
    size = min(n, max(SEEDS_PER_CLUSTER * k, LEAST_SEED_SAMPLE))
    pool = embeddings if size == n else embeddings[np.sort(rng.choice(n, size=size, replace=False))]
    trials = 2 + int(np.log(k))
    chosen = [int(rng.integers(size))]
    apart = _apart(pool[chosen], pool)[0]
    for _ in range(1, k):
        total = apart.sum()
        if total <= 0:  # all that is left are copies of seeds: any of them will do
            chosen.append(int(rng.integers(size)))
            continue
        drawn = np.searchsorted(apart.cumsum(), rng.random(trials) * total, side="right")
        drawn = np.minimum(drawn, size - 1)
        left = np.minimum(apart, _apart(pool[drawn], pool))
        winner = int(left.sum(axis=1).argmin())
        chosen.append(int(drawn[winner]))
        apart = left[winner]
    return np.ascontiguousarray(pool[chosen])


def _apart(seeds: Embeddings, pool: Embeddings) -> npt.NDArray[np.float64]:
    """Cosine distances, 0 for copies, float64 (m, n)."""
    found = 1.0 - inner(seeds, pool).astype(np.float64)
    found[found < COPY] = 0.0
    return found


def _rounds(embeddings: Embeddings, centroids: Embeddings, most: int) -> Centred:
    """Lloyd's rounds until no label changes."""
    labels: Labels | None = None
    for _ in range(most):
        near = nearest_centroids(embeddings, centroids)
        if labels is not None and np.array_equal(labels, near.labels):
            break
        labels = near.labels
        centroids = _moved(embeddings, near, centroids)
    near = nearest_centroids(embeddings, centroids)
    return Centred(near.labels, centroids, float(near.best.mean(dtype=np.float64)))


def _moved(embeddings: Embeddings, near: Nearest, centroids: Embeddings) -> Embeddings:
    """Each centroid to the mean direction of its vectors; an empty one to the vector that fits its own worst."""
    k = len(centroids)
    sums = group_sums(embeddings, near.labels, k)
    sizes = np.bincount(near.labels, minlength=k)
    empty = np.flatnonzero(sizes == 0)
    if len(empty):
        worst = np.argsort(near.best, kind="stable")[: len(empty)]
        sums[empty[: len(worst)]] = embeddings[worst]
    still = ~sums.any(axis=1)  # opposite vectors that cancel each other out
    sums[still] = centroids[still]
    return normalise(sums)


def _mini_batches(embeddings: Embeddings, centroids: Embeddings, rng: np.random.Generator) -> Embeddings:
    """Move centroids towards batches, each at a rate that falls with the vectors it has taken."""
    taken = np.zeros(len(centroids))
    for _ in range(BATCHES):
        batch = embeddings[np.sort(rng.choice(len(embeddings), size=BATCH, replace=False))]
        near = nearest_centroids(batch, centroids)
        sizes = np.bincount(near.labels, minlength=len(centroids))
        present = np.flatnonzero(sizes)
        taken += sizes
        means = group_sums(batch, near.labels, len(centroids))[present] / sizes[present, None]
        rate = (sizes[present] / taken[present])[:, None]
        centroids = centroids.copy()
        centroids[present] = normalise((1 - rate) * centroids[present] + rate * means)
    return centroids
