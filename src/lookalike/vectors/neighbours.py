"""Nearest neighbours by cosine: the contract of every index, and the exact search that is its oracle."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.types import Embeddings
from lookalike.vectors.metrics import cosine, cosine_pairs, inner, normalise

Mask = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.int64]

NOWHERE = -1
"""The position that fills up a row of fewer than k neighbours; its score is -inf."""

TIE = 2e-6
"""Matrix products of equal vectors may differ by this much; such candidates are compared again one by one."""

GATHER_SHARE = 0.2
"""Up to this share of allowed vectors, copying them out is cheaper than comparing with all (measured)."""

BLOCK_VALUES = 1 << 22
"""Values of a block that the exact search reads at a time: 16 MiB as float32."""


class Neighbours(NamedTuple):
    """The nearest vectors of each query, best first, equal scores by position.

    Args:
        positions: int64 (q, k); -1 where fewer than k exist.
        scores: float32 (q, k), cosine in [-1, 1]; -inf where fewer than k exist.
    """

    positions: Positions
    scores: npt.NDArray[np.float32]


class VectorSource(Protocol):
    """Where vectors are read from by position: an array, a memory map, a file with checksums."""

    @property
    def dimensions(self) -> int:
        """Length of a vector."""

    def __len__(self) -> int: ...

    def take(self, positions: Positions) -> npt.NDArray[Any]:
        """Vectors at positions (m,), float16 or float32 (m, d), in the order asked."""

    def blocks(self, start: int, stop: int, size: int) -> Iterator[npt.NDArray[Any]]:
        """Vectors start to stop in order, at most ``size`` at a time, float16 or float32."""


class ArrayVectors:
    """An array in memory, or a memory map, as a source.

    Args:
        array: float16 or float32 (n, d).
    """

    def __init__(self, array: npt.NDArray[Any]) -> None:
        self.array = array

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return int(self.array.shape[1])

    def __len__(self) -> int:
        return len(self.array)

    def take(self, positions: Positions) -> npt.NDArray[Any]:
        """Vectors at positions (m,), in the order asked."""
        return self.array[positions]

    def blocks(self, start: int, stop: int, size: int) -> Iterator[npt.NDArray[Any]]:
        """Vectors start to stop, at most ``size`` at a time."""
        for first in range(start, stop, size):
            yield self.array[first : min(first + size, stop)]


class Index(ABC):
    """An engine that finds neighbours among vectors 0 to n - 1. Safe to search from several threads."""

    kind: str

    @abstractmethod
    def __len__(self) -> int:
        """Number of vectors indexed."""

    @abstractmethod
    def search(
        self, queries: Embeddings, k: int, allowed: Mask | None = None, recall: float | None = None
    ) -> Neighbours:
        """The k nearest vectors of each query.

        Args:
            queries: float32 (q, d), L2-normalised rows.
            k: At least 1. k neighbours come back whenever k allowed vectors exist.
            allowed: bool (n,), which vectors may be answers; None: all.
            recall: Share of the true neighbours to aim at, in (0, 1]; 1 searches exactly. None: the index's
                own default. An exact engine always reaches 1.

        Raises:
            InputError: If k < 1, recall is outside (0, 1], or the queries' or the mask's shape does not fit.
        """

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Kind, rows, bytes in memory and parameters, for a result's provenance."""


class Exact(Index):
    """Compares with every vector, in blocks.

    Args:
        source: The vectors.
        resident: Keep a float32 copy in memory, made at the first search: several times faster for
            half-precision vectors.
    """

    kind = "exact"

    def __init__(self, source: VectorSource, *, resident: bool = False) -> None:
        self._n = len(source)
        self._source = source
        self.resident = resident
        self._copying = threading.Lock()
        self._unit: ArrayVectors | None = None
        self._room = np.empty((0, source.dimensions), dtype=np.float32)
        self._filled = 0

    def grown(self, source: VectorSource) -> Exact:
        """An index over more vectors, which copies only the new ones; this one stays as it is.

        Args:
            source: Its first ``len(self)`` vectors are those of this one.
        """
        more = Exact(source, resident=self.resident)
        more._room, more._filled = self._room, self._filled
        return more

    def __len__(self) -> int:
        return self._n

    def search(
        self, queries: Embeddings, k: int, allowed: Mask | None = None, recall: float | None = None
    ) -> Neighbours:
        """See :meth:`Index.search`."""
        check_query(queries, k, allowed, recall, dimensions=self._source.dimensions, n=self._n)
        if not self.resident:
            return exact_range(self._source, queries, k, 0, self._n, allowed=allowed)
        return exact_range(self._copy(), queries, k, 0, self._n, allowed=allowed, unit=True)

    def _copy(self) -> ArrayVectors:
        """The vectors as float32 of length 1, made when first asked for."""
        with self._copying:
            if self._unit is None:
                if len(self._room) < self._n:  # with room for more, so that growing seldom copies all
                    room = np.empty((self._n + self._n // 4, self._source.dimensions), dtype=np.float32)
                    room[: self._filled] = self._room[: self._filled]
                    self._room = room
                first = self._filled
                for block in self._source.blocks(first, self._n, block_rows(self._source.dimensions)):
                    self._room[first : first + len(block)] = normalise(block)
                    first += len(block)
                self._filled = self._n
                self._unit = ArrayVectors(self._room[: self._n])
            return self._unit

    def describe(self) -> dict[str, Any]:
        """Kind and parameters."""
        copied = 0 if self._unit is None else self._unit.array.nbytes
        return {"kind": self.kind, "rows": self._n, "bytes": copied}


def check_query(
    queries: Embeddings, k: int, allowed: Mask | None, recall: float | None, *, dimensions: int, n: int
) -> None:
    """Refuse what no index can answer.

    Raises:
        InputError: See :meth:`Index.search`.
    """
    if k < 1:
        raise InputError(f"k = {k} neighbours make no answer: expected k >= 1")
    if recall is not None and not 0 < recall <= 1:
        raise InputError(
            f"recall {recall} is not a share: expected a number above 0 and at most 1, such as 0.99"
        )
    if queries.ndim != 2 or queries.shape[1] != dimensions:
        raise InputError(f"queries have shape {queries.shape}: expected (q, {dimensions}), one row a query")
    if allowed is not None and allowed.shape != (n,):
        raise InputError(f"the mask has shape {allowed.shape}: expected ({n},), one truth value a vector")


def block_rows(dimensions: int) -> int:
    """How many vectors make a block."""
    return max(1, BLOCK_VALUES // dimensions)


def nothing(q: int, k: int) -> Neighbours:
    """An answer without neighbours."""
    return Neighbours(np.full((q, k), NOWHERE, dtype=np.int64), np.full((q, k), -np.inf, dtype=np.float32))


def merge(parts: list[Neighbours], k: int) -> Neighbours:
    """The k best of several answers to the same queries; equal scores by position.

    Args:
        parts: Answers of shapes (q, k1), (q, k2), ...; no position twice in a row.
        k: Columns of the result.
    """
    positions = np.concatenate([part.positions for part in parts], axis=1)
    scores = np.concatenate([part.scores for part in parts], axis=1)
    order = np.lexsort((positions, -scores), axis=1)[:, :k]
    best = Neighbours(np.take_along_axis(positions, order, 1), np.take_along_axis(scores, order, 1))
    missing = k - order.shape[1]
    if missing > 0:
        filler = nothing(len(order), missing)
        best = Neighbours(
            np.hstack([best.positions, filler.positions]), np.hstack([best.scores, filler.scores])
        )
    return best


def rescore(source: VectorSource, queries: Embeddings, k: int, candidates: Positions) -> Neighbours:
    """Exact scores of candidates, the k best of them.

    Args:
        source: The vectors.
        queries: float32 (q, d), L2-normalised rows.
        k: Columns of the result.
        candidates: int64 (q, c), no position twice in a row but -1, which is no candidate.
    """
    if candidates.shape[1] == 0:
        return nothing(len(queries), k)
    valid = candidates >= 0
    scores = np.full(candidates.shape, -np.inf, dtype=np.float32)
    if valid.all():
        vectors = source.take(candidates.ravel()).reshape(*candidates.shape, -1)
        scores = cosine_pairs(queries, vectors)
    else:
        for row, (query, ok) in enumerate(zip(queries, valid, strict=True)):
            if ok.any():
                scores[row, ok] = cosine_pairs(query[None], source.take(candidates[row, ok])[None])[0]
    return merge([Neighbours(candidates, scores)], k)


def exact_range(
    source: VectorSource,
    queries: Embeddings,
    k: int,
    start: int,
    stop: int,
    *,
    allowed: Mask | None = None,
    unit: bool = False,
) -> Neighbours:
    """Exact search of the vectors from start to stop.

    Args:
        source: The vectors.
        queries: float32 (q, d), L2-normalised rows.
        k: Columns of the result.
        start, stop: Range of positions.
        allowed: bool (stop - start,), which of them may be answers; None: all.
        unit: The vectors have length 1 in float32 already, so that lengths need not be computed.
    """
    if allowed is not None and np.count_nonzero(allowed) <= GATHER_SHARE * len(allowed):
        return exact_among(source, queries, k, start + np.flatnonzero(allowed), unit=unit)
    size = block_rows(source.dimensions)
    if unit:  # nothing is converted, so only the scores take memory
        size = max(size, BLOCK_VALUES // max(1, len(queries)))
    best, first = nothing(len(queries), k), start
    for block in source.blocks(start, stop, size):
        part = None if allowed is None else allowed[first - start : first - start + len(block)]
        found = _best_of_block(block, queries, k, part, unit=unit)
        shifted = np.where(found.positions >= 0, found.positions + first, NOWHERE)
        best = merge([best, Neighbours(shifted, found.scores)], k)
        first += len(block)
    return best


def exact_among(
    source: VectorSource, queries: Embeddings, k: int, among: Positions, *, unit: bool = False
) -> Neighbours:
    """Exact search of chosen vectors.

    Args:
        source: The vectors.
        queries: float32 (q, d), L2-normalised rows.
        k: Columns of the result.
        among: int64 (m,), ascending positions.
        unit: The vectors have length 1 in float32 already.
    """
    best, size = nothing(len(queries), k), block_rows(source.dimensions)
    for first in range(0, len(among), size):
        chosen = among[first : first + size]
        found = _best_of_block(source.take(chosen), queries, k, None, unit=unit)
        mapped = np.where(found.positions >= 0, chosen[found.positions], NOWHERE)
        best = merge([best, Neighbours(mapped, found.scores)], k)
    return best


def _best_of_block(
    block: npt.NDArray[Any], queries: Embeddings, k: int, allowed: Mask | None, *, unit: bool
) -> Neighbours:
    """The k best of one block; every candidate that may tie with the k-th is compared again."""
    scores = inner(queries, block) if unit else cosine(queries, block)
    if allowed is not None:
        scores[:, ~allowed] = -np.inf
    n = len(block)
    bars = np.full(len(queries), -np.inf, dtype=np.float32)
    if k < n:
        bars = -np.partition(-scores, k - 1, axis=1)[:, k - 1] - np.float32(TIE)
    best = nothing(len(queries), min(k, n))
    for i, (query, row, bar) in enumerate(zip(queries, scores, bars, strict=True)):
        candidates = np.flatnonzero((row >= bar) & (row > -np.inf))
        exact = cosine_pairs(query[None], block[candidates][None])[0]
        order = np.lexsort((candidates, -exact))[:k]
        best.positions[i, : len(order)] = candidates[order]
        best.scores[i, : len(order)] = exact[order]
    return best
