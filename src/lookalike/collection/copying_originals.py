"""Uploaded pictures of a collection that is copied: from where it keeps them to where the copy does, if it does."""

from __future__ import annotations

from dataclasses import replace

from lookalike.collection.kept_originals import KeptOriginals
from lookalike.errors import InputError
from lookalike.types import Record

SHOWN = 3
"""Lost originals that are named."""


class CopiedOriginals:
    """Copies the originals of items as they pass.

    Args:
        before: Of the source.
        after: Of the copy.
    """

    def __init__(self, before: KeptOriginals, after: KeptOriginals) -> None:
        self._before, self._after = before, after
        self.count = 0
        self.bytes = 0
        self._lost: list[str] = []

    def carry(self, record: Record) -> Record:
        """An item with the uri of its original in the copy, where that has been written; others as they are."""
        if not self._before.keeps(record):
            return record
        if data := self._before.read(record):
            self._after.write(record.id, data)
            self.count += 1
            self.bytes += len(data)
        else:
            self._lost.append(record.id)
        return replace(record, uri=self._after.uri_of(record.id))

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


def require_place(count: int, source: str, destination: str, after: KeptOriginals) -> None:
    """Refuse a copy that could not keep uploaded originals.

    Args:
        count: How many there are.
        source, destination: The collections.
        after: Where the copy would keep them.

    Raises:
        InputError: If there are some, and the destination keeps none.
    """
    if not count:
        return
    try:
        after.require_uploads()
    except InputError as error:
        raise InputError(
            f"{source} keeps the originals of {count} uploaded pictures, and {destination} keeps none: nothing was "
            "copied. Copy it into a folder or to s3://BUCKET/NAME.lance, or put the pictures where all machines read "
            "them (s3://..., a shared folder) and index them from there"
        ) from error
