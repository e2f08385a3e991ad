"""Where an image lies in a network's input, so that what a network says of a place can be shown on the image.

The three resize policies (:mod:`lookalike.encoders.resize`) are scalings along the axes: a rectangle of the
image, ``seen``, is brought to a rectangle of the input, ``placed``.

A position of a feature map is drawn as its cell of an even tiling of the input. Convolutions with padding see
more than their cell and, where the input is no multiple of the stride, a little beside it: measured on the
bundled networks, the response to a small patch lies within 0.3 cells of the patch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from lookalike.encoders.spec import EncoderSpec
from lookalike.errors import InputError

Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom; pixels, edges between pixels."""

Boxes = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Geometry:
    """How one image became a network's input.

    Args:
        width, height: Of the image, pixels.
        input_width, input_height: Of the network's input, pixels.
        seen: The rectangle of the image that the network saw, in pixels of the image.
        placed: Where that rectangle lies, in pixels of the input; the rest of the input is border.
    """

    width: int
    height: int
    input_width: int
    input_height: int
    seen: Box
    placed: Box

    def to_image(self, boxes: npt.NDArray[Any]) -> Boxes:
        """Boxes of the input as boxes of the image, cut at the edges of what the network saw.

        Args:
            boxes: (..., 4): left, top, right, bottom in pixels of the input.

        Returns:
            float64 (..., 4), pixels of the image.
        """
        return _project(np.asarray(boxes, np.float64), self.placed, self.seen)

    def to_input(self, boxes: npt.NDArray[Any]) -> Boxes:
        """Boxes of the image as boxes of the input, cut at the edges of what the network saw.

        Args:
            boxes: (..., 4): left, top, right, bottom in pixels of the image.

        Returns:
            float64 (..., 4), pixels of the input.
        """
        return _project(np.asarray(boxes, np.float64), self.seen, self.placed)

    def cells(self, rows: int, columns: int) -> Boxes:
        """The cells of a feature map in the input.

        Args:
            rows, columns: Of the map.

        Returns:
            float64 (rows, columns, 4): left, top, right, bottom in pixels of the input.
        """
        x = np.linspace(0, self.input_width, columns + 1)
        y = np.linspace(0, self.input_height, rows + 1)
        shape = (rows, columns)
        return np.stack(
            [
                np.broadcast_to(x[:-1], shape),
                np.broadcast_to(y[:-1, None], shape),
                np.broadcast_to(x[1:], shape),
                np.broadcast_to(y[1:, None], shape),
            ],
            axis=-1,
        )

    def shown(self, rows: int, columns: int) -> npt.NDArray[np.float64]:
        """The share of every cell of a feature map that shows the image rather than border.

        Args:
            rows, columns: Of the map.

        Returns:
            float64 (rows, columns), 0 to 1.
        """
        cells = self.cells(rows, columns)
        left, top, right, bottom = self.placed
        wide = np.minimum(cells[..., 2], right) - np.maximum(cells[..., 0], left)
        high = np.minimum(cells[..., 3], bottom) - np.maximum(cells[..., 1], top)
        area = (cells[..., 2] - cells[..., 0]) * (cells[..., 3] - cells[..., 1])
        shares: npt.NDArray[np.float64] = np.clip(wide, 0, None) * np.clip(high, 0, None) / area
        return shares


def geometry(width: int, height: int, spec: EncoderSpec) -> Geometry:
    """How :func:`lookalike.encoders.resize.resize` brings an image of this size to a network's input.

    Args:
        width, height: Of the image, pixels.
        spec: Its ``resize``, ``height``, ``width`` and ``crop_fraction`` decide.

    Raises:
        InputError: If the image has no pixels.
    """
    if width < 1 or height < 1:
        raise InputError(f"an image of {width} x {height} pixels has no geometry: expected at least 1 x 1")
    whole: Box = (0.0, 0.0, float(width), float(height))
    everywhere: Box = (0.0, 0.0, float(spec.width), float(spec.height))
    seen, placed = whole, everywhere
    if spec.resize == "crop":
        scale = spec.crop_fraction * min(width / spec.width, height / spec.height)
        wide, high = spec.width * scale, spec.height * scale
        left, top = (width - wide) / 2, (height - high) / 2
        seen = (left, top, min(left + wide, width), min(top + high, height))
    elif spec.resize == "pad":
        scale = min(spec.width / width, spec.height / height)
        inner_width = min(max(round(width * scale), 1), spec.width)
        inner_height = min(max(round(height * scale), 1), spec.height)
        left, top = (spec.width - inner_width) // 2, (spec.height - inner_height) // 2
        placed = (float(left), float(top), float(left + inner_width), float(top + inner_height))
    return Geometry(width, height, spec.width, spec.height, seen, placed)


def _project(boxes: Boxes, source: Box, target: Box) -> Boxes:
    """Bring boxes from one rectangle to another, cut at its edges."""
    projected = np.empty_like(boxes)
    for axis in (0, 1):
        scale = (target[axis + 2] - target[axis]) / (source[axis + 2] - source[axis])
        for side in (axis, axis + 2):
            moved = target[axis] + (boxes[..., side] - source[axis]) * scale
            projected[..., side] = np.clip(moved, target[axis], target[axis + 2])
    return projected
