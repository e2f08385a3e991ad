"""Reading a collection's database as of one moment: one connection in one transaction, for call after call."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Self

import numpy as np

from lookalike.errors import CollectionBusy, InputError, StoreError
from lookalike.store import sqlite_read, sqlite_records
from lookalike.store.base import Store
from lookalike.store.sqlite_connections import Connections, translated
from lookalike.types import Record, Rows

_BEYOND = 2**62
"""Greater than every row."""


class OneMoment(Connections):
    """In the place of connections: lends one that is inside a read transaction already, to one thread.

    Args:
        path: The database file.
        connection: Stays the caller's, with its transaction.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        super().__init__(path, readonly=True, immutable=False, busy_seconds=0)
        self._connection = connection

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """The connection, as of its moment."""
        with self.exclusive() as connection:
            yield connection

    @contextmanager
    def exclusive(self) -> Iterator[sqlite3.Connection]:
        """The connection, as of its moment; SQLite's errors leave it translated."""
        try:
            yield self._connection
        except sqlite3.Error as error:
            raise translated(error, self.path) from error


class SqliteSnapshots(Store):
    """The part of a SQLite store that reads as of one moment."""

    _connections: Connections

    @contextmanager
    def snapshot(self) -> Iterator[Self]:
        """The record as it is now, for reading by one thread; no writer waits for it.

        Raises:
            CollectionBusy: If the collection was compacted or migrated meanwhile, and that took the data away.
        """
        with self._connections.read() as connection:
            _, epoch = sqlite_read.read_version(connection)  # the moment is that of the first thing read
            view = copy(self)
            view._connections = OneMoment(self._connections.path, connection)
            try:
                yield view
            except StoreError as error:
                if self.changes(0, _BEYOND).epoch != epoch:
                    raise CollectionBusy(
                        f"{self.uri} was compacted or migrated while it was read as of one moment: repeat it"
                    ) from error
                raise

    def stream_records(self, *, batch: int = 1024) -> Iterator[tuple[Rows, list[Record]]]:
        """All items by row as ``put`` would take them; a consistent snapshot that no writer waits for.

        Raises:
            DamagedCollection: If an embedding or a thumbnail does not match its checksum.
            CollectionBusy: If the collection was compacted or migrated meanwhile, and that took the data away.
        """
        if batch < 1:
            raise InputError(f"batch is {batch}: expected at least 1")
        with self.snapshot() as moment:
            last = -1
            while rows := moment.next_rows(last, batch):
                embeddings, thumbnails = moment.vectors(rows), moment.thumbnails(rows)
                with moment._connections.read() as connection:
                    records = sqlite_records.read_records(connection, rows, embeddings, thumbnails)
                yield np.array(rows, dtype=np.int64), records
                last = rows[-1]
