"""Looking at parts of a picture: where a photo shows a thing small, off the centre or among others.

A photo is compared by several vectors instead of one, and an item's score is the best of them. Two ways to get
them, which multiply: regions pooled out of one feature map, without another pass of the network, and windows that
are cut out and encoded each.
"""

from __future__ import annotations

import math
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from lookalike.encoders.pooling import Features, pool
from lookalike.encoders.spec import Pooling
from lookalike.errors import InputError
from lookalike.types import Rows

Regions: TypeAlias = Literal["whole", "pooled", "windows"]
"""Parts of a query picture to search with.

- ``whole``: the picture as the encoder sees it. One pass of the network, one vector.
- ``pooled``: 30 regions of the feature map of that one pass.
- ``windows``: windows over all of the picture, encoded each, 14 regions of each: 5 passes of the network for a
  square picture, 9 for one of 4:3, 12 for one of 16:9.
"""

REGIONS: tuple[Regions, ...] = get_args(Regions)

Box: TypeAlias = tuple[int, int, int, int]
"""Left, top, right, bottom; pixels."""

SCALES = (1.0, 0.8)
"""Sides of windows as shares of the picture's shorter side."""

FINER_SCALES = (*SCALES, 0.6)
"""The same for encoders without a feature map, whose windows cannot be looked at in parts."""

OVERLAP = 0.55
"""Neighbouring windows share at least so much of their side, so that what one cuts another has whole."""

MOST_ALONG = 12
"""Windows along one axis, at most: on a panorama they stand further apart."""

SEVENTHS = (7, 6, 5, 4)
"""Sides of pooled regions as sevenths of the map's; the first of them is the whole map."""

WINDOW_LEVELS = 3
"""Sides of pooled regions in a window: smaller ones are what other windows show better."""


def windows(width: int, height: int, *, scales: tuple[float, ...] = SCALES) -> list[Box]:
    """Overlapping squares over all of a picture.

    Args:
        width, height: Of the picture, pixels.
        scales: Sides as shares of the shorter side, in (0, 1].

    Returns:
        Boxes, greatest first, each once.

    Raises:
        InputError: If the picture has no pixels or a scale is out of range.
    """
    if width < 1 or height < 1:
        raise InputError(f"a picture of {width} x {height} pixels has no windows: expected at least 1 x 1")
    if not scales or not all(0 < scale <= 1 for scale in scales):
        raise InputError(f"scales {scales}: expected shares of the shorter side, above 0 and at most 1")
    boxes: dict[Box, None] = {}
    for scale in scales:
        side = max(1, round(scale * min(width, height)))
        for top in _places(height, side):
            for left in _places(width, side):
                boxes[left, top, left + side, top + side] = None
    return list(boxes)


def _places(length: int, side: int) -> list[int]:
    """Where windows begin along an axis: from edge to edge, evenly, overlapping enough."""
    free = length - side
    count = 1 + math.ceil(free / ((1 - OVERLAP) * side) - 1e-9)
    places = np.linspace(0, free, min(count, MOST_ALONG)) if count > 1 else np.array([free / 2])
    return [round(place) for place in places.tolist()]


def pooled_regions(
    features: npt.NDArray[np.float32], pooling: Pooling, *, levels: int = len(SEVENTHS)
) -> Features:
    """Vectors of square parts of a feature map.

    On level n = 1, 2, ... are n x n regions, evenly spread, (8 - n) / 7 as wide and high as the map: 1, 5, 14 or 30
    in all. The regional maximum activations of Tolias, Sicre & Jegou 2015 (https://arxiv.org/abs/1511.05879), with the
    encoder's own pooling, and kept apart instead of summed: each may be what the query means.

    Args:
        features: float32 (h, w, c), as :class:`lookalike.encoders.base.Encoding` has it.
        pooling: The encoder's.
        levels: 1 to 4.

    Returns:
        float32 (r, c), not normalised; the first row is the whole map. Small maps have fewer, since each region
        comes once.

    Raises:
        InputError: If the levels are out of range, or the pooling does not fit a map.
    """
    if not 1 <= levels <= len(SEVENTHS):
        raise InputError(f"levels {levels}: expected 1 to {len(SEVENTHS)}")
    height, width = features.shape[:2]
    parts: dict[Box, None] = {}
    for count, sevenths in enumerate(SEVENTHS[:levels], start=1):
        high, wide = max(1, round(height * sevenths / 7)), max(1, round(width * sevenths / 7))
        for top in _spread(height - high, count):
            for left in _spread(width - wide, count):
                parts[left, top, left + wide, top + high] = None
    return np.stack([pool(features[t:b, l:r], pooling) for l, t, r, b in parts])  # noqa: E741


def _spread(free: int, count: int) -> list[int]:
    places = np.linspace(0, free, count) if count > 1 else np.array([free / 2])
    return [round(place) for place in places.tolist()]


def nearest_to_any(
    rows: Rows, scores: npt.NDArray[np.floating[Any]], k: int
) -> tuple[Rows, npt.NDArray[np.float32]]:
    """The k items that score best with any of several vectors, from the nearest items of each.

    Exact when each vector's k nearest are: an item that none of them ranks among its first k cannot be among the
    first k by the best score.

    Args:
        rows: int64 (w, k), the nearest rows of each vector; -1 where there is none.
        scores: float32 (w, k), -inf where there is none.
        k: At most so many.

    Returns:
        rows int64 (m,), best first, equal scores by row; scores float32 (m,), the best of each.
    """
    there = rows >= 0
    known, position = np.unique(rows[there], return_inverse=True)
    best = np.full(len(known), -np.inf, dtype=np.float32)
    np.maximum.at(best, position, scores[there].astype(np.float32))
    order = np.lexsort((known, -best))[:k]
    return known[order], best[order]
