"""What a query is for a service: pictures are read here and sent, ids and words are told apart."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from lookalike.errors import ImageError, InputError, UnknownItem
from lookalike.types import ItemId, Words

Query: TypeAlias = "str | PathLike[str] | bytes | npt.NDArray[Any]"
"""As for a local collection: a path, URL, item id or words; image bytes; uint8 (h, w, 3) pixels; a float (d,)
vector."""

Kind = Literal["image", "id", "text", "vector"]

_ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff", ".bmp", ".avif", ".ppm")
"""Of texts that nobody means as words, as for a local collection."""


@dataclass(frozen=True, slots=True)
class Example:
    """One example, ready to be sent.

    Args:
        kind: The field of the request that it goes to.
        name: For people, as a local collection calls it.
        value: An image file's bytes, an id, words, or a vector as a list of numbers.
    """

    kind: Kind
    name: str
    value: Any

    @property
    def part(self) -> tuple[str, bytes]:
        """Of a form: a file's name and bytes."""
        return Path(self.name).name or "picture", self.value


def several(queries: Any) -> list[Any]:
    """One query or a list of them as a list."""
    return list(queries) if isinstance(queries, list | tuple) else [queries]


def read_example(query: Any, known: Callable[[str], bool]) -> Example:
    """Understand one query: an item's id if the service has it, else a path or URL, which is read here, else words.

    Args:
        query: What it is.
        known: Whether the service has an item of an id.

    Raises:
        InputError: If it is nothing of the kinds above.
        ImageError: If a picture cannot be read here.
    """
    if isinstance(query, Words):
        return Example("text", query, str(query))
    if isinstance(query, ItemId) or (isinstance(query, str) and query and known(query)):
        return Example("id", query, str(query))
    if isinstance(query, PathLike) or (isinstance(query, str) and is_place(query)):
        return read_picture(query)
    if isinstance(query, str):
        if not query.strip():
            raise InputError("the query is empty: expected an image, an item id or words")
        return Example("text", query, query)
    if isinstance(query, np.ndarray) and np.issubdtype(query.dtype, np.floating):
        if query.ndim != 1 or not np.isfinite(query).all():
            raise InputError(
                f"an array {query.dtype} {query.shape} is no vector: expected finite numbers, (d,)"
            )
        return Example("vector", "the vector given", query.tolist())
    return read_picture(query)


def read_picture(picture: Any) -> Example:
    """A picture as bytes to send: a path or URL is read here, pixels become a PNG file.

    Raises:
        InputError: If it is no picture.
        ImageError: If it cannot be read.
    """
    if isinstance(picture, str | PathLike):
        return Example("image", Path(fspath(picture)).name, _fetched(fspath(picture)))
    if isinstance(picture, bytes | bytearray):
        return Example("image", "the picture given", bytes(picture))
    if isinstance(picture, np.ndarray):
        return Example("image", "the pixels given", png(picture))
    raise InputError(
        f"a query of type {type(picture).__name__} is not understood: expected a path, URL, item id or words (str), "
        "image bytes, uint8 (h, w, 3) pixels or a float (d,) vector"
    )


def read_pictures(pictures: Any) -> list[Example]:
    """One picture or many, as bytes to send."""
    lone = isinstance(pictures, str | PathLike | bytes | bytearray | np.ndarray)
    listed: Iterable[Any] = [pictures] if lone else pictures
    if not isinstance(listed, Iterable):
        raise InputError(
            f"{pictures!r} is no picture: expected paths, URLs, encoded bytes or uint8 (h, w, 3) pixels"
        )
    return [read_picture(each) for each in listed]


def read_id(query: Any, what: str) -> str:
    """An item's id, or a value of a grouping attribute, where a service takes nothing else.

    Raises:
        InputError: If it is something else.
    """
    if isinstance(query, str):
        return str(query)
    raise InputError(
        f"{what} of type {type(query).__name__} cannot be sent: a service takes ids of items, or values of the "
        "grouping attribute; add the picture to the collection first"
    )


def png(pixels: npt.NDArray[Any]) -> bytes:
    """Pixels as a file that loses nothing.

    Raises:
        InputError: If the array is no uint8 (h, w, 3).
    """
    from PIL import Image

    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        raise InputError(
            f"an array {pixels.dtype} {pixels.shape} is no query: expected pixels, uint8 (h, w, 3), or a vector, "
            "float (d,)"
        )
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG", compress_level=1)
    return file.getvalue()


def is_place(text: str) -> bool:
    """Whether a text means a file or URL rather than words: it exists, or nobody would write words like it."""
    if "://" in text or text.lower().endswith(_ENDINGS):
        return True
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        return False


def _fetched(place: str) -> bytes:
    """A picture's bytes from this machine or the network."""
    from lookalike.images.fetch import fetch

    try:
        data = fetch(place)
    except (ImageError, UnknownItem) as error:
        raise ImageError(f"{error}; expected an image file, a URL or an item id of the collection") from None
    return data if isinstance(data, bytes) else png(data)


def parts_of(examples: Sequence[Example], field: str = "image") -> list[tuple[str, tuple[str, bytes]]]:
    """Pictures as files of a form."""
    return [(field, each.part) for each in examples if each.kind == "image"]
