"""Writing a collection's items anew: to erase what was removed, or with the vectors of another space.

What lies below the place and is not referred to is listed before the entry is made, and deleted after it. A writer that
prepared something meanwhile has not logged it: it meets the new entry, and prepares it again. Checkpoints, of which a
newer one makes all before it superfluous, are listed when the log is erased.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lookalike.errors import CollectionBusy, DamagedCollection
from lookalike.store import lance_checkpoints as checkpoints
from lookalike.store import lance_replay, object_log, original_objects, sqlite_spaces
from lookalike.store.base import Space
from lookalike.store.bulk_data import FOLDER, BulkData, Placed, Unreadable
from lookalike.store.lance_replica import Change, Replica
from lookalike.store.lance_rows import ITEMS, SPACE, items_batch, schema_of, vector_bytes, vectors_batches
from lookalike.store.lance_state import Dataset, State, addresses_of, read_state
from lookalike.store.sqlite_attributes import catalogue, json_rows, read_tags, read_values
from lookalike.store.sqlite_embeddings import StoredBlob, current_space, space_in_state, stored_blobs
from lookalike.store.sqlite_schema import BEGUN, ENCODER, USER, embeddings_table
from lookalike.store.sqlite_write import NewItems

BATCH = 1024
"""Items that are copied together."""

ATTEMPTS = 5
"""How often items are written anew because somebody else did the same meanwhile."""


class _Replaced(Exception):
    """The dataset that items were copied from is not the collection's any more."""


@dataclass(frozen=True, slots=True)
class _Listed:
    """What lay below the place at one moment."""

    datasets: list[str]
    payloads: list[str]
    originals: list[str]


def compact(replica: Replica) -> None:
    """Erase what was removed: see :meth:`lookalike.store.lance_store.LanceStore.compact`."""
    place = replica.place

    def once() -> None:
        listed = _Listed(
            place.names(FOLDER),
            place.names(object_log.PAYLOADS),
            original_objects.listed(place),
        )
        _erase(replica, listed, _compact_once(replica))

    _repeated(replica, once)
    replica.clean()


def _repeated(replica: Replica, once: Callable[[], None]) -> None:
    """Write the items anew, again if another writer did so meanwhile."""
    for _ in range(ATTEMPTS):
        before = replica.state().items.name
        try:
            return once()
        except _Replaced:
            continue
        except Unreadable:  # what was being copied may have been deleted by another compaction
            replica.follow(now=True)
            if replica.state().items.name == before:
                raise
    raise CollectionBusy(
        f"{replica.place.root} was compacted or migrated by others {ATTEMPTS} times meanwhile: let them finish and "
        "repeat"
    )


def _compact_once(replica: Replica) -> int:
    """Write the items anew and log it; the number of the entry."""
    with replica.connections.read() as connection:
        items = _ItemsCopy(replica.bulk, connection, vectors_of_begun=False)
        begun = _BegunCopy(replica.bulk)
        items.copy_newer(connection)
        begun.copy(connection)

    def work_out(connection: sqlite3.Connection, state: State) -> Change[int]:
        items.require_same(state)
        items.copy_newer(connection)
        begun.copy(connection)
        after = lance_replay.compact(connection, state, items.placed, begun.placed, replica.bulk)
        arguments = {
            "items": [each.to_log() for each in items.placed],
            "begun": [each.to_log() for each in begun.placed],
        }
        return Change(state.number + 1, after, "compact", arguments)

    return replica.commit(work_out)


def switch_space(replica: Replica, fingerprint: str) -> None:
    """Write the items anew with the vectors that a migration made, and switch to its space."""
    _repeated(replica, lambda: _switch_once(replica, fingerprint))


def _switch_once(replica: Replica, fingerprint: str) -> None:
    with replica.connections.read() as connection:
        whole = not sqlite_spaces.lacking_rows(connection, fingerprint, after=-1, limit=1)
        items = _ItemsCopy(replica.bulk, connection, vectors_of_begun=True) if whole else None
        if items is not None:
            items.copy_newer(connection)

    def work_out(connection: sqlite3.Connection, state: State) -> Change[None]:
        if items is None or sqlite_spaces.lacking_rows(connection, fingerprint, after=-1, limit=1):
            sqlite_spaces.switch_space(connection, fingerprint)  # says how many are lacking
            raise _Replaced  # unless they came meanwhile
        items.require_same(state)
        items.copy_newer(connection)
        after = lance_replay.switch_space(connection, state, fingerprint, items.placed, replica.bulk)
        arguments = {"fingerprint": fingerprint, "items": [each.to_log() for each in items.placed]}
        return Change(None, after, "switch_space", arguments)

    replica.commit(work_out)


def _erase(replica: Replica, listed: _Listed, number: int) -> None:
    """Delete what a compaction made superfluous.

    Args:
        replica: As of the compaction, or later.
        listed: What there was before it was logged.
        number: Of its entry.
    """
    as_of = replica.checkpoint()
    replica.log.erase(number - 1)
    state = replica.state()
    kept = {state.items.name, state.begun.name if state.begun else ""}
    gone = [name for name in listed.datasets if name not in kept]
    for name in gone:
        replica.bulk.forget(name)
    replica.place.delete(f"{FOLDER}/{name}" for name in gone)
    replica.place.delete(f"{object_log.PAYLOADS}/{name}" for name in listed.payloads)
    # Listed only now: see Replica.checkpoint. What another machine uploads later, it deletes itself.
    checkpoints.delete(replica.place, [each for each in checkpoints.numbers(replica.place) if each < as_of])
    with replica.connections.read() as connection:
        replica.place.delete(original_objects.superfluous(connection, listed.originals))
    replica.place.sweep(
        (
            object_log.FOLDER,
            object_log.PAYLOADS,
            checkpoints.FOLDER,
            *original_objects.folders_of(listed.originals),
        )
    )
    replica.sweep()


class _ItemsCopy:
    """All items in a new dataset, copied from what the replica refers to.

    Args:
        bulk: The datasets.
        connection: To the replica.
        vectors_of_begun: Take the vectors and labels of the space that was begun.
    """

    def __init__(self, bulk: BulkData, connection: sqlite3.Connection, *, vectors_of_begun: bool) -> None:
        state = read_state(connection)
        self._bulk, self._items = bulk, state.items.name
        self._begun = state.begun if vectors_of_begun else None
        self._space = (space_in_state(connection, BEGUN) if vectors_of_begun else None) or current_space(
            connection
        )
        self._last = -1
        self.placed: list[Placed] = [bulk.create(ITEMS, self._space)]

    def require_same(self, state: State) -> None:
        """Make sure that rows which were copied are still those of the collection.

        Raises:
            _Replaced: If they lie elsewhere now, or vectors that were copied may have been replaced.
        """
        if state.items.name != self._items or (self._begun is not None and state.begun != self._begun):
            raise _Replaced

    def copy_newer(self, connection: sqlite3.Connection) -> None:
        """Copy the items that are newer than those copied so far."""
        newest = connection.execute("SELECT max(row) FROM items").fetchone()[0]
        if newest is None or newest <= self._last:
            return
        fragments = self._bulk.write(
            self.placed[0].dataset,
            schema_of(ITEMS, self._space),
            self._batches(connection, read_state(connection)),
        )
        dataset = Dataset.of(self.placed[0])
        for each in self.placed:
            dataset = dataset.grown(each)
        self.placed.append(self._bulk.commit(dataset.placed(), fragments))

    def _batches(self, connection: sqlite3.Connection, state: State) -> Iterator[Any]:
        table = embeddings_table(self._space.number)
        source = state.begun if self._begun is not None else state.items
        assert source is not None
        while True:
            found = connection.execute(
                "SELECT row, id, uri, source, stamp, sha256, width, height FROM items "
                "WHERE row > ? ORDER BY row LIMIT ?",
                (self._last, BATCH),
            ).fetchall()
            if not found:
                return
            rows = [row for row, *_ in found]
            values = read_values(connection, catalogue(connection), rows)
            tags = read_tags(connection, rows)
            labels = _begun_labels(connection, rows) if self._begun is not None else {}
            items = NewItems(
                [tuple(fields) for _, *fields in found],
                [values.get(row, {}) for row in rows],
                [list(tags.get(row, ([], []))[USER]) for row in rows],
                [
                    labels.get(row, []) if self._begun is not None else list(tags.get(row, ([], []))[ENCODER])
                    for row in rows
                ],
            )
            blobs = stored_blobs(connection, table, "vector", rows)
            vectors = _vectors(self._bulk, source, blobs, self._space)
            thumbnails = _thumbnails(
                self._bulk, state.items, stored_blobs(connection, "thumbnails", "webp", rows)
            )
            self._last = rows[-1]
            yield items_batch(items, vectors, thumbnails, self._space, rows)


class _BegunCopy:
    """The vectors that a migration made so far in a new dataset, without those of removed items."""

    def __init__(self, bulk: BulkData) -> None:
        self._bulk = bulk
        self._source: Dataset | None = None
        self.placed: list[Placed] = []

    def copy(self, connection: sqlite3.Connection) -> None:
        """Copy them, unless they are what was copied before."""
        state, space = read_state(connection), space_in_state(connection, BEGUN)
        if state.begun == self._source:
            return
        self._source, self.placed = state.begun, []
        if state.begun is None or space is None:
            return
        created = self._bulk.create(SPACE, space)
        fragments = self._bulk.write(
            created.dataset, schema_of(SPACE, space), self._batches(connection, state.begun, space)
        )
        self.placed = [created]
        if fragments:
            self.placed.append(self._bulk.commit(created, fragments))

    def _batches(self, connection: sqlite3.Connection, source: Dataset, space: Space) -> Iterator[Any]:
        last = -1
        while True:
            blobs = [
                StoredBlob(*each)
                for each in connection.execute(
                    f"SELECT row, vector, crc FROM {embeddings_table(space.number)} WHERE row > ? "
                    "ORDER BY row LIMIT ?",
                    (last, BATCH),
                )
            ]
            if not blobs:
                return
            rows = [blob.row for blob in blobs]
            labels = _begun_labels(connection, rows)
            vectors = _vectors(self._bulk, source, blobs, space)
            yield from vectors_batches(rows, vectors, [labels.get(row, []) for row in rows], space)
            last = rows[-1]


def _begun_labels(connection: sqlite3.Connection, rows: Sequence[int]) -> dict[int, list[str]]:
    labels: dict[int, list[str]] = {}
    found = connection.execute(
        "SELECT row, tag FROM begun_labels WHERE row IN (SELECT value FROM json_each(?)) ORDER BY row, position",
        (json_rows(rows),),
    )
    for row, tag in found:
        labels.setdefault(row, []).append(tag)
    return labels


def _vectors(bulk: BulkData, source: Dataset, blobs: Sequence[StoredBlob], space: Space) -> list[bytes]:
    array = bulk.take(source.name, source.version, addresses_of(blobs), "vector")
    return _sound("embedding", blobs, [each.tobytes() for each in vector_bytes(array, space)])


def _thumbnails(bulk: BulkData, source: Dataset, blobs: Sequence[StoredBlob]) -> list[bytes]:
    array = bulk.take(source.name, source.version, addresses_of(blobs), "thumbnail")
    return _sound("thumbnail", blobs, array.to_pylist())


def _sound(what: str, blobs: Sequence[StoredBlob], found: list[bytes]) -> list[bytes]:
    """What was read, if it is what was written: a damage is not copied under a new checksum."""
    for blob, data in zip(blobs, found, strict=True):
        if zlib.crc32(data) != blob.crc:
            raise DamagedCollection(
                f"the {what} of row {blob.row} does not match its checksum, and nothing was written anew: run "
                "lookalike verify, then remove or index again the items that it names"
            )
    return found
