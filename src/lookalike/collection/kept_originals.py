"""Originals that a collection keeps itself, because they were uploaded: what every engine promises of them.

A SQLite collection keeps them in its folder (:mod:`lookalike.collection.originals`), a Lance one among its objects, and
one on a Milvus server not at all (:mod:`lookalike.collection.shared_originals`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager

from lookalike.store.base import Damage, Store
from lookalike.types import Item, Record


class KeptOriginals(ABC):
    """The originals of one collection. An original is durable before its item is put."""

    @property
    @abstractmethod
    def uri(self) -> str:
        """What source names of uploads stand for."""

    @abstractmethod
    def uri_of(self, id: str) -> str:
        """The uri of an item whose original is kept."""

    def keeps(self, item: Item | Record) -> bool:
        """Whether the original of an item is kept, rather than lying where a source has it."""
        return item.uri == self.uri_of(item.id)

    def count(self, store: Store) -> int:
        """How many items of a store, which may be a snapshot of the collection, have an original that is kept."""
        return sum(self.keeps(item) for batch in store.stream() for item in batch)

    @abstractmethod
    def write(self, id: str, data: bytes) -> None:
        """Keep a picture in the place of what the item had: whole, or not at all, and durable when this returns."""

    @abstractmethod
    def holds(self, id: str, data: bytes) -> bool:
        """Whether these bytes are kept for an item."""

    @abstractmethod
    def read(self, item: Item | Record) -> bytes:
        """The original of an item that has one, if it is what was indexed; else no byte."""

    @abstractmethod
    def bytes(self) -> int:
        """How much they take."""

    def require_uploads(self) -> None:  # noqa: B027 - most engines take them
        """Refuse uploads where they cannot be kept.

        Raises:
            InputError: If they cannot.
        """

    @abstractmethod
    def uploading(self) -> AbstractContextManager[None]:
        """While originals are written that have no item yet. Uploads go on side by side.

        Raises:
            CollectionBusy: If this machine has been compacting the collection for longer than the time limit.
        """

    def reading(self) -> AbstractContextManager[None]:
        """While originals are read, which no compaction by this machine erases meanwhile."""
        return self.uploading()

    @abstractmethod
    def alone(self) -> AbstractContextManager[None]:
        """While no upload by this machine is under way, and none begins.

        Raises:
            CollectionBusy: If one is.
        """

    @abstractmethod
    def erase_others(self, store: Store) -> int:
        """Delete what is no item's, where compacting the record does not; call it :meth:`alone`.

        Returns:
            How many there were.
        """

    @abstractmethod
    def damages(self, store: Store) -> Iterator[Damage]:
        """Uploaded pictures that are missing, or are not those that were indexed."""

    def adopt(self, store: Store) -> None:  # noqa: B027 - only a folder's path is in uris
        """Find uploaded pictures again after the collection was moved or copied."""
