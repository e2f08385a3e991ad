"""Pictures put together: side by side, with boxes, lines between them, and writing."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.encoders.geometry import Box
from lookalike.errors import InputError
from lookalike.reports.figures import INK, SOFT
from lookalike.types import Image

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

GAP = 28
"""Pixels between two pictures side by side."""

LINE = 3
"""Width of boxes and lines, pixels."""

RIM = 2
"""Pixels of white around them, so that they show on any picture."""

BADGE = 22
"""Side of the square with a box's number, pixels."""

SMOOTH = 3
"""Lines are drawn so many times larger and reduced, since Pillow's have no smooth edges."""

PALETTE = ("#d1263f", "#0072c6", "#e06c00", "#2c9a44", "#8a2be2", "#b58900", "#008080", "#d81b8c")
"""Colours of matching regions: all dark enough for white numbers."""


class Region(NamedTuple):
    """A pair of boxes to draw, each in pixels of its own picture."""

    a: Box
    b: Box


class Line(NamedTuple):
    """A line of writing.

    Args:
        text: As it is.
        size: Of the letters, pixels.
        soft: Whether it is less important.
    """

    text: str
    size: int = 15
    soft: bool = False


def fit(picture: Image, *, width: int | None = None, height: int | None = None) -> Image:
    """A picture scaled to a width or a height, with its proportions.

    Raises:
        InputError: Unless exactly one of them is given.
    """
    from PIL import Image as Pillow

    rows, columns = picture.shape[:2]
    if width is not None and height is None:
        scale = width / columns
    elif height is not None and width is None:
        scale = height / rows
    else:
        raise InputError(f"width {width} and height {height} were given: expected one of them")
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    return np.asarray(Pillow.fromarray(picture).resize(size, Pillow.Resampling.LANCZOS))


def beside(pictures: Sequence[Image], *, height: int) -> Image:
    """Pictures of one height in a row on white, with gaps between them.

    Args:
        pictures: uint8 (h, w, 3) each.
        height: Of the row, pixels.

    Returns:
        uint8 (height, w, 3).
    """
    scaled = [fit(picture, height=height) for picture in pictures]
    gap = np.full((height, GAP, 3), 255, np.uint8)
    parts = [part for picture in scaled for part in (gap, picture)]
    return np.concatenate(parts[1:], axis=1)


def connected(a: Image, b: Image, regions: Sequence[Region], *, height: int) -> Image:
    """Two pictures side by side, with matching regions boxed, numbered and joined by lines.

    Args:
        a, b: uint8 (h, w, 3).
        regions: The most important first.
        height: Of the result, pixels.

    Returns:
        uint8 (height, w, 3).
    """
    from PIL import Image as Pillow
    from PIL import ImageDraw

    canvas = Pillow.fromarray(beside([a, b], height=height)).convert("RGBA")
    start = canvas.width - fit(b, height=height).shape[1]
    drawing = Pillow.new("RGBA", (canvas.width * SMOOTH, canvas.height * SMOOTH))
    pen, font = ImageDraw.Draw(drawing), typeface(15 * SMOOTH)
    drawn = [
        (
            _scaled(region.a, height / a.shape[0], 0),
            _scaled(region.b, height / b.shape[0], start),
            str(number),
            PALETTE[(number - 1) % len(PALETTE)],
        )
        for number, region in enumerate(regions, start=1)
    ]
    drawn.reverse()  # the most important on top, and boxes above lines
    for one, other, _, colour in drawn:
        ends = (one[2], (one[1] + one[3]) / 2, other[0], (other[1] + other[3]) / 2)
        pen.line(ends, fill="white", width=(LINE + RIM) * SMOOTH)
        pen.line(ends, fill=colour, width=LINE * SMOOTH)
    for one, other, label, colour in drawn:
        for box in (one, other):
            _frame(pen, box, label, colour, font)
    canvas.alpha_composite(drawing.resize(canvas.size, Pillow.Resampling.BOX))
    return np.asarray(canvas.convert("RGB"))


def written(lines: Sequence[Line], width: int) -> Image:
    """Lines of writing on white; a line that is too long is set smaller, down to half, then cut.

    Args:
        lines: From the top.
        width: Of the result, pixels.

    Returns:
        uint8 (h, width, 3).
    """
    from PIL import Image as Pillow
    from PIL import ImageDraw

    heights = [round(line.size * 1.45) for line in lines]
    canvas = Pillow.new("RGB", (width, sum(heights)), "white")
    pen, top = ImageDraw.Draw(canvas), 0
    for line, height in zip(lines, heights, strict=True):
        text, font = line.text, typeface(line.size)
        if (length := font.getlength(text)) > width:
            font = typeface(max(line.size // 2, int(line.size * width / length)))
        while len(text) > 1 and font.getlength(text) > width:
            text = text[:-2] + "…"
        pen.text((0, top + height / 2), text, fill=SOFT if line.soft else INK, font=font, anchor="lm")
        top += height
    return np.asarray(canvas)


def stacked(rows: Sequence[Image], *, gap: int = 14, margin: int = 0) -> Image:
    """Pictures below each other on white, aligned to the left.

    Args:
        rows: uint8 (h, w, 3) each.
        gap: Pixels between them.
        margin: Pixels around all.

    Returns:
        uint8 (h, w, 3).
    """
    width = max(row.shape[1] for row in rows) + 2 * margin
    height = sum(row.shape[0] for row in rows) + gap * (len(rows) - 1) + 2 * margin
    canvas = np.full((height, width, 3), 255, np.uint8)
    top = margin
    for row in rows:
        canvas[top : top + row.shape[0], margin : margin + row.shape[1]] = row
        top += row.shape[0] + gap
    return canvas


def typeface(size: int) -> FreeTypeFont:
    """DejaVu Sans, which Matplotlib carries and which has the letters of many languages.

    Args:
        size: Of the letters, pixels.
    """
    from matplotlib import get_data_path
    from PIL import ImageFont

    return ImageFont.truetype(Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", size)


def png(pixels: npt.NDArray[np.uint8]) -> bytes:
    """PNG bytes of uint8 (h, w, 3) pixels."""
    from PIL import Image as Pillow

    file = io.BytesIO()
    Pillow.fromarray(pixels).save(file, "PNG", compress_level=6)
    return file.getvalue()


def _scaled(box: Box, scale: float, start: float) -> Box:
    """A box of a picture on the canvas that lines are drawn on."""
    left, top, right, bottom = (value * scale for value in box)
    return (left + start) * SMOOTH, top * SMOOTH, (right + start) * SMOOTH, bottom * SMOOTH


def _frame(pen: ImageDraw, box: Box, label: str, colour: str, font: FreeTypeFont) -> None:
    left, top, right, bottom = box
    rim = SMOOTH * RIM // 2
    pen.rectangle(box, outline="white", width=(LINE + RIM) * SMOOTH)
    pen.rectangle((left + rim, top + rim, right - rim, bottom - rim), outline=colour, width=LINE * SMOOTH)
    side = BADGE * SMOOTH
    pen.rectangle((left, top, left + side, top + side), fill=colour)
    pen.text((left + side / 2, top + side / 2), label, fill="white", font=font, anchor="mm")
