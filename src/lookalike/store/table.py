"""All vectors that a gallery searches, by position: those of the sidecar, then newer ones in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import UnknownItem
from lookalike.store.row_places import places_of
from lookalike.store.sidecar import Sidecar
from lookalike.types import Embeddings, Rows
from lookalike.vectors.neighbours import Mask, Positions


class Table:
    """Vectors, their row numbers, and which of them are still items; a source for indexes.

    One thread changes it at a time, while others read: what they have seen stays where it is.

    Args:
        dimensions: Length of a vector.
        sidecar: The vectors on disk; None when the folder of derived files cannot be written.
    """

    def __init__(self, dimensions: int, sidecar: Sidecar | None) -> None:
        self._dimensions = dimensions
        self._fresh = _Growing(np.empty((0, dimensions), dtype=np.float32))
        nothing = np.empty((0, dimensions), dtype=np.float32)
        self._parts: tuple[Sidecar | None, Embeddings] = (sidecar, self._fresh.extend(nothing))
        self._rows = np.empty(0, dtype=np.int64) if sidecar is None else sidecar.rows
        self._growing_rows = _Growing(self._rows)
        self._alive = np.ones(len(self._rows), dtype=bool)
        self._growing_alive = _Growing(self._alive)
        self.removed = 0

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self._dimensions

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def rows(self) -> Rows:
        """int64 (n,), ascending."""
        return self._rows

    @property
    def alive(self) -> Mask:
        """bool (n,): which vectors still belong to an item."""
        return self._alive

    @property
    def sidecar(self) -> Sidecar | None:
        """What is on disk."""
        return self._parts[0]

    @property
    def fresh(self) -> tuple[Rows, Embeddings]:
        """What is in memory only."""
        sidecar, fresh = self._parts
        start = 0 if sidecar is None else len(sidecar)
        return self._rows[start : start + len(fresh)], fresh

    @property
    def last_row(self) -> int:
        """The newest row, or -1."""
        return int(self._rows[-1]) if len(self._rows) else -1

    def positions(self, rows: Rows) -> Positions:
        """Positions of rows (m,), ascending or not; -1 for those that are not here.

        Rows that no removal has torn a hole into are counted, not searched.
        """
        known = self._rows
        if not len(known) or not len(rows):
            return np.full(len(rows), -1, dtype=np.int64)
        if int(known[-1]) - int(known[0]) == len(known) - 1:
            found = rows - known[0]
            return np.where((found >= 0) & (found < len(known)), found, -1)
        return places_of(rows, known)

    def mask(self, rows: Rows | None, n: int) -> Mask | None:
        """Which of the first n vectors may be answers; None when all may.

        Args:
            rows: int64 (m,), the rows that a filter allows; those that are not here are ignored. None: all.
            n: Length of the mask.
        """
        if rows is None:
            return None if not self.removed else self._alive[:n].copy()
        found = self.positions(rows)
        allowed = np.zeros(n, dtype=bool)
        allowed[found[(found >= 0) & (found < n)]] = True
        if self.removed:
            allowed &= self._alive[:n]
        return allowed

    def existing(self, rows: Rows) -> Positions:
        """Positions of rows, in the order asked.

        Raises:
            UnknownItem: If a row is not here or its item was removed.
        """
        found = self.positions(np.asarray(rows, dtype=np.int64))
        gone = (found < 0) | ~self._alive[found] if len(self._rows) else np.ones(len(found), dtype=bool)
        if gone.any():
            raise UnknownItem(f"row {int(rows[int(np.argmax(gone))])} is gone from the collection")
        return found

    def take(self, positions: Positions, *, mapped: bool = True) -> npt.NDArray[Any]:
        """Vectors at positions (m,), in the order asked.

        Args:
            positions: int64 (m,).
            mapped: Read through the memory map, which is fast and keeps the file's pages in memory; else
                through the file, for samples of everything.
        """
        sidecar, fresh = self._parts
        if sidecar is None:
            return fresh[positions]
        read = sidecar.take if mapped else sidecar.read
        here = len(sidecar)
        late = positions >= here
        if not late.any():
            return read(positions)
        if late.all():
            return fresh[positions - here]
        taken = np.empty((len(positions), self._dimensions), dtype=np.float32)
        taken[late] = fresh[positions[late] - here]
        taken[~late] = read(positions[~late])
        return taken

    def blocks(self, start: int, stop: int, size: int) -> Iterator[npt.NDArray[Any]]:
        """Vectors start to stop in order, at most ``size`` at a time."""
        sidecar, fresh = self._parts
        here = 0 if sidecar is None else len(sidecar)
        if sidecar is not None and start < here:
            yield from sidecar.blocks(start, min(stop, here), size)
        for first in range(max(start, here), stop, size):
            yield fresh[first - here : min(first + size, stop) - here]

    # the writing side: one thread at a time

    def append(self, rows: Rows, embeddings: Embeddings) -> None:
        """Add newer vectors, in memory.

        Args:
            rows: int64 (m,), ascending, all above the last one.
            embeddings: float32 (m, d).
        """
        # vectors first: whoever sees a row finds its vector
        self._parts = (self._parts[0], self._fresh.extend(embeddings))
        self._alive = self._growing_alive.extend(np.ones(len(rows), dtype=bool))
        self._rows = self._growing_rows.extend(rows)

    def remove(self, rows: Rows) -> None:
        """Note that the items of these rows are gone; unknown rows are ignored."""
        found = self.positions(rows)
        found = found[found >= 0]
        self.removed += int(np.count_nonzero(self._alive[found]))
        self._alive[found] = False

    def persisted(self, sidecar: Sidecar) -> None:
        """Read from disk what was in memory: a longer sidecar of the same generation."""
        old, fresh = self._parts
        moved = len(sidecar) - (0 if old is None else len(old))
        self._fresh = _Growing(fresh[moved:].copy())
        self._parts = (sidecar, self._fresh.extend(fresh[:0]))


class _Growing:
    """An array that grows at its end, by doubling, without touching what readers hold of it."""

    def __init__(self, array: npt.NDArray[Any]) -> None:
        self._room = array
        self._n = len(array)

    def extend(self, more: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The array with more behind it."""
        total = self._n + len(more)
        if total > len(self._room):
            room = np.empty((max(total, 2 * self._n), *self._room.shape[1:]), dtype=self._room.dtype)
            room[: self._n] = self._room[: self._n]
            self._room = room
        self._room[self._n : total] = more
        self._n = total
        return self._room[:total]
