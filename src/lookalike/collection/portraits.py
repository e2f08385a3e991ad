"""Thumbnails of many items, read in batches for a comparison by pixels."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np

from lookalike.images.perceptual import COARSE, Plane, Planes, read_coarse, read_planes
from lookalike.store.base import Store
from lookalike.types import Rows
from lookalike.vectors.blocks import MapBlocks, in_process

BATCH = 512
"""Thumbnails that are read at a time, some 5 MB."""

Read = TypeVar("Read")


class Decoder:
    """Makes planes of thumbnails, on the cores of this machine; pickled, on one.

    Args:
        threads: The cores; None: only that of the caller.
    """

    def __init__(self, threads: ThreadPoolExecutor | None = None) -> None:
        self._threads = threads

    def coarse(self, thumbnails: Sequence[bytes]) -> Plane:
        """Coarse luminance, uint8 (n, 32, 32)."""
        return np.concatenate(self._in_parts(read_coarse, thumbnails))

    def planes(self, thumbnails: Sequence[bytes]) -> Planes:
        """Fine luminance and colour."""
        parts = self._in_parts(read_planes, thumbnails)
        return Planes(
            np.concatenate([part.luminance for part in parts]),
            np.concatenate([part.chroma for part in parts]),
        )

    def _in_parts(self, read: Callable[[Sequence[bytes]], Read], thumbnails: Sequence[bytes]) -> list[Read]:
        """What is read of as many parts as there are threads, in order."""
        if self._threads is None:
            return [read(thumbnails)]
        size = -(-len(thumbnails) // (os.cpu_count() or 1))
        parts = [thumbnails[first : first + size] for first in range(0, len(thumbnails), size)]
        return list(self._threads.map(read, parts))

    def __reduce__(self) -> tuple[Any, ...]:
        return Decoder, ()


class CoarsePlanes:
    """Coarse luminance of items by row.

    Args:
        rows: int64 (n,), ascending.
        planes: uint8 (n, 32, 32).
    """

    def __init__(self, rows: Rows, planes: Plane) -> None:
        self._rows = rows
        self._coarse = planes

    def coarse(self, rows: Rows) -> Plane:
        """Coarse luminance of rows among those given, uint8 (n, 32, 32)."""
        return np.asarray(self._coarse[np.searchsorted(self._rows, rows)])


class Portraits(CoarsePlanes):
    """Small planes of the pictures of items. The coarse ones lie in a temporary file, 1 kB an item; pickled, they are
    all that goes along.

    Args:
        store: Gives the thumbnails.
        rows: int64 (n,), ascending; the items.
        advance: Called with (done, n) while the coarse planes are made.
        map_blocks: What makes them, batch by batch.

    Raises:
        UnknownItem: If a row is gone.
    """

    def __init__(
        self,
        store: Store,
        rows: Rows,
        advance: Callable[[int, int], None],
        map_blocks: MapBlocks = in_process,
    ) -> None:
        self._store = store
        self._threads = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="lookalike-thumbnails")
        self._file = tempfile.TemporaryFile(prefix="lookalike-")  # noqa: SIM115 - lives as long as this object
        try:
            self._decoder, done = Decoder(self._threads), 0
            batches = (self._thumbnails(rows[first : first + BATCH]) for first in range(0, len(rows), BATCH))
            for planes in map_blocks(Decoder.coarse, self._decoder, batches):
                self._file.write(planes.tobytes())
                done += len(planes)
                advance(done, len(rows))
            self._file.flush()
        except BaseException:
            self.close()
            raise
        shape = (len(rows), COARSE, COARSE)
        # as a plain array it can be shared with other processes
        super().__init__(
            rows,
            np.asarray(np.memmap(self._file, np.uint8, "r", shape=shape))
            if len(rows)
            else np.empty(shape, np.uint8),
        )

    def planes(self, rows: Rows) -> Callable[[], Planes]:
        """What makes fine luminance and colour of rows, whose thumbnails are read now."""
        return partial(self._decoder.planes, self._thumbnails(rows))

    def _thumbnails(self, rows: Rows) -> list[bytes]:
        return self._store.thumbnails(rows.tolist())

    def __reduce__(self) -> tuple[Any, ...]:
        return CoarsePlanes, (self._rows, self._coarse)

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
