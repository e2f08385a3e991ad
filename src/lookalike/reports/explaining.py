"""Why two images are similar, as a picture and as a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.encoders.geometry import Box
from lookalike.reports import page
from lookalike.reports.figures import INK
from lookalike.reports.heat import colour_bar, overlay
from lookalike.reports.panels import Line, Region, beside, connected, png, stacked, typeface, written
from lookalike.types import Image

HEIGHT = 420
"""Of the two pictures in a row, pixels."""

INDENT = 14
"""Of the scale, pixels: pages round the corners of pictures."""

LEAST_WIDTH = 720
"""Of the picture for sharing, so that its writing has room."""

SAID = {
    "exact": (
        "Every cell's share of the similarity, computed exactly: the shares of one image sum to the similarity. "
        "Warm cells speak for it, cool ones against it."
    ),
    "occlusion": (
        "How much similarity is lost when a place is covered (blurred): warm places carry it, cool ones hide it. "
        "These drops do not sum to the similarity, since places can stand in for each other."
    ),
}


class Side(NamedTuple):
    """One of the images.

    Args:
        name: For people.
        pixels: uint8 (h, w, 3).
        heat: float32 (h, w), similarity for each cell; not a number where the network did not look.
        border: What the border that padding added contributes.
    """

    name: str
    pixels: Image
    heat: npt.NDArray[np.float32]
    border: float


class Pair(NamedTuple):
    """Two regions that match; boxes in pixels of the pictures as they are drawn."""

    a: Box
    b: Box
    likeness: float
    contribution: float | None


class ExplanationView(NamedTuple):
    """What there is to show of an explanation; fields as those of ``lookalike.collection.Explanation``.

    ``reduced``: the vectors pass through a reducer; ``centred``: which takes a mean away.
    """

    a: Side
    b: Side
    similarity: float
    full_similarity: float
    reduced: bool
    centred: bool
    method: str
    error: float | None
    pairs: Sequence[Pair]
    notes: Sequence[str]
    provenance: Mapping[str, Any]


def explanation_png(view: ExplanationView) -> bytes:
    """One picture for sharing, on white: title, matching regions, heat-maps, scale."""
    rows = [_matching(view), _heated(view)] if view.pairs else [_heated(view)]
    width = max(LEAST_WIDTH, *(row.shape[1] for row in rows))
    title = [
        Line(f"{view.a.name}   ·   {view.b.name}", size=20),
        Line(f"similarity {view.similarity:.3f}{_reduced(view)}   ·   {_method(view)}", size=16, soft=True),
        *(Line(note, size=14, soft=True) for note in view.notes),
    ]
    return png(stacked([written(title, width), *rows, _scale(view, width)], margin=24))


def explanation_page(view: ExplanationView) -> str:
    """A page: the heat-maps with their scale, the matching regions with their figures."""
    heated = stacked([_heated(view), _scale(view, _heated(view).shape[1])])
    names = f"{view.a.name} and {view.b.name}"
    sections = [
        page.Section(
            "Where they look alike",
            page.paragraph(SAID[view.method])
            + page.picture(png(heated), alt=f"heat-maps on {names}")
            + "".join(page.paragraph(text) for text in _remarks(view)),
        )
    ]
    if view.pairs:
        sections.append(
            page.Section(
                "Regions that match best",
                page.paragraph(_about_pairs(view))
                + page.picture(png(_matching(view)), alt=f"matching regions of {names}, joined by lines")
                + _table(view),
            )
        )
    lead = f"Similarity {view.similarity:.4f} (cosine), explained by {_method(view)}."
    if view.reduced:
        lead += (
            f" It is that of the reduced vectors, which search compares; the full vectors have "
            f"{view.full_similarity:.4f}."
        )
    return page.page(f"Why {names} look alike", lead, sections, view.provenance)


def _method(view: ExplanationView) -> str:
    if view.error is None:
        return "occlusion: what covering a place costs"
    return f"exact shares (they sum to it within {max(view.error, 1e-9):.0e})"


def _reduced(view: ExplanationView) -> str:
    return f" of the reduced vectors (full {view.full_similarity:.3f})" if view.reduced else ""


def _remarks(view: ExplanationView) -> list[str]:
    remarks = list(view.notes)
    if view.centred and view.method == "exact":
        remarks.append(
            "The vectors are reduced around a mean. The mean belongs to no place, so every cell carries an equal "
            "part of it: a cell counts by how far it takes the image away from the mean."
        )
    if any(np.isnan(side.heat).any() for side in (view.a, view.b)):
        remarks.append("What is greyed was cut off by the encoder's centre crop: the network did not see it.")
    if view.method == "exact":
        remarks += [
            f"The border that padding put around {side.name} adds {side.border:+.4f}, which is not drawn."
            for side in (view.a, view.b)
            if side.border
        ]
    return remarks


def _about_pairs(view: ExplanationView) -> str:
    text = (
        "Each of the two regions is the other's most alike. Regions of one image do not overlap. A late layer "
        "sees far beyond its cell, so a region stands for what lies in it and around it."
    )
    known = [pair.contribution for pair in view.pairs if pair.contribution is not None]
    if known and view.similarity > 0:
        text += f" Together the pairs make {sum(known) / view.similarity:.1%} of the similarity."
    return text


def _table(view: ExplanationView) -> str:
    rows = []
    for number, pair in enumerate(view.pairs, start=1):
        added = "" if pair.contribution is None else f"{pair.contribution:+.4f}"
        rows.append([number, f"{pair.likeness:.3f}", added])
    columns = ["pair", "likeness (cosine of the regions)", "adds to the similarity"]
    return page.table(columns, rows, right=columns)


def _limit(view: ExplanationView) -> float:
    """The largest magnitude on both images, so that their colours mean the same."""
    return max(float(np.nanmax(np.abs(side.heat))) for side in (view.a, view.b)) or 1.0


def _heated(view: ExplanationView) -> Image:
    limit = _limit(view)
    return beside([overlay(side.pixels, side.heat, limit=limit) for side in (view.a, view.b)], height=HEIGHT)


def _matching(view: ExplanationView) -> Image:
    return connected(view.a.pixels, view.b.pixels, [Region(p.a, p.b) for p in view.pairs], height=HEIGHT)


def _scale(view: ExplanationView, width: int) -> Image:
    """The colours that occur, with the numbers at their ends."""
    from PIL import Image as Pillow
    from PIL import ImageDraw

    limit = _limit(view)
    least = min(float(np.nanmin(side.heat)) for side in (view.a, view.b))
    low = least if least < -0.01 * limit else 0.0
    canvas = Pillow.new("RGB", (width, 46), "white")
    bar = colour_bar(360, 14, low=low, high=limit)
    canvas.paste(Pillow.fromarray(bar), (INDENT, 0))
    pen, font = ImageDraw.Draw(canvas), typeface(13)
    unit = "similarity a cell adds" if view.method == "exact" else "similarity lost when covered"
    ends = [(0, f"{low:+.4f}" if low else "0", "la"), (bar.shape[1], f"{limit:+.4f}", "ra")]
    for x, text, anchor in ends:
        pen.text((INDENT + x, 20), text, fill=INK, font=font, anchor=anchor)
    pen.text((INDENT + bar.shape[1] + 14, 7), unit, fill=INK, font=font, anchor="lm")
    return np.asarray(canvas)
