"""Uploaded pictures of a collection that is copied: from its folder into that of the copy, if that has one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

from lookalike.collection.originals import Originals
from lookalike.errors import InputError
from lookalike.images.hashing import content_hash
from lookalike.store.base import Store
from lookalike.types import Record

SHOWN = 3
"""Lost originals that are named."""


class CopiedOriginals:
    """Copies the originals of items as they pass.

    Args:
        before: Of the source.
        after: Where the copy keeps its own.
    """

    def __init__(self, before: Originals, after: Originals) -> None:
        self._before, self._after = before, after
        self.count = 0
        self.bytes = 0
        self._lost: list[str] = []

    def carry(self, record: Record) -> Record:
        """An item with the uri of its original in the copy, where that has been written; others as they are."""
        path = self._before.path(record.id)
        if record.uri != str(path):
            return record
        data = path.read_bytes() if path.is_file() else b""
        if content_hash(data) == record.sha256:
            self._after.write(record.id, data)
            self.count += 1
            self.bytes += len(data)
        else:
            self._lost.append(record.id)
        return replace(record, uri=str(self._after.path(record.id)))

    def uri(self, uri: str) -> str:
        """What a source name stands for in the copy."""
        return self._after.uri if uri == self._before.uri else uri

    def left_out(self) -> list[str]:
        """What is said of originals that the source has lost."""
        if not self._lost:
            return []
        named = ", ".join(self._lost[:SHOWN]) + (", ..." if len(self._lost) > SHOWN else "")
        return [
            f"originals of {len(self._lost)} uploads that the source has lost, or that are not what was indexed "
            f"({named}): upload them again"
        ]


def uploaded(source: Originals, store: Store) -> int:
    """How many items of a store have an original that the collection keeps."""
    if not source.bytes():
        return 0
    return sum(str(source.path(item.id)) == item.uri for batch in store.stream() for item in batch)


@contextmanager
def kept(source: Originals) -> Iterator[None]:
    """While no compaction deletes originals of the source.

    Raises:
        CollectionBusy: If one is under way for longer than the time limit.
    """
    writable = source.folder.is_dir() and os.access(source.folder, os.W_OK)
    held: AbstractContextManager[None] = source.uploading() if writable else nullcontext()
    with held:
        yield


def require_folder(count: int, source: str, destination: str, folder: Path) -> None:
    """Refuse a copy that could not keep uploaded originals.

    Args:
        count: How many there are.
        source, destination: The collections.
        folder: For what this machine derives from the destination.

    Raises:
        InputError: If there are some, and the destination has no folder of its own.
    """
    if count and Path(destination) != folder:
        raise InputError(
            f"{source} keeps the originals of {count} uploaded pictures in its folder, and {destination} has no folder "
            "that every machine reads: nothing was copied. Put the pictures where all machines read them (s3://..., a "
            "shared folder) and index them from there, or copy into a folder"
        )
