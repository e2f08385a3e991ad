"""The embedded store: a collection is a folder with one SQLite database.

Acknowledged means on disk: a call that changes something returns after its transaction was synced
(write-ahead log, ``synchronous=FULL``). Several processes may open one collection; one writes at a time and
the others wait for it, while readers go on with the moment at which they began.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from lookalike.errors import CollectionBusy, InputError
from lookalike.store import (
    sqlite_attributes,
    sqlite_embeddings,
    sqlite_filters,
    sqlite_fitted,
    sqlite_interactions,
    sqlite_read,
    sqlite_schema,
    sqlite_spaces,
    sqlite_verify,
    sqlite_write,
)
from lookalike.store.base import Changes, Damage, Fitted, Known, Space
from lookalike.store.filters import Filter, check
from lookalike.store.interactions import STREAM_BATCH, InteractionColumns, InteractionCounts
from lookalike.store.sqlite_connections import Connections
from lookalike.store.sqlite_counting import SqliteCounting
from lookalike.store.sqlite_run import SqliteRun
from lookalike.store.sqlite_snapshot import SqliteSnapshots
from lookalike.store.sqlite_tracking_record import SqliteTracking
from lookalike.types import AttributeType, AttributeValue, Embeddings, Interaction, Item, Record, Rows

BUSY_SECONDS = 30.0
"""How long a call waits for another writer, unless told otherwise."""


class SqliteStore(SqliteCounting, SqliteTracking, SqliteSnapshots):
    """One open collection; made by :meth:`create` or :meth:`open`."""

    def __init__(self, path: Path, connections: Connections) -> None:
        self._path = path
        self._connections = connections

    @classmethod
    def create(cls, path: Path, space: Space, *, busy_seconds: float = BUSY_SECONDS) -> Self:
        """Make an empty collection, whole or not at all, and open it.

        Args:
            path: A folder that does not exist yet; its parents are made.
            space: What the embeddings lie in.
            busy_seconds: How long a call waits for another writer.

        Raises:
            CollectionExists: If there is anything at the path.
            StoreError: If it cannot be written.
        """
        sqlite_schema.create(Path(path), space)
        return cls.open(path, busy_seconds=busy_seconds)

    @classmethod
    def open(cls, path: Path, *, readonly: bool = False, busy_seconds: float = BUSY_SECONDS) -> Self:
        """Open a collection; one of an older version of lookalike is brought up to date.

        Args:
            path: The collection's folder.
            readonly: Change nothing. In a folder that this user cannot write, the collection must not be
                written by anybody else meanwhile.
            busy_seconds: How long a call waits for another writer.

        Raises:
            CollectionNotFound: If there is none at the path.
            DamagedCollection: If its database cannot be read.
            StoreError: If it was written by a newer lookalike.
        """
        connections = sqlite_schema.connect(Path(path), readonly=readonly, busy_seconds=busy_seconds)
        return cls(Path(path), connections)

    @property
    def uri(self) -> str:
        """The path of the collection's folder."""
        return str(self._path)

    @property
    def readonly(self) -> bool:
        """As :attr:`Store.readonly`."""
        return self._connections.readonly

    # what the collection is

    def version(self) -> int:
        """Counts up with every change, by whichever process."""
        with self._connections.exclusive() as connection:
            return sqlite_read.read_version(connection)[0]

    def space(self) -> Space:
        """The current space."""
        with self._connections.exclusive() as connection:
            return sqlite_embeddings.current_space(connection)

    def schema(self) -> dict[str, AttributeType]:
        """Names and types of the attributes in the order in which they came, ``tags`` last."""
        with self._connections.exclusive() as connection:
            return sqlite_attributes.schema(sqlite_attributes.catalogue(connection))

    def count(self) -> int:
        """Number of items."""
        with self._connections.exclusive() as connection:
            (count,) = connection.execute("SELECT count(*) FROM items").fetchone()
            return int(count)

    def sources(self) -> dict[str, str]:
        """Names of the sources that items came through, and the uri that each name stands for."""
        with self._connections.exclusive() as connection:
            return dict(connection.execute("SELECT name, uri FROM sources ORDER BY name").fetchall())

    # writing

    def set_source(self, name: str, uri: str) -> None:
        """Note that a source name stands for a uri."""
        with self._connections.write() as connection:
            sqlite_write.set_source(connection, name, uri)

    def run(self) -> SqliteRun:
        """Start an indexing run."""
        return SqliteRun(self._connections)

    def known(self, ids: Sequence[str]) -> dict[str, Known]:
        """What is known of these ids; unknown ones are left out."""
        with self._connections.exclusive() as connection:
            return sqlite_read.known(connection, ids)

    def put(self, records: Sequence[Record], fingerprint: str) -> None:
        """Insert or replace items, all of them durably or none.

        A replaced item gets a new row and keeps the attributes and user's tags that the record does not
        mention; None unsets one. NaN, a table's empty cell, is not set either.

        Raises:
            FingerprintMismatch: If ``fingerprint`` is not the space's.
            InputError: If an embedding is not finite, not L2-normalised or of another length, if an
                attribute's name or value cannot be stored, or if an id comes twice.
        """
        with self._connections.write() as connection:
            sqlite_write.put(connection, records, fingerprint)

    def touch(self, stamps: Mapping[str, tuple[str, str | None]]) -> None:
        """Note new ``id: (uri, stamp)`` for items whose bytes did not change; unknown ids are left out."""
        with self._connections.write() as connection:
            sqlite_write.touch(connection, stamps)

    def set_attributes(self, values: Mapping[str, Mapping[str, AttributeValue]]) -> list[str]:
        """Set attributes of existing items, ``id: {name: value}``; names not given keep their value.

        Returns:
            The ids whose attributes really changed.

        Raises:
            UnknownItem: If an id is not in the collection.
            InputError: If a name or value cannot be stored.
        """
        with self._connections.write() as connection:
            return sqlite_write.set_attributes(connection, values)

    def remove(self, ids: Sequence[str]) -> int:
        """Remove items; how many there were."""
        with self._connections.write() as connection:
            return sqlite_write.remove(connection, ids)

    # reading

    def items(self, rows: Sequence[int]) -> list[Item]:
        """The items of these rows, in the order asked; rows that are gone are left out."""
        with self._connections.read() as connection:
            found = sqlite_read.read_items(connection, rows)
        return [found[int(row)] for row in rows if int(row) in found]

    def rows(self, ids: Sequence[str]) -> list[int]:
        """The rows of these ids, in the order asked.

        Raises:
            UnknownItem: If an id is not in the collection; names the closest ids that are.
        """
        with self._connections.read() as connection:
            return sqlite_read.all_rows_of(connection, ids)

    def stream(self, *, batch: int = 1024) -> Iterator[list[Item]]:
        """All items by row, in bounded batches; a consistent snapshot that no writer waits for."""
        _at_least_one("batch", batch)
        with self._connections.read() as connection:
            yield from sqlite_read.stream_items(connection, batch)

    def vectors(self, rows: Sequence[int]) -> Embeddings:
        """Embeddings of these rows, float32 (n, d), in the order asked.

        Raises:
            DamagedCollection: If one does not match its checksum.
            UnknownItem: If a row is gone.
        """
        with self._connections.read() as connection:
            return sqlite_embeddings.read_embeddings(connection, rows)

    def stream_vectors(self, after: int = -1, *, batch: int = 4096) -> Iterator[tuple[Rows, Embeddings]]:
        """Rows greater than ``after``, ascending, with their embeddings; a consistent snapshot.

        Raises:
            DamagedCollection: If one does not match its checksum.
        """
        _at_least_one("batch", batch)
        with self._connections.read() as connection:
            yield from sqlite_embeddings.stream_embeddings(connection, after, batch)

    def thumbnails(self, rows: Sequence[int]) -> list[bytes]:
        """WebP bytes of these rows, in the order asked.

        Raises:
            DamagedCollection: If one does not match its checksum.
            UnknownItem: If a row is gone.
        """
        with self._connections.read() as connection:
            return sqlite_embeddings.read_thumbnails(connection, rows)

    def select(self, filter: Filter) -> Rows:
        """Rows of the items that satisfy a filter, int64 (n,), ascending.

        Raises:
            FilterError: If the collection's attributes cannot answer it.
        """
        with self._connections.read() as connection:
            columns = sqlite_attributes.catalogue(connection)
            check(filter, sqlite_attributes.schema(columns))
            return sqlite_filters.select(connection, columns, filter)

    def column(self, attribute: str, rows: Sequence[int]) -> list[AttributeValue]:
        """One attribute, or a built-in one of ``filters.BUILT_IN``, of these rows, in the order asked.

        Returns:
            Values; None where it is not set and where the row is gone.

        Raises:
            InputError: If there is no such attribute; lists those that exist.
        """
        with self._connections.read() as connection:
            return sqlite_read.read_column(connection, attribute, rows)

    def match_text(self, text: str, *, limit: int) -> list[tuple[int, float]]:
        """Rows whose tags, ids and text attributes hold some of the words, by BM25, best first."""
        _at_least_one("limit", limit)
        with self._connections.read() as connection:
            return sqlite_read.match_words(connection, text, limit)

    def changes(self, version: int, last_row: int) -> Changes:
        """What happened since ``version``, for a reader whose newest row is ``last_row`` (-1: none)."""
        with self._connections.read() as connection:
            return sqlite_read.read_changes(connection, version, last_row)

    # what was fitted

    def put_fitted(
        self,
        kind: str,
        name: str,
        payload: bytes,
        *,
        fingerprint: str,
        provenance: Mapping[str, Any],
        forgotten: int | None = None,
    ) -> Fitted:
        """Save something that was fitted, durably, in the place of what has the same kind and name.

        Raises:
            FingerprintMismatch: If ``fingerprint`` is not the space's.
            InputError: If a name is empty, the payload is too long or the provenance is no JSON object.
            CollectionBusy: If a user was forgotten since ``forgotten`` was read.
        """
        with self._connections.write() as connection:
            if forgotten not in (None, sqlite_interactions.read_forgotten_users(connection)):
                raise CollectionBusy(
                    f"a user was forgotten while the {kind} {name!r} was learned from them too: learn it again"
                )
            return sqlite_fitted.put_fitted(connection, kind, name, payload, fingerprint, provenance)

    def fitted(self, kind: str | None = None) -> list[Fitted]:
        """What was fitted, of one kind or all, in the order in which it was saved."""
        with self._connections.read() as connection:
            return sqlite_fitted.list_fitted(connection, kind)

    def fitted_payload(self, kind: str, name: str) -> tuple[Fitted, bytes]:
        """One fitted thing with its payload.

        Raises:
            NotFitted: If there is none; names those of its kind that there are.
            DamagedCollection: If it does not match its checksum.
        """
        with self._connections.read() as connection:
            return sqlite_fitted.fitted_payload(connection, kind, name)

    def remove_fitted(self, kind: str, name: str) -> bool:
        """Drop one fitted thing; whether there was one."""
        with self._connections.write() as connection:
            return sqlite_fitted.remove_fitted(connection, kind, name)

    # interactions

    def interaction_version(self) -> int:
        """Counts up with every change of interactions or event weights, by whichever process."""
        with self._connections.exclusive() as connection:
            return sqlite_interactions.read_interaction_version(connection)

    def forgotten_users(self) -> int:
        """How many users were forgotten so far, by whichever process."""
        with self._connections.exclusive() as connection:
            return sqlite_interactions.read_forgotten_users(connection)

    def put_interactions(self, batch: Sequence[Interaction] | InteractionColumns) -> int:
        """Keep interactions, all of them durably or none; how many were new.

        Raises:
            InputError: If a name cannot be stored, or a time or a weight is out of range.
        """
        with self._connections.write() as connection:
            return sqlite_interactions.put_interactions(connection, batch)

    def interactions(self, user: str) -> list[Interaction]:
        """What one user did, by time; empty for a user that is not known."""
        with self._connections.read() as connection:
            return sqlite_interactions.read_interactions_of(connection, user)

    def stream_interactions(self, *, batch: int = STREAM_BATCH) -> Iterator[InteractionColumns]:
        """All interactions in batches of whole users, each user's by time; a snapshot that no writer waits for."""
        _at_least_one("batch", batch)
        with self._connections.read() as connection:
            yield from sqlite_interactions.stream_interactions(connection, batch)

    def interaction_counts(self) -> InteractionCounts:
        """How much there is; looks at every interaction."""
        with self._connections.read() as connection:
            return sqlite_interactions.read_counts(connection)

    def forget_user(self, user: str) -> int:
        """Remove all interactions of a user, and the user's name; how many interactions there were."""
        with self._connections.write() as connection:
            return sqlite_interactions.forget_user(connection, user)

    def event_weights(self) -> dict[str, float]:
        """What events weigh: the defaults, and what was set."""
        with self._connections.read() as connection:
            return sqlite_interactions.read_event_weights(connection)

    def set_event_weights(self, weights: Mapping[str, float | None]) -> None:
        """Set what some events weigh; None takes back what was set.

        Raises:
            InputError: If a name cannot be stored, a weight is not finite, or an event that interactions have would
                be without one.
        """
        with self._connections.write() as connection:
            sqlite_interactions.set_event_weights(connection, weights)

    # care

    def verify(self) -> Iterator[Damage]:
        """Check structure, references, every checksum and value; yields what is wrong.

        The word index's own check needs the write lock, so a collection opened for reading goes without it.
        """
        with self._connections.read() as connection:
            yield from sqlite_verify.damages(connection)
        if not self.readonly:
            with self._connections.write() as connection:
                found = sqlite_verify.word_index_damages(connection)
            yield from found

    def compact(self) -> None:
        """Give back free space and erase what was removed for good; begins a new epoch.

        Sources that no item refers to any more are forgotten too, and names of items and events that no
        interaction has any more. Interactions that name removed items are their users' and stay.

        Rewrites the database, so it needs as much free space again, in the collection's folder and in the
        system's temporary one. When it returns, no byte of a removed item is left in the database or its
        log, but for its id in interactions; nor one of a forgotten user. Derived files are their owners' to rebuild.

        Raises:
            CollectionBusy: If a reader keeps an old moment open for longer than the time limit.
        """
        with self._connections.write() as connection:
            sqlite_spaces.begin_epoch(connection)
            sqlite_write.forget_unused_sources(connection)
            sqlite_interactions.forget_unused_names(connection)
            # Deleted words stay in FTS5's segments until they are merged; building anew leaves none.
            connection.execute("INSERT INTO words (words) VALUES ('rebuild')")
        with self._connections.writing(), self._connections.exclusive() as connection:
            connection.execute("VACUUM")
            (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise CollectionBusy(
                f"a reader of {self._path} keeps an old state open, which still holds what was removed: "
                "let it finish and compact again"
            )

    def begin_space(self, space: Space) -> None:
        """Open (or resume) a second space beside the current one; drops one begun with another encoder.

        Raises:
            InputError: If its number is not greater than the current one's.
        """
        with self._connections.write() as connection:
            sqlite_spaces.begin_space(connection, space)

    def lacking(self, fingerprint: str, *, batch: int = 1024) -> Iterator[list[Item]]:
        """Items that have no embedding in the space that was begun, by row; each batch looks anew.

        Raises:
            FingerprintMismatch: If another space has been begun instead of the one with this fingerprint.
            StoreError: If no space is begun.
        """
        _at_least_one("batch", batch)
        last = -1
        while True:
            with self._connections.read() as connection:
                rows = sqlite_spaces.lacking_rows(connection, fingerprint, after=last, limit=batch)
                found = sqlite_read.read_items(connection, rows)
            if not rows:
                return
            yield [found[row] for row in rows]
            last = rows[-1]

    def put_vectors(
        self, rows: Rows, embeddings: Embeddings, labels: Sequence[Sequence[str]], fingerprint: str
    ) -> None:
        """Add embeddings and encoder labels to the space that was begun; rows that are gone are left out.

        Raises:
            FingerprintMismatch: If another space has been begun instead of the one with this fingerprint.
            InputError: If an embedding is not finite, not L2-normalised or of another length.
            StoreError: If no space is begun.
        """
        with self._connections.write() as connection:
            sqlite_spaces.put_vectors(connection, rows, embeddings, labels, fingerprint)

    def switch_space(self, fingerprint: str) -> None:
        """Make the begun space the current one, atomically, and drop the old one; begins a new epoch.

        What was fitted on the old embeddings is dropped too.

        Raises:
            FingerprintMismatch: If another space has been begun instead of the one with this fingerprint.
            StoreError: If a row of the collection has no embedding in the new space, or none is begun.
        """
        with self._connections.write() as connection:
            sqlite_spaces.switch_space(connection, fingerprint)

    def delete_if_empty(self) -> bool:
        """Delete the collection's folder if it has no item; whether it had none. Nobody else may write it meanwhile."""
        if self.count():
            return False
        self.close()
        shutil.rmtree(self._path)
        return True

    def close(self) -> None:
        """Let go of every handle; one that a stream still reads through goes when the stream ends."""
        self._connections.close()


def _at_least_one(name: str, value: int) -> None:
    if value < 1:
        raise InputError(f"{name} is {value}: expected at least 1")
