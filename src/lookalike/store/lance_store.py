"""A collection on object storage, or in a folder that several machines share: a log, Lance datasets, a replica.

The log is the truth (:mod:`lookalike.store.object_log`): a change is acknowledged when its entry is durable, and there
is one order of all changes, whoever makes them. Embeddings and thumbnails lie in Lance datasets
(:mod:`lookalike.store.lance_bulk`), written before the entry that refers to them. Everything else is read from a
replica on this machine (:mod:`lookalike.store.lance_replica`), which is derived from both and can be deleted.
"""

from __future__ import annotations

import shutil
import sqlite3
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from os import PathLike, fspath
from pathlib import Path
from typing import Self, TypeVar

import numpy as np

from lookalike.errors import CollectionBusy, DamagedCollection, InputError, StoreError
from lookalike.store import lance_creation, lance_rewriting, lance_verify, sqlite_spaces, sqlite_verify
from lookalike.store.base import Damage, Space
from lookalike.store.bulk_data import Placed, Unreadable
from lookalike.store.lance_batches import Batch, Destination, WrittenItems, records_batch
from lookalike.store.lance_calls import LanceCalls
from lookalike.store.lance_replay import put, put_vectors
from lookalike.store.lance_replica import Change, Replica
from lookalike.store.lance_rows import (
    ITEMS,
    SPACE,
    schema_of,
    stored_vectors,
    vector_bytes,
    vectors_batches,
)
from lookalike.store.lance_state import Dataset, State, addresses_of, read_state
from lookalike.store.logged_values import to_log
from lookalike.store.object_places import place_of
from lookalike.store.original_objects import OriginalObjects, period_of, uri_of_original
from lookalike.store.sqlite import BUSY_SECONDS
from lookalike.store.sqlite_attributes import json_rows
from lookalike.store.sqlite_embeddings import StoredBlob, current_space, stored_blobs
from lookalike.store.sqlite_schema import embeddings_table
from lookalike.store.sqlite_write import space_of
from lookalike.types import Embeddings, Record, Rows
from lookalike.vectors.half import widened

T = TypeVar("T")


class LanceStore(LanceCalls):
    """One open collection; made by :meth:`create` or :meth:`open`."""

    def __init__(self, replica: Replica) -> None:
        super().__init__(Path(replica.place.root), replica.connections)
        self._replica = replica
        self._bulk = replica.bulk
        self._originals = OriginalObjects(replica) if replica.place.keeps_originals else None

    @classmethod
    def create(
        cls,
        path: str | PathLike[str],
        space: Space,
        *,
        busy_seconds: float = BUSY_SECONDS,
        freshness: float | None = None,
        cache: Path | None = None,
    ) -> Self:
        """Make an empty collection, whole or not at all, and open it.

        Args:
            path: A folder, or ``s3://BUCKET/NAME``, where there is nothing yet.
            space: What the embeddings lie in.
            busy_seconds, freshness, cache: See :meth:`open`.

        Raises:
            CollectionExists: If there is anything at the path.
            MissingExtra: If Lance, or the driver of the place, is not installed.
            StoreError: If it cannot be written, or the service does not know conditional puts.
        """
        place = place_of(fspath(path))
        try:
            lance_creation.create(place, space)
        finally:
            place.close()
        return cls.open(path, busy_seconds=busy_seconds, freshness=freshness, cache=cache)

    @classmethod
    def open(
        cls,
        path: str | PathLike[str],
        *,
        readonly: bool = False,
        busy_seconds: float = BUSY_SECONDS,
        freshness: float | None = None,
        cache: Path | None = None,
    ) -> Self:
        """Open a collection.

        Args:
            path: Its folder, or ``s3://BUCKET/NAME``.
            readonly: Not taken: what this user may not write, the storage refuses.
            busy_seconds: How long a call waits for another writer of this machine.
            freshness: Seconds for which others' changes may stay unseen; None: 0 in a folder, 1 on S3. A store sees
                its own at once, and looks anew before every change.
            cache: Folder for replicas; None: the one that LOOKALIKE_CACHE names, or the system's.

        Raises:
            CollectionNotFound: If there is none at the path.
            DamagedCollection: If its log or its newest checkpoint is not what was written.
            StoreError: If it was written by a newer lookalike, or the cache cannot be written.
        """
        if readonly:
            raise InputError(
                "a collection of several machines is not opened for reading only: give no readonly"
            )
        place = place_of(fspath(path))
        return cls(Replica(place, freshness=freshness, cache=cache, busy_seconds=busy_seconds))

    @property
    def uri(self) -> str:
        """The path of the collection's folder, or its URL."""
        return self._replica.place.root

    @property
    def original_objects(self) -> OriginalObjects | None:
        """Originals of uploads; None where the place is not made for pictures."""
        return self._originals

    @property
    def folder(self) -> Path:
        """The folder on this machine for what is derived from the collection."""
        return self._replica.folder

    # bulk data in

    def put(self, records: Sequence[Record], fingerprint: str) -> None:
        """Insert or replace items, all of them durably or none: see the contract.

        Raises:
            CollectionBusy: If the original of an upload was written before the collection was compacted or migrated.
            StoreError: If an original is to be kept by a place that is not made for it.
        """
        with self._connections.read() as connection:
            space = space_of(connection, fingerprint)
            state = read_state(connection)
        if not records:
            return
        batch = records_batch(records, space)
        originals = self._originals_of(records)
        written = Batch(self._bulk, state.items, schema_of(ITEMS, space), batch)

        def work_out(connection: sqlite3.Connection, state: State) -> Change[None]:
            if space_of(connection, fingerprint) != space:
                raise CollectionBusy("the collection was migrated meanwhile: put the items again")
            if self._originals is not None:
                self._originals.require(originals, period_of(connection))
            placed = written.placed(state.items)
            after = put(connection, state, placed, self._bulk)
            return Change(None, after, "put", {"placed": placed.to_log()})

        self._replica.commit(work_out)

    def destination(self) -> Destination:
        """Where workers write batches for :meth:`put_written`."""
        with self._connections.read() as connection:
            dataset, space = read_state(connection).items.name, current_space(connection)
        return Destination(self.uri, dataset, space, self._replica.place.url)

    def put_written(self, batches: Sequence[WrittenItems], fingerprint: str) -> None:
        """Insert or replace the items of batches that workers wrote, all of them durably or none.

        Args:
            batches: From :func:`lookalike.store.lance_batches.write_items`; none may come twice, here or later.
            fingerprint: Of the embeddings.

        Raises:
            FingerprintMismatch: If it is not the space's.
            InputError: If an id comes twice.
            CollectionBusy: If the collection was compacted or migrated since the batches were written: ask for the
                destination again, and write them again.
        """
        ids = Counter(id_ for batch in batches for id_ in batch.ids)
        if twice := next((id_ for id_, times in ids.items() if times > 1), None):
            raise InputError(f"the id {twice} is in several batches: ids are unique, write it once")
        placed: Placed | None = None

        def work_out(connection: sqlite3.Connection, state: State) -> Change[None]:
            nonlocal placed
            space_of(connection, fingerprint)
            if any(batch.dataset != state.items.name for batch in batches):
                raise CollectionBusy(
                    f"{self.uri} was compacted or migrated since batches of it were written: write them again"
                )
            fragments = [fragment for batch in batches for fragment in batch.fragments]
            if not fragments:
                return Change(None, state, "put", {})
            placed = placed or self._bulk.commit(state.items.placed(), fragments)
            after = put(connection, state, placed, self._bulk)
            return Change(None, after, "put", {"placed": placed.to_log()})

        self._replica.commit(work_out)

    def _originals_of(self, records: Sequence[Record]) -> list[str]:
        """Digests of the originals that the collection keeps."""
        own = [record.sha256 for record in records if record.uri == uri_of_original(record.id)]
        if own and self._originals is None:
            raise StoreError(
                f"{self.uri} keeps no originals of uploads: put the pictures where every machine reads them (s3://..., "
                "a shared folder) and index them from there"
            )
        return own

    def begin_space(self, space: Space) -> None:
        """Open (or resume) a second space beside the current one; drops one begun with another encoder."""

        def work_out(connection: sqlite3.Connection, state: State) -> Change[None]:
            before = connection.total_changes
            sqlite_spaces.begin_space(connection, space)
            if connection.total_changes == before:
                return Change(None, state, "begin_space", {})
            begun = self._bulk.create(SPACE, space)
            document, _ = to_log(space)
            after = replace(state, begun=Dataset.of(begun))
            return Change(None, after, "begin_space", {"space": document, "begun": begun.to_log()})

        self._replica.commit(work_out)

    def put_vectors(
        self, rows: Rows, embeddings: Embeddings, labels: Sequence[Sequence[str]], fingerprint: str
    ) -> None:
        """Add embeddings and encoder labels to the space that was begun; rows that are gone are left out."""
        with self._connections.read() as connection:
            space = sqlite_spaces.begun_space(connection, fingerprint)
            state = read_state(connection)
        numbers, checked, words = sqlite_spaces.checked_vectors(space, rows, embeddings, labels)
        if not numbers:
            return
        (batch,) = vectors_batches(numbers, stored_vectors(checked, space), words, space)
        assert state.begun is not None, "its dataset was made with it"
        written = Batch(self._bulk, state.begun, schema_of(SPACE, space), batch)

        def work_out(connection: sqlite3.Connection, state: State) -> Change[None]:
            if sqlite_spaces.begun_space(connection, fingerprint) != space or state.begun is None:
                raise CollectionBusy("another migration began meanwhile: begin this one again")
            placed = written.placed(state.begun)
            after = put_vectors(connection, state, placed, self._bulk)
            return Change(None, after, "put_vectors", {"placed": placed.to_log()})

        self._replica.commit(work_out)

    def switch_space(self, fingerprint: str) -> None:
        """Make the begun space the current one, atomically, and drop the old one; begins a new epoch.

        Writes the items anew, with the vectors of the new space.
        """
        lance_rewriting.switch_space(self._replica, fingerprint)

    # bulk data out

    def vectors(self, rows: Sequence[int]) -> Embeddings:
        """Embeddings of these rows, float32 (n, d), in the order asked."""
        return self._twice(lambda: self._vectors_now(rows))

    def stream_vectors(self, after: int = -1, *, batch: int = 4096) -> Iterator[tuple[Rows, Embeddings]]:
        """Rows greater than ``after``, ascending, with their embeddings; a consistent snapshot.

        Raises:
            DamagedCollection: If one does not match its checksum.
            CollectionBusy: If the collection was compacted meanwhile, and rows of the snapshot went with that.
        """
        if batch < 1:
            raise InputError(f"batch is {batch}: expected at least 1")
        with self._connections.read() as connection:
            space, state = current_space(connection), read_state(connection)
            cursor = connection.execute(
                f"SELECT row, vector, crc FROM {embeddings_table(space.number)} WHERE row > ? ORDER BY row",
                (int(after),),
            )
            while blobs := [StoredBlob(*each) for each in cursor.fetchmany(batch)]:
                rows = np.array([blob.row for blob in blobs], dtype=np.int64)
                try:
                    embeddings = self._read_vectors(blobs, space, state)
                except Unreadable as error:
                    embeddings = self._moved_vectors(rows, space, state, error)
                yield rows, embeddings

    def _vectors_now(self, rows: Sequence[int]) -> Embeddings:
        with self._connections.read() as connection:
            space, state = current_space(connection), read_state(connection)
            blobs = stored_blobs(connection, embeddings_table(space.number), "vector", rows)
        return self._read_vectors(blobs, space, state)

    def _moved_vectors(self, rows: Rows, space: Space, before: State, error: Unreadable) -> Embeddings:
        """Embeddings of a snapshot whose dataset is gone, from where they were written anew."""
        with self._connections.read() as connection:
            now, state = current_space(connection), read_state(connection)
            if state.items.name == before.items.name:
                raise error
            table = embeddings_table(now.number)
            found = connection.execute(
                f"SELECT count(*) FROM {table} WHERE row IN (SELECT value FROM json_each(?))",
                (json_rows(rows.tolist()),),
            ).fetchone()
            if now != space or found[0] != len(rows):
                raise CollectionBusy(
                    f"{self.uri} was compacted while its vectors were read, and what was removed is gone: "
                    "read them again"
                ) from error
            blobs = stored_blobs(connection, table, "vector", rows.tolist())
        return self._read_vectors(blobs, space, state)

    def _read_vectors(self, blobs: Sequence[StoredBlob], space: Space, state: State) -> Embeddings:
        if not blobs:
            return np.empty((0, space.dimensions), dtype=np.float32)
        array = self._bulk.take(state.items.name, state.items.version, addresses_of(blobs), "vector")
        stored = vector_bytes(array, space)
        for blob, vector in zip(blobs, stored, strict=True):
            if zlib.crc32(vector) != blob.crc:
                raise _mismatch("embedding", blob.row)
        return widened(stored)

    def thumbnails(self, rows: Sequence[int]) -> list[bytes]:
        """WebP bytes of these rows, in the order asked."""
        return self._twice(lambda: self._thumbnails_now(rows))

    def _thumbnails_now(self, rows: Sequence[int]) -> list[bytes]:
        with self._connections.read() as connection:
            state = read_state(connection)
            blobs = stored_blobs(connection, "thumbnails", "webp", rows)
        if not blobs:
            return []
        found: list[bytes] = self._bulk.take(
            state.items.name, state.items.version, addresses_of(blobs), "thumbnail"
        ).to_pylist()
        for blob, data in zip(blobs, found, strict=True):
            if zlib.crc32(data) != blob.crc:
                raise _mismatch("thumbnail", blob.row)
        return found

    def _twice(self, read: Callable[[], T]) -> T:
        """Read again where a compaction moved the data between looking up where they are and reading them."""
        before = self._replica.state().items.name
        try:
            return read()
        except Unreadable:
            self._replica.follow(now=True)
            if self._replica.state().items.name == before:
                raise
            return read()

    # care

    def verify(self) -> Iterator[Damage]:
        """Check the log, the datasets that it refers to, every checksum and the replica; yields what is wrong."""
        self._replica.follow(now=True)  # what another machine compacted away is no damage
        yield from lance_verify.log_damages(self._replica)
        with self._connections.read() as connection:
            instead = lance_verify.bulk_checks(self._replica, read_state(connection))
            yield from sqlite_verify.damages(connection, instead)

    def compact(self) -> None:
        """Erase what was removed for good, and give back its space; begins a new epoch.

        Writes the items anew, then deletes the datasets, log entries, payloads and checkpoints before. When it returns,
        no byte of a removed item is in the collection, nor in this machine's replica, but for its id in interactions.
        Replicas of other machines do the same when they are used next.

        Raises:
            CollectionBusy: If other writers compact or migrate all the time, or a reader of this machine keeps an old
                moment open.
        """
        lance_rewriting.compact(self._replica)

    def delete_if_empty(self) -> bool:
        """Delete the collection if it has no item; whether it had none. Nobody else may write it meanwhile."""
        if self.count():
            return False
        place, folder = self._replica.place, self.folder
        self.close()
        place.destroy()
        shutil.rmtree(folder, ignore_errors=True)
        return True

    def close(self) -> None:
        """Let go of every handle; one that a stream still reads through goes when the stream ends."""
        self._replica.close()


def _mismatch(what: str, row: int) -> DamagedCollection:
    return DamagedCollection(
        f"the {what} of row {row} does not match its checksum: run lookalike verify, "
        "then index the pictures that it names again or restore the collection from a copy"
    )
