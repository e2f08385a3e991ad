"""The contract of a store: the record of a collection, whatever engine keeps it.

A store holds items (attributes, thumbnail, embedding) and says what changed since a version and how often values
occur (:class:`lookalike.store.counting.CountingRecord`); interactions, whose part of the contract is
:class:`lookalike.store.interactions.InteractionRecord`; and what cameras saw:
:class:`lookalike.store.tracking.TrackingRecord`. It does not search vectors: an index derived from it does
(``lookalike.store.gallery``). Everything comes and goes in batches, nothing assumes a local file, and a call that
returns has made its change durable.

Rows number the embeddings. A row is never reused and its embedding never changes: an item whose picture
changed gets a new row, and its old row is among the removed ones.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from lookalike.errors import CollectionBusy, LookalikeError
from lookalike.store.counting import CountingRecord
from lookalike.store.filters import Filter
from lookalike.store.interactions import InteractionRecord
from lookalike.store.tracking import TrackingRecord
from lookalike.types import AttributeType, AttributeValue, Embeddings, Item, Record, Rows

if TYPE_CHECKING:
    from lookalike.store.original_objects import OriginalObjects

Precision = Literal["f16", "f32"]


@dataclass(frozen=True, slots=True)
class Space:
    """The one space that all current embeddings of a collection lie in.

    Args:
        number: Counts up with every migration to another encoder; names derived files.
        spec: The encoder's spec as JSON, opaque to the store.
        fingerprint: Of that spec.
        dimensions: Length of an embedding.
        precision: How embeddings are kept.
    """

    number: int
    spec: str
    fingerprint: str
    dimensions: int
    precision: Precision


@dataclass(frozen=True, slots=True)
class Known:
    """What a store knows of an item without reading its picture."""

    row: int
    uri: str
    stamp: str | None
    sha256: str


@dataclass(frozen=True, slots=True)
class Changes:
    """What happened to the rows after a version.

    Args:
        version: The version that this account leads to.
        space: Number of the space that the rows belong to.
        epoch: Counts up when history is dropped (``compact``, a migration): another epoch means start anew.
        added: Rows that exist now and are newer than the last row asked about.
        removed: Rows at or below it that went away after the version asked about.
    """

    version: int
    space: int
    epoch: int
    added: Rows
    removed: Rows


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing that ``verify`` found wrong."""

    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Fitted:
    """Something that was fitted on a collection and is kept with it.

    Args:
        kind: What it is: ``reducer``, ``clusters``, ``map``, ``classifier``.
        name: One of each kind and name.
        version: Counts up with everything that is saved; never used twice in a collection.
        fingerprint: Of the embeddings it was fitted on.
        collection_version: The store's version when it was saved.
        provenance: Parameters and measures, as JSON.
    """

    kind: str
    name: str
    version: int
    fingerprint: str
    collection_version: int
    provenance: Mapping[str, Any]


class Run(ABC):
    """One indexing run: remembers on disk which ids it has seen, so that memory stays bounded."""

    @abstractmethod
    def see(self, ids: Sequence[str], uris: Sequence[str]) -> list[str | None]:
        """Note inputs; for each id the uri under which this run saw it before, or None."""

    @abstractmethod
    def unseen(self, sources: Sequence[str]) -> Iterator[list[str]]:
        """Batches of ids of items that came through these sources and were not seen in this run."""

    @abstractmethod
    def close(self) -> None:
        """Forget what was noted."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Store(CountingRecord, InteractionRecord, TrackingRecord):
    """The record of one collection. Safe to use from several threads; several processes may open it."""

    @property
    @abstractmethod
    def uri(self) -> str:
        """Where the collection is."""

    @property
    def readonly(self) -> bool:
        """Whether it was opened for reading only, so that every change is refused."""
        return False

    # what the collection is

    @property
    def original_objects(self) -> OriginalObjects | None:
        """Originals of uploads, where the record's own place keeps them; None: the collection's folder does, if any."""
        return None

    @abstractmethod
    def version(self) -> int:
        """Counts up with every change, by whichever process; cheap enough to ask before every query."""

    @abstractmethod
    def space(self) -> Space:
        """The current space."""

    @abstractmethod
    def schema(self) -> dict[str, AttributeType]:
        """Names and types of the attributes, ``tags`` among them."""

    @abstractmethod
    def count(self) -> int:
        """Number of items."""

    @abstractmethod
    def sources(self) -> dict[str, str]:
        """Names of the sources that items came through, and the uri that each name stands for."""

    # writing

    @abstractmethod
    def set_source(self, name: str, uri: str) -> None:
        """Note that a source name stands for a uri."""

    @abstractmethod
    def run(self) -> Run:
        """Start an indexing run."""

    @abstractmethod
    def known(self, ids: Sequence[str]) -> dict[str, Known]:
        """What is known of these ids; unknown ones are left out."""

    @abstractmethod
    def put(self, records: Sequence[Record], fingerprint: str) -> None:
        """Insert or replace items, all of them durably or none.

        New attribute names become attributes; a type that no longer fits is widened
        (integer -> number -> text, boolean -> text).

        Raises:
            FingerprintMismatch: If ``fingerprint`` is not the space's.
            InputError: If an embedding is not finite, not L2-normalised or of another length, or if an
                attribute's name or value cannot be stored.
        """

    @abstractmethod
    def touch(self, stamps: Mapping[str, tuple[str, str | None]]) -> None:
        """Note new ``id: (uri, stamp)`` for items whose bytes did not change."""

    @abstractmethod
    def set_attributes(self, values: Mapping[str, Mapping[str, AttributeValue]]) -> list[str]:
        """Set attributes of existing items, ``id: {name: value}``; names not given keep their value.

        Returns:
            The ids whose attributes really changed.

        Raises:
            UnknownItem: If an id is not in the collection.
        """

    @abstractmethod
    def remove(self, ids: Sequence[str]) -> int:
        """Remove items; how many there were. What is left of them in free space goes with ``compact``.

        Interactions that name them stay: they are their users' data, and go when a user is forgotten.
        """

    # reading

    @abstractmethod
    def items(self, rows: Sequence[int]) -> list[Item]:
        """The items of these rows, in the order asked; rows that are gone are left out."""

    @abstractmethod
    def rows(self, ids: Sequence[str]) -> list[int]:
        """The rows of these ids, in the order asked.

        Raises:
            UnknownItem: If an id is not in the collection; names the closest ids that are.
        """

    @abstractmethod
    def stream(self, *, batch: int = 1024) -> Iterator[list[Item]]:
        """All items by row, in bounded batches; a consistent snapshot."""

    @abstractmethod
    def stream_records(self, *, batch: int = 1024) -> Iterator[tuple[Rows, list[Record]]]:
        """All items by row as :meth:`put` would take them, in bounded batches; a consistent snapshot.

        Returns:
            Rows, int64 (n,), and their records: with embedding and thumbnail; and with the user's own tags, where there
            are any, apart from the encoder's labels.

        Raises:
            DamagedCollection: If an embedding or a thumbnail does not match its checksum.
        """

    @contextmanager
    def snapshot(self) -> Iterator[Store]:
        """The record as it is now, for reading, whatever writers do meanwhile.

        Of an engine that cannot hold a moment it is the record itself, and the block raises CollectionBusy at its end,
        or in the place of another error, when there was a change; only notes of searches are not noticed.

        Returns:
            A store for one thread, for as long as the block lasts; it is not closed.

        Raises:
            CollectionBusy: If that moment can no longer be read: repeat the block.
        """
        before = self._versions()
        try:
            yield self
        except LookalikeError as error:
            if self._versions() != before:
                raise self._changed() from error
            raise
        if self._versions() != before:
            raise self._changed()

    def _versions(self) -> tuple[int, int, int]:
        return self.version(), self.interaction_version(), self.tracking_version()

    def _changed(self) -> CollectionBusy:
        return CollectionBusy(f"{self.uri} was changed while it was read as of one moment: repeat it")

    @abstractmethod
    def vectors(self, rows: Sequence[int]) -> Embeddings:
        """Embeddings of these rows, float32 (n, d), in the order asked.

        Raises:
            DamagedCollection: If one does not match its checksum.
            UnknownItem: If a row is gone.
        """

    @abstractmethod
    def stream_vectors(self, after: int = -1, *, batch: int = 4096) -> Iterator[tuple[Rows, Embeddings]]:
        """Rows greater than ``after``, ascending, with their embeddings, in bounded batches."""

    @abstractmethod
    def thumbnails(self, rows: Sequence[int]) -> list[bytes]:
        """WebP bytes of these rows, in the order asked."""

    @abstractmethod
    def select(self, filter: Filter) -> Rows:
        """Rows of the items that satisfy a filter."""

    @abstractmethod
    def column(self, attribute: str, rows: Sequence[int]) -> list[AttributeValue]:
        """One attribute of these rows, in the order asked; None where it is not set.

        Raises:
            InputError: If there is no such attribute; lists those that exist.
        """

    @abstractmethod
    def match_text(self, text: str, *, limit: int) -> list[tuple[int, float]]:
        """Rows whose tags, ids and text attributes match the words, best first, with a score in (0, 1]."""

    @abstractmethod
    def changes(self, version: int, last_row: int) -> Changes:
        """What happened since ``version``, for a reader whose newest row is ``last_row`` (-1: none)."""

    # what was fitted

    @abstractmethod
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

        Args:
            kind, name: What it is and how it is asked for, not empty.
            payload: Opaque to the store. It refers to items by row number and copies nothing of them, so
                that removing an item leaves nothing behind.
            fingerprint: Of the embeddings it was fitted on.
            provenance: A JSON object; its keys are text and its numbers finite.
            forgotten: What ``forgotten_users`` was before the interactions were read that it was fitted on; None: it
                was fitted on none.

        Raises:
            FingerprintMismatch: If ``fingerprint`` is not the space's.
            InputError: If a name is empty, the payload is too long or the provenance is no JSON object.
            CollectionBusy: If a user was forgotten since ``forgotten`` was read; then nothing is saved.
        """

    @abstractmethod
    def fitted(self, kind: str | None = None) -> list[Fitted]:
        """What was fitted, of one kind or all, in the order in which it was saved."""

    @abstractmethod
    def fitted_payload(self, kind: str, name: str) -> tuple[Fitted, bytes]:
        """One fitted thing with its payload.

        Raises:
            NotFitted: If there is none; names those of its kind that there are.
            DamagedCollection: If it does not match its checksum.
        """

    @abstractmethod
    def remove_fitted(self, kind: str, name: str) -> bool:
        """Drop one fitted thing; whether there was one."""

    # care

    @abstractmethod
    def verify(self) -> Iterator[Damage]:
        """Check every checksum and cross-reference; yields what is wrong."""

    @abstractmethod
    def compact(self) -> None:
        """Give back free space and erase what was removed for good; begins a new epoch.

        Sources that no item refers to any more are forgotten too: their uris tell where removed items lay.
        So are names of items and events that no interaction has any more. An interaction that names a removed
        item is kept, with that name, until its user is forgotten.
        """

    @abstractmethod
    def begin_space(self, space: Space) -> None:
        """Open (or resume) a second space beside the current one.

        There is one at most: a space that was begun with another encoder, precision or length is dropped,
        and whoever works on it gets FingerprintMismatch from the three calls below.

        Raises:
            InputError: If its number is not greater than the current one's.
        """

    @abstractmethod
    def lacking(self, fingerprint: str, *, batch: int = 1024) -> Iterator[list[Item]]:
        """Items that have no embedding in the space that was begun yet, by row, in bounded batches.

        Args:
            fingerprint: Of the space that the caller began.
            batch: Most items of one batch.

        Raises:
            FingerprintMismatch: If another space has been begun instead, also between two batches.
            StoreError: If no space is begun.
        """

    @abstractmethod
    def put_vectors(
        self, rows: Rows, embeddings: Embeddings, labels: Sequence[Sequence[str]], fingerprint: str
    ) -> None:
        """Add embeddings and encoder labels to the space that was begun; rows that are gone are left out.

        Args:
            rows: int64 (n,).
            embeddings: float32 (n, d), L2-normalised.
            labels: The encoder's words for each row.
            fingerprint: Of the space that the caller began.

        Raises:
            FingerprintMismatch: If another space has been begun instead.
            InputError: If an embedding is not finite, not L2-normalised or of another length.
            StoreError: If no space is begun.
        """

    @abstractmethod
    def switch_space(self, fingerprint: str) -> None:
        """Make the begun space the current one, atomically, and drop the old one; begins a new epoch.

        What was fitted on embeddings of another fingerprint is dropped with them.

        Args:
            fingerprint: Of the space that the caller began.

        Raises:
            FingerprintMismatch: If another space has been begun instead.
            StoreError: If a row of the collection has no embedding in the new space, or none is begun.
        """

    @abstractmethod
    def delete_if_empty(self) -> bool:
        """Delete the collection if it has no item, and close it; whether it had none.

        Nobody else may write it meanwhile.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of every handle."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
