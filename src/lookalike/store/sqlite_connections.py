"""Connections to one SQLite file: lent to one thread at a time, one writer at a time, errors translated."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lookalike.errors import CollectionBusy, DamagedCollection, StoreError

IDLE = 8
"""Connections kept open for the next reader; more are opened when needed and closed after use."""

CACHE_KIB = 16 * 1024
"""Page cache of a connection."""

CHECKPOINT_PAGES = 4096
"""Pages of the write-ahead log (64 MiB) after which a commit copies it into the database."""


def translated(error: sqlite3.Error, path: Path) -> StoreError:
    """The error of the tree in :mod:`lookalike.errors` that says what SQLite's says."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return CollectionBusy(
            f"another process holds the lock of {path} for longer than the time limit: "
            "wait for it to finish, or open the collection with a longer one"
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return DamagedCollection(
            f"{path} is damaged ({error}): run lookalike verify to see where, and restore it from a copy"
        )
    if code == sqlite3.SQLITE_FULL:
        return StoreError(
            f"there is no space left to write {path.parent}, on its disk or in the system's temporary folder: "
            "free some and repeat; what was committed before is kept"
        )
    if code == sqlite3.SQLITE_IOERR:
        return StoreError(
            f"the disk failed to read or write {path.parent} ({error}): make sure that it has space left and "
            "is sound, and repeat; what was committed before is kept"
        )
    if code == sqlite3.SQLITE_READONLY:
        return StoreError(f"{path} cannot be written ({error}): check its permissions")
    return StoreError(f"{path}: {error}")


class Connections:
    """A pool of connections to one database.

    Args:
        path: The database file, which exists.
        readonly: Open for reading only.
        immutable: Promise SQLite that nobody writes the file, so that it needs no lock files beside it.
        busy_seconds: How long to wait for another writer.
        durable: A commit that returned survives a power cut; False: it survives the end of the process.
    """

    def __init__(
        self, path: Path, *, readonly: bool, immutable: bool, busy_seconds: float, durable: bool = True
    ) -> None:
        self.path = path
        self._durable = durable
        self.readonly = readonly
        self._immutable = immutable
        self._busy_seconds = busy_seconds
        self._idle: list[sqlite3.Connection] = []
        self._guard = threading.Lock()
        self._writing = threading.Lock()
        self._closed = False
        self._process = os.getpid()

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection inside a read transaction: everything read through it is of one moment."""
        with self.exclusive() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A connection inside a write transaction, committed at the end; an exception undoes all of it."""
        with self.writing(), self.exclusive() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Keep this process's other writers out; those of other processes meet SQLite's lock.

        Raises:
            StoreError: If the collection was opened for reading only.
            CollectionBusy: If another thread writes for longer than the time limit.
        """
        if self.readonly:
            raise StoreError(
                f"{self.path} was opened for reading only, as is one in a folder that this user cannot write: "
                "change it as a user who can, or change a copy"
            )
        if not self._writing.acquire(timeout=self._busy_seconds):
            raise CollectionBusy(
                f"another thread has been writing {self.path} for {self._busy_seconds} s: "
                "wait for it to finish, or open the collection with a longer time limit"
            )
        try:
            yield
        finally:
            self._writing.release()

    @contextmanager
    def exclusive(self) -> Iterator[sqlite3.Connection]:
        """A connection for one thread alone, outside any transaction; SQLite's errors leave it translated."""
        connection = self._borrow()
        try:
            yield connection
        except sqlite3.Error as error:
            raise translated(error, self.path) from error
        finally:
            self._give_back(connection)

    def close(self) -> None:
        """Close what is idle now and what is lent as soon as it comes back."""
        with self._guard:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _borrow(self) -> sqlite3.Connection:
        if os.getpid() != self._process:
            raise StoreError(
                f"{self.path} was opened by a process that then forked, which a database handle does not "
                "survive: open the collection in each process"
            )
        with self._guard:
            if self._closed:
                raise StoreError(f"{self.path} was closed: open the collection again")
            if self._idle:
                return self._idle.pop()
        return self._connect()

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._guard:
            if not self._closed and len(self._idle) < IDLE:
                self._idle.append(connection)
                return
        connection.close()

    def _connect(self) -> sqlite3.Connection:
        mode = "mode=ro" if self.readonly else "mode=rw"
        uri = f"{self.path.absolute().as_uri()}?{mode}{'&immutable=1' if self._immutable else ''}"
        try:
            connection = sqlite3.connect(
                uri, uri=True, timeout=self._busy_seconds, isolation_level=None, check_same_thread=False
            )
        except sqlite3.Error as error:
            raise translated(error, self.path) from error
        try:
            for setting in (
                # With FULL a commit that returned survives a power cut.
                f"synchronous = {'FULL' if self._durable else 'NORMAL'}",
                "secure_delete = ON",  # freed bytes are overwritten
                "trusted_schema = OFF",  # a collection may come from a stranger
                "cell_size_check = ON",  # damage is found where it is read
                f"cache_size = -{CACHE_KIB}",
                f"wal_autocheckpoint = {CHECKPOINT_PAGES}",
            ):
                connection.execute(f"PRAGMA {setting}")
        except BaseException as error:
            connection.close()
            if isinstance(error, sqlite3.Error):
                raise translated(error, self.path) from error
            raise
        return connection
