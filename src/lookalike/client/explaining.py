"""Why two pictures are similar, as a service explains it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.client.base import RemoteBase
from lookalike.client.examples import Example, Query, parts_of, read_picture
from lookalike.client.searching import crop_text
from lookalike.client.transport import parsed
from lookalike.collection.explaining import Wanted
from lookalike.collection.explanation import Method, RegionPair, WholeBox
from lookalike.errors import InputError
from lookalike.types import Crop, ItemId


@dataclass(frozen=True, slots=True, eq=False)
class RemoteExplainedImage:
    """One of the two pictures; its pixels stayed on the service.

    Args:
        name: The item's id, or the file's name.
        width, height: Of the whole image, pixels.
        region: Left, top, right, bottom of the part that was looked at, in its pixels.
        seen: What of it the network saw, in the same way.
        read_from: An item's ``original`` or its ``thumbnail``; ``given`` when it is no item.
        note: What a reader must know of where the pixels came from; empty for nothing.
        shares: float64 (rows, columns), one number for each cell of the network's input.
        border: The sum of the shares that lie on border, which padding adds around an image.
    """

    name: str
    width: int
    height: int
    region: WholeBox
    seen: tuple[float, ...]
    read_from: str
    note: str
    shares: npt.NDArray[np.float64]
    border: float

    def to_dict(self) -> dict[str, Any]:
        """As plain types, for JSON."""
        names = ("name", "width", "height", "read_from", "note", "border")
        return {
            **{name: getattr(self, name) for name in names},
            "region": list(self.region),
            "seen": list(self.seen),
            "shares": self.shares.tolist(),
        }


@dataclass(frozen=True, slots=True, eq=False)
class RemoteExplanation:
    """Why two pictures are similar; the numbers of ``lookalike.Explanation``, without the pixels.

    Args:
        a, b: The pictures.
        similarity, full_similarity, stored_similarity, method, error, pairs, notes, provenance: As there.
        drawn: Asks the service for the picture of it.
    """

    a: RemoteExplainedImage
    b: RemoteExplainedImage
    similarity: float
    full_similarity: float
    stored_similarity: float | None
    method: Method
    error: float | None
    pairs: tuple[RegionPair, ...]
    notes: tuple[str, ...]
    provenance: Mapping[str, Any]
    drawn: Callable[[], bytes] = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """As plain types, for JSON."""
        names = ("similarity", "full_similarity", "stored_similarity", "method", "error")
        return {
            **{name: getattr(self, name) for name in names},
            "a": self.a.to_dict(),
            "b": self.b.to_dict(),
            "pairs": [
                {"a": list(p.a), "b": list(p.b), "likeness": p.likeness, "contribution": p.contribution}
                for p in self.pairs
            ],
            "notes": list(self.notes),
            "provenance": dict(self.provenance),
        }

    def to_png(self) -> bytes:
        """One picture, which the service draws: matching regions with lines, heat-maps on both, the scale."""
        return self.drawn()

    def save_png(self, path: str | PathLike[str]) -> Path:
        """Write :meth:`to_png`; returns the path written."""
        target = Path(path)
        target.write_bytes(self.to_png())
        return target


class RemoteExplaining(RemoteBase):
    """Explains similarities."""

    def explain(
        self,
        a: Query,
        b: Query,
        *,
        method: Wanted = "auto",
        pairs: int = 5,
        crop: Crop | Sequence[float] | str | None = None,
    ) -> RemoteExplanation:
        """Where two images look alike; arguments as of ``Collection.explain``.

        Args:
            a, b: An item's id, a path or URL, encoded bytes, or uint8 (h, w, 3) pixels; one of them is an item.
            method, pairs: As there.
            crop: The region of the first image, which is no item then.

        Raises:
            ImageError: If a picture cannot be read.
            InputError: If an argument is wrong, or neither is an item.
        """
        first, second = (self._explained(each) for each in (a, b))
        asked: dict[str, Any] = {"method": method, "pairs": pairs}
        region = crop_text(crop)
        if first.kind == second.kind == "image":
            raise InputError("neither picture is an item: a service explains an item and another picture")
        if region is not None and first.kind == "id":
            raise InputError(
                "a crop was given, but the first is an item: give its picture, as a file or bytes"
            )
        if first.kind == second.kind:
            wanted = {"a": first.value, "b": second.value, **asked}
            answer = self._transport.get(self._at("explain"), **wanted)
            return _explanation(answer, lambda: self._drawn("GET", params=wanted))
        picture, item = (first, second) if first.kind == "image" else (second, first)
        form = {
            "b": item.value,
            "method": method,
            "pairs": str(pairs),
            **({"crop": region} if region else {}),
        }
        body: dict[str, Any] = {"data": form, "files": parts_of([picture]), "repeatable": True}
        answer = parsed(self._transport.request("POST", self._at("explain"), **body))
        answer["a"]["name"] = picture.name
        if picture is second:
            answer = _turned(answer)
        return _explanation(answer, lambda: self._drawn("POST", **body))

    def _explained(self, query: Query) -> Example:
        """An item if the collection has the id, else a picture; a folder tells apart pictures of one name."""
        if isinstance(query, ItemId) or (isinstance(query, str) and query in self):
            return Example("id", query, str(query))
        example = read_picture(query)
        if isinstance(query, str | PathLike):
            return replace(example, name="/".join(Path(fspath(query)).parts[-2:]))
        return example

    def _drawn(self, method: str, **body: Any) -> bytes:
        return self._transport.request(method, self._at("explain.png"), **body).content


def _turned(answer: dict[str, Any]) -> dict[str, Any]:
    """The two pictures exchanged."""
    pairs = [{**pair, "a": pair["b"], "b": pair["a"]} for pair in answer["pairs"]]
    return {**answer, "a": answer["b"], "b": answer["a"], "pairs": pairs}


def _explanation(answer: Mapping[str, Any], drawn: Callable[[], bytes]) -> RemoteExplanation:
    return RemoteExplanation(
        a=_image(answer["a"]),
        b=_image(answer["b"]),
        similarity=answer["similarity"],
        full_similarity=answer["full_similarity"],
        stored_similarity=answer["stored_similarity"],
        method=answer["method"],
        error=answer["error"],
        pairs=tuple(
            RegionPair(_box(p["a"]), _box(p["b"]), p["likeness"], p["contribution"]) for p in answer["pairs"]
        ),
        notes=tuple(answer["notes"]),
        provenance=answer["provenance"],
        drawn=drawn,
    )


def _image(side: Mapping[str, Any]) -> RemoteExplainedImage:
    return RemoteExplainedImage(
        **{
            **side,
            "region": _box(side["region"]),
            "seen": tuple(side["seen"]),
            "shares": np.array(side["shares"], dtype=np.float64),
        }
    )


def _box(numbers: Sequence[int]) -> WholeBox:
    left, top, right, bottom = numbers
    return left, top, right, bottom
