"""Group embeddings: by a graph of neighbours for an unknown number of clusters, by k-means for a given one.

The graph method joins every item to its ten nearest neighbours, weighs the edges as UMAP does, splits the graph by the
Leiden algorithm at the resolution that silhouette and stability favour, and calls far outliers noise. The density
method is HDBSCAN (Campello, Moulavi & Sander 2013, doi:10.1007/978-3-642-37456-2_14) after PCA.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.tasks.cluster_assignment import Assigned, by_centroids, by_votes
from lookalike.tasks.cluster_methods import NEIGHBOURS, Found, by_density, by_graph, by_kmeans
from lookalike.tasks.compact import Compact
from lookalike.types import Embeddings
from lookalike.vectors.blocks import MapBlocks, in_process
from lookalike.vectors.graph import EXACT_MOST, nearest_others
from lookalike.vectors.metrics import inner, normalise
from lookalike.vectors.neighbours import Neighbours
from lookalike.vectors.silhouette import NOISE, Labels, group_sums, silhouettes
from lookalike.vectors.threads import one_thread_each

Method = Literal["auto", "graph", "density", "kmeans"]
Granularity = Literal["auto", "coarse", "fine"]
Used: TypeAlias = Literal["graph", "density", "kmeans"]

MIN_SIZE: dict[Used, int] = {"graph": 2, "density": 5, "kmeans": 2}
"""Two views of one product are a cluster; HDBSCAN's own default, since pairs lie close by chance. For k-means it is
that of the graph of a sample, which finds the number of clusters."""

WEAK = 0.1
"""Below this mean silhouette clusters hardly stand out from what lies between them."""

GRAPH_MOST = 1_000_000
"""Of more items a graph is made of a random sample, and spherical k-means takes its clusters to all."""

DENSITY_MOST = 50_000

SILHOUETTE_SAMPLE = 5_000


@dataclass(frozen=True, slots=True, eq=False)
class Clusters:
    """Groups of n embeddings; cluster 0 is the largest.

    Args:
        labels: int64 (n,), the cluster of each, -1 for noise.
        strengths: float32 (n,) in [0, 1], how strongly each belongs to its cluster; 0 for noise.
        medoids: int64 (c,), the item of each cluster that is most like all the others in it.
        sizes: int64 (c,), number of items.
        cohesion: float32 (c,), mean cosine between the items of each cluster.
        method: What made them.
        reason: Why that, in a sentence.
        silhouette: Mean silhouette by cosine distance, in [-1, 1], of at most 5,000 items; noise counts 0.
        stability: Mean pairwise adjusted Rand index of clusterings of 80 % subsamples; None where not measured.
        limit: Distance beyond which a new item is noise: from the nearest member, or from the centroid for k-means.
        centroids: float32 (c, d), L2-normalised rows, for k-means; None otherwise.
        parameters: What else the result depends on, as JSON.
    """

    labels: Labels
    strengths: npt.NDArray[np.float32]
    medoids: Labels
    sizes: npt.NDArray[np.int64]
    cohesion: npt.NDArray[np.float32]
    method: Used
    reason: str
    silhouette: float
    stability: float | None
    limit: float
    centroids: Embeddings | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.sizes)

    @property
    def noise(self) -> npt.NDArray[np.int64]:
        """Items that belong to no cluster, int64 (m,)."""
        return np.flatnonzero(self.labels == NOISE)


def cluster(
    embeddings: Embeddings,
    k: int | None = None,
    *,
    method: Method = "auto",
    granularity: Granularity = "auto",
    min_size: int | None = None,
    stability: bool = True,
    seed: int = 0,
    neighbours: Neighbours | None = None,
    map_blocks: MapBlocks = in_process,
) -> Clusters:
    """Group embeddings.

    Args:
        embeddings: float32 (n, d); normalised here. Above 20,000 rows distances are taken in 100 dimensions.
        k: Number of clusters; None: found out.
        method: ``graph`` for an unknown number; ``kmeans`` (spherical) for k clusters, without k for as many as a
            graph of a sample has; ``density`` is HDBSCAN, which leaves more items as noise. ``auto`` takes kmeans
            when k is given or there are more than 1,000,000 items, graph otherwise.
        granularity: Of the graph: ``auto`` the split that stands out most, ``coarse`` about a third as many
            clusters, ``fine`` up to three times as many, as far as ``min_size`` lets clusters be split.
        min_size: Least number of items of a cluster, at least 2, not with k; None: 2, for density 5.
        stability: Measure it, and choose the graph's split by it too; without, clustering takes half the time.
        seed: Of everything random. The same seed gives the same clusters, whatever the number of threads.
        neighbours: The 10 nearest others of each item, best first, where an index knows them; for the graph only.
        map_blocks: What searches neighbours where they are not known, block by block.

    Returns:
        The clusters; fewer than ``min_size`` items are all noise.

    Raises:
        InputError: If an argument is wrong or does not go with the method.
    """
    chosen, reason = _choose(len(embeddings), k, method)
    _check(embeddings, k, chosen, granularity, min_size, neighbours)
    least = MIN_SIZE[chosen] if min_size is None else min_size
    if len(embeddings) < (1 if k is not None else least):
        return _nothing(len(embeddings), chosen, f"{len(embeddings)} items are fewer than a cluster has")
    unit = compact(normalise(embeddings))
    if chosen == "graph":
        near = nearest_others(unit, NEIGHBOURS, map_blocks) if neighbours is None else neighbours
        with one_thread_each():
            found = by_graph(unit, near, granularity, least, seed, stable=stability)
    elif chosen == "density":
        found = by_density(unit, least, seed, stable=stability, map_blocks=map_blocks)
    else:
        found = by_kmeans(unit, k, least, seed, stable=stability, map_blocks=map_blocks)
    parameters = {
        "method": chosen,
        "k": k,
        "seed": seed,
        "dimensions": int(unit.shape[1]),
        **found.parameters,
    }
    return _described(unit, found, chosen, reason, parameters)


def assign(new: Embeddings, embeddings: Embeddings, clusters: Clusters) -> Assigned:
    """Put new items into clusters that exist, without clustering again.

    By the votes of the ten nearest items, for k-means by the nearest centroid. An item farther away than members are
    is noise.

    Args:
        new: float32 (m, d); normalised here.
        embeddings: float32 (n, d), those that were clustered, in the same order; normalised here.
        clusters: What :func:`cluster` made of them.

    Returns:
        labels int64 (m,), -1 for noise; strengths float32 (m,).

    Raises:
        InputError: If the shapes do not fit.
    """
    if len(embeddings) != len(clusters.labels):
        raise InputError(
            f"{len(embeddings)} embeddings for clusters of {len(clusters.labels)} items: "
            "expected those that were clustered, in the same order"
        )
    if not len(new):
        return Assigned(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32))
    if not len(clusters):
        return Assigned(np.full(len(new), NOISE, dtype=np.int64), np.zeros(len(new), dtype=np.float32))
    known, asked = normalise(embeddings), normalise(new)
    if asked.ndim != 2 or asked.shape[1] != known.shape[1]:
        raise InputError(f"new vectors have shape {asked.shape}: expected (m, {known.shape[1]})")
    if len(known) > EXACT_MOST:
        shorter = compactor(known)
        known, asked = shorter(known), shorter(asked)
    if clusters.centroids is not None:
        return by_centroids(asked, clusters.centroids, clusters.limit)
    return by_votes(asked, known, clusters.labels, clusters.sizes, NEIGHBOURS, clusters.limit)


def compact(unit: Embeddings) -> Embeddings:
    """Vectors to cluster: as they are, or in 100 dimensions when there are more than 20,000.

    Args:
        unit: float32 (n, d), L2-normalised rows.
    """
    return unit if len(unit) <= EXACT_MOST else compactor(unit)(unit)


def compactor(unit: Embeddings) -> Compact:
    """The map to 100 dimensions, learned from a sample drawn with a fixed seed."""
    rows = np.random.default_rng(0).choice(len(unit), size=min(len(unit), EXACT_MOST), replace=False)
    return Compact(unit[np.sort(rows)])


def _choose(n: int, k: int | None, method: str) -> tuple[Used, str]:
    if method not in get_args(Method):
        raise InputError(f"method {method!r} is not known: expected one of {', '.join(get_args(Method))}")
    if k is not None:
        if method in ("graph", "density"):
            raise InputError(
                f"method {method} finds the number of clusters itself: leave k = {k} out, or use kmeans"
            )
        return "kmeans", f"k = {k} was given, so spherical k-means makes exactly that many"
    if method == "auto":
        if n > GRAPH_MOST:
            return "kmeans", f"{n:,} items are more than the {GRAPH_MOST:,} that a graph is made of"
        return "graph", "the number of clusters is not known, so a graph of neighbours finds it"
    if method == "kmeans":
        return "kmeans", "k-means was asked for; a graph of a sample says how many clusters there are"
    if method == "density" and n > DENSITY_MOST:
        raise InputError(f"method density takes at most {DENSITY_MOST:,} items, got {n:,}: use graph")
    return ("graph" if method == "graph" else "density"), f"method {method} was asked for"


def _check(
    embeddings: Embeddings,
    k: int | None,
    method: str,
    granularity: str,
    min_size: int | None,
    neighbours: Neighbours | None,
) -> None:
    if embeddings.ndim != 2:
        raise InputError(f"embeddings have shape {embeddings.shape}: expected (n, d)")
    if k is not None and (
        isinstance(k, bool) or not isinstance(k, int | np.integer) or not 1 <= k <= len(embeddings)
    ):
        raise InputError(
            f"k = {k} clusters of {len(embeddings)} items: expected a whole number from 1 to {len(embeddings)}"
        )
    if granularity not in get_args(Granularity):
        raise InputError(f"granularity {granularity!r}: expected one of {', '.join(get_args(Granularity))}")
    if granularity != "auto" and method != "graph":
        raise InputError(f"granularity {granularity} is the graph's: leave it out with method {method}")
    if min_size is not None and (
        isinstance(min_size, bool) or not isinstance(min_size, int | np.integer) or min_size < 2
    ):
        raise InputError(f"min_size {min_size}: expected a whole number of at least 2")
    if min_size is not None and k is not None:
        raise InputError("k-means does not know a least size: leave min_size out, or leave k out")
    if neighbours is not None and (
        method != "graph" or neighbours.positions.shape != (len(embeddings), NEIGHBOURS)
    ):
        raise InputError(
            f"neighbours go with the graph method, {NEIGHBOURS} for each of the {len(embeddings)} items"
        )


def _described(
    unit: Embeddings,
    found: Found,
    method: Used,
    reason: str,
    parameters: Mapping[str, Any],
) -> Clusters:
    groups = int(found.labels.max(initial=NOISE)) + 1
    sizes = np.bincount(found.labels[found.labels != NOISE], minlength=groups).astype(np.int64)
    rows = np.random.default_rng(0).choice(len(unit), size=min(len(unit), SILHOUETTE_SAMPLE), replace=False)
    with one_thread_each():
        sums = group_sums(unit, found.labels, groups)
        medoids = _medoids(unit, found.labels, sums)
        values = silhouettes(unit, found.labels, rows=np.sort(rows).astype(np.int64))
    squares = np.einsum("kd,kd->k", sums, sums, dtype=np.float64)
    pairs = np.maximum(sizes * (sizes - 1), 1)
    cohesion = np.where(sizes > 1, np.clip((squares - sizes) / pairs, -1, 1), 1.0).astype(np.float32)
    if not groups:
        reason += "; it found none"
    elif groups == 1:
        reason += "; no split separates the items better than leaving them together"
    elif values.mean() < WEAK:
        reason += f"; they hardly stand out (silhouette {values.mean():.2f}), so take them as rough"
    return Clusters(
        labels=found.labels,
        strengths=found.strengths,
        medoids=medoids,
        sizes=sizes,
        cohesion=cohesion,
        method=method,
        reason=reason,
        silhouette=float(values.mean()),
        stability=found.stability,
        limit=found.limit,
        centroids=found.centroids,
        parameters=parameters,
    )


def _medoids(unit: Embeddings, labels: Labels, sums: Embeddings) -> Labels:
    """The member of each cluster with the greatest mean cosine to all; the first of equal ones."""
    order = np.argsort(labels, kind="stable")[int((labels == NOISE).sum()) :]
    chosen = np.empty(len(sums), dtype=np.int64)
    starts = np.searchsorted(labels[order], np.arange(len(sums) + 1))
    for group, (first, last) in enumerate(pairwise(starts)):
        members = order[first:last]
        chosen[group] = members[int(inner(sums[group : group + 1], unit[members])[0].argmax())]
    return chosen


def _nothing(n: int, method: Used, reason: str) -> Clusters:
    none = np.empty(0, dtype=np.int64)
    return Clusters(
        labels=np.full(n, NOISE, dtype=np.int64),
        strengths=np.zeros(n, dtype=np.float32),
        medoids=none,
        sizes=none,
        cohesion=np.empty(0, dtype=np.float32),
        method=method,
        reason=reason,
        silhouette=0.0,
        stability=None,
        limit=float("inf"),
    )
