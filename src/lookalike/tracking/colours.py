"""What colours a person wears, from head to feet."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lookalike.types import Image

Floats = npt.NDArray[np.float64]

STRIPES = 6
"""Horizontal parts of a crop."""

SIDE = (96, 48)
"""Rows and columns that a crop is averaged to first."""

CENTRE = 0.6
"""Pixels count less towards the sides, where the background is: a normal curve of this width, the half width being
1."""

LIGHTNESS = 0.5
"""Weight of lightness, which changes from camera to camera more than colour does."""

WHITE = np.array([0.95047, 1.0, 1.08883])
"""Of daylight, D65."""

TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
"""From linear sRGB."""


def colour_statistics(image: Image) -> npt.NDArray[np.float32]:
    """Mean and spread of lightness and colour of each stripe, in CIELAB.

    Args:
        image: uint8 (h, w, 3), an upright crop.

    Returns:
        float32 (36,): for each stripe, from the top, the means and the standard deviations of L, a and b; L weighs
        half.
    """
    from PIL import Image as Pillow

    rows, columns = SIDE
    small = np.asarray(Pillow.fromarray(image).resize((columns, rows), Pillow.Resampling.BOX))
    lab = cielab(small) * (LIGHTNESS, 1.0, 1.0)
    weight = np.exp(-0.5 * (np.linspace(-1, 1, columns) / CENTRE) ** 2)
    weight /= weight.sum() * rows / STRIPES
    stripes = lab.reshape(STRIPES, rows // STRIPES, columns, 3)
    mean = np.einsum("srcx,c->sx", stripes, weight)
    spread = np.sqrt(np.einsum("srcx,c->sx", (stripes - mean[:, None, None]) ** 2, weight))
    return np.concatenate([mean, spread], axis=1).ravel().astype(np.float32)


def cielab(image: Image) -> Floats:
    """sRGB as CIELAB (IEC 61966-2-1, CIE 15).

    Args:
        image: uint8 (..., 3).

    Returns:
        float64 (..., 3): L from 0 to 100, a and b.
    """
    linear = _LINEAR[image]
    ratio = linear @ (TO_XYZ.T / WHITE)
    root = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = np.moveaxis(root, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


_GREY = np.arange(256) / 255
_LINEAR: Floats = np.where(_GREY > 0.04045, ((_GREY + 0.055) / 1.055) ** 2.4, _GREY / 12.92)
