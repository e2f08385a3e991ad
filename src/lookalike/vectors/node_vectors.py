"""The vectors of a graph's nodes, where they lie among those of others and some of them are gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.types import Embeddings
from lookalike.vectors.half import widened
from lookalike.vectors.metrics import normalise
from lookalike.vectors.neighbours import NOWHERE, Mask, Positions, VectorSource, block_rows

STANDING_IN = 8
"""Linked vectors whose middle stands in for one that is gone."""


class NodeVectors:
    """A source by node: nodes 0 to n - 1 lie at given positions of another source, later ones behind ``stop``.

    Args:
        source: The vectors by position.
        positions: int64 (n,), ascending; -1 for a node whose vector is gone.
        stop: The position of node n, once there is one.
        growing: Whether there are nodes behind those given, for all that the source has behind ``stop``.
    """

    def __init__(
        self, source: VectorSource, positions: Positions, stop: int, *, growing: bool = False
    ) -> None:
        self.source = source
        self._growing = growing
        self.fixed = len(positions)
        self.stop = stop
        self._first = stop - self.fixed
        in_order = bool((positions == np.arange(self._first, stop)).all())
        self._positions = None if in_order else positions
        self._there = None if in_order else positions >= 0
        self._gone = np.flatnonzero(positions < 0)
        self._stand_ins: Embeddings = np.zeros((len(self._gone), source.dimensions), dtype=np.float32)

    def stand_in(self, vectors: Embeddings) -> None:
        """Give the nodes whose vectors are gone others: float32 (number of them, d), in the order of nodes."""
        self._stand_ins = vectors

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self.source.dimensions

    def __len__(self) -> int:
        return self.fixed + (max(0, len(self.source) - self.stop) if self._growing else 0)

    def positions(self, nodes: Positions) -> Positions:
        """Positions of nodes, of any shape; -1 for -1 and for those whose vectors are gone."""
        if self._positions is None:
            return np.where(nodes >= 0, nodes + self._first, NOWHERE)
        found = nodes - self.fixed + self.stop
        early = nodes < self.fixed
        found[early] = self._positions[nodes[early]] if self.fixed else NOWHERE
        found[nodes < 0] = NOWHERE
        return found

    def mask(self, allowed: Mask | None, nodes: int) -> Mask | None:
        """Which nodes may be answers; None when all may.

        Args:
            allowed: bool (n,), which of the source's first vectors may be answers; None: all.
            nodes: How many nodes there are.
        """
        there = self._there
        if allowed is None:
            if there is None or there.all():
                return None
            return np.concatenate([there, np.ones(nodes - self.fixed, dtype=bool)])
        late = allowed[self.stop : self.stop + max(0, nodes - self.fixed)]
        if there is None or self._positions is None:
            return allowed[self._first : self.stop + len(late)]
        early = np.zeros(self.fixed, dtype=bool)
        early[there] = allowed[self._positions[there]]
        return np.concatenate([early, late])

    def take(self, positions: Positions) -> npt.NDArray[Any]:
        """Vectors of nodes (m,), in the order asked."""
        at = self.positions(positions)
        lost = at < 0
        if not lost.any():
            return self.source.take(at)
        there = self.source.take(at[~lost])
        taken = np.empty((len(at), self.dimensions), dtype=there.dtype)
        taken[~lost] = there
        taken[lost] = self._stand_ins[np.searchsorted(self._gone, positions[lost])]
        return taken

    def blocks(self, start: int, stop: int, size: int) -> Iterator[npt.NDArray[Any]]:
        """Vectors of nodes start to stop in order, at most ``size`` at a time."""
        if self._positions is None:
            yield from self.source.blocks(start + self._first, stop + self._first, size)
            return
        for first in range(start, min(stop, self.fixed), size):
            yield self.take(np.arange(first, min(first + size, stop, self.fixed)))
        late = max(start, self.fixed)
        if late < stop:
            yield from self.source.blocks(late - self.fixed + self.stop, stop - self.fixed + self.stop, size)


def stand_ins(view: NodeVectors, gone: Positions, links_of: Callable[[Positions], Positions]) -> Embeddings:
    """What takes the place of vectors that are gone: the middle of those that their nodes are linked to.

    The links still lead from what came before such a node to what lay behind it, if its place is about right.

    Args:
        view: The vectors of the nodes.
        gone: int64 (m,), nodes whose vectors are gone.
        links_of: Gives int64 (m, w), what nodes (m,) are linked to, -1 where there are fewer.

    Returns:
        float32 (m, d), L2-normalised; zeros where everything that a node is linked to is gone too.
    """
    middles = np.zeros((len(gone), view.dimensions), dtype=np.float32)
    size = max(1, block_rows(view.dimensions) // STANDING_IN)
    for first in range(0, len(gone), size):
        links = links_of(gone[first : first + size])
        there = (links >= 0) & (view.positions(links) >= 0)
        chosen = there & (np.cumsum(there, axis=1) <= STANDING_IN)
        of = np.nonzero(chosen)[0]
        sums = np.zeros((len(links), view.dimensions), dtype=np.float32)
        np.add.at(sums, of, widened(view.take(links[chosen])))
        some = sums.any(axis=1)
        if some.any():
            middles[first : first + len(links)][some] = normalise(sums[some])
    return middles
