"""Boxes with names, drawn on the frames of a camera."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lookalike.types import Image

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

GOLDEN = 0.6180339887498949
"""Steps of this share of the colour circle keep many colours apart, however many there will be."""

LEAST_LETTERS = 11
"""Height of letters in pixels on a small picture."""


class DrawnBox(NamedTuple):
    """A box on a frame.

    Args:
        box: Left, top, right, bottom in pixels.
        text: Above it, or inside where there is no room; empty for none.
        colour: Red, green, blue.
        dashed: Whether it was not seen there but filled in between two sightings.
    """

    box: tuple[int, int, int, int]
    text: str
    colour: tuple[int, int, int]
    dashed: bool = False


def identity_colour(number: int) -> tuple[int, int, int]:
    """The colour of an identity by its number: always the same, far from that of its neighbours."""
    red, green, blue = colorsys.hls_to_rgb((number * GOLDEN) % 1.0, 0.46 + 0.09 * (number % 3), 0.78)
    return round(red * 255), round(green * 255), round(blue * 255)


def draw_boxes(image: Image, boxes: Sequence[DrawnBox], *, note: str = "") -> Image:
    """A frame with boxes.

    Args:
        image: uint8 (h, w, 3), which stays as it is.
        boxes: Drawn in order, the last on top.
        note: In the corner below on the left, such as the time; empty for none.

    Returns:
        uint8 (h, w, 3).
    """
    from PIL import Image as Pillow
    from PIL import ImageDraw

    height, width = image.shape[:2]
    scale = max(height, width)
    font, line = _font(max(LEAST_LETTERS, round(scale / 52))), max(1, round(scale / 420))
    picture = Pillow.fromarray(image)
    draw = ImageDraw.Draw(picture)
    for each in boxes:
        if each.dashed:
            _dashes(draw, each.box, each.colour, line)
        else:
            draw.rectangle(each.box, outline=each.colour, width=line)
    for each in boxes:  # after all boxes, so that no line crosses a name
        if each.text:
            left, top = each.box[0], each.box[1]
            _label(draw, each.text, (left, top), each.colour, font, (width, height))
    if note:
        _label(draw, note, (0, height), (24, 26, 30), font, (width, height))
    return np.asarray(picture)


def _label(
    draw: ImageDraw,
    text: str,
    corner: tuple[int, int],
    colour: tuple[int, int, int],
    font: FreeTypeFont,
    size: tuple[int, int],
) -> None:
    """Text on a field of its colour that stands on a corner, moved into the picture."""
    near_x, near_y, far_x, far_y = draw.textbbox((0, 0), text, font=font)
    wide, high = round(far_x - near_x) + 6, round(far_y - near_y) + 5
    left = max(0, min(corner[0], size[0] - wide))
    top = max(0, min(corner[1] - high, size[1] - high))
    draw.rectangle((left, top, left + wide - 1, top + high - 1), fill=colour)
    light = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
    ink = (18, 20, 24) if light > 150 else (255, 255, 255)
    draw.text((left + 3 - near_x, top + 2 - near_y), text, fill=ink, font=font)


def _dashes(draw: ImageDraw, box: tuple[int, int, int, int], colour: tuple[int, int, int], line: int) -> None:
    left, top, right, bottom = box
    for x in range(left, right, 8):
        for y in (top, bottom):
            draw.line((x, y, min(x + 4, right), y), fill=colour, width=line)
    for y in range(top, bottom, 8):
        for x in (left, right):
            draw.line((x, y, x, min(y + 4, bottom)), fill=colour, width=line)


@lru_cache(maxsize=8)
def _font(size: int) -> FreeTypeFont:
    """A face that knows more alphabets than Pillow's own; matplotlib brings it."""
    from matplotlib import get_data_path
    from PIL import ImageFont

    return ImageFont.truetype(str(Path(get_data_path(), "fonts", "ttf", "DejaVuSans-Bold.ttf")), size)
