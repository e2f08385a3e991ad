"""Why two images are similar, as a value: shares on both images, regions that match, and pictures of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from lookalike.collection.pictures import Pixels
from lookalike.encoders.geometry import Box, Geometry

Method = Literal["exact", "occlusion"]

WholeBox: TypeAlias = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels of the original image."""


class RegionPair(NamedTuple):
    """A region of the first image and the region of the second that it matches.

    Args:
        a, b: Left, top, right, bottom in pixels of the original images.
        likeness: Cosine of what the network says of the two regions.
        contribution: What the pair adds to the similarity. The regions do not overlap, so contributions may be
            added. None where the encoder's vector is no sum over places.
    """

    a: WholeBox
    b: WholeBox
    likeness: float
    contribution: float | None


@dataclass(frozen=True, slots=True, eq=False)
class ExplainedImage:
    """One of the two images.

    Args:
        picture: Its pixels, and where they are from.
        geometry: How these pixels became the network's input.
        shares: float64 (rows, columns), one number for each cell of the network's input. ``exact``: what the
            cell adds to the similarity; they sum to it. ``occlusion``: how much similarity is lost when the
            cell is covered.
        border: The sum of the shares that lie on border, which padding adds around an image; 0 without it.
    """

    picture: Pixels
    geometry: Geometry
    shares: npt.NDArray[np.float64]
    border: float

    @property
    def name(self) -> str:
        """The item's id or the file's name."""
        return self.picture.name

    @property
    def heat(self) -> npt.NDArray[np.float32]:
        """The shares over the image: float32 (h, w) like ``picture.pixels``, interpolated between the cells.

        In similarity for each cell; not a number where the network did not look, which a centre crop cuts off.
        """
        from lookalike.reports.heat import spread

        return spread(self.shares, self.geometry)

    def box(self, fractions: Box) -> WholeBox:
        """A box in fractions of the network's input, in pixels of the original image."""
        size = (self.geometry.input_width, self.geometry.input_height) * 2
        inside = self.geometry.to_image(np.array(fractions) * np.array(size))
        left, top, right, bottom = self.picture.in_image(inside).round().astype(int).tolist()
        return left, top, max(right, left + 1), max(bottom, top + 1)

    def drawn(self, box: WholeBox) -> Box:
        """A box of the original image in pixels of ``picture.pixels``."""
        left, top, right, bottom = self.picture.region
        height, width = self.picture.pixels.shape[:2]
        x, y = width / (right - left), height / (bottom - top)
        return (box[0] - left) * x, (box[1] - top) * y, (box[2] - left) * x, (box[3] - top) * y

    def to_dict(self) -> dict[str, Any]:
        """As plain types, for JSON."""
        return {
            "name": self.name,
            "width": self.picture.width,
            "height": self.picture.height,
            "region": list(self.picture.region),
            "seen": self.picture.in_image(np.array(self.geometry.seen)).tolist(),
            "read_from": self.picture.read_from,
            "note": self.picture.note,
            "shares": self.shares.tolist(),
            "border": self.border,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """Why two images are similar.

    Args:
        a, b: The images.
        similarity: Cosine that is explained: of the vectors that search compares, reduced ones where the
            collection is reduced.
        full_similarity: Cosine of the encoder's own vectors; the same number without a reducer.
        stored_similarity: Of two items as the collection keeps them, in its precision; None unless both are.
        method: ``exact`` or ``occlusion``.
        error: With ``exact``, by how much the shares' sum misses the similarity, at most; else None.
        pairs: Regions that match best, the largest contribution first; () for encoders without a map.
        provenance: Everything the answer depends on.
    """

    a: ExplainedImage
    b: ExplainedImage
    similarity: float
    full_similarity: float
    stored_similarity: float | None
    method: Method
    error: float | None
    pairs: tuple[RegionPair, ...]
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know of the pictures."""
        return tuple(f"{each.name}: {each.picture.note}" for each in (self.a, self.b) if each.picture.note)

    def to_dict(self) -> dict[str, Any]:
        """As plain types, for JSON; without the pixels."""
        return {
            "similarity": self.similarity,
            "full_similarity": self.full_similarity,
            "stored_similarity": self.stored_similarity,
            "method": self.method,
            "error": self.error,
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
        """One picture: matching regions with lines, heat-maps on both images, the scale."""
        from lookalike.reports.explaining import explanation_png

        return explanation_png(self._view())

    def save_png(self, path: str | PathLike[str]) -> Path:
        """Write :meth:`to_png`; returns the path written."""
        from lookalike.reports.page import write_bytes

        write_bytes(path, self.to_png())
        return Path(path)

    def save_html(self, path: str | PathLike[str]) -> Path:
        """Write a self-contained page; returns the path written."""
        from lookalike.reports.explaining import explanation_page
        from lookalike.reports.page import write

        write(path, explanation_page(self._view()))
        return Path(path)

    def _view(self) -> Any:
        from lookalike.reports.explaining import ExplanationView, Pair, Side

        return ExplanationView(
            a=Side(self.a.name, self.a.picture.pixels, self.a.heat, self.a.border),
            b=Side(self.b.name, self.b.picture.pixels, self.b.heat, self.b.border),
            similarity=self.similarity,
            full_similarity=self.full_similarity,
            reduced="reducer" in self.provenance,
            centred=self.provenance.get("reducer", {}).get("centred", False),
            method=self.method,
            error=self.error,
            pairs=[
                Pair(self.a.drawn(p.a), self.b.drawn(p.b), p.likeness, p.contribution) for p in self.pairs
            ],
            notes=self.notes,
            provenance=self.provenance,
        )
