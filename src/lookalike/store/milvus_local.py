"""A gallery of this machine for what a Milvus server cannot do: to be frozen and searched in other processes."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

from lookalike.store.base import Store
from lookalike.store.frozen import FrozenGallery
from lookalike.store.gallery import Gallery
from lookalike.types import Rows


class LocalGallery:
    """Vectors and an index in a temporary folder, derived from a record when first asked for.

    Args:
        store: The record; stays the caller's to close.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._freezing = threading.Lock()
        self._open: tuple[Gallery, tempfile.TemporaryDirectory[str]] | None = None
        self._closed = False

    def frozen(self, rows: Rows | None = None) -> FrozenGallery:
        """See :meth:`lookalike.store.gallery.Gallery.frozen`; after :meth:`close` the folder goes with each call."""
        with self._freezing:
            try:
                if self._open is None:
                    folder = tempfile.TemporaryDirectory(
                        prefix="lookalike-frozen-", ignore_cleanup_errors=True
                    )
                    self._open = Gallery(self._store, Path(folder.name)), folder
                return self._open[0].frozen(rows)
            finally:
                if self._closed:
                    self._delete()

    def close(self) -> None:
        """Stop building, and delete the folder; who is freezing deletes it afterwards, and is not waited for."""
        self._closed = True
        if (known := self._open) is not None:
            known[0].close()
        if self._freezing.acquire(blocking=False):
            try:
                self._delete()
            finally:
                self._freezing.release()

    def _delete(self) -> None:
        known, self._open = self._open, None
        if known is not None:
            known[0].close()
            known[1].cleanup()
