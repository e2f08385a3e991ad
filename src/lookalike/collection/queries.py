"""What a query can be - file, bytes, pixels, item id, vector, words - and how each becomes an embedding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from lookalike.encoders.base import Encoder
from lookalike.errors import ImageError, InputError, UnknownItem
from lookalike.images.decode import Limits, decode
from lookalike.images.fetch import fetch
from lookalike.images.thumbnails import SIDE as THUMBNAIL_SIDE
from lookalike.images.thumbnails import thumbnail
from lookalike.store.base import Store
from lookalike.types import Crop, Embeddings, Image
from lookalike.vectors.metrics import normalise

Query: TypeAlias = "str | PathLike[str] | bytes | npt.NDArray[Any]"
"""A path, URL, item id or words; encoded image bytes; uint8 (h, w, 3) pixels; a float (d,) vector."""

Kind = Literal["image", "item", "vector", "text", "words"]

_PATH_MARKS = ("/", "\\", "://")
_IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff", ".bmp", ".avif", ".ppm")


@dataclass(frozen=True, slots=True)
class Example:
    """One example of a query, ready to search with.

    Args:
        kind: What it was.
        name: For people.
        embedding: float32 (d,), L2-normalised; None for words.
        row: The item's row when it is an item of the collection.
        thumbnail: WebP bytes when it is a picture.
    """

    kind: Kind
    name: str
    embedding: Embeddings | None
    row: int | None = None
    thumbnail: bytes | None = None


class QueryReader:
    """Turns queries into examples.

    Args:
        store: To find items.
        encoder: Gives the collection's encoder, which is loaded only when a picture or a text needs it.
        limits: Largest image accepted.
    """

    def __init__(self, store: Store, encoder: Callable[[], Encoder], limits: Limits) -> None:
        self._store = store
        self._encoder = encoder
        self._limits = limits

    def read(self, query: Query, *, crop: Crop | None = None) -> Example:
        """Understand one query.

        A text is an item id if the collection has it, else a path or URL if it looks like one or exists, else words.

        Raises:
            InputError: If the query is nothing of the kinds above, or a crop is asked of something without pixels.
            ImageError: If the picture cannot be read.
        """
        if isinstance(query, str) and (row := self._row(query)) is not None:
            return self._item(query, row, crop)
        if isinstance(query, PathLike) or (isinstance(query, str) and _is_place(query)):
            place = fspath(query)
            return self._picture(self._fetch(place), Path(place).name, crop)
        if isinstance(query, str):
            return self._text(query, crop)
        if isinstance(query, bytes | bytearray):
            return self._picture(bytes(query), "the picture given", crop)
        if isinstance(query, np.ndarray):
            return self._array(query, crop)
        raise InputError(
            f"a query of type {type(query).__name__} is not understood: expected a path, URL, item id or words (str), "
            "image bytes, uint8 (h, w, 3) pixels or a float (d,) vector"
        )

    def read_all(self, queries: Query | Sequence[Query], *, crop: Crop | None = None) -> list[Example]:
        """Understand one query or a sequence of them; a crop applies to the first."""
        several: list[Query] = list(queries) if isinstance(queries, list | tuple) else [queries]  # type: ignore[list-item]
        return [self.read(query, crop=crop if at == 0 else None) for at, query in enumerate(several)]

    def _row(self, id: str) -> int | None:
        found = self._store.known([id])
        return found[id].row if id in found else None

    def _item(self, id: str, row: int, crop: Crop | None) -> Example:
        if crop is None:
            return Example("item", id, self._store.vectors([row])[0], row, self._store.thumbnails([row])[0])
        example = self._picture(fetch(self._store.items([row])[0].uri, limits=self._limits), id, crop)
        return Example("item", id, example.embedding, row, example.thumbnail)

    def _fetch(self, place: str) -> bytes | Image:
        try:
            return fetch(place, limits=self._limits)
        except ImageError as error:
            raise ImageError(
                f"{error}; expected an image file, a URL or an item id of the collection"
            ) from None

    def _picture(self, data: bytes | Image, name: str, crop: Crop | None) -> Example:
        encoder = self._encoder()
        pixels = data
        if isinstance(data, bytes):
            enough = max(encoder.spec.height, encoder.spec.width, THUMBNAIL_SIDE)
            pixels = decode(data, min_side=enough, crop=crop, limits=self._limits).pixels
        elif crop is not None:
            left, top, right, bottom = crop.pixels(data.shape[1], data.shape[0])
            pixels = data[top:bottom, left:right]
        assert isinstance(pixels, np.ndarray)
        (encoding,) = encoder.encode([encoder.prepare(pixels)])
        return Example("image", name, normalise(encoding.raw_embedding), thumbnail=thumbnail(pixels))

    def _array(self, array: npt.NDArray[Any], crop: Crop | None) -> Example:
        if array.dtype == np.uint8 and array.ndim == 3 and array.shape[2] == 3 and array.size:
            return self._picture(np.ascontiguousarray(array), "the pixels given", crop)
        dimensions = self._store.space().dimensions
        if array.shape == (dimensions,) and np.issubdtype(array.dtype, np.floating):
            _no_crop(crop, "a vector")
            return Example("vector", "the vector given", normalise(array.astype(np.float32)))
        raise InputError(
            f"an array {array.dtype} {array.shape} is no query: expected pixels, uint8 (h, w, 3), "
            f"or a vector, float ({dimensions},)"
        )

    def _text(self, text: str, crop: Crop | None) -> Example:
        _no_crop(crop, "a text")
        if not text.strip():
            raise InputError("the query is empty: expected an image, an item id or words")
        encoder = self._encoder()
        if not encoder.has_text:
            return Example("words", text, None)
        return Example("text", text, normalise(encoder.encode_text([text])[0]))


def _no_crop(crop: Crop | None, what: str) -> None:
    if crop is not None:
        raise InputError(f"a crop was given, but the query is {what}: expected an image or an item")


def _is_place(text: str) -> bool:
    """Whether a text means a file or URL rather than words: it exists, or nobody would write words like it."""
    if "://" in text or text.lower().endswith(_IMAGE_ENDINGS):
        return True
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        return False


def unknown_item(id: str) -> UnknownItem:
    """The error for an id that is neither an item nor a file."""
    return UnknownItem(f"{id!r} is no item of the collection")
