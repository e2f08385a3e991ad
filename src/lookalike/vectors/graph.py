"""A graph of nearest neighbours: who is close to whom, with weights that do not depend on the local density.

The weights are those of UMAP's fuzzy simplicial set (McInnes, Healy & Melville, arXiv:1802.03426): every item is
joined to its nearest neighbour with weight 1, and its further ones fade at a pace of its own, so that tight and
loose groups are held together alike.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.types import Embeddings
from lookalike.vectors.approximate import faiss, use_threads
from lookalike.vectors.blocks import MapBlocks, in_process
from lookalike.vectors.descent import refined
from lookalike.vectors.neighbours import NOWHERE, ArrayVectors, Exact, Neighbours, nothing

if TYPE_CHECKING:
    from scipy.sparse import csr_array

EXACT_MOST = 20_000
"""Up to so many vectors every pair is compared; beyond, the lists nearest to each, then neighbours of neighbours."""

LISTS_READ = 8
"""Few, because rounds over neighbours of neighbours need less work than more lists: at a million vectors of 100
dimensions eight lists find half of the neighbours in 100 us an item, and three rounds of 15 us each nearly all."""

TRAINING_PER_LIST = 40
TRAINING_ROUNDS = 10
SEARCH_BLOCK = 1024
"""Vectors whose neighbours are searched at a time."""

BISECTIONS = 40
NARROWEST = 1e-3
"""Least width of a neighbourhood, in units of its mean distance: copies of one image have no width of their own."""

Weights = npt.NDArray[np.float64]


class Searched(Protocol):
    """Vectors whose nearest are found; can be pickled."""

    def block(self, first: int, last: int) -> Embeddings:
        """Vectors from first up to last, contiguous."""

    def search(self, queries: Embeddings, k: int) -> Neighbours:
        """The k nearest of each query."""


def nearest_others(embeddings: Embeddings, k: int, map_blocks: MapBlocks = in_process) -> Neighbours:
    """The k nearest other vectors of each.

    Up to 20,000 vectors the answer is exact. Beyond, it comes from inverted lists and is refined over neighbours of
    neighbours until a sample of items has 99 % of its true neighbours, or a round helps too little
    (:func:`lookalike.vectors.descent.refined`). Deterministic, whatever the number of threads.

    Args:
        embeddings: float32 (n, d), L2-normalised rows.
        k: Neighbours of each, at least 1.
        map_blocks: What searches, and refines, block by block.

    Returns:
        positions int64 (n, k) and scores float32 (n, k), best first; -1 and -inf where fewer exist.

    Raises:
        InputError: If k is below 1.
    """
    if k < 1:
        raise InputError(f"k = {k} neighbours make no graph: expected at least 1")
    n = len(embeddings)
    if n > EXACT_MOST:
        unit = np.ascontiguousarray(embeddings, dtype=np.float32)
        found = refined(unit, _searched(_inverted_lists(unit), n, k, map_blocks), map_blocks=map_blocks)
    else:
        found = _searched(_All(embeddings), n, k, map_blocks)
    np.clip(found.scores, -np.inf, 1.0, out=found.scores)
    return found


def _searched(vectors: Searched, n: int, k: int, map_blocks: MapBlocks) -> Neighbours:
    """The k nearest others of each of n vectors, asked for in blocks."""
    found = nothing(n, k)
    wanted = min(k, n - 1)
    if wanted < 1:
        return found
    blocks = [(first, min(first + SEARCH_BLOCK, n)) for first in range(0, n, SEARCH_BLOCK)]
    answers = map_blocks(_others_of, (vectors, wanted), blocks, cores="all")
    for (first, last), (positions, scores) in zip(blocks, answers, strict=True):
        found.positions[first:last, :wanted], found.scores[first:last, :wanted] = positions, scores
    return found


def _others_of(asked: tuple[Searched, int], block: tuple[int, int]) -> Neighbours:
    """The nearest others of the vectors from first up to last."""
    vectors, k = asked
    return without_self(vectors.search(vectors.block(*block), k + 1), np.arange(*block))


def without_self(found: Neighbours, own: npt.NDArray[np.int64]) -> Neighbours:
    """Answers to items' own vectors, less the item itself; one column fewer.

    Args:
        found: Of shapes (m, k + 1).
        own: int64 (m,), the position of each item that asked.
    """
    others = found.positions != own[:, None]
    # among many copies an item may be missing from its own answer: then the last one goes
    others[others.all(axis=1), -1] = False
    shape = (len(own), found.positions.shape[1] - 1)
    return Neighbours(found.positions[others].reshape(shape), found.scores[others].reshape(shape))


class _All:
    """Compares with all vectors."""

    def __init__(self, embeddings: Embeddings) -> None:
        self._embeddings = embeddings

    def block(self, first: int, last: int) -> Embeddings:
        return np.ascontiguousarray(self._embeddings[first:last])

    def search(self, queries: Embeddings, k: int) -> Neighbours:
        return self._exact.search(queries, k)

    @cached_property
    def _exact(self) -> Exact:
        return Exact(ArrayVectors(self._embeddings), resident=True)

    def __reduce__(self) -> tuple[Any, ...]:
        return _All, (self._embeddings,)


class _Lists:
    """An inverted file of full vectors (FAISS): built in seconds, and alike with any number of threads.

    Args:
        embeddings: float32 (n, d), contiguous.
        index: Trained, and filled with them.
    """

    def __init__(self, embeddings: Embeddings, index: Any) -> None:
        self._embeddings = embeddings
        self._index = index

    def block(self, first: int, last: int) -> Embeddings:
        return self._embeddings[first:last]

    def search(self, queries: Embeddings, k: int) -> Neighbours:
        use_threads(len(queries))
        scores, positions = self._index.search(queries, k)
        return Neighbours(positions, scores)

    def __reduce__(self) -> tuple[Any, ...]:
        return _lists_of_bytes, (self._embeddings, faiss().serialize_index(self._index))


def _lists_of_bytes(embeddings: Embeddings, content: npt.NDArray[np.uint8]) -> _Lists:
    return _Lists(embeddings, faiss().deserialize_index(content))


def _inverted_lists(embeddings: Embeddings) -> _Lists:
    n, d = embeddings.shape
    lists = max(1, min(round(4 * math.sqrt(n)), n // TRAINING_PER_LIST))
    index = faiss().IndexIVFFlat(faiss().IndexFlatIP(d), d, lists, faiss().METRIC_INNER_PRODUCT)
    index.cp.spherical, index.cp.niter, index.cp.seed = True, TRAINING_ROUNDS, 1
    index.cp.min_points_per_centroid = 1
    index.nprobe = min(LISTS_READ, lists)
    use_threads(n)
    sample = np.random.default_rng(0).choice(n, size=min(n, TRAINING_PER_LIST * lists), replace=False)
    index.train(embeddings[np.sort(sample)])
    index.add(embeddings)
    return _Lists(embeddings, index)


def distances(scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Euclidean distances of unit vectors from their cosines; infinite where there is no neighbour."""
    return np.sqrt(np.maximum(2.0 - 2.0 * scores.astype(np.float64), 0.0))


def memberships(scores: npt.NDArray[np.float32]) -> Weights:
    """How much each neighbour belongs to an item's neighbourhood, UMAP's smooth k-nearest-neighbour kernel.

    w = exp(-max(0, d - d_1) / s), with d_1 the nearest distance and s such that the weights sum to log2(k).

    Args:
        scores: float32 (m, k), cosines, best first; -inf where there is no neighbour.

    Returns:
        float64 (m, k) in [0, 1], 0 where there is no neighbour.
    """
    apart = distances(scores)
    exists = np.isfinite(apart)
    nearest = np.where(exists[:, :1], apart[:, :1], 0.0)
    beyond = np.where(exists, np.maximum(apart - nearest, 0.0), np.inf)
    target = np.log2(np.maximum(exists.sum(axis=1), 2))
    low, high = np.zeros(len(apart)), np.full(len(apart), 4.0)
    for _ in range(BISECTIONS):
        width = (low + high) / 2
        too_wide = np.exp(-beyond / width[:, None]).sum(axis=1) > target
        low, high = np.where(too_wide, low, width), np.where(too_wide, width, high)
    mean = np.where(exists, apart, 0.0).sum(axis=1) / np.maximum(exists.sum(axis=1), 1)
    width = np.maximum(high, NARROWEST * np.maximum(mean, NARROWEST))
    weights: Weights = np.exp(-beyond / width[:, None])
    return weights


def fuzzy_graph(neighbours: Neighbours) -> csr_array:
    """The undirected graph of neighbourhoods: a + b - ab of the two directions of an edge.

    Args:
        neighbours: Of n vectors among themselves, each without itself.

    Returns:
        float64 (n, n) CSR, symmetric, sorted, weights in (0, 1].
    """
    from scipy.sparse import csr_array

    n, k = neighbours.positions.shape
    weights = memberships(neighbours.scores).ravel()
    kept = (neighbours.positions.ravel() != NOWHERE) & (weights > 0)
    sources = np.repeat(np.arange(n, dtype=np.int32), k)[kept]
    targets = neighbours.positions.ravel()[kept].astype(np.int32)
    directed = csr_array((weights[kept], (sources, targets)), shape=(n, n))
    transposed = directed.T.tocsr()
    graph = (directed + transposed - directed * transposed).tocsr()
    graph.eliminate_zeros()
    graph.sort_indices()
    return graph
