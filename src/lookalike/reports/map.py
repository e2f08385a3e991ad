"""A map as one interactive page: pan, zoom, pictures on hover, search, legend, selection; nothing is loaded."""

from __future__ import annotations

import base64
import io
import json
import math
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from string import Template
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.reports.colouring import GREY, SCALE, Categories, Scale
from lookalike.reports.figures import ACCENT
from lookalike.reports.page import data_uri
from lookalike.types import AttributeValue

MOST_PICTURES = 5_000
"""Pictures in a page at most: 5 to 10 MB. A hundred thousand would be too many for a browser to open."""

LARGE_TILE, SMALL_TILE = 96, 64
"""Pixels of a picture's side in the page."""

FEW_PICTURES = 2_000
"""Up to so many pictures are large."""

ACROSS = 16
"""Pictures in a row and in a column of a sheet."""

SHEET_QUALITY = 72

MOST_ATTRIBUTE_BYTES = 24 << 20
"""Of attributes in a page; those that take most are left out beyond it."""

STEPS = 254
"""Colours of a scale."""


class Points(NamedTuple):
    """What a page shows.

    Args:
        ids: n of them.
        positions: float32 (n, 2).
        attributes: Name: n values.
        thumbnails: Number of a point: WebP, PNG or JPEG bytes, in the order of importance.
    """

    ids: Sequence[str]
    positions: npt.NDArray[np.float32]
    attributes: Mapping[str, Sequence[AttributeValue]]
    thumbnails: Mapping[int, bytes]


def map_page(
    title: str,
    lead: str,
    points: Points,
    colours: Categories | Scale | None,
    *,
    colour_name: str,
    provenance: Mapping[str, object],
) -> str:
    """The page as text.

    Args:
        title: What it shows.
        lead: In a sentence.
        points: The points.
        colours: Of the points; None: all alike.
        colour_name: What the colours mean.
        provenance: What the map depends on.
    """
    columns, left_out = _columns(points.attributes)
    codes, palette, legend = _colours(colours, colour_name, len(points.ids))
    data = {
        "ids": list(points.ids),
        "xy": _base64(points.positions.astype("<f4")),
        "codes": _base64(codes.astype("<u2")),
        "palette": palette,
        "legend": legend,
        "columns": columns,
        "pictures": _pictures(points.thumbnails),
    }
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return _template().substitute(
        title=escape(title),
        lead=escape(lead),
        notes="".join(f"<p>{escape(note)}</p>" for note in _notes(points, left_out)),
        footer=escape("  ·  ".join(f"{name}: {_said(value)}" for name, value in provenance.items())),
        data=text.replace("<", "\\u003c"),  # no text of a user may end the script
        script=_own_file("map.js"),
    )


def spread(positions: npt.NDArray[np.float32], count: int) -> npt.NDArray[np.int64]:
    """Points that cover a map evenly, int64 (at most count,), in an order of which every beginning does so too.

    The map is cut into about as many squares as points are wanted; each square gives its first point in turn,
    then its second, and so on.

    Args:
        positions: float32 (n, 2).
        count: How many.
    """
    n = len(positions)
    if not n:
        return np.empty(0, dtype=np.int64)
    side = max(1, math.isqrt(min(n, count)))
    low = positions.min(axis=0)
    width = np.maximum(positions.max(axis=0) - low, np.float32(1e-9))
    cells = np.minimum(((positions - low) / width * side).astype(np.int64), side - 1)
    cell = cells[:, 0] * side + cells[:, 1]
    order = np.argsort(cell, kind="stable")
    starts = np.searchsorted(cell[order], cell[order])
    turn = np.empty(n, dtype=np.int64)
    turn[order] = np.arange(n) - starts
    scattered = (
        cell * 2_654_435_761
    ) % 2**32  # squares in no order of their own, so that a beginning covers all
    return np.lexsort((scattered, turn))[:count]


@cache
def _template() -> Template:
    return Template(_own_file("map.html"))


@cache
def _own_file(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")


def _colours(
    colours: Categories | Scale | None, name: str, n: int
) -> tuple[npt.NDArray[np.int64], list[str], dict[str, Any] | None]:
    """Code of each point, the palette, and the legend."""
    if isinstance(colours, Categories):
        legend = {"name": name, "names": list(colours.names), "counts": list(colours.counts)}
        return colours.codes.astype(np.int64), list(colours.colours) or [ACCENT], legend
    if isinstance(colours, Scale):
        shares = colours.shares()
        known = np.isfinite(shares)
        codes = np.where(known, np.round(np.nan_to_num(shares) * (STEPS - 1)), STEPS).astype(np.int64)
        missing = int(np.count_nonzero(~known))
        note = "Logarithmic. " if colours.logarithmic else ""
        note += "Numbers beyond the ends have their colour."
        note += f" {missing:,} without a number are grey." if missing else ""
        scale = {"low": colours.low, "high": colours.high, "stops": list(SCALE), "note": note}
        return codes, [*scale_colours(STEPS), GREY], {"name": name, "scale": scale}
    return np.zeros(n, dtype=np.int64), [ACCENT], None


def scale_colours(steps: int) -> list[str]:
    """So many colours of the scale, from low to high."""
    stops = np.array([[int(stop[at : at + 2], 16) for at in (1, 3, 5)] for stop in SCALE])
    where = np.linspace(0, len(stops) - 1, steps)
    mixed = np.stack([np.interp(where, np.arange(len(stops)), stops[:, part]) for part in range(3)], axis=1)
    return ["#" + "".join(f"{round(part):02x}" for part in colour) for colour in mixed]


def _columns(
    attributes: Mapping[str, Sequence[AttributeValue]],
) -> tuple[list[dict[str, Any]], list[str]]:
    """Attributes in the form that the page reads, and the names of those for which there is no room."""
    made = [_column(name, values) for name, values in attributes.items()]
    sizes = [len(json.dumps(column, ensure_ascii=False)) for column in made]
    left_out: list[str] = []
    for number in np.argsort(sizes)[::-1]:
        if sum(sizes) <= MOST_ATTRIBUTE_BYTES:
            break
        sizes[number] = 0
        left_out.append(made[number]["name"])
    return [column for column in made if column["name"] not in left_out], left_out


def _column(name: str, values: Sequence[AttributeValue]) -> dict[str, Any]:
    known = [value for value in values if value is not None]
    if known and all(isinstance(value, int | float) and not isinstance(value, bool) for value in known):
        numbers = [float(value) if isinstance(value, int | float) else math.nan for value in values]
        return {"name": name, "numbers": _base64(np.array(numbers, dtype="<f8"))}
    texts = [_text(value) for value in values]
    kinds = {text: code for code, text in enumerate(dict.fromkeys(texts))}
    codes = np.array([kinds[text] for text in texts], dtype="<u4")
    return {"name": name, "values": list(kinds), "codes": _base64(codes)}


def _text(value: AttributeValue) -> str | None:
    if value is None or value == []:
        return None
    if isinstance(value, list):
        return ", ".join(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _pictures(thumbnails: Mapping[int, bytes]) -> dict[str, Any] | None:
    """Small pictures side by side in sheets: one file for 256 of them instead of 256."""
    from PIL import Image

    if not thumbnails:
        return None
    tile = LARGE_TILE if len(thumbnails) <= FEW_PICTURES else SMALL_TILE
    numbers, each = list(thumbnails), ACROSS * ACROSS
    sheets = []
    for first in range(0, len(numbers), each):
        block = numbers[first : first + each]
        rows = -(-len(block) // ACROSS)
        sheet = Image.new("RGB", (tile * min(ACROSS, len(block)), tile * rows), "white")
        for place, number in enumerate(block):
            with Image.open(io.BytesIO(thumbnails[number])) as opened:
                small = opened.convert("RGB")
            small.thumbnail((tile, tile))
            left, top = place % ACROSS * tile, place // ACROSS * tile
            sheet.paste(small, (left + (tile - small.width) // 2, top + (tile - small.height) // 2))
        file = io.BytesIO()
        sheet.save(file, "WEBP", quality=SHEET_QUALITY)
        sheets.append(data_uri(file.getvalue()))
    return {
        "tile": tile,
        "across": ACROSS,
        "sheets": sheets,
        "points": _base64(np.array(numbers, dtype="<u4")),
    }


def _notes(points: Points, left_out: Sequence[str]) -> list[str]:
    n, pictures = len(points.ids), len(points.thumbnails)
    notes = ["Only nearness means something: directions, axes and distances across the map do not."]
    if pictures == n:
        notes.append(f"All {n:,} items, each with its picture.")
    else:
        notes.append(
            f"All {n:,} items; pictures of {pictures:,} of them, spread evenly over the map, so that a browser "
            "can open the page. The others show their id and attributes."
        )
    if left_out:
        notes.append(f"Left out for their size: {', '.join(left_out)}.")
    return notes


def _said(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_said(each)}" for name, each in value.items())
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _base64(array: npt.NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")
