"""A map of embeddings: positions in a plane where what looks alike lies together.

The layout is PaCMAP's (:mod:`lookalike.tasks.pacmap`). New embeddings are placed beside their neighbours without
moving the old ones. Of very large sets a sample is laid out and the rest is placed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.tasks.compact import SAMPLE, Compact, main_plane
from lookalike.tasks.pacmap import (
    CANDIDATES_BEYOND,
    NEAR_SCALE,
    START_SPREAD,
    near_pairs,
    optimise,
    pair_counts,
    sample_pairs,
)
from lookalike.types import Embeddings
from lookalike.vectors.hnsw import HNSW
from lookalike.vectors.neighbours import ArrayVectors, Exact, Index

Layout: TypeAlias = npt.NDArray[np.float32]
"""Positions, float32 (n, 2)."""

Progress: TypeAlias = Callable[[int, int], None]
"""Called with what is done and all that is to do, now and then."""

MOST_OPTIMISED = 250_000
"""Of more embeddings than these a random sample of so many is laid out and the others are placed."""

FEWEST_OPTIMISED = 12
"""Fewer points have no neighbourhoods to keep: they lie on their two main principal components."""

FEW_SPREAD = 5.0
"""Standard deviation of the main coordinate of such a layout: about the distances of an optimised one."""

EXACT_MOST = 20_000
"""Up to so many embeddings neighbours are searched exactly, beyond by a graph."""

GRAPH_RECALL = 0.9
"""Share of the true neighbours to aim at: near pairs are the best third of them, which are found almost surely."""

PLACED_BY = 10
"""Neighbours that a new point is placed by."""

PLACING_STEPS = 30

TWIN_SHARE = 0.01
"""Squared distance, in units of the neighbourhood's scale, at which a neighbour counts half as much as a twin."""

SEARCH_BLOCK = 1024
"""Points whose neighbours are searched at a time."""


def layout(
    embeddings: Embeddings,
    *,
    seed: int = 0,
    most: int = MOST_OPTIMISED,
    progress: Progress | None = None,
) -> Layout:
    """Lay out embeddings in a plane with PaCMAP (arXiv:2012.04456).

    The same embeddings, seed and library versions give the same layout, whatever the number of threads.

    Args:
        embeddings: float32 (n, d), L2-normalised rows; any n, also 0.
        seed: Of the order of the points, of the pairs drawn and of the sample.
        most: Of more embeddings than these a sample of so many is laid out and the others are placed by
            :func:`place`.
        progress: Called with (done, total).

    Returns:
        float32 (n, 2), centred; a few tens wide. Only distances within it mean something.

    Raises:
        InputError: If the embeddings are no matrix or ``most`` is too small.
    """
    if embeddings.ndim != 2:
        raise InputError(f"embeddings have shape {embeddings.shape}: expected (n, d), one row an image")
    if most < FEWEST_OPTIMISED:
        raise InputError(f"most = {most} points make no layout: expected at least {FEWEST_OPTIMISED}")
    n = len(embeddings)
    if n < 2:
        return np.zeros((n, 2), dtype=np.float32)
    rng = np.random.default_rng(seed)
    learned = embeddings if n <= SAMPLE else embeddings[np.sort(rng.choice(n, SAMPLE, replace=False))]
    unit = Compact(learned)(embeddings)
    report = progress or _ignore
    if n <= most:
        return _centred(_optimised(unit, rng, report))
    chosen = np.zeros(n, dtype=np.bool_)
    chosen[rng.choice(n, most, replace=False)] = True
    positions = np.empty((n, 2), dtype=np.float32)
    positions[chosen] = _optimised(unit[chosen], rng, report)
    positions[~chosen] = place(unit[~chosen], unit[chosen], positions[chosen])
    return _centred(positions)


def place(new: Embeddings, old: Embeddings, old_layout: Layout) -> Layout:
    """Positions for new embeddings in a layout that stays as it is.

    Args:
        new: float32 (m, d), L2-normalised rows.
        old: float32 (n, d), L2-normalised rows, at least one.
        old_layout: float32 (n, 2), their positions.

    Returns:
        float32 (m, 2).

    Raises:
        InputError: If there is no old embedding, or shapes do not fit.
    """
    if len(old) != len(old_layout):
        raise InputError(f"{len(old)} old embeddings have {len(old_layout)} positions: expected one each")
    if not len(old):
        raise InputError("there is no old embedding to place the new ones beside: lay them out anew")
    index = _index(old)
    positions = np.empty((len(new), 2), dtype=np.float32)
    for first in range(0, len(new), SEARCH_BLOCK):
        block = slice(first, first + SEARCH_BLOCK)
        found = index.search(new[block], min(PLACED_BY, len(old)), recall=GRAPH_RECALL)
        positions[block] = place_by(found.scores, old_layout[found.positions])
    return positions


def place_by(similarities: npt.NDArray[np.float32], positions: npt.NDArray[np.float32]) -> Layout:
    """Positions for points whose neighbours are known.

    A point starts at the neighbour where PaCMAP's loss of near pairs, d / (10 + d) weighted by closeness, is
    least, and goes down from there by re-weighted means, which never raise that loss. The loss is robust: of
    neighbours in two places it chooses the better place rather than the void between.

    Args:
        similarities: float32 (m, k), cosine with each neighbour, nearest first, k >= 1.
        positions: float32 (m, k, 2), where the neighbours lie.

    Returns:
        float32 (m, 2).
    """
    squared = np.maximum(0, 2 - 2 * similarities.astype(np.float64))
    scale = squared[:, min(3, squared.shape[1] - 1) : 6].mean(axis=1, keepdims=True) + 1e-12
    closeness = 1 / (squared / scale + TWIN_SHARE)
    around = positions.astype(np.float64)
    apart = 1 + ((around[:, :, None] - around[:, None]) ** 2).sum(axis=3)
    losses = np.einsum("mk,mjk->mj", closeness, apart / (NEAR_SCALE + apart))
    point = around[np.arange(len(around)), losses.argmin(axis=1)]
    for _ in range(PLACING_STEPS):
        apart = 1 + ((point[:, None] - around) ** 2).sum(axis=2)
        weights = closeness / (NEAR_SCALE + apart) ** 2
        point = (weights[:, :, None] * around).sum(axis=1) / weights.sum(axis=1, keepdims=True)
    placed: Layout = point.astype(np.float32)
    return placed


def _optimised(unit: Embeddings, rng: np.random.Generator, progress: Progress) -> Layout:
    """PaCMAP of compact unit vectors."""
    n = len(unit)
    if n < FEWEST_OPTIMISED:
        return main_plane(unit) * np.float32(FEW_SPREAD)
    order = rng.permutation(n)
    shuffled = unit[order]
    counts = pair_counts(n)
    neighbours, distances = _neighbours(shuffled, min(counts.near + CANDIDATES_BEYOND, n - 1))
    near = near_pairs(neighbours, distances, counts.near)
    pairs = sample_pairs(shuffled, near, counts, rng)
    positions = np.empty((n, 2), dtype=np.float32)
    start = main_plane(shuffled) * np.float32(START_SPREAD)
    positions[order] = optimise(start, pairs, progress=progress)
    return positions


def _neighbours(unit: Embeddings, k: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """The k nearest other points of each, int64 (n, k), and their Euclidean distances, float32 (n, k)."""
    n = len(unit)
    index = _index(unit)
    neighbours = np.empty((n, k), dtype=np.int64)
    distances = np.empty((n, k), dtype=np.float32)
    for first in range(0, n, SEARCH_BLOCK):
        own = np.arange(first, min(first + SEARCH_BLOCK, n))
        found = index.search(unit[own], k + 1, recall=GRAPH_RECALL)
        other = found.positions != own[:, None]
        # among many copies the point itself may be missing from its own answer: then the last one goes
        other[other.all(axis=1), -1] = False
        neighbours[own] = found.positions[other].reshape(len(own), k)
        similarities = found.scores[other].reshape(len(own), k)
        distances[own] = np.sqrt(np.maximum(0, 2 - 2 * similarities))
    return neighbours, distances


def _index(unit: Embeddings) -> Index:
    source = ArrayVectors(unit)
    if len(unit) <= EXACT_MOST:
        return Exact(source, resident=True)
    graph = HNSW(source, half=False)
    # several threads would link the graph in an order of their own, and another graph finds other neighbours
    graph.grow(source, len(unit), shared=False, threads=1)
    graph.tune()
    return graph


def _ignore(_done: int, _total: int) -> None:
    """Where nobody watches."""


def _centred(positions: Layout) -> Layout:
    centre = positions.mean(axis=0, dtype=np.float64)
    centred: Layout = (positions - centre).astype(np.float32)
    return centred
