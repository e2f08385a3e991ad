"""The methods of clustering: a graph of neighbours, HDBSCAN, spherical k-means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.tasks.cluster_assignment import centroid_fence, fence, margins, own_shares, reach
from lookalike.tasks.cluster_stability import stability
from lookalike.tasks.leiden import by_size
from lookalike.tasks.resolution import Split, Splitter
from lookalike.tasks.spherical_kmeans import nearest_centroids, spherical_kmeans
from lookalike.types import Embeddings
from lookalike.vectors.blocks import MapBlocks, in_process
from lookalike.vectors.graph import fuzzy_graph, nearest_others
from lookalike.vectors.metrics import normalise
from lookalike.vectors.neighbours import Neighbours
from lookalike.vectors.silhouette import NOISE, Labels, group_sums
from lookalike.vectors.threads import one_thread_each

NEIGHBOURS = 10
"""Edges of an item. Fewer break loose groups apart, more glue small ones together."""

COARSER = 8.0
"""Resolution of ``auto`` against that of ``coarse``: about three times as many clusters."""

SAMPLE = 200_000

DENSITY_DIMENSIONS = 50
"""HDBSCAN finds hardly any dense region in more dimensions than these."""


class Found(NamedTuple):
    """What a method found: see :class:`lookalike.tasks.cluster.Clusters`."""

    labels: Labels
    strengths: npt.NDArray[np.float32]
    stability: float | None
    limit: float
    centroids: Embeddings | None
    parameters: Mapping[str, Any]


def by_graph(
    unit: Embeddings, near: Neighbours, granularity: str, min_size: int, seed: int, *, stable: bool
) -> Found:
    """Communities of the graph of neighbours, without far outliers.

    Args:
        unit: float32 (n, d), L2-normalised rows.
        near: Nearest others of each, positions (n, 10).
        granularity: ``auto``, ``coarse`` or ``fine``.
        min_size: Least number of items of a cluster.
        seed: Of everything random.
        stable: Measure stability and choose by it.
    """
    splitter = Splitter(fuzzy_graph(near), unit, min_size=min_size, seed=seed)
    split = splitter.best(stable=stable)
    if granularity != "auto":
        split = splitter.finer(split) if granularity == "fine" else splitter.at(split.resolution / COARSER)
        if stable:
            split = splitter.with_stability(split)
    limit = fence(near, split.labels)
    labels = by_size(_without_outliers(split, near, limit, min_size))
    parameters = {
        "neighbours": NEIGHBOURS,
        "granularity": granularity,
        "min_size": min_size,
        "resolution": split.resolution,
        "tried": splitter.tried(),
    }
    sizes = np.bincount(labels[labels != NOISE], minlength=0)
    return Found(labels, own_shares(near, labels, sizes), split.stability, limit, None, parameters)


def _without_outliers(split: Split, near: Neighbours, limit: float, min_size: int) -> Labels:
    labels = np.where(reach(near, split.labels) <= limit, split.labels, NOISE)
    sizes = np.bincount(labels[labels != NOISE], minlength=1)
    return np.where((labels != NOISE) & (sizes[labels] >= min_size), labels, NOISE)


def by_density(
    unit: Embeddings, min_size: int, seed: int, *, stable: bool, map_blocks: MapBlocks = in_process
) -> Found:
    """HDBSCAN of the main principal components; arguments as in :func:`by_graph`.

    Args:
        map_blocks: What searches neighbours.
    """
    from sklearn.cluster import HDBSCAN

    from lookalike.vectors.reduction import fit_reducer

    flat = unit
    if unit.shape[1] > DENSITY_DIMENSIONS and len(unit) > 2:
        reducer = fit_reducer(unit, method="pca")
        flat = reducer.truncated(min(DENSITY_DIMENSIONS, reducer.dimensions)).project(unit)

    def fit(rows: npt.NDArray[np.int64]) -> HDBSCAN:
        return HDBSCAN(min_cluster_size=min_size, copy=True).fit(flat[rows])

    def again(rows: npt.NDArray[np.int64], _seed: int) -> Labels:
        labels: Labels = fit(rows).labels_.astype(np.int64)
        return labels

    model = fit(np.arange(len(unit)))
    labels = by_size(model.labels_.astype(np.int64))
    near = nearest_others(unit, NEIGHBOURS, map_blocks)
    again_and_again = stability(len(unit), again, seed=seed) if stable else None
    parameters = {"min_size": min_size, "dimensions": int(flat.shape[1])}
    strengths = np.where(labels == NOISE, 0, model.probabilities_).astype(np.float32)
    return Found(labels, strengths, again_and_again, fence(near, labels), None, parameters)


def by_kmeans(
    unit: Embeddings,
    k: int | None,
    min_size: int,
    seed: int,
    *,
    stable: bool,
    map_blocks: MapBlocks = in_process,
) -> Found:
    """Spherical k-means; arguments as in :func:`by_graph`.

    Args:
        k: Number of clusters; None: as many as a graph of a sample has, beginning with their directions.
        map_blocks: What searches the neighbours that make the graph.
    """
    start: Embeddings | None = None
    parameters: Mapping[str, Any] = {}
    if k is None:
        start, parameters = _sampled_directions(unit, min_size, seed, map_blocks)
    number = len(start) if start is not None else int(k or 1)
    found = spherical_kmeans(unit, number, seed=seed, start=start)

    def again(rows: npt.NDArray[np.int64], seed: int) -> Labels:
        return spherical_kmeans(unit[rows], min(number, len(rows)), seed=seed, start=start, restarts=1).labels

    near = nearest_centroids(unit, found.centroids)
    labels = by_size(found.labels)
    order = np.zeros(int(labels.max()) + 1, dtype=np.int64)  # which centroid each cluster is of
    order[labels] = found.labels
    limit = centroid_fence(near)
    again_and_again = stability(len(unit), again, seed=seed) if stable else None
    return Found(labels, margins(near), again_and_again, limit, found.centroids[order], parameters)


def _sampled_directions(
    unit: Embeddings, min_size: int, seed: int, map_blocks: MapBlocks
) -> tuple[Embeddings, Mapping[str, Any]]:
    """Mean directions of the clusters that a graph of a sample has; the main one of all where it has none."""
    rows = np.sort(np.random.default_rng(seed).choice(len(unit), size=min(SAMPLE, len(unit)), replace=False))
    part = unit[rows]
    with one_thread_each():
        near = nearest_others(part, NEIGHBOURS, map_blocks)
        found = by_graph(part, near, "auto", min_size, seed, stable=False)
        groups = int(found.labels.max(initial=NOISE)) + 1
        sums = group_sums(part, found.labels, groups) if groups else part.sum(axis=0, keepdims=True)
    return normalise(sums), {"min_size": min_size, "sample": len(part), "graph": dict(found.parameters)}
