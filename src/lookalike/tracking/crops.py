"""Which sightings of a tracklet are worth describing, and their pixels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lookalike.tracking.boxes import Boxes, clipped, covered
from lookalike.types import Image

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

BORDER = 2.0
"""Pixels from the edge of the picture within which a box is thought to be cut off."""

CUT_OFF = 0.3
"""What a cut-off box is worth against a whole one."""

FULL_HEIGHT = 128.0
"""Pixels from which on more of them say nothing new."""

SHAPE_SPREAD = 0.25
"""Change of the logarithm of width by height by which a sighting loses two thirds of its worth."""


def frame_quality(boxes: Boxes, confidence: Floats, *, width: int, height: int) -> tuple[Floats, Floats]:
    """How much each box of one frame tells of what its thing looks like.

    The product of four shares: sharpness of a large box, the part that no nearer box covers (the one whose feet are
    lower is nearer) squared, whether it is whole, and its confidence.

    Args:
        boxes: float64 (n, 4), all of one frame.
        confidence: float64 (n,), 0 to 1.
        width, height: Of the frame, pixels.

    Returns:
        float64 (n,) twice: the quality, and the share of each box that no nearer box covers; 0 to 1.
    """
    if not len(boxes):
        return np.empty(0), np.empty(0)
    feet = boxes[:, 1] + boxes[:, 3]
    hidden = covered(boxes, boxes)
    hidden[feet[None] <= feet[:, None]] = 0.0
    free: Floats = 1 - hidden.max(axis=1)
    large = np.minimum(boxes[:, 3] / FULL_HEIGHT, 1.0)
    far = boxes[:, :2] + boxes[:, 2:]
    inside = (boxes[:, :2] >= BORDER).all(axis=1) & (far <= (width - BORDER, height - BORDER)).all(axis=1)
    confident = 0.5 + 0.5 * np.clip(confidence, 0, 1)
    quality: Floats = large * free**2 * np.where(inside, 1.0, CUT_OFF) * confident
    return quality, free


def usual_shape(boxes: Boxes) -> Floats:
    """How usual the shape of each box is among those of its tracklet: merged and cut boxes are not.

    Args:
        boxes: float64 (n, 4), of one tracklet.

    Returns:
        float64 (n,), 0 to 1.
    """
    shape = np.log(boxes[:, 2] / boxes[:, 3])
    usual: Floats = np.exp(-np.abs(shape - np.median(shape)) / SHAPE_SPREAD)
    return usual


def chosen(quality: Floats, *, most: int) -> Integers:
    """The best sighting of each of so many equal parts of a tracklet, so that they differ.

    Args:
        quality: float64 (n,).
        most: At most that many, at least 1.

    Returns:
        int64 (k,), ascending; only sightings whose quality is greater than 0.
    """
    parts = np.array_split(np.arange(len(quality)), min(most, len(quality)))
    best = np.array([part[np.argmax(quality[part])] for part in parts], dtype=np.int64)
    return best[quality[best] > 0]


def crop(image: Image, box: npt.NDArray[np.float64]) -> Image | None:
    """The pixels of a box, or None where nothing of it lies in the picture.

    Args:
        image: uint8 (h, w, 3).
        box: float64 (4,), left, top, width, height.
    """
    height, width = image.shape[:2]
    left, top, wide, high = clipped(box[None], width, height)[0]
    right, bottom = round(left + wide), round(top + high)
    part = image[round(top) : bottom, round(left) : right]
    return part if part.size else None
