"""The replica: a SQLite database of this machine that a log is replayed into. It may be deleted at any time.

Everything is read from it, so a collection on object storage answers as one in a local folder does. Before it is read,
it is brought up to the newest entry of the log. A change is worked out inside a transaction of the replica; its entry
is made just before that is committed, and if another writer took the number, the transaction is undone, the other's
entries are applied and the change is worked out again. A process that dies between the two leaves a replica that is
one entry behind, which the next call catches up with.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from lookalike.errors import CollectionBusy, CollectionNotFound, DamagedCollection, StoreError
from lookalike.store import lance_checkpoints as checkpoints
from lookalike.store import lance_creation, sqlite_schema
from lookalike.store.bulk_data import Placed, Unreadable
from lookalike.store.derived import DerivedFolder
from lookalike.store.lance_connections import ReplicaConnections
from lookalike.store.lance_replay import apply
from lookalike.store.lance_state import Dataset, State, create_state, read_state, write_state
from lookalike.store.logged_values import from_log
from lookalike.store.object_log import Entry, Erased, ObjectLog
from lookalike.store.object_places import Place, Taken, sweep
from lookalike.store.sqlite_connections import translated
from lookalike.store.sqlite_schema import DATABASE

ATTEMPTS = 200
"""How often a change is worked out again because another writer was quicker."""

CACHE = "LOOKALIKE_CACHE"
"""Environment variable that names the folder for what this machine derives from collections elsewhere."""

MOST_ENTRIES = 256
"""Entries after the last checkpoint at which another one is due, or a quarter more than there were."""

CLEAN_SECONDS = 10.0
"""Between two attempts to overwrite what was removed, where a reader of an old moment prevents it."""

LOOK_FOR_CHECKPOINT = 32
"""Entries between two looks at whether one is due."""

T = TypeVar("T")


def cache_folder() -> Path:
    """Where replicas and derived files of collections go that have no folder of their own on this machine."""
    if named := os.environ.get(CACHE):
        return Path(named)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "lookalike" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "lookalike"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lookalike"


@dataclass(frozen=True, slots=True)
class Change(Generic[T]):
    """A change that was worked out in the replica's open transaction.

    Args:
        result: What the caller gets.
        state: The replica's state but for the number and digest of the entry.
        operation, arguments, data: Of the entry.
    """

    result: T
    state: State
    operation: str
    arguments: dict[str, Any]
    data: bytes = b""


class Replica:
    """The replica of one collection, and the way to change the collection.

    Args:
        place: Where the collection is.
        freshness: Seconds for which the replica is not compared with the log again; None: the place's own.
        cache: Folder that replicas go into; None: see :func:`cache_folder`.
        busy_seconds: How long to wait for another writer of this machine.

    Raises:
        CollectionNotFound: If there is no log.
    """

    def __init__(
        self, place: Place, *, freshness: float | None, cache: Path | None, busy_seconds: float
    ) -> None:
        self.place, self.log, self.bulk = place, ObjectLog(place), place.bulk()
        self._freshness = place.freshness if freshness is None else freshness
        self._looked = self._clean_again = float("-inf")
        first = self.log.read(1, "")
        if first is None or first.operation != "create":
            raise CollectionNotFound(lance_creation.remedy(place))
        identity = first.arguments["identity"]
        name = f"{hashlib.sha256(place.root.encode()).hexdigest()[:16]}-{identity[:16]}"
        self.folder = (cache or cache_folder()) / name
        try:
            self._make(first)
        except OSError as error:
            raise StoreError(
                f"{self.folder}, where this machine keeps what it derives from {place.root}, cannot be written "
                f"({error}): name another folder in the environment variable {CACHE}"
            ) from error
        self.connections = ReplicaConnections(self.folder / DATABASE, busy_seconds=busy_seconds)
        try:
            sqlite_schema.accept(self.connections)
        except BaseException:
            self.connections.close()
            raise
        self.connections.follow = self.follow

    # making it

    def _make(self, first: Entry) -> None:
        """Make the database where there is none, from the newest checkpoint or empty."""
        with DerivedFolder(self.folder).lock():
            database = self.folder / DATABASE
            if database.is_file():
                return
            building = self.folder / "building"
            shutil.rmtree(building, ignore_errors=True)
            building.mkdir()
            made = building / DATABASE
            if not checkpoints.fetch(self.place, made):
                self._begin(made, first)
            made.rename(database)
            shutil.rmtree(building)

    def _begin(self, path: Path, first: Entry) -> None:
        sqlite_schema.build(path, from_log(first.arguments["space"], b""))
        items = Dataset.of(Placed.from_log(first.arguments["items"]))
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            create_state(connection, State(first.arguments["identity"], 1, first.digest, items))
        finally:
            connection.close()

    # following the log

    def follow(self, *, now: bool = False) -> None:
        """Apply the entries that are newer than the replica.

        Args:
            now: Look also if somebody looked less than ``freshness`` seconds ago.

        Raises:
            DamagedCollection: If an entry, or what it refers to, is not what was written.
        """
        started = time.monotonic()
        if not now and started - self._looked < self._freshness:
            return
        with self.connections.own():
            with self.connections.exclusive() as connection:
                state = read_state(connection)
            while self.log.has(state.number + 1):
                state = self._catch_up()
            if state.unclean and started >= self._clean_again:
                try:
                    self.clean(seconds=0)
                except CollectionBusy:  # a reader of this machine has to end first
                    self._clean_again = started + CLEAN_SECONDS
        self._looked = started

    def _catch_up(self) -> State:
        """Apply one entry, or take over a checkpoint where the entry was erased."""
        try:
            with self.connections.write() as connection:
                state = read_state(connection)
                entry = self.log.read(state.number + 1, state.digest)
                if entry is None:
                    return state  # another process of this machine applied what there was
                after = apply(connection, state, entry, self.bulk)
                write_state(connection, after)
            return after
        except (Erased, DamagedCollection) as error:
            # What an entry refers to may be gone though this reader found the entry, if a compaction is under way.
            if not self._restart(state.number):
                if isinstance(error, DamagedCollection):
                    raise
                raise DamagedCollection(
                    f"entry {state.number + 1} of the log of {self.place.root} was erased, and there is no checkpoint "
                    "that has it: restore the folder of checkpoints from a copy"
                ) from error
            with self.connections.exclusive() as connection:
                return read_state(connection)

    def _restart(self, number: int) -> bool:
        """Take over the newest checkpoint, if it is newer than an entry."""
        building = self.folder / f"restart-{os.getpid()}-{threading.get_ident()}.db"
        try:
            if not checkpoints.fetch(self.place, building, newer_than=number):
                return False
            source = sqlite3.connect(building, isolation_level=None)
            try:
                write_state(source, replace(read_state(source), unclean=True))
                with (
                    DerivedFolder(
                        self.folder
                    ).lock(),  # of two processes one takes it over, and the other goes on
                    self.connections.writing(),
                    self.connections.exclusive() as connection,
                ):
                    if read_state(connection).number <= number:
                        source.backup(connection)
            finally:
                source.close()
        finally:
            for path in self.folder.glob(f"{building.name}*"):
                path.unlink(missing_ok=True)
        return True

    def clean(self, *, seconds: float | None = None) -> None:
        """Overwrite what was removed in this replica's file.

        Args:
            seconds: How long to wait for readers that keep an old moment open; None: as for another writer.

        Raises:
            CollectionBusy: If they do for longer.
        """
        with self.connections.own(), self.connections.writing(), self.connections.exclusive() as connection:
            (patience,) = connection.execute("PRAGMA busy_timeout").fetchone()
            if seconds is not None:
                connection.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")
            try:
                cleaned = _clean(connection)
            finally:
                connection.execute(f"PRAGMA busy_timeout = {int(patience)}")
        if not cleaned:
            raise CollectionBusy(
                f"a reader of {self.place.root} on this machine keeps an old state open, which still holds what was "
                "removed: let it finish and compact again"
            )

    # changing the collection

    def commit(self, work_out: Callable[[sqlite3.Connection, State], Change[T]]) -> T:
        """Change the collection: durably and for every reader, or not at all.

        Args:
            work_out: Changes the replica inside the open transaction, and says what to log. It is called again, on
                the newest state, when another writer was quicker. If it changes no row, nothing is logged.

        Raises:
            CollectionBusy: If other writers were quicker every time.
        """
        for _ in range(ATTEMPTS):
            self.follow(now=True)
            try:
                return self._attempt(work_out)
            except Taken:
                continue
        raise CollectionBusy(
            f"other writers of {self.place.root} were quicker {ATTEMPTS} times: let them finish and repeat"
        )

    def _attempt(self, work_out: Callable[[sqlite3.Connection, State], Change[T]]) -> T:
        with self.connections.own(), self.connections.writing(), self.connections.exclusive() as connection:
            connection.execute("BEGIN IMMEDIATE")
            state = read_state(connection)
            try:
                before = connection.total_changes
                change = work_out(connection, state)
                if connection.total_changes == before:
                    connection.execute("ROLLBACK")
                    return change.result
                entry = self.log.append(
                    state.number + 1, state.digest, change.operation, change.arguments, change.data
                )
                write_state(connection, replace(change.state, number=entry.number, digest=entry.digest))
                connection.execute("COMMIT")
            except BaseException as error:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                if isinstance(error, Unreadable) and self.log.has(state.number + 1):
                    raise Taken(state.number + 1) from error  # a compaction has replaced the dataset
                raise
        self._checkpoint_if_due(entry.number)
        return change.result

    def _checkpoint_if_due(self, number: int) -> None:
        """Spare new readers the replay; the longer the log is, the rarer, so that checkpoints cost no more than it."""
        if number % LOOK_FOR_CHECKPOINT:
            return
        # The change is durable already, and a later one tries again: a failure here is not the caller's.
        with suppress(StoreError, OSError):
            last = max(checkpoints.numbers(self.place), default=1)
            if number - last >= max(MOST_ENTRIES, last // 4):
                as_of = self.checkpoint()
                checkpoints.delete(
                    self.place, [each for each in checkpoints.numbers(self.place) if each < as_of]
                )

    def state(self) -> State:
        """How far the replica is, after following the log."""
        with self.connections.exclusive() as connection:
            return read_state(connection)

    def checkpoint(self) -> int:
        """Write what the replica holds where new readers find it; the number of the entry that it is as of.

        One that is older than a compaction, which another machine finished meanwhile, holds what that erased. So who
        writes looks afterwards whether its entry was erased, and who erases looks afterwards which checkpoints there
        are: one of the two deletes it. There is a newer one then: it is written before anything is erased.
        """
        copy = self.folder / f"checkpoint-{os.getpid()}-{threading.get_ident()}.db"
        try:
            with self.connections.own(), self.connections.exclusive() as connection:
                connection.execute("VACUUM INTO ?", (str(copy),))
            with sqlite3.connect(copy) as opened:
                number = read_state(opened).number
                write_state(opened, replace(read_state(opened), unclean=False))
            opened.close()
            checkpoints.store(self.place, copy, number)
            if self.log.was_erased(number):
                checkpoints.delete(self.place, [number])
        except sqlite3.Error as error:
            raise translated(error, copy) from error
        finally:
            copy.unlink(missing_ok=True)
        return number

    def sweep(self) -> None:
        """Delete copies of the replica that processes of this machine left when they died."""
        for pattern in ("checkpoint-*", "restart-*"):
            sweep(self.folder, pattern)

    def close(self) -> None:
        """Let go of every handle."""
        self.connections.close()
        self.place.close()


def _clean(connection: sqlite3.Connection) -> bool:
    """Rewrite a replica's file and empty its log; False where a reader prevents it."""
    before = read_state(connection)
    connection.execute("VACUUM")
    (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        return False
    connection.execute("BEGIN IMMEDIATE")
    try:
        state = read_state(connection)
        if state.number == before.number:  # else another process may have applied another compaction
            write_state(connection, replace(state, unclean=False))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return True
