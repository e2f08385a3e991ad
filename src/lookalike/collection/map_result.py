"""What a map of a collection is: where each item lies, what it is coloured by, and what that depends on."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.types import AttributeValue, Item, Rows

PNG_PICTURES = 24
"""Pictures drawn on a static map by default."""

PICTURE_GAP = 0.075
"""Share of the map's extent that two of them lie apart at least, so that they do not cover each other."""


@dataclass(frozen=True, slots=True)
class Map:
    """Items in a plane; what looks alike lies together. Only distances in it mean something, not the axes.

    Args:
        ids: Of the items.
        xy: float32 (n, 2), where each lies.
        placed: bool (n,), items that came after the layout and were placed beside their neighbours.
        colour_by: What ``values`` are; None: nothing was asked.
        values: One an item, None where it has none; empty when nothing was asked.
        quality: Trustworthiness, continuity, share of neighbours and of triplets kept when it was laid out, in
            [0, 1]; empty for fewer than 4 items.
        provenance: Fingerprint, method, seed, counts, collection version: everything it depends on.
        items: Reads items by id, as long as the collection is open; ids that are gone are left out.
        thumbnails: The same for thumbnails.
    """

    ids: tuple[str, ...]
    xy: npt.NDArray[np.float32]
    placed: npt.NDArray[np.bool_]
    colour_by: str | None
    values: tuple[AttributeValue, ...]
    quality: Mapping[str, float]
    provenance: Mapping[str, Any]
    items: Callable[[Sequence[str]], Mapping[str, Item]] = field(repr=False, compare=False)
    thumbnails: Callable[[Sequence[str]], Mapping[str, bytes]] = field(repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.ids)

    def to_dict(self) -> dict[str, Any]:
        """The map as plain types, for JSON: parallel lists ``ids``, ``x``, ``y``, ``placed`` and ``values``."""
        return {
            "ids": list(self.ids),
            "x": [round(x, 4) for x in self.xy[:, 0].tolist()],
            "y": [round(y, 4) for y in self.xy[:, 1].tolist()],
            "placed": self.placed.tolist(),
            "colour_by": self.colour_by,
            "values": list(self.values),
            "quality": dict(self.quality),
            "provenance": dict(self.provenance),
        }

    def save_png(self, path: str | PathLike[str], *, pictures: int = PNG_PICTURES) -> Path:
        """Write the map as a picture with a legend.

        Args:
            path: Where to.
            pictures: Thumbnails drawn where their items lie: of each category in turn the item in its middle, or
                without categories items spread over the map. At most so many; none covers another.

        Returns:
            The path written.

        Raises:
            InputError: If the number is negative or the folder is not there.
        """
        from lookalike.reports.colouring import colouring
        from lookalike.reports.map_picture import map_picture
        from lookalike.reports.page import write_bytes

        if pictures < 0:
            raise InputError(f"{pictures} pictures cannot be drawn: expected 0 or more")
        colours = colouring(self.values) if self.colour_by is not None else None
        chosen = self._spaced(self._middles(colours), pictures)
        data = map_picture(
            self.xy,
            colours,
            title=self._title(),
            legend=self.colour_by or "",
            thumbnails=self._read_thumbnails(chosen),
        )
        write_bytes(path, data)
        return Path(path)

    def save_html(self, path: str | PathLike[str]) -> Path:
        """Write one self-contained page: pan, zoom, pictures on hover, search, legend, selection.

        All items are in it. Of more than 5,000, the pictures of 5,000 that are spread evenly over the map are.

        Returns:
            The path written.

        Raises:
            InputError: If the folder is not there.
        """
        from lookalike.reports.colouring import colouring
        from lookalike.reports.map import MOST_PICTURES, Points, map_page, spread
        from lookalike.reports.page import write

        pictured = spread(self.xy, MOST_PICTURES).tolist()
        points = Points(self.ids, self.xy, self._attributes(), self._read_thumbnails(pictured))
        page = map_page(
            self._title(),
            self._lead(),
            points,
            colouring(self.values) if self.colour_by is not None else None,
            colour_name=self.colour_by or "",
            provenance=self.provenance,
        )
        write(path, page)
        return Path(path)

    def _title(self) -> str:
        return f"Map of {Path(str(self.provenance['collection'])).name}"

    def _lead(self) -> str:
        said = f"{len(self):,} items; what looks alike lies together"
        said += f" (trustworthiness {self.quality['trustworthiness']:.3f})." if self.quality else "."
        placed = int(self.placed.sum())
        return said + (
            f" {placed:,} came after the layout and were placed beside their neighbours." if placed else ""
        )

    def _attributes(self) -> dict[str, list[AttributeValue]]:
        """Every attribute as a column, the one that colours first."""
        found = self.items(self.ids)
        names = {name: None for item in found.values() for name in item.attributes}
        columns: dict[str, list[AttributeValue]] = {}
        if self.colour_by is not None and self.colour_by not in names:
            columns[self.colour_by] = list(self.values)
        for name in names:
            columns[name] = [found[id].attributes.get(name) if id in found else None for id in self.ids]
        return columns

    def _middles(self, colours: object) -> list[int]:
        """Numbers of points worth a picture, the most important first."""
        from lookalike.reports.colouring import GREY, Categories
        from lookalike.reports.map import spread

        everywhere: list[int] = spread(self.xy, len(self)).tolist()
        if not isinstance(colours, Categories):
            return everywhere
        middles = []
        for code, colour in enumerate(colours.colours):
            if colour != GREY:
                members = np.flatnonzero(colours.codes == code)
                middle = np.median(self.xy[members], axis=0)
                middles.append(int(members[((self.xy[members] - middle) ** 2).sum(axis=1).argmin()]))
        return [*middles, *everywhere]

    def _spaced(self, candidates: Sequence[int], count: int) -> list[int]:
        """The first ``count`` of them that do not lie too close to one before."""
        chosen: list[int] = []
        if not len(self) or not count:
            return chosen
        gap = PICTURE_GAP * float(np.ptp(self.xy, axis=0).max())
        taken = np.empty((0, 2), dtype=np.float32)
        for point in candidates:
            if not len(taken) or float(((taken - self.xy[point]) ** 2).sum(axis=1).min()) >= gap**2 > 0:
                chosen.append(point)
                taken = self.xy[chosen]
                if len(chosen) == count:
                    break
        return chosen

    def _read_thumbnails(self, points: Sequence[int]) -> dict[int, bytes]:
        found = self.thumbnails([self.ids[point] for point in points])
        return {point: found[self.ids[point]] for point in points if found.get(self.ids[point])}


@dataclass(frozen=True, slots=True)
class SavedMap:
    """A map as it is kept with the collection: by row number, so that an erased item leaves nothing behind.

    Args:
        rows: int64 (n,), ascending.
        xy: float32 (n, 2).
        placed: bool (n,).
    """

    rows: Rows
    xy: npt.NDArray[np.float32]
    placed: npt.NDArray[np.bool_]

    def to_bytes(self) -> bytes:
        """As an ``.npz`` file without pickled objects."""
        file = io.BytesIO()
        np.savez_compressed(file, rows=self.rows, xy=self.xy, placed=self.placed)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> SavedMap:
        """What :meth:`to_bytes` gave."""
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return cls(arrays["rows"], arrays["xy"], arrays["placed"])

    def only(self, rows: Rows) -> SavedMap:
        """Without the rows that are not among these."""
        kept = np.isin(self.rows, rows, assume_unique=True)
        return SavedMap(self.rows[kept], self.xy[kept], self.placed[kept])

    def joined(self, rows: Rows, xy: npt.NDArray[np.float32]) -> SavedMap:
        """With more rows, which were placed."""
        every = np.concatenate([self.rows, rows])
        order = np.argsort(every)
        placed = np.concatenate([self.placed, np.ones(len(rows), dtype=np.bool_)])
        return SavedMap(every[order], np.concatenate([self.xy, xy])[order], placed[order])
