"""Pictures to look into: pixels again, from wherever a query or an item has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from lookalike.collection.embedding import Picture
from lookalike.collection.shared_originals import picture_places
from lookalike.encoders.spec import EncoderSpec
from lookalike.errors import ImageError, InputError, MissingExtra, SourceError, UnknownItem
from lookalike.images.decode import Limits, decode
from lookalike.images.fetch import fetch
from lookalike.images.hashing import content_hash
from lookalike.store.base import Store
from lookalike.types import Crop, Image, Item

ReadFrom = Literal["original", "thumbnail", "given"]


@dataclass(frozen=True, slots=True, eq=False)
class Pixels:
    """A picture with what is known of it.

    Args:
        name: For people: an item's id, a file's name.
        pixels: uint8 (h, w, 3), upright RGB, of ``region``; may be smaller than it.
        width, height: Of the whole image, pixels.
        region: Left, top, right, bottom of the part of the image that is looked at, in its pixels.
        read_from: An item's ``original`` or its ``thumbnail``; ``given`` when it is no item.
        note: What a reader must know of where the pixels come from; empty for nothing.
        row: The item's row in the collection, or None.
    """

    name: str
    pixels: Image
    width: int
    height: int
    region: tuple[int, int, int, int]
    read_from: ReadFrom = "given"
    note: str = ""
    row: int | None = None

    def in_image(self, boxes: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Boxes (..., 4) in coordinates of ``pixels`` as boxes in pixels of the whole image."""
        left, top, right, bottom = self.region
        height, width = self.pixels.shape[:2]
        scale = np.array([(right - left) / width, (bottom - top) / height] * 2)
        moved: npt.NDArray[np.float64] = np.asarray(boxes, np.float64) * scale + np.array([left, top] * 2)
        return moved


def read_picture(
    picture: Picture, spec: EncoderSpec, *, crop: Crop | None = None, limits: Limits | None = None
) -> Pixels:
    """Read a picture that is no item.

    Args:
        picture: A path or URL, encoded bytes, or uint8 (h, w, 3) pixels.
        spec: Of the encoder that will look at it: a larger JPEG is decoded at a reduced scale.
        crop: The region to look at.
        limits: Largest image accepted.

    Raises:
        ImageError: If it cannot be read.
        InputError: If it is none of those, or nothing of the crop lies inside it.
    """
    accepted = limits or Limits()
    if isinstance(picture, str | PathLike):
        place = fspath(picture)
        name = "/".join(Path(place).parts[-2:])  # a folder tells apart pictures of one name
        return _decoded(fetch(place, limits=accepted), name, spec, crop, accepted)
    if isinstance(picture, bytes | bytearray):
        return _decoded(bytes(picture), "the picture given", spec, crop, accepted)
    if isinstance(picture, np.ndarray):
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or not picture.size:
            raise InputError(
                f"pixels {picture.dtype} {picture.shape} are no image: expected uint8 (h, w, 3) RGB"
            )
        return _decoded(np.ascontiguousarray(picture), "the pixels given", spec, crop, accepted)
    raise InputError(
        f"{type(picture).__name__} is no picture: expected a path, a URL, an item's id, encoded bytes or "
        "uint8 (h, w, 3) pixels"
    )


class PictureReader:
    """Reads items and pictures of a collection's user.

    Args:
        store: To find items.
        spec: Of the encoder that will look at them.
        limits: Largest image accepted.
    """

    def __init__(self, store: Store, spec: EncoderSpec, limits: Limits) -> None:
        self._store = store
        self._place = picture_places(store)
        self._spec = spec
        self._limits = limits

    def read(self, picture: Picture, crop: Crop | None = None) -> Pixels:
        """Read one picture; a text is an item's id if the collection has it, else a path or URL.

        Raises:
            ImageError: If it can be read neither as an item nor as a file.
            InputError: If it is no picture, or nothing of the crop lies inside it.
        """
        if not isinstance(picture, str):
            return read_picture(picture, self._spec, crop=crop, limits=self._limits)
        known = self._store.known([picture])
        if picture in known:
            (item,) = self._store.items([known[picture].row])
            return self._item(item, crop)
        try:
            return read_picture(picture, self._spec, crop=crop, limits=self._limits)
        except ImageError as error:
            raise ImageError(f"{error}; {self._unknown(picture)}") from None

    def _unknown(self, id: str) -> str:
        """The store's own words, which name the closest ids."""
        try:
            self._store.rows([id])
        except UnknownItem as unknown:
            return str(unknown)
        return f"{id!r} was added to the collection just now: repeat the call"

    def _item(self, item: Item, crop: Crop | None) -> Pixels:
        try:
            data = fetch(self._place(item.id, item), limits=self._limits)
            note = "" if content_hash(data) == item.sha256 else "its file has changed since it was indexed"
            picture = _decoded(data, item.id, self._spec, crop, self._limits)
        except (ImageError, SourceError, MissingExtra) as error:
            return self._thumbnail(
                item, crop, f"its original cannot be read ({error}): the thumbnail was looked at"
            )
        return _of_item(picture, item, "original", note)

    def _thumbnail(self, item: Item, crop: Crop | None, note: str) -> Pixels:
        small = decode(self._store.thumbnails([item.row])[0], limits=self._limits).pixels
        height, width = small.shape[:2]
        region = (0, 0, item.width, item.height)
        if crop is not None:
            region = crop.pixels(item.width, item.height)
            sides = (width / item.width, height / item.height) * 2
            scaled = [round(edge * side) for edge, side in zip(region, sides, strict=True)]
            right, bottom = max(scaled[2], scaled[0] + 1), max(scaled[3], scaled[1] + 1)
            small = np.ascontiguousarray(small[scaled[1] : bottom, scaled[0] : right])
        return Pixels(item.id, small, item.width, item.height, region, "thumbnail", note, item.row)


def _of_item(picture: Pixels, item: Item, read_from: ReadFrom, note: str) -> Pixels:
    return Pixels(
        item.id, picture.pixels, picture.width, picture.height, picture.region, read_from, note, item.row
    )


def _decoded(data: bytes | Image, name: str, spec: EncoderSpec, crop: Crop | None, limits: Limits) -> Pixels:
    if isinstance(data, bytes):
        decoded = decode(data, min_side=spec.decoded_side, crop=crop, limits=limits)
        pixels, width, height = decoded.pixels, decoded.width, decoded.height
        region = (0, 0, width, height) if crop is None else crop.pixels(width, height)
    else:
        height, width = data.shape[:2]
        region = (0, 0, width, height) if crop is None else crop.pixels(width, height)
        pixels = np.ascontiguousarray(data[region[1] : region[3], region[0] : region[2]])
    return Pixels(name, pixels, width, height, region)


def as_crop(crop: Crop | Sequence[float] | str | None) -> Crop | None:
    """A crop however it was written: four numbers, ``"x,y,w,h"``, or one already.

    Raises:
        InputError: If it is none of those.
    """
    if crop is None or isinstance(crop, Crop):
        return crop
    if isinstance(crop, str):
        return Crop.parse(crop)
    if len(crop) != 4:
        raise InputError(f"crop {crop!r} is not four numbers: expected x, y, width, height")
    return Crop(*crop)
