"""Doing to a replica what an entry of the log says: the same function for who writes the entry and who reads it.

Most operations are methods of :class:`lookalike.store.sqlite.SqliteStore`, called with what the log keeps of their
arguments. Those that have bulk data are here. All are deterministic: replicas that applied the same entries are equal.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from lookalike.errors import DamagedCollection, StoreError
from lookalike.store import sqlite_interactions, sqlite_spaces, sqlite_write
from lookalike.store.bulk_data import BulkData, Placed
from lookalike.store.lance_rows import META, items_of
from lookalike.store.lance_state import Dataset, State, point_thumbnails, point_vectors
from lookalike.store.logged_values import from_log
from lookalike.store.object_log import Entry
from lookalike.store.sqlite import SqliteStore
from lookalike.store.sqlite_attributes import json_rows
from lookalike.store.sqlite_connections import Connections
from lookalike.store.sqlite_embeddings import current_space, space_in_state
from lookalike.store.sqlite_schema import BEGUN, embeddings_table

CALLS = frozenset(
    {
        "set_source", "touch", "set_attributes", "remove", "put_fitted", "remove_fitted",
        "put_interactions", "forget_user", "set_event_weights",
        "put_cameras", "replace_tracklets", "new_identities", "put_identities", "put_corrections",
        "remove_corrections", "enrol", "unenrol", "erase_tracklets_before", "log_search",
    }
)  # fmt: skip
"""Methods of the store that need nothing but the replica."""


class _Borrowed:
    """Stands in for a store's connections: every transaction is the caller's."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """The caller's connection, inside the caller's transaction."""
        yield self._connection


def call(connection: sqlite3.Connection, operation: str, arguments: Any) -> Any:
    """Call a method of CALLS inside the caller's transaction.

    Args:
        connection: To the replica.
        operation: The method's name.
        arguments: Positional and named ones.
    """
    store = SqliteStore(Path(), cast("Connections", _Borrowed(connection)))
    positional, named = arguments
    return getattr(store, operation)(*positional, **named)


def apply(connection: sqlite3.Connection, state: State, entry: Entry, bulk: BulkData) -> State:
    """Do what an entry says, inside the caller's transaction.

    Returns:
        The state after it.

    Raises:
        StoreError: If this lookalike does not know the operation.
        DamagedCollection: If bulk data that it refers to are not there.
    """
    if entry.operation in CALLS:
        call(connection, entry.operation, from_log(entry.arguments["call"], entry.data))
        after = state
    elif entry.operation in _WITH_DATA:
        after = _WITH_DATA[entry.operation](connection, state, entry, bulk)
    else:
        raise StoreError(
            f"entry {entry.number} of the log says {entry.operation!r}, which this lookalike does not know: "
            "upgrade lookalike (pip install -U lookalike)"
        )
    return replace(after, number=entry.number, digest=entry.digest)


def put(connection: sqlite3.Connection, state: State, placed: Placed, bulk: BulkData) -> State:
    """Insert items that were committed to the dataset of items."""
    table = bulk.read(placed, META)
    items, addresses = items_of(table), placed.addresses()

    def place(rows: Sequence[int]) -> None:
        number = current_space(connection).number
        point_vectors(connection, number, rows, addresses, table.column("vector_crc").to_pylist())
        point_thumbnails(connection, rows, addresses, table.column("thumbnail_crc").to_pylist())

    sqlite_write.insert_items(connection, items, place)
    return replace(state, items=state.items.grown(placed))


def begin_space(connection: sqlite3.Connection, state: State, space: Any, begun: Dataset) -> State:
    """Open a second space; its vectors come into a dataset of their own."""
    sqlite_spaces.begin_space(connection, space)
    return replace(state, begun=begun)


def put_vectors(connection: sqlite3.Connection, state: State, placed: Placed, bulk: BulkData) -> State:
    """Add vectors that were committed to the dataset of the space that was begun."""
    assert state.begun is not None
    table = bulk.read(placed, ("row", "vector_crc", "labels"))
    rows, crcs = table.column("row").to_pylist(), table.column("vector_crc").to_pylist()
    addresses = placed.addresses()
    number = _begun_number(connection)

    def place(kept: Sequence[int]) -> None:
        where = [int(index) for index in kept]
        point_vectors(
            connection, number, [rows[i] for i in where], addresses[where], [crcs[i] for i in where]
        )

    sqlite_spaces.insert_vectors(connection, rows, table.column("labels").to_pylist(), place)
    return replace(state, begun=state.begun.grown(placed))


def switch_space(
    connection: sqlite3.Connection, state: State, fingerprint: str, items: Sequence[Placed], bulk: BulkData
) -> State:
    """Make the begun space the current one; the items were written anew with its vectors."""
    sqlite_spaces.switch_space(connection, fingerprint)
    return replace(_moved(connection, state, items, bulk), begun=None)


def compact(
    connection: sqlite3.Connection,
    state: State,
    items: Sequence[Placed],
    begun: Sequence[Placed],
    bulk: BulkData,
) -> State:
    """Begin an epoch: the items were written anew, without what was removed."""
    sqlite_spaces.begin_epoch(connection)
    sqlite_write.forget_unused_sources(connection)
    sqlite_interactions.forget_unused_names(connection)
    connection.execute("INSERT INTO words (words) VALUES ('rebuild')")
    after = _moved(connection, state, items, bulk)
    if begun:
        number = _begun_number(connection)
        dataset = Dataset.of(begun[0])
        _unpoint(connection, embeddings_table(number), "vector")
        for placed in begun:
            dataset = dataset.grown(placed)
            rows, addresses, table = _kept(connection, placed, bulk, ("row", "vector_crc"))
            point_vectors(connection, number, rows, addresses, table.column("vector_crc").to_pylist())
        _require_all(connection, embeddings_table(number), "vector", begun)
        after = replace(after, begun=dataset)
    return replace(after, unclean=True)


def _moved(connection: sqlite3.Connection, state: State, items: Sequence[Placed], bulk: BulkData) -> State:
    """Point every item to where it was written anew."""
    space = current_space(connection)
    dataset = Dataset.of(items[0])
    _unpoint(connection, "thumbnails", "webp")
    for placed in items:
        dataset = dataset.grown(placed)
        rows, addresses, table = _kept(connection, placed, bulk, ("row", "vector_crc", "thumbnail_crc"))
        point_vectors(connection, space.number, rows, addresses, table.column("vector_crc").to_pylist())
        point_thumbnails(connection, rows, addresses, table.column("thumbnail_crc").to_pylist())
    _require_all(connection, "thumbnails", "webp", items)
    return replace(state, items=dataset)


def _kept(
    connection: sqlite3.Connection, placed: Placed, bulk: BulkData, columns: Sequence[str]
) -> tuple[list[int], Any, Any]:
    """Rows, places and columns of what was written anew, without items that went away meanwhile."""
    table = bulk.read(placed, columns)
    written = table.column("row").to_pylist()
    found = connection.execute(
        "SELECT row FROM json_each(?) CROSS JOIN items ON row = value", (json_rows(written),)
    )
    present = {row for (row,) in found}
    kept = [index for index, row in enumerate(written) if row in present]
    positions = np.array(kept, dtype=np.int64)
    return [written[index] for index in kept], placed.addresses()[positions], table.take(positions)


def _unpoint(connection: sqlite3.Connection, table: str, column: str) -> None:
    connection.execute(f"UPDATE {table} SET {column} = x''")


def _require_all(connection: sqlite3.Connection, table: str, column: str, placed: Sequence[Placed]) -> None:
    """Make sure that every row that was unpointed points into what was written anew."""
    (lost,) = connection.execute(f"SELECT count(*) FROM {table} WHERE {column} = x''").fetchone()
    if lost:
        raise DamagedCollection(
            f"{lost} items are not in {placed[0].dataset}, which holds all of them by the log: restore the dataset "
            "from a copy"
        )


def _begun_number(connection: sqlite3.Connection) -> int:
    space = space_in_state(connection, BEGUN)
    assert space is not None, "its entry was logged after it was begun"
    return space.number


def _put(connection: sqlite3.Connection, state: State, entry: Entry, bulk: BulkData) -> State:
    return put(connection, state, Placed.from_log(entry.arguments["placed"]), bulk)


def _begin_space(connection: sqlite3.Connection, state: State, entry: Entry, bulk: BulkData) -> State:  # noqa: ARG001
    begun = Dataset.of(Placed.from_log(entry.arguments["begun"]))
    return begin_space(connection, state, from_log(entry.arguments["space"], entry.data), begun)


def _put_vectors(connection: sqlite3.Connection, state: State, entry: Entry, bulk: BulkData) -> State:
    return put_vectors(connection, state, Placed.from_log(entry.arguments["placed"]), bulk)


def _switch_space(connection: sqlite3.Connection, state: State, entry: Entry, bulk: BulkData) -> State:
    items = [Placed.from_log(each) for each in entry.arguments["items"]]
    return switch_space(connection, state, entry.arguments["fingerprint"], items, bulk)


def _compact(connection: sqlite3.Connection, state: State, entry: Entry, bulk: BulkData) -> State:
    items, begun = ([Placed.from_log(each) for each in entry.arguments[name]] for name in ("items", "begun"))
    return compact(connection, state, items, begun, bulk)


_WITH_DATA: dict[str, Callable[[sqlite3.Connection, State, Entry, BulkData], State]] = {
    "put": _put,
    "begin_space": _begin_space,
    "put_vectors": _put_vectors,
    "switch_space": _switch_space,
    "compact": _compact,
}
