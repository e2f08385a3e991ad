"""The nearest others of every item, found by the index that a collection is searched with.

How much effort an index needs for a recall is measured with queries from outside. In tight groups of some hundred items
that is much, since a search from outside easily misses the way into the right one. An item among its neighbours is no
such query. So all are searched with little effort first, and where that misses too many, neighbours of neighbours
complete the lists (:mod:`lookalike.vectors.descent`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property, partial
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from lookalike.store.gallery import Gallery
from lookalike.types import Embeddings, Rows
from lookalike.vectors.approximate import DEFAULT_RECALL
from lookalike.vectors.blocks import MapBlocks, in_process
from lookalike.vectors.descent import refined
from lookalike.vectors.graph import without_self
from lookalike.vectors.metrics import cosine_pairs
from lookalike.vectors.neighbours import NOWHERE, TIE, ArrayVectors, Neighbours, Positions, merge, rescore

ROUGH = 0.9
"""Recall that the index is asked for first; of items it finds more, since they are no queries from outside."""

LEAST = 0.98
"""Recall of completed lists below which the index is asked with all the effort that it wants for 99 %."""

SAMPLE = 200
"""Items whose true neighbours are looked up: with ten each, recall is known to about 0.5 %."""

Search: TypeAlias = Callable[[Embeddings, int], tuple[Rows, npt.NDArray[np.float32]]]
"""Rows and scores of the k nearest items of embeddings."""


class ItemNeighbours:
    """Finds the nearest others of each of some items among themselves.

    Args:
        gallery: What searches.
        rows: int64 (n,) ascending, the items.
        vectors: float32 (n, d), their vectors in few dimensions, L2-normalised contiguous rows.
        k: Neighbours of each, at least 1 and below n.
        batch: Items searched at a time.
        map_blocks: What searches, batch by batch.
        tick: Called before every batch.
    """

    def __init__(
        self,
        gallery: Gallery,
        rows: Rows,
        vectors: Embeddings,
        k: int,
        *,
        batch: int,
        map_blocks: MapBlocks = in_process,
        tick: Callable[[], None] = lambda: None,
    ) -> None:
        self._gallery = gallery
        self._rows = rows
        self._vectors = vectors
        self._k = k
        self._batch = batch
        self._map_blocks = map_blocks
        self._tick = tick
        self._allowed = None if len(rows) == len(gallery) else rows

    def find(self) -> Neighbours:
        """The neighbours, by as much effort as a sample of the items needs.

        Returns:
            positions int64 (n, k) and scores float32 (n, k) by the vectors that are searched, best first; -1 and -inf
            where fewer are known.

        Raises:
            UnknownItem: If an item was removed meanwhile.
        """
        near = self._by_index(ROUGH)
        if self._recall(near) >= DEFAULT_RECALL:
            return near
        near = self._completed(near)
        return near if self._recall(near) >= LEAST else self._by_index(None)

    def _by_index(self, recall: float | None) -> Neighbours:
        gallery, rows, allowed = self._gallery, self._rows, self._allowed
        search: Search
        if self._map_blocks is in_process:
            if allowed is not None:
                gallery.expect(allowed)
            search = partial(gallery.search, rows=allowed, recall=recall)
        else:
            search = partial(gallery.frozen(allowed).search, recall=recall)
        parts: list[Neighbours] = []
        answers = self._map_blocks(_nearest, (search, self._k + 1), self._blocks(), cores="all")
        for first, (found, scores) in zip(range(0, len(rows), self._batch), answers, strict=True):
            own = np.arange(first, first + len(found))
            places = np.minimum(np.searchsorted(rows, found), len(rows) - 1)
            positions = np.where(rows[places] == found, places, NOWHERE)  # others were added a moment ago
            parts.append(without_self(Neighbours(positions, scores), own))
        return Neighbours(*(np.concatenate(each) for each in zip(*parts, strict=True)))

    def _blocks(self) -> Iterator[Embeddings]:
        for first in range(0, len(self._rows), self._batch):
            self._tick()
            yield self._gallery.vectors(self._rows[first : first + self._batch])

    def _recall(self, near: Neighbours) -> float:
        """Share of a sample's true neighbours that are known; an equal score counts, since copies are alike."""
        sample, bars = self._truth
        return float((near.scores[sample] >= bars - np.float32(TIE)).mean())

    @cached_property
    def _truth(self) -> tuple[Positions, npt.NDArray[np.float32]]:
        """Items of a sample, and the score of the last of each one's true neighbours, float32 (m, 1)."""
        n = len(self._rows)
        sample = np.sort(np.random.default_rng(0).choice(n, size=min(SAMPLE, n), replace=False))
        queries = self._gallery.vectors(self._rows[sample])
        # the item itself, or a copy with the same score, stands first
        _, scores = self._gallery.search(queries, self._k + 1, self._allowed, 1.0)
        return sample, scores[:, -1:]

    def _completed(self, near: Neighbours) -> Neighbours:
        """With what is found over neighbours of neighbours, by the vectors of few dimensions, where it is nearer."""
        source = ArrayVectors(self._vectors)
        starts = [
            rescore(source, self._vectors[block], self._k, near.positions[block]) for block in self._slices()
        ]
        start = Neighbours(*(np.concatenate(each) for each in zip(*starts, strict=True)))
        # measured on a sample, so aim half-way to 1: by the other vectors enough must be found as well
        aim = (1 + DEFAULT_RECALL) / 2
        more = refined(self._vectors, start, recall=aim, map_blocks=self._map_blocks)
        parts = []
        for block in self._slices():
            self._tick()
            known = Neighbours(near.positions[block], near.scores[block])
            positions = more.positions[block].copy()
            scores = self._scores(block, positions)
            old = (positions[:, :, None] == known.positions[:, None, :]).any(axis=2) | (positions == NOWHERE)
            positions[old], scores[old] = NOWHERE, -np.inf
            parts.append(merge([known, Neighbours(positions, scores)], self._k))
        return Neighbours(*(np.concatenate(each) for each in zip(*parts, strict=True)))

    def _slices(self) -> Iterator[slice]:
        for first in range(0, len(self._rows), self._batch):
            yield slice(first, first + self._batch)

    def _scores(self, block: slice, positions: Positions) -> npt.NDArray[np.float32]:
        """Cosines of a block's items with others, by the vectors that are searched; anything for position -1."""
        others = self._gallery.vectors(self._rows[np.maximum(positions, 0).ravel()])
        return cosine_pairs(self._gallery.vectors(self._rows[block]), others.reshape(*positions.shape, -1))


def _nearest(asked: tuple[Search, int], block: Embeddings) -> tuple[Rows, npt.NDArray[np.float32]]:
    """An item and its nearest others, of each of a block."""
    search, k = asked
    return search(block, k)
