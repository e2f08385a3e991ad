"""Originals of uploads to a collection of several machines, and where the picture of an item is read."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from lookalike.collection.kept_originals import KeptOriginals
from lookalike.collection.originals import FolderOriginals
from lookalike.errors import InputError
from lookalike.images.hashing import content_hash
from lookalike.store.base import Damage, Known, Store
from lookalike.store.object_places import Place
from lookalike.store.original_objects import KEPT, OriginalObjects, uri_of_original
from lookalike.types import Item, Record

COUNTED_SECONDS = 60.0
"""For how long what others upload may be missing in what originals take: counting them lists all objects."""


def originals_of(store: Store, folder: Path) -> KeptOriginals:
    """Where a collection keeps the originals of uploads.

    Args:
        store: Its record.
        folder: Of the collection, or of what this machine derives from it.
    """
    if store.original_objects is not None:
        return SharedOriginals(store.original_objects, folder)
    if "://" in store.uri:
        return NoOriginals(store.uri, folder)
    return FolderOriginals(folder)


def picture_places(store: Store, *, many: bool = False) -> Callable[[str, Item | Known], str]:
    """What says where the picture of an item is: all that opens an item's picture asks here.

    Args:
        store: Of the items.
        many: Most of the collection's items will be asked for: list the originals at once.

    Returns:
        A function of an item's id and the item, for any thread. What it gives can be read by
        :func:`lookalike.images.fetch.fetch`, also on another machine that reaches the collection.
    """
    objects = store.original_objects
    known: dict[str, list[str]] | None = None

    def place(id: str, item: Item | Known) -> str:
        nonlocal known
        if objects is None or item.uri != uri_of_original(id):
            return item.uri
        if many and known is None:
            known = objects.all_names()
        names = (known or {}).get(item.sha256) or objects.names(item.sha256)
        return objects.place.uri(names[-1] if names else objects.first_name(item.sha256))

    return place


class SharedOriginals(KeptOriginals):
    """Originals among the objects of the collection.

    Args:
        objects: The objects.
        folder: For what this machine derives from the collection.
    """

    def __init__(self, objects: OriginalObjects, folder: Path) -> None:
        self._objects = objects
        self._of_this_machine = FolderOriginals(folder)
        self._counted: tuple[float, int] | None = None

    @property
    def uri(self) -> str:
        """See :attr:`KeptOriginals.uri`."""
        return KEPT

    def uri_of(self, id: str) -> str:
        """See :meth:`KeptOriginals.uri_of`."""
        return uri_of_original(id)

    def write(self, id: str, data: bytes) -> None:  # noqa: ARG002 - an object is named by its bytes
        """See :meth:`KeptOriginals.write`; what the item had goes with the next compaction."""
        self._counted = None
        self._objects.write(content_hash(data), data)

    def holds(self, id: str, data: bytes) -> bool:  # noqa: ARG002 - as above
        """See :meth:`KeptOriginals.holds`."""
        names = self._objects.names(content_hash(data))
        return bool(names) and all(self._objects.place.read(name) == data for name in names)

    def read(self, item: Item | Record) -> bytes:
        """See :meth:`KeptOriginals.read`."""
        return _sound(self._objects.place, self._objects.names(item.sha256), item.sha256) or b""

    def bytes(self) -> int:
        """See :meth:`KeptOriginals.bytes`; what other machines upload is counted once a minute."""
        now = time.monotonic()
        if self._counted is None or now - self._counted[0] > COUNTED_SECONDS:
            self._counted = now, self._objects.bytes()
        return self._counted[1]

    @contextmanager
    def uploading(self) -> Iterator[None]:
        """See :meth:`KeptOriginals.uploading`; other machines are kept apart when items are put."""
        with self._of_this_machine.uploading():
            self._objects.begin()
            yield

    def reading(self) -> AbstractContextManager[None]:
        """See :meth:`KeptOriginals.reading`."""
        return self._of_this_machine.uploading()

    def alone(self) -> AbstractContextManager[None]:
        """See :meth:`KeptOriginals.alone`."""
        return self._of_this_machine.alone()

    def erase_others(self, store: Store) -> int:  # noqa: ARG002 - the store does it, with all other objects
        """Nothing: compacting the record has done it."""
        self._counted = None
        return 0

    def damages(self, store: Store) -> Iterator[Damage]:
        """See :meth:`KeptOriginals.damages`."""
        names: dict[str, list[str]] | None = None
        for batch in store.stream():
            for item in batch:
                if not self.keeps(item):
                    continue
                names = self._objects.all_names() if names is None else names
                its = names.get(item.sha256) or self._objects.names(item.sha256)
                if not its:
                    yield Damage("originals", f"the original of {item.id} is missing: upload it again")
                elif _sound(self._objects.place, its, item.sha256, every=True) is None:
                    yield Damage(
                        its[0], f"the original of {item.id} is not what was indexed: upload it again"
                    )


class NoOriginals(FolderOriginals):
    """The originals of a collection at a place that is not made for pictures: there are none.

    Args:
        collection: Its URL.
        folder: For what this machine derives from it.
    """

    def __init__(self, collection: str, folder: Path) -> None:
        super().__init__(folder)
        self._collection = collection

    def require_uploads(self) -> None:
        """See :meth:`KeptOriginals.require_uploads`."""
        raise InputError(
            f"{self._collection} keeps no originals of uploads, since a Milvus server has all that it holds in memory: "
            "keep the collection at s3://BUCKET/NAME.lance, or put the pictures where every machine reads them "
            "(s3://..., a shared folder) and index them from there"
        )


def _sound(place: Place, names: list[str], sha256: str, *, every: bool = False) -> bytes | None:
    """The bytes of an object that is what was indexed; None if none is, or not ``every`` one."""
    sound: bytes | None = None
    for name in names:
        data = place.read(name)
        if data is not None and content_hash(data) == sha256:
            if not every:
                return data
            sound = data
        elif every:
            return None
    return sound
