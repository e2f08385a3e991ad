"""Thumbnails of many items, read in batches for a comparison by pixels."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from lookalike.images.perceptual import COARSE, Plane, Planes, read_coarse, read_planes
from lookalike.store.base import Store
from lookalike.types import Rows

BATCH = 512
"""Thumbnails that are read at a time, some 5 MB."""


class Portraits:
    """Small planes of the pictures of items. The coarse ones lie in a temporary file, 1 kB an item.

    Args:
        store: Gives the thumbnails.
        rows: int64 (n,), ascending; the items.
        advance: Called with (done, n) while the coarse planes are made.

    Raises:
        UnknownItem: If a row is gone.
    """

    def __init__(self, store: Store, rows: Rows, advance: Callable[[int, int], None]) -> None:
        self._store = store
        self._rows = rows
        self._threads = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="lookalike-thumbnails")
        self._file = tempfile.TemporaryFile(prefix="lookalike-")  # noqa: SIM115 - lives as long as this object
        try:
            for first in range(0, len(rows), BATCH):
                self._file.write(self._read_coarse(rows[first : first + BATCH]).tobytes())
                advance(min(first + BATCH, len(rows)), len(rows))
            self._file.flush()
        except BaseException:
            self.close()
            raise
        shape = (len(rows), COARSE, COARSE)
        self._coarse: npt.NDArray[np.uint8] = (
            np.memmap(self._file, np.uint8, "r", shape=shape) if len(rows) else np.empty(shape, np.uint8)
        )

    def coarse(self, rows: Rows) -> Plane:
        """Coarse luminance of rows among those given, uint8 (n, 32, 32)."""
        return np.asarray(self._coarse[np.searchsorted(self._rows, rows)])

    def planes(self, rows: Rows) -> Planes:
        """Fine luminance and colour of rows."""
        parts = list(self._threads.map(read_planes, self._parts(rows)))
        return Planes(
            np.concatenate([part.luminance for part in parts]),
            np.concatenate([part.chroma for part in parts]),
        )

    def _read_coarse(self, rows: Rows) -> Plane:
        return np.concatenate(list(self._threads.map(read_coarse, self._parts(rows))))

    def _parts(self, rows: Rows) -> list[Sequence[bytes]]:
        """Thumbnails of rows, in as many parts as there are threads, in order."""
        thumbnails = self._store.thumbnails(rows.tolist())
        size = -(-len(thumbnails) // (os.cpu_count() or 1))
        return [thumbnails[first : first + size] for first in range(0, len(thumbnails), size)]

    def close(self) -> None:
        """Delete the temporary file."""
        self._threads.shutdown(cancel_futures=True)
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
