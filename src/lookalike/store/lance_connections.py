"""Connections to a replica: it follows the log before one is lent, and only the log's way leads to a change."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lookalike.errors import StoreError
from lookalike.store.sqlite_connections import Connections


class ReplicaConnections(Connections):
    """Connections to a replica: it is brought up to date before one is lent, and only the log's way leads to a change.

    Args:
        path: The database file.
        busy_seconds: How long to wait for another writer of this machine.
    """

    def __init__(self, path: Path, *, busy_seconds: float) -> None:
        super().__init__(path, readonly=False, immutable=False, busy_seconds=busy_seconds, durable=False)
        self.follow: Callable[[], None] | None = None
        self._here = threading.local()

    @contextmanager
    def exclusive(self) -> Iterator[sqlite3.Connection]:
        """A connection to the replica as the log is now."""
        if self.follow is not None and not self.is_own:
            self.follow()
        with super().exclusive() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A write transaction, for the log's way alone.

        Raises:
            StoreError: If anybody else asks: what is not logged would be lost.
        """
        if self.follow is not None and not self.is_own:
            raise StoreError(
                "a collection in Lance was to be changed without an entry in its log, and was not: please report it"
            )
        with super().write() as connection:
            yield connection

    @property
    def is_own(self) -> bool:
        """Whether this thread is on the log's way."""
        return bool(getattr(self._here, "depth", 0))

    @contextmanager
    def own(self) -> Iterator[None]:
        """This thread is on the log's way: it reads the replica as it is."""
        self._here.depth = getattr(self._here, "depth", 0) + 1
        try:
            yield
        finally:
            self._here.depth -= 1
