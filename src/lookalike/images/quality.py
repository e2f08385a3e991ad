"""How good a copy of a picture is: what compression left of it, and how sharp it is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.images.decode import DEFAULT_LIMITS, Limits, decode
from lookalike.types import Image

BLOCK = 8
"""Side of the blocks that JPEG compresses one by one."""


class Quality(NamedTuple):
    """Measures of one copy.

    Args:
        artefacts: How much larger steps of luminance are at the edges of JPEG's blocks than inside, levels of 255,
            at least 0. Wang, Sheikh & Bovik 2002, "No-reference perceptual quality assessment of JPEG compressed
            images", https://doi.org/10.1109/ICIP.2002.1038064, measure blocking in this way.
        sharpness: Mean magnitude of the Laplacian over the standard deviation of luminance, which neither brightness
            nor contrast change.
        bytes: Length of the encoded image; 0 when the copy was given as pixels.
    """

    artefacts: float
    sharpness: float
    bytes: int


def measure_quality(data: bytes | Image, *, limits: Limits = DEFAULT_LIMITS) -> Quality:
    """Measure one copy.

    Args:
        data: An encoded image, or uint8 (h, w, 3) pixels.
        limits: What is refused.

    Raises:
        ImageError: If it cannot be decoded.
    """
    if isinstance(data, bytes):
        return _measured(decode(data, limits=limits).pixels, len(data))
    return _measured(data, 0)


def _measured(image: Image, size: int) -> Quality:
    luminance = image.astype(np.float32) @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    contrast = float(luminance.std()) + 1.0
    return Quality(_blocking(luminance), _laplacian(luminance) / contrast, size)


def _blocking(luminance: npt.NDArray[np.float32]) -> float:
    excess = []
    for axis in (0, 1):
        steps = np.abs(np.diff(luminance, axis=axis)).mean(axis=1 - axis)
        at_edge = np.arange(len(steps)) % BLOCK == BLOCK - 1
        if at_edge.any() and not at_edge.all():
            excess.append(float(steps[at_edge].mean() - steps[~at_edge].mean()))
    return max(0.0, sum(excess) / len(excess)) if excess else 0.0


def _laplacian(luminance: npt.NDArray[np.float32]) -> float:
    if min(luminance.shape) < 3:
        return 0.0
    inner = luminance[1:-1, 1:-1]
    around = luminance[:-2, 1:-1] + luminance[2:, 1:-1] + luminance[1:-1, :-2] + luminance[1:-1, 2:]
    return float(np.abs(around - 4 * inner).mean())
