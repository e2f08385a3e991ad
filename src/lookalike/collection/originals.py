"""Originals that a collection keeps itself, because they were uploaded: one file an item, in the collection's folder.

A file is named by the digest of its item's id, so no name of a stranger ever becomes a path, and it is durable before
its item is recorded. A file without an item, which a crash between the two or a removal leaves, goes with ``compact``.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from lookalike.collection.kept_originals import KeptOriginals
from lookalike.images.hashing import content_hash
from lookalike.store.base import Damage, Store
from lookalike.store.derived import DerivedFolder, sync_folder
from lookalike.types import Item, Record

FOLDER = "originals"
_UPLOADS = "uploads-under-way"
_SHARD = 2
"""Digits of the digest that name the folder of a file: 256 folders."""

_BATCH = 1000


class FolderOriginals(KeptOriginals):
    """The files of uploaded pictures of a collection in a folder.

    Args:
        collection: The collection's folder. Links in its path are followed, so that it has one name.
    """

    def __init__(self, collection: Path) -> None:
        self.folder = Path(os.path.realpath(collection)) / FOLDER

    @property
    def uri(self) -> str:
        """What source names of uploads stand for."""
        return str(self.folder)

    def path(self, id: str) -> Path:
        """Where the picture of an item is, if it was uploaded."""
        return _path(self.folder, id)

    def uri_of(self, id: str) -> str:
        """See :meth:`KeptOriginals.uri_of`."""
        return str(self.path(id))

    def count(self, store: Store) -> int:
        """See :meth:`KeptOriginals.count`."""
        return super().count(store) if any(self._files()) else 0

    def read(self, item: Item | Record) -> bytes:
        """See :meth:`KeptOriginals.read`."""
        path = self.path(item.id)
        data = path.read_bytes() if path.is_file() else b""
        return data if content_hash(data) == item.sha256 else b""

    def write(self, id: str, data: bytes) -> None:
        """Keep a picture in the place of what the item had: whole, or not at all, and on disk when this returns."""
        target = self.path(id)
        target.parent.mkdir(parents=True, exist_ok=True)
        building = target.with_name(f"{target.name}.{secrets.token_hex(4)}.new")
        try:
            with building.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            building.replace(target)
        finally:
            building.unlink(missing_ok=True)
        sync_folder(target.parent)

    def holds(self, id: str, data: bytes) -> bool:
        """Whether these bytes are what is kept for an item."""
        path = self.path(id)
        return path.is_file() and path.stat().st_size == len(data) and path.read_bytes() == data

    def bytes(self) -> int:
        """How much they take."""
        return sum(found.stat().st_size for found in self._files())

    @contextmanager
    def uploading(self) -> Iterator[None]:
        """While files are written that have no item yet: nothing is erased meanwhile. Uploads go on side by side.

        Raises:
            CollectionBusy: If the collection is being compacted for longer than the time limit.
        """
        mark = DerivedFolder(self.folder / _UPLOADS / secrets.token_hex(8))
        with self._gate():
            held = mark.lock(seconds=0)
            held.__enter__()
        try:
            yield
        finally:
            held.__exit__(None, None, None)
            shutil.rmtree(mark.path, ignore_errors=True)  # else the next compaction does it

    def reading(self) -> AbstractContextManager[None]:
        """See :meth:`KeptOriginals.reading`; a folder that cannot be written is not compacted either."""
        writable = self.folder.is_dir() and os.access(self.folder, os.W_OK)
        return self.uploading() if writable else nullcontext()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """While no upload is under way, and none begins.

        Raises:
            CollectionBusy: If one is.
        """
        if not self.folder.is_dir():
            yield
            return
        with self._gate():
            for mark in (self.folder / _UPLOADS).glob("*"):
                with DerivedFolder(mark).lock(seconds=0):
                    pass
                shutil.rmtree(mark)
            yield

    def erase_others(self, store: Store) -> int:
        """Delete the files that are no item's; call it :meth:`alone`.

        Returns:
            How many there were.
        """
        kept = {
            path
            for batch in store.stream()
            for item in batch
            if (path := str(self.path(item.id))) == item.uri
        }
        others = [found.path for found in self._files() if found.path not in kept]
        for path in others:
            Path(path).unlink()
        for folder in {os.path.dirname(path) for path in others}:  # noqa: PTH120 - as scandir gives them
            sync_folder(Path(folder))
        return len(others)

    def damages(self, store: Store) -> Iterator[Damage]:
        """Uploaded pictures that are missing, or are not those that were indexed."""
        if not self.folder.is_dir():
            return
        for batch in store.stream():
            for item in batch:
                path = self.path(item.id)
                if str(path) != item.uri:
                    continue
                where = f"{FOLDER}/{path.parent.name}/{path.name}"
                if not path.is_file():
                    yield Damage(where, f"the original of {item.id} is missing: upload it again")
                elif content_hash(path.read_bytes()) != item.sha256:
                    yield Damage(where, f"the original of {item.id} is not what was indexed: upload it again")

    def adopt(self, store: Store) -> None:
        """Find uploaded pictures again after the collection's folder was moved or copied."""
        if not self.folder.is_dir() or not os.access(self.folder.parent, os.W_OK):
            return
        for name, uri in store.sources().items():
            if uri != self.uri and Path(uri).name == FOLDER:
                self._adopt_from(Path(uri), store)
                if any(self._files()):
                    store.set_source(name, self.uri)

    def _adopt_from(self, before: Path, store: Store) -> None:
        moved: dict[str, tuple[str, str | None]] = {}
        for batch in store.stream():
            for item in batch:
                path = self.path(item.id)
                if item.uri == str(_path(before, item.id)) and path.is_file():
                    moved[item.id] = (str(path), None)
            if len(moved) >= _BATCH:
                store.touch(moved)
                moved = {}
        if moved:
            store.touch(moved)

    @contextmanager
    def _gate(self) -> Iterator[None]:
        with DerivedFolder(self.folder).lock():
            yield

    def _files(self) -> Iterator[os.DirEntry[str]]:
        """What lies in the folders of files."""
        if not self.folder.is_dir():
            return
        with os.scandir(self.folder) as shards:
            for shard in shards:
                if shard.is_dir() and len(shard.name) == _SHARD:
                    with os.scandir(shard.path) as files:
                        yield from files


def _path(folder: Path, id: str) -> Path:
    digest = hashlib.sha256(id.encode()).hexdigest()
    return folder / digest[:_SHARD] / digest[_SHARD:]
