"""The words of the design as values: small, frozen, without behaviour of their own.

Shared by every floor; imports nothing of lookalike but the errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError

Image: TypeAlias = npt.NDArray[np.uint8]
"""Decoded, upright RGB pixels: uint8 (height, width, 3)."""

Embeddings: TypeAlias = npt.NDArray[np.float32]
"""float32 (n, d), L2-normalised rows; a single embedding is float32 (d,)."""

Rows: TypeAlias = npt.NDArray[np.int64]
"""Row numbers of a store: int64 (n,), ascending, never reused."""

AttributeValue: TypeAlias = str | int | float | bool | list[str] | None
AttributeType: TypeAlias = Literal["text", "integer", "number", "boolean", "list"]


class ItemId(str):
    """A text that means an item and nothing else; a plain text may also be a path, a URL or words.

    For faces that answer strangers: a query of theirs must not read the files of the machine that answers.
    """

    __slots__ = ()


class Words(str):
    """A text that means words and nothing else, even where an item or a file has them for a name."""

    __slots__ = ()


TAGS = "tags"
"""The one built-in attribute: a list of words, the encoder's labels joined with the user's own."""


@dataclass(frozen=True, slots=True)
class Crop:
    """A region of an upright image.

    Args:
        x, y: Left and top edge.
        width, height: Extent, greater than 0.

    All four are pixels; when all four are at most 1 they are fractions of the image's width and height.

    Raises:
        InputError: If a number is negative or not finite, or the extent is empty.
    """

    x: float
    y: float
    width: float
    height: float

    def __post_init__(self) -> None:
        numbers = (self.x, self.y, self.width, self.height)
        if not all(np.isfinite(n) and n >= 0 for n in numbers) or self.width == 0 or self.height == 0:
            raise InputError(
                f"crop {numbers} is not a region: expected x, y >= 0 and width, height > 0, "
                "in pixels or, when all are at most 1, in fractions of the image"
            )

    @classmethod
    def parse(cls, text: str) -> Crop:
        """Read ``"x,y,w,h"``.

        Raises:
            InputError: If it is not four numbers.
        """
        try:
            x, y, width, height = (float(part) for part in text.split(","))
        except ValueError:
            raise InputError(
                f"crop {text!r} is not four numbers: expected X,Y,W,H as in 10,20,200,150"
            ) from None
        return cls(x, y, width, height)

    def pixels(self, width: int, height: int) -> tuple[int, int, int, int]:
        """The region as (left, top, right, bottom) pixels of a ``width`` x ``height`` image, cut at its edges.

        Raises:
            InputError: If nothing of the region lies inside the image.
        """
        fractions = max(self.x, self.y, self.width, self.height) <= 1
        sx, sy = (width, height) if fractions else (1, 1)
        left, top = round(self.x * sx), round(self.y * sy)
        right = min(round((self.x + self.width) * sx), width)
        bottom = min(round((self.y + self.height) * sy), height)
        if right <= left or bottom <= top:
            raise InputError(f"crop {self} lies outside the image of {width} x {height} pixels")
        return left, top, right, bottom


@dataclass(frozen=True, slots=True)
class Item:
    """One image in a collection, as a store returns it."""

    row: int
    id: str
    uri: str
    sha256: str
    width: int
    height: int
    attributes: Mapping[str, AttributeValue]


@dataclass(frozen=True, slots=True)
class Hit:
    """One answer to a query.

    Args:
        id: The item's id.
        score: Cosine similarity with the query, in [-1, 1].
        strength: Calibrated match strength in [0, 1]: see ``lookalike.vectors.strength``; None when the
            answer came from words rather than vectors.
        attributes: The item's attributes, ``tags`` among them.
        uri: Where the image came from.
    """

    id: str
    score: float
    strength: float | None
    attributes: Mapping[str, AttributeValue]
    uri: str


class Failure(NamedTuple):
    """One input that could not become an item, and why."""

    uri: str
    reason: str


@dataclass(frozen=True, slots=True)
class Record:
    """One item on its way into a store.

    Args:
        id: Unique in the collection.
        uri: Where the image came from.
        source: Name of the source it came through; what ``--prune`` looks at.
        stamp: Opaque token; equal stamps promise equal bytes. None when the source cannot promise that.
        sha256: Of the bytes (of the pixels for a video frame), hexadecimal.
        width, height: Of the upright image, pixels.
        embedding: float32 (d,), L2-normalised.
        thumbnail: WebP bytes, the longer side at most 256 pixels.
        labels: The encoder's own words for the image, best first.
        attributes: The user's attributes; a list value only under ``tags``.
    """

    id: str
    uri: str
    source: str
    stamp: str | None
    sha256: str
    width: int
    height: int
    embedding: Embeddings
    thumbnail: bytes
    labels: tuple[str, ...] = ()
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)


MOST_WEIGHT = 1e6
"""Of an event or an interaction: sums of more would leave the range in which numbers can be told apart."""


@dataclass(frozen=True, slots=True)
class Interaction:
    """Something that a user did to an item, once.

    Args:
        user: Who, by a name of the application's own.
        item: What: an item's id, or a value of a grouping attribute such as a product. Which of the two is decided
            when interactions are used, so a product that is not indexed yet may be named.
        event: Name of the kind of event, such as ``view`` or ``purchase``.
        time: When, with its time zone.
        weight: Multiplies the weight of the event, 0 to MOST_WEIGHT; a share of a film seen, a number of pieces bought.

    Raises:
        InputError: If a name is empty, the time has no zone, or the weight is out of range.
    """

    user: str
    item: str
    event: str
    time: datetime
    weight: float = 1.0

    def __post_init__(self) -> None:
        if (  # millions are made, so the common case is quick
            type(self.user) is type(self.item) is type(self.event) is str
            and self.user
            and self.item
            and self.event
            and type(self.time) is datetime
            and self.time.tzinfo is UTC
            and 0 <= self.weight <= MOST_WEIGHT
        ):
            return
        for what, name in (("user", self.user), ("item", self.item), ("event", self.event)):
            if not isinstance(name, str) or not name:
                raise InputError(
                    f"the {what} of an interaction is {name!r}: expected a text that is not empty"
                )
        if not isinstance(self.time, datetime) or self.time.utcoffset() is None:
            raise InputError(
                f"the time of an interaction is {self.time!r}: expected a datetime with its time zone, "
                "such as datetime.now(timezone.utc)"
            )
        if not 0 <= self.weight <= MOST_WEIGHT:
            raise InputError(
                f"the weight of an interaction is {self.weight}: expected a number from 0 to {MOST_WEIGHT:,.0f}; what "
                "is disliked is said by the event"
            )
