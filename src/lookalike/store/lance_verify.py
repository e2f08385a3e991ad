"""What is wrong with a collection's log and datasets."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from lookalike.errors import StoreError
from lookalike.store.base import Damage, Space
from lookalike.store.bulk_data import BulkData, Unreadable
from lookalike.store.lance_replica import Replica
from lookalike.store.lance_rows import vector_bytes
from lookalike.store.lance_state import Dataset, State, addresses_of
from lookalike.store.object_log import ERASED_THROUGH, FOLDER, Erased
from lookalike.store.sqlite_embeddings import StoredBlob, space_in_state
from lookalike.store.sqlite_schema import BEGUN, CURRENT, embeddings_table
from lookalike.store.sqlite_verify import BATCH, LENGTH_TOLERANCE, Check, name_of_row
from lookalike.vectors.half import widened


def log_damages(replica: Replica) -> Iterator[Damage]:
    """Gaps in the numbering, entries that are not what was written, and payloads that are missing."""
    listed = {
        int(name.removesuffix(".json"))
        for name in replica.place.names(FOLDER)
        if name != ERASED_THROUGH and name.removesuffix(".json").isdigit()
    }
    applied, erased = replica.state(), replica.log.erased_through()
    for number in sorted(set(range(1, max(listed | {applied.number}) + 1)) - listed):
        yield Damage(f"log, entry {number}", "is missing")
    previous: str | None = None
    for number in sorted(listed):
        if 1 < number <= erased:
            continue
        try:
            entry = replica.log.read(number, previous if number - 1 in listed else None)
        except Erased:
            previous = None  # a compaction that was interrupted has erased it already
            continue
        except StoreError as error:
            yield Damage(f"log, entry {number}", str(error))
            previous = None
            continue
        previous = None if entry is None or number == 1 < erased else entry.digest
        if entry is not None and number == applied.number and entry.digest != applied.digest:
            yield Damage(f"log, entry {number}", "is another one than this machine's replica applied")


def bulk_checks(replica: Replica, state: State) -> Mapping[str, Check]:
    """Checks of embeddings and thumbnails where they lie in datasets."""

    def embeddings(connection: sqlite3.Connection) -> Iterator[Damage]:
        current, begun = space_in_state(connection, CURRENT), space_in_state(connection, BEGUN)
        if current is not None:
            yield from _embeddings(connection, replica.bulk, current, state.items)
        if begun is not None and state.begun is not None:
            yield from _embeddings(connection, replica.bulk, begun, state.begun)

    def thumbnails(connection: sqlite3.Connection) -> Iterator[Damage]:
        cursor = connection.execute("SELECT row, webp, crc FROM thumbnails ORDER BY row")
        while blobs := [StoredBlob(*each) for each in cursor.fetchmany(BATCH)]:
            try:
                found = replica.bulk.take(
                    state.items.name, state.items.version, addresses_of(blobs), "thumbnail"
                ).to_pylist()
            except Unreadable as error:
                yield _unreadable("thumbnails", blobs, error)
                continue
            yield from _mismatches(connection, "thumbnails", blobs, found)

    return {"embeddings": embeddings, "thumbnails": thumbnails}


def _embeddings(
    connection: sqlite3.Connection, bulk: BulkData, space: Space, dataset: Dataset
) -> Iterator[Damage]:
    table = embeddings_table(space.number)
    cursor = connection.execute(f"SELECT row, vector, crc FROM {table} ORDER BY row")
    while blobs := [StoredBlob(*each) for each in cursor.fetchmany(BATCH)]:
        try:
            array = bulk.take(dataset.name, dataset.version, addresses_of(blobs), "vector")
        except Unreadable as error:
            yield _unreadable(table, blobs, error)
            continue
        stored = vector_bytes(array, space)
        yield from _mismatches(connection, table, blobs, [each.tobytes() for each in stored])
        lengths = np.linalg.norm(widened(stored), axis=1)
        for index in np.flatnonzero(~(np.abs(lengths - 1) <= LENGTH_TOLERANCE)):
            where = name_of_row(connection, table, blobs[int(index)].row)
            yield Damage(where, f"has the length {lengths[index]}: expected finite numbers and the length 1")


def _mismatches(
    connection: sqlite3.Connection, table: str, blobs: Sequence[StoredBlob], found: Sequence[bytes]
) -> Iterator[Damage]:
    for blob, data in zip(blobs, found, strict=True):
        if zlib.crc32(data) != blob.crc:
            yield Damage(name_of_row(connection, table, blob.row), "does not match its checksum")


def _unreadable(table: str, blobs: Sequence[StoredBlob], error: Exception) -> Damage:
    return Damage(f"{table}, rows {blobs[0].row} to {blobs[-1].row}", f"cannot be read: {error}")
