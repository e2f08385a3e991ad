"""Which pixels of a frame do not belong to the empty scene, with shadows taken out.

The threshold follows the noise of each frame, so that night and day need no setting. A shadow darkens a surface and
keeps its colour: pixels that a factor between 0.7 and 1 explains are taken out (Horprasert, Harwood & Davis 1999, "A
statistical approach for real-time robust background subtraction and shadow detection"). A change of exposure moves
everything by a factor, which is divided out first.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lookalike.types import Image

Mask = npt.NDArray[np.bool_]
Levels = npt.NDArray[np.int16]

LEAST_NOISE = 2.0
"""Grey levels that count as noise where a picture has none: compression moves flat surfaces by that much."""

WEAK, STRONG = 7.0, 14.0
"""Differences, in units of the noise: a region of weak ones counts if it holds strong ones."""

DARKEST_SHADOW = 0.7
"""A shadow leaves at least so much of the light. Deeper ones look like dark clothes."""

SHADOW_COLOUR = 3.0
"""Units of the noise by which a shadow's colour may differ from the darkened surface."""

NOISE_STEP = 4
"""Every fourth pixel of every fourth row says how noisy a frame is."""

EXPOSURE_STEP = 8
EXPOSURE_RANGE = (0.5, 2.0)
"""Factors of exposure that are divided out; beyond, the light was switched on or off."""


def foreground(image: Image, empty: Image) -> tuple[Mask, Mask]:
    """Pixels that something stands in front of.

    Args:
        image: uint8 (h, w, 3), a frame.
        empty: uint8 (h, w, 3), the scene without anybody.

    Returns:
        bool (h, w) twice: where the difference is weak or strong, and where it is strong.
    """
    scene = _exposed(empty, image)
    difference: Levels = np.abs(image.astype(np.int16) - scene).max(axis=2)
    noise = max(LEAST_NOISE, 1.4826 * float(np.median(difference[::NOISE_STEP, ::NOISE_STEP])))
    level = _sum3(difference)
    weak, strong = level > 9 * WEAK * noise, level > 9 * STRONG * noise
    shadows = _shadows(image, scene, np.flatnonzero(weak), noise)
    weak.ravel()[shadows] = False
    strong.ravel()[shadows] = False
    return weak, strong


def _exposed(empty: Image, image: Image) -> Levels:
    """The scene as bright as the frame, channel by channel."""
    part = slice(EXPOSURE_STEP // 2, None, EXPOSURE_STEP)
    now, then = image[part, part].astype(np.float32), empty[part, part].astype(np.float32)
    gain = np.ones(3, dtype=np.float32)
    for channel in range(3):
        lit = then[..., channel] > 16
        if lit.any():
            gain[channel] = np.median(now[..., channel][lit] / then[..., channel][lit])
    gain = np.clip(gain, *EXPOSURE_RANGE)
    if np.abs(gain - 1).max() < 0.01:
        return empty.astype(np.int16)
    exposed: Levels = np.rint(np.minimum(empty * gain, 255)).astype(np.int16)
    return exposed


def _shadows(
    image: Image, scene: Levels, pixels: npt.NDArray[np.int64], noise: float
) -> npt.NDArray[np.int64]:
    """Those of some pixels that a shadow explains."""
    if not len(pixels):
        return pixels
    now = image.reshape(-1, 3)[pixels].astype(np.float32)
    then = scene.reshape(-1, 3)[pixels].astype(np.float32)
    factor = np.einsum("nc,nc->n", now, then) / (np.einsum("nc,nc->n", then, then) + 1)
    rest = np.abs(now - factor[:, None] * then).max(axis=1)
    dark = (factor > DARKEST_SHADOW) & (factor < 1) & (rest < SHADOW_COLOUR * noise)
    shadows: npt.NDArray[np.int64] = pixels[dark]
    return shadows


def _sum3(values: Levels) -> Levels:
    """Sums over 3 x 3 pixels; 0 at the border, whose neighbourhood is not whole."""
    rows = values[:-2] + values[1:-1] + values[2:]
    sums = np.zeros_like(values)
    sums[1:-1, 1:-1] = rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]
    return sums
