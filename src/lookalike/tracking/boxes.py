"""Boxes as left, top, width, height in pixels: how MOTChallenge writes them."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError

Boxes: TypeAlias = npt.NDArray[np.float64]
"""float64 (n, 4): left, top, width, height, pixels, edges between pixels."""


def as_boxes(values: npt.ArrayLike) -> Boxes:
    """Numbers as boxes.

    Args:
        values: (n, 4), or an empty sequence.

    Raises:
        InputError: If the shape is another, a number is not finite, or a width or height is not greater than 0.
    """
    boxes = np.asarray(values, dtype=np.float64)
    if boxes.size == 0:
        return np.empty((0, 4))
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise InputError(f"boxes of shape {boxes.shape}: expected (n, 4), left, top, width, height")
    wrong = np.flatnonzero(~np.isfinite(boxes).all(axis=1) | (boxes[:, 2:] <= 0).any(axis=1))
    if len(wrong):
        raise InputError(
            f"box {int(wrong[0])} is {boxes[wrong[0]].tolist()}: expected finite left and top, and width and height "
            "greater than 0, in pixels"
        )
    return boxes


def intersections(first: Boxes, second: Boxes) -> npt.NDArray[np.float64]:
    """Areas that boxes share.

    Args:
        first: float64 (n, 4).
        second: float64 (m, 4).

    Returns:
        float64 (n, m), square pixels.
    """
    near = np.maximum(first[:, None, :2], second[None, :, :2])
    far = np.minimum((first[:, :2] + first[:, 2:])[:, None], (second[:, :2] + second[:, 2:])[None])
    shared: npt.NDArray[np.float64] = np.clip(far - near, 0, None).prod(axis=2)
    return shared


def iou(first: Boxes, second: Boxes) -> npt.NDArray[np.float64]:
    """Intersection over union of every box of one set with every box of another.

    Args:
        first: float64 (n, 4).
        second: float64 (m, 4).

    Returns:
        float64 (n, m), 0 to 1.
    """
    shared = intersections(first, second)
    union = _areas(first)[:, None] + _areas(second)[None] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def covered(first: Boxes, second: Boxes) -> npt.NDArray[np.float64]:
    """The share of each box of ``first`` that each box of ``second`` covers.

    Args:
        first: float64 (n, 4).
        second: float64 (m, 4).

    Returns:
        float64 (n, m), 0 to 1.
    """
    shared = intersections(first, second)
    areas = np.broadcast_to(_areas(first)[:, None], shared.shape)
    return np.divide(shared, areas, out=np.zeros_like(shared), where=areas > 0)


def clipped(boxes: Boxes, width: int, height: int) -> Boxes:
    """Boxes cut at the edges of a picture; what lies outside becomes a box of no extent.

    Args:
        boxes: float64 (n, 4).
        width, height: Of the picture, pixels.
    """
    near = np.clip(boxes[:, :2], 0, (width, height))
    far = np.clip(boxes[:, :2] + boxes[:, 2:], 0, (width, height))
    return np.hstack([near, far - near])


def _areas(boxes: Boxes) -> npt.NDArray[np.float64]:
    areas: npt.NDArray[np.float64] = boxes[:, 2] * boxes[:, 3]
    return areas
