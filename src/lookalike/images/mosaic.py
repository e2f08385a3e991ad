"""Making people unrecognisable: cells of one colour each, too coarse to be read back.

How few cells a face needs to be known again was measured: recognition breaks down below about 18 cells across a face
(Bachmann 1991, https://doi.org/10.1080/09541449108406221). Here a whole person gets 6 along the longer side, so that a
face is one or two. The cells of a box lie in the same place within it in every frame, and colours are rounded, so that
neighbouring frames add little to each other.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.types import Image

CELLS = 6
"""Along the longer side of a box."""

FRAME_CELLS = 24
"""Along the longer side of a frame: a person who fills all of it still has a face of three or four cells."""

STEP = 16
"""Of 256 levels of a channel: what is left of small differences between frames."""


def mosaic(image: Image, cells: int) -> Image:
    """The picture in cells, each of the mean colour of what it covers.

    Args:
        image: uint8 (h, w, 3).
        cells: Along the longer side; at least 1. The other side gets as many as make them square.

    Returns:
        uint8 (h, w, 3), a new array.

    Raises:
        InputError: If there are no cells.
    """
    if cells < 1:
        raise InputError(f"a mosaic of {cells} cells is none: expected at least 1 along the longer side")
    height, width = image.shape[:2]
    if not image.size:
        return image.copy()
    side = max(height, width) / cells
    rows, columns = _edges(height, side), _edges(width, side)
    sums = np.add.reduceat(image.astype(np.int64), rows[:-1], axis=0)
    sums = np.add.reduceat(sums, columns[:-1], axis=1)
    high, wide = np.diff(rows), np.diff(columns)
    means = sums / (high[:, None] * wide[None])[..., None]
    small = np.clip(np.round(means / STEP) * STEP, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(np.repeat(np.repeat(small, high, axis=0), wide, axis=1))


def hide(image: Image, box: tuple[int, int, int, int], *, cells: int = CELLS) -> None:
    """Replace a part of a picture by its mosaic, in place.

    Args:
        image: uint8 (h, w, 3), which is changed.
        box: Left, top, right, bottom in pixels; what lies outside of the picture is left out.
        cells: Along the longer side of the box.
    """
    height, width = image.shape[:2]
    left, top = max(0, box[0]), max(0, box[1])
    right, bottom = min(width, box[2]), min(height, box[3])
    if right > left and bottom > top:
        image[top:bottom, left:right] = mosaic(image[top:bottom, left:right], cells)


def _edges(length: int, side: float) -> npt.NDArray[np.int64]:
    count = max(1, round(length / side))
    edges: npt.NDArray[np.int64] = np.unique(np.linspace(0, length, count + 1).round().astype(np.int64))
    return edges
