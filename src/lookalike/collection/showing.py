"""Showing: items page by page, and their pictures as a browser takes them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lookalike.collection.base import CollectionBase
from lookalike.collection.shared_originals import picture_places
from lookalike.errors import ImageError, InputError, MissingExtra, SourceError
from lookalike.images.decode import Limits, decode
from lookalike.images.fetch import fetch
from lookalike.images.hashing import content_hash
from lookalike.images.signatures import image_format
from lookalike.images.thumbnails import thumbnail
from lookalike.store.base import Known
from lookalike.types import Image, Item

MOST_ITEMS = 500
SMALLEST, LARGEST = 64, 2048
"""Longer side of a picture made for showing, pixels."""

_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "AVIF": "image/avif",
}
"""Formats that every browser shows, by what their bytes are."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some items, and where the next ones begin.

    Args:
        items: By row.
        next: What to give as ``after`` for the next page; None: there is none.
    """

    items: tuple[Item, ...]
    next: int | None


@dataclass(frozen=True, slots=True)
class ShownPicture:
    """A picture in a format that browsers show.

    Args:
        data: The encoded picture.
        type: Its media type, told from the bytes.
        version: Changes whenever the bytes may.
        read_from: The ``original``, or the ``thumbnail`` where the original cannot be read any more.
    """

    data: bytes
    type: str
    version: str
    read_from: Literal["original", "thumbnail"]


class Showing(CollectionBase):
    """Hands items and pictures to a page."""

    def page(self, *, where: str | None = None, after: int = -1, limit: int = 50) -> Page:
        """Items in the order in which they came.

        A page begins after the last item of the one before, so nothing is shown twice or passed over when others
        come and go meanwhile.

        Args:
            where: Only items that this filter selects.
            after: ``next`` of the page before; -1 begins.
            limit: Most items, 1 to 500.

        Raises:
            InputError: If an argument is wrong; FilterError, a kind of it, points into ``where``.
        """
        if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MOST_ITEMS:
            raise InputError(f"limit = {limit} items: expected a whole number from 1 to {MOST_ITEMS}")
        if where is None:
            rows = self._store.next_rows(after, limit + 1)
        else:
            chosen = self._searcher.select(where)
            begin = int(np.searchsorted(chosen, after, side="right"))
            rows = chosen[begin : begin + limit + 1].tolist()
        shown = rows[:limit]
        return Page(tuple(self._store.items(shown)), shown[-1] if len(rows) > limit else None)

    def picture_version(self, id: str, *, size: int | None = None) -> str:
        """What :attr:`ShownPicture.version` of the picture as it was indexed is, without reading it.

        Args:
            id: An item's id.
            size: As in :meth:`picture`.

        Raises:
            UnknownItem: If the collection does not hold it.
        """
        return _version(self._known(id).sha256, size)

    def picture(self, id: str, *, size: int | None = None) -> ShownPicture:
        """An item's picture, upright, as a browser shows it.

        Args:
            id: An item's id.
            size: The longer side is reduced to at most this many pixels, 64 to 2048; None: the stored bytes, where
                browsers show their format, else the whole picture as JPEG.

        Returns:
            The picture; where the original cannot be read any more, the thumbnail, which says so.

        Raises:
            UnknownItem: If the collection does not hold it.
            InputError: If ``size`` is out of range.
        """
        if size is not None and not SMALLEST <= size <= LARGEST:
            raise InputError(f"size = {size} pixels: expected a whole number from {SMALLEST} to {LARGEST}")
        known = self._known(id)
        try:
            data = fetch(picture_places(self._store)(id, known), limits=self._limits)
            return _shown(data, size, self._limits)
        except (ImageError, SourceError, MissingExtra):
            small = self._store.thumbnails([known.row])
            return ShownPicture(small[0], "image/webp", f"{known.sha256}-thumbnail", "thumbnail")

    def _known(self, id: str) -> Known:
        found = self._store.known([id])
        if id in found:
            return found[id]
        self._store.rows([id])  # refuses it with the closest ids
        return self._known(id)  # it came just now


def _shown(data: bytes | Image, size: int | None, limits: Limits) -> ShownPicture:
    """What was fetched, as a browser takes it; its version is that of these bytes, whatever was indexed."""
    version = _version(content_hash(data), size)
    if isinstance(data, bytes) and size is None:
        kind = image_format(data)
        if kind in _TYPES:
            return ShownPicture(data, _TYPES[kind], version, "original")
    pixels = decode(data, min_side=size, limits=limits).pixels if isinstance(data, bytes) else data
    if size is None:
        return ShownPicture(_jpeg(pixels), "image/jpeg", version, "original")
    return ShownPicture(thumbnail(pixels, side=size), "image/webp", version, "original")


def _version(sha256: str, size: int | None) -> str:
    return sha256 if size is None else f"{sha256}-{size}"


def _jpeg(pixels: Image) -> bytes:
    import PIL.Image

    file = io.BytesIO()
    PIL.Image.fromarray(pixels).save(file, "JPEG", quality=90)
    return file.getvalue()
