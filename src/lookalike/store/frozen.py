"""A gallery as it is at one moment, in a form that goes to another process and is searched there."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.store.gallery_state import State
from lookalike.store.searched import Layout
from lookalike.store.subsets import Subsets
from lookalike.store.table import Table
from lookalike.types import Embeddings, Rows
from lookalike.vectors.hnsw import HNSW
from lookalike.vectors.ivf import IVF
from lookalike.vectors.metrics import normalise
from lookalike.vectors.neighbours import ArrayVectors, Exact, Index, Mask, Positions, block_rows
from lookalike.vectors.sharded import Sharded, load_graphs


class ArrayTable(Table):
    """A table whose vectors are one array; nothing is added to it.

    Args:
        rows: int64 (n,), ascending.
        alive: bool (n,), which of them still belong to an item.
        vectors: float16 or float32 (n, d).
    """

    def __init__(self, rows: Rows, alive: Mask, vectors: npt.NDArray[Any]) -> None:
        super().__init__(vectors.shape[1], None)
        self._rows, self._alive, self._vectors = rows, alive, ArrayVectors(vectors)
        self.removed = len(rows) - int(np.count_nonzero(alive))

    def take(self, positions: Positions, *, mapped: bool = True) -> npt.NDArray[Any]:  # noqa: ARG002 - no file
        """Vectors at positions (m,), in the order asked."""
        return self._vectors.take(positions)

    def blocks(self, start: int, stop: int, size: int) -> Iterator[npt.NDArray[Any]]:
        """Vectors start to stop in order, at most ``size`` at a time."""
        return self._vectors.blocks(start, stop, size)


@dataclass(frozen=True, slots=True)
class FrozenIndex:
    """An index over a table's first vectors, as arrays.

    Args:
        kind: ``exact``, ``hnsw`` or ``ivf``.
        rows: How many vectors it covers.
        resident: Of the exact index: whether it copies them into memory.
        content: uint8, the file of the others; empty for the exact one.
        about: What belongs to the file.
    """

    kind: str
    rows: int
    resident: bool
    content: npt.NDArray[np.uint8]
    about: dict[str, Any]

    @classmethod
    def of(cls, index: Index) -> FrozenIndex:
        """An index as it is now."""
        if isinstance(index, Exact):
            return cls("exact", len(index), index.resident, np.empty(0, dtype=np.uint8), {})
        assert isinstance(index, HNSW | Sharded | IVF)  # there are no others
        with tempfile.TemporaryDirectory(prefix="lookalike-", ignore_cleanup_errors=True) as folder:
            path = Path(folder) / "index"
            about = index.save(path)
            content = np.fromfile(path, dtype=np.uint8)
        return cls(index.kind, int(about["rows"]), False, content, about)

    def thawed(self, table: Table, layout: Layout) -> Index:
        """The index over a table with the same vectors."""
        if self.kind == "exact":
            vectors = table.take(np.arange(self.rows)) if self.rows < len(table) else None
            return Exact(table if vectors is None else ArrayVectors(vectors), resident=self.resident)
        with tempfile.TemporaryDirectory(prefix="lookalike-", ignore_cleanup_errors=True) as folder:
            path = Path(folder) / "index"
            self.content.tofile(path)
            if self.kind == "hnsw":
                return load_graphs(path, self.about, table, half=layout.half, scales=layout.scales)
            return IVF.load(path, self.about, table)  # what it has mapped outlives the file's name


class FrozenGallery:
    """What a gallery answers at one moment; made by ``Gallery.frozen``.

    Pickled it is arrays, which processes of one machine can share. The index is made of them at the first search, in
    seconds and not in the minutes that building one takes.

    Args:
        state: What the gallery searches.
        allowed: int64 (m,), the only rows that may be answers; None: all.
    """

    def __init__(self, state: State, allowed: Rows | None) -> None:
        table, n = state.table, len(state.table)
        self._version, self._epoch, self._layout = state.version, state.epoch, state.layout
        self._rows, self._alive = table.rows[:n], table.alive[:n].copy()
        self._vectors = _gathered(table, n, half=state.layout.half)
        self._index = FrozenIndex.of(state.index)
        self._allowed = allowed

    def search(
        self, queries: Embeddings, k: int, recall: float | None = None
    ) -> tuple[Rows, npt.NDArray[np.float32]]:
        """The k nearest items of each query among those allowed, as the gallery itself would answer.

        Args:
            queries: float32 (q, d).
            k: At least 1.
            recall: Share of the true neighbours to aim at, in (0, 1]; None: 0.99.

        Returns:
            rows int64 (q, k) and scores float32 (q, k), as ``Gallery.search`` returns them.
        """
        state, subsets = self._thawed
        unit = normalise(np.atleast_2d(queries))
        if self._allowed is not None:
            kept = subsets.search(state, unit, k, self._allowed)
            if kept is not None:
                return kept
        return state.search(unit, k, self._allowed, recall)

    @cached_property
    def _thawed(self) -> tuple[State, Subsets]:
        table = ArrayTable(self._rows, self._alive, self._vectors)
        index = self._index.thawed(table, self._layout)
        state, subsets = State(self._version, self._epoch, self._layout, table, index), Subsets()
        if self._allowed is not None:
            subsets.expect(state, self._allowed)
        return state, subsets

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_thawed"}


def _gathered(table: Table, n: int, *, half: bool) -> npt.NDArray[Any]:
    """A table's first n vectors in one array, in a temporary file, since they may be more than memory holds."""
    shape, dtype = (n, table.dimensions), np.dtype(np.float16 if half else np.float32)
    if not n:
        return np.empty(shape, dtype=dtype)
    with tempfile.TemporaryFile(prefix="lookalike-") as file:
        vectors = np.memmap(file, dtype, "w+", shape=shape)
    first = 0
    for block in table.blocks(0, n, block_rows(table.dimensions)):
        vectors[first : first + len(block)] = block
        first += len(block)
    return np.asarray(vectors)  # as a plain array it is shared with other processes, not copied
