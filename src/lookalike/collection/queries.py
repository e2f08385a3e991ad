"""What a query can be - file, bytes, pixels, item id, vector, words - and how each becomes an embedding."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from lookalike.collection.shared_originals import picture_places
from lookalike.encoders.base import Encoder, Encoding
from lookalike.encoders.spec import Pooling
from lookalike.errors import ImageError, InputError, UnknownItem
from lookalike.images.decode import Limits, decode
from lookalike.images.fetch import fetch
from lookalike.images.thumbnails import thumbnail
from lookalike.store.base import Store
from lookalike.tasks.regions import FINER_SCALES, SCALES, WINDOW_LEVELS, Regions, pooled_regions, windows
from lookalike.types import Crop, Embeddings, Image, ItemId, Words
from lookalike.vectors.metrics import normalise

Query: TypeAlias = "str | PathLike[str] | bytes | npt.NDArray[Any]"
"""A path, URL, item id or words; encoded image bytes; uint8 (h, w, 3) pixels; a float (d,) vector.

``ItemId`` and ``Words`` are texts that mean that alone.
"""

Kind = Literal["image", "item", "vector", "text", "words"]

_PATH_MARKS = ("/", "\\", "://")
_IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff", ".bmp", ".avif", ".ppm")


@dataclass(frozen=True, slots=True)
class Example:
    """One example of a query, ready to search with.

    Args:
        kind: What it was.
        name: For people.
        embedding: float32 (d,), L2-normalised, of the whole; None for words.
        row: The item's row when it is an item of the collection.
        thumbnail: WebP bytes when it is a picture.
        regions: float32 (w, d), L2-normalised rows: the whole first, then its parts; None: not asked for.
        passes: How often the network ran for it.
    """

    kind: Kind
    name: str
    embedding: Embeddings | None
    row: int | None = None
    thumbnail: bytes | None = None
    regions: Embeddings | None = None
    passes: int = 0


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

    def read(self, query: Query, *, crop: Crop | None = None, regions: Regions = "whole") -> Example:
        """Understand one query.

        A text is an item id if the collection has it, else a path or URL if it looks like one or exists, else words.

        Args:
            query: What it is.
            crop: The region of the picture that is the query.
            regions: Parts of the picture to search with as well; an item's picture is read again for them.

        Raises:
            InputError: If the query is nothing of the kinds above, or a crop or regions are asked of something
                without pixels.
            ImageError: If the picture cannot be read.
        """
        look = _Look(crop, regions)
        if isinstance(query, Words):
            return self._text(query, look)
        if isinstance(query, str) and (row := self._row(query)) is not None:
            return self._item(query, row, look)
        if isinstance(query, ItemId):
            raise unknown_item(query)
        if isinstance(query, PathLike) or (isinstance(query, str) and _is_place(query)):
            place = fspath(query)
            return self._picture(self._fetch(place), Path(place).name, look)
        if isinstance(query, str):
            return self._text(query, look)
        if isinstance(query, bytes | bytearray):
            return self._picture(bytes(query), "the picture given", look)
        if isinstance(query, np.ndarray):
            return self._array(query, look)
        raise InputError(
            f"a query of type {type(query).__name__} is not understood: expected a path, URL, item id or words (str), "
            "image bytes, uint8 (h, w, 3) pixels or a float (d,) vector"
        )

    def read_all(
        self, queries: Query | Sequence[Query], *, crop: Crop | None = None, regions: Regions = "whole"
    ) -> list[Example]:
        """Understand one query or a sequence of them; a crop applies to the first, regions to the only one.

        Raises:
            InputError: As :meth:`read`, or if regions are asked of several.
        """
        several: list[Query] = list(queries) if isinstance(queries, list | tuple) else [queries]  # type: ignore[list-item]
        if regions != "whole" and len(several) > 1:
            raise InputError(
                f"regions {regions!r} of {len(several)} examples: several examples are averaged, so their parts "
                "would be mixed; give one picture, or regions 'whole'"
            )
        return [
            self.read(query, crop=crop if at == 0 else None, regions=regions)
            for at, query in enumerate(several)
        ]

    def words(self, text: str) -> Example:
        """Understand a text as words, also where it is an item's id or a path.

        Raises:
            InputError: If it is blank.
        """
        return self._text(text, _Look(None, "whole"))

    def _row(self, id: str) -> int | None:
        found = self._store.known([id])
        return found[id].row if id in found else None

    def _item(self, id: str, row: int, look: _Look) -> Example:
        if look == _Look():
            return Example("item", id, self._store.vectors([row])[0], row, self._store.thumbnails([row])[0])
        (item,) = self._store.items([row])
        place = picture_places(self._store)(id, item)
        example = self._picture(fetch(place, limits=self._limits), id, look)
        return replace(example, kind="item", row=row)

    def _fetch(self, place: str) -> bytes | Image:
        try:
            return fetch(place, limits=self._limits)
        except ImageError as error:
            raise ImageError(
                f"{error}; expected an image file, a URL or an item id of the collection"
            ) from None

    def _picture(self, data: bytes | Image, name: str, look: _Look) -> Example:
        encoder, crop = self._encoder(), look.crop
        pixels = data
        if isinstance(data, bytes):
            enough = encoder.spec.decoded_side
            if look.regions == "windows":
                enough = math.ceil(enough / min(FINER_SCALES))
            pixels = decode(data, min_side=enough, crop=crop, limits=self._limits).pixels
        elif crop is not None:
            left, top, right, bottom = crop.pixels(data.shape[1], data.shape[0])
            pixels = data[top:bottom, left:right]
        assert isinstance(pixels, np.ndarray)
        raw, passes = encode_regions(encoder, pixels, look.regions)
        parts = normalise(raw)
        return Example(
            "image",
            name,
            parts[0],
            thumbnail=thumbnail(pixels),
            regions=None if look.regions == "whole" else parts,
            passes=passes,
        )

    def _array(self, array: npt.NDArray[Any], look: _Look) -> Example:
        if array.dtype == np.uint8 and array.ndim == 3 and array.shape[2] == 3 and array.size:
            return self._picture(np.ascontiguousarray(array), "the pixels given", look)
        dimensions = self._store.space().dimensions
        if array.shape == (dimensions,) and np.issubdtype(array.dtype, np.floating):
            _no_pixels(look, "a vector")
            return Example("vector", "the vector given", normalise(array.astype(np.float32)))
        raise InputError(
            f"an array {array.dtype} {array.shape} is no query: expected pixels, uint8 (h, w, 3), "
            f"or a vector, float ({dimensions},)"
        )

    def _text(self, text: str, look: _Look) -> Example:
        _no_pixels(look, "a text")
        if not text.strip():
            raise InputError("the query is empty: expected an image, an item id or words")
        encoder = self._encoder()
        if not encoder.has_text:
            return Example("words", text, None)
        return Example("text", text, normalise(encoder.encode_text([text])[0]))


def encode_regions(encoder: Encoder, pixels: Image, regions: Regions) -> tuple[npt.NDArray[np.float32], int]:
    """Raw embeddings of a picture and its parts.

    Args:
        encoder: Makes them.
        pixels: uint8 (h, w, 3).
        regions: Which parts.

    Returns:
        float32 (w, d), not normalised, the whole first; and how often the network ran. Parts that the network does
        not respond to at all are left out: zeros have no direction.

    Raises:
        InputError: If regions are to be pooled from an encoder without a feature map.
    """
    if regions == "whole":
        (encoding,) = encoder.encode([encoder.prepare(pixels)])
        return encoding.raw_embedding[None], 1
    (whole,) = encoder.encode([encoder.prepare(pixels)], spatial=True)
    if regions == "pooled":
        if whole.spatial is None:
            raise InputError(
                f"regions cannot be pooled: layer {encoder.spec.layer} of {encoder.spec.name} gives no feature map. "
                "Search with regions 'windows', which encodes parts of the picture"
            )
        parts, passes = pooled_regions(whole.spatial, encoder.spec.pooling), 1
    else:
        encodings = [whole, *_encode_windows(encoder, pixels, finer=whole.spatial is None)]
        parts, passes = np.concatenate([_parts(e, encoder.spec.pooling) for e in encodings]), len(encodings)
    seen = np.flatnonzero(np.abs(parts[1:]).max(axis=1, initial=0.0))
    return parts[[0, *(seen + 1)]], passes


def _encode_windows(encoder: Encoder, pixels: Image, *, finer: bool) -> Iterator[Encoding]:
    """Windows of a picture but the whole of it."""
    height, width = pixels.shape[:2]
    boxes = windows(width, height, scales=FINER_SCALES if finer else SCALES)
    inputs = (
        encoder.prepare(np.ascontiguousarray(pixels[top:bottom, left:right]))
        for left, top, right, bottom in boxes
        if (left, top, right, bottom) != (0, 0, width, height)
    )
    yield from encoder.encode(inputs, spatial=not finer)


def _parts(encoding: Encoding, pooling: Pooling) -> npt.NDArray[np.float32]:
    """Vectors of a window: pooled out of its map, or the one that it has."""
    if encoding.spatial is None:
        return encoding.raw_embedding[None]
    return pooled_regions(encoding.spatial, pooling, levels=WINDOW_LEVELS)


@dataclass(frozen=True, slots=True)
class _Look:
    """What to look at in a picture."""

    crop: Crop | None = None
    regions: Regions = "whole"


def _no_pixels(look: _Look, what: str) -> None:
    if look.crop is not None:
        raise InputError(f"a crop was given, but the query is {what}: expected an image or an item")
    if look.regions != "whole":
        raise InputError(
            f"regions {look.regions!r} were asked for, but the query is {what}: expected an image or an item, or "
            "regions 'whole'"
        )


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
