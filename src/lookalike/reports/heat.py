"""Numbers on places as heat-maps, over an image or alone.

Colours are those of two published maps as Matplotlib has them: "coolwarm" for signed numbers (Moreland,
"Diverging Color Maps for Scientific Visualization", 2009), of which warm stands for positive and cool for
negative, and "viridis" (Smith and van der Walt, CC0) for numbers without sign; both change evenly to the eye.
"""

from __future__ import annotations

from functools import cache
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from lookalike.encoders.geometry import Geometry
from lookalike.errors import InputError
from lookalike.types import Image

Scale = Literal["signed", "unsigned"]
MAPS: dict[Scale, str] = {"signed": "coolwarm", "unsigned": "viridis"}

Heat: TypeAlias = npt.NDArray[np.float32]
"""float32 (h, w), not a number where the network did not look."""

FADED = 0.35
"""How much of an image's own colour stays under a heat-map; the rest is its grey, so that colour means heat."""

STRONGEST = 0.82
"""Opacity of the largest number; zero is transparent, so that nothing is covered where nothing was found."""

UNSEEN = (128, 128, 128)
"""Laid over what the network did not see."""

UNSEEN_OPACITY = 0.62


def spread(grid: npt.ArrayLike, geometry: Geometry) -> Heat:
    """A map of cells as a heat-map in the coordinates of the image.

    Args:
        grid: float (rows, columns), one number for each cell of the network's input.
        geometry: Of the image.

    Returns:
        float32 (geometry.height, geometry.width), interpolated bicubically between the cells' centres and kept
        within their range; not a number where the network did not look.

    Raises:
        InputError: If the grid is no finite map.
    """
    from PIL import Image as Pillow

    values = np.asarray(grid, np.float32)
    if values.ndim != 2 or values.size == 0 or not np.isfinite(values).all():
        raise InputError(
            f"a map of shape {values.shape} cannot be drawn: expected finite numbers (rows, columns)"
        )
    rows, columns = values.shape
    left, top = (int(np.ceil(edge - 1e-6)) for edge in geometry.seen[:2])
    right, bottom = (
        max(int(np.floor(edge + 1e-6)), first + 1)
        for edge, first in zip(geometry.seen[2:], (left, top), strict=True)
    )
    x0, y0, x1, y1 = geometry.to_input(np.array([left, top, right, bottom])).tolist()
    across, down = columns / geometry.input_width, rows / geometry.input_height
    part = Pillow.fromarray(values).resize(
        (right - left, bottom - top),
        Pillow.Resampling.BICUBIC,
        box=(x0 * across, y0 * down, min(x1 * across, columns), min(y1 * down, rows)),
    )
    heat = np.full((geometry.height, geometry.width), np.nan, np.float32)
    heat[top:bottom, left:right] = np.clip(np.asarray(part), values.min(), values.max())
    return heat


def overlay(picture: Image, heat: Heat, *, limit: float) -> Image:
    """An image under a signed heat-map: warm where positive, cool where negative, clear at zero.

    Args:
        picture: uint8 (h, w, 3).
        heat: float32 (h, w); not a number where the network did not look, which is greyed.
        limit: The magnitude that is drawn in full colour; give two pictures the same to compare them.

    Returns:
        uint8 (h, w, 3).

    Raises:
        InputError: If the shapes differ or the limit is not greater than 0.
    """
    if heat.shape != picture.shape[:2]:
        raise InputError(f"a heat-map of {heat.shape} does not fit a picture of {picture.shape[:2]}")
    if not limit > 0:
        raise InputError(f"limit is {limit}: expected a magnitude above 0")
    unseen = np.isnan(heat)
    level = np.clip(np.where(unseen, 0, heat) / limit, -1, 1)
    colour = _table("signed")[np.rint((level + 1) * 127.5).astype(int)]
    opacity = (STRONGEST * np.abs(level))[..., None]
    pixels = picture.astype(np.float32)
    grey = pixels @ np.array([0.299, 0.587, 0.114], np.float32)
    pixels = FADED * pixels + (1 - FADED) * grey[..., None]
    pixels = np.where(
        unseen[..., None],
        (1 - UNSEEN_OPACITY) * pixels + UNSEEN_OPACITY * np.array(UNSEEN, np.float32),
        (1 - opacity) * pixels + opacity * colour,
    )
    return np.rint(pixels).astype(np.uint8)


def tinted(heat: npt.NDArray[np.float32], *, low: float, high: float, scale: Scale = "unsigned") -> Image:
    """A heat-map alone.

    Args:
        heat: float32 (h, w), finite.
        low, high: The numbers of the first and the last colour.
        scale: ``unsigned`` or ``signed``.

    Returns:
        uint8 (h, w, 3).

    Raises:
        InputError: If the scale has no extent.
    """
    if not high > low:
        raise InputError(f"a scale from {low} to {high} has no extent: expected low < high")
    level = np.clip((heat - low) / (high - low), 0, 1)
    pixels: Image = _table(scale)[np.rint(level * 255).astype(int)].astype(np.uint8)
    return pixels


def colour_bar(width: int, height: int, *, low: float, high: float) -> Image:
    """The colours of :func:`overlay` on white, from ``low`` on the left to ``high``, drawn with ``limit=high``.

    Args:
        width, height: Pixels.
        low, high: The numbers at its ends; ``high`` is above 0 and of the larger magnitude.

    Returns:
        uint8 (height, width, 3).
    """
    levels = np.broadcast_to(np.linspace(low, high, width, dtype=np.float32), (height, width))
    return overlay(np.full((height, width, 3), 255, np.uint8), levels, limit=high)


@cache
def _table(scale: Scale) -> npt.NDArray[np.float32]:
    """256 RGB colours, 0 to 255."""
    import matplotlib

    colours = matplotlib.colormaps[MAPS[scale]](np.linspace(0, 1, 256))[:, :3]
    return (255 * np.asarray(colours)).astype(np.float32)
