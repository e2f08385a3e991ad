"""Lay one picture on another: where a crop, a resized, mirrored or recompressed copy fits its original.

Planes are squares (``lookalike.images.perceptual``), so a pose is a flip, two scales and two shifts. It is found in
two steps:

1. :func:`locate` looks for the middle of the first picture in the second at nine pairs of scales, flipped and not, by
   normalised cross-correlation (Lewis 1995, "Fast Normalized Cross-Correlation"): zero mean and unit length in every
   window, so that brightness and contrast do not count. The middle is five eighths of the side: it is there in both
   whatever each lost at its edges, up to about 15 %.
2. :func:`refine` improves the pose by Gauss-Newton steps on the difference of the pictures, a gain and an offset of
   the luminance solved for beside it (Lucas & Kanade 1981, "An Iterative Image Registration Technique"; the gain as in
   Evangelidis & Psarakis 2008, https://doi.org/10.1109/TPAMI.2008.113). Before the finer steps, the tones of the two
   are levelled (``lookalike.tasks.tones``).

All of it is matrix products over many pairs at a time: sampling a picture on the grid of another is a product with an
interpolation matrix from each side, because there is no rotation.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.tasks.tones import level_tones

Floats = npt.NDArray[np.float32]
Plane = npt.NDArray[np.uint8]

WINDOW_SHARE = 0.625
"""Share of the side that is looked for in the other picture."""

SCALES = (
    (1.0, 1.0),
    (0.85, 0.85),
    (0.92, 0.92),
    (1.09, 1.09),
    (1.18, 1.18),
    (1.0, 0.9),
    (0.9, 1.0),
    (1.0, 1.1),
    (1.1, 1.0),
)
"""Horizontal and vertical scales that are tried; what lies between is left to the refinement."""

NOISE = 4.0
"""Variance of luminance (of 255 levels) that is taken for noise: a flat window correlates with nothing."""

STAGES = ((4, 32, 5), (2, 64, 4))
"""Of the refinement: how much planes are reduced, the grid they are compared on, and the number of steps."""

LARGEST_STEP = 0.05
SCALE_LIMITS, SHIFT_LIMIT = (0.7, 1.4), 0.3


class Poses(NamedTuple):
    """How first pictures lie on second ones.

    A point (u, v) of the second picture, in sides from 0 to 1, shows what is at (x0 u + x1, y0 v + y1) of the first,
    after the first was flipped if so.

    Args:
        score: float32 (n,), correlation of the middles in [-1, 1].
        flipped: bool (n,), left and right exchanged.
        x, y: float32 (n, 2), scale and shift.
    """

    score: Floats
    flipped: npt.NDArray[np.bool_]
    x: Floats
    y: Floats

    def take(self, which: npt.NDArray[np.int64]) -> Poses:
        """Some of the poses."""
        return Poses(self.score[which], self.flipped[which], self.x[which], self.y[which])


def locate(first: Plane, second: Plane) -> Poses:
    """Look for the middles of pictures in one other picture.

    Args:
        first: uint8 (n, s, s), coarse luminance.
        second: uint8 (s, s), coarse luminance.

    Returns:
        n poses, each the best of all scales, shifts and flips.
    """
    side = second.shape[0]
    window = round(WINDOW_SHARE * side)
    around = side - window + 1
    views = np.lib.stride_tricks.sliding_window_view(second.astype(np.float32), (window, window))
    windows = _unit(views.reshape(around * around, window * window))
    templates = _middles(first, window)
    correlations = windows @ templates.reshape(-1, window * window).T
    place = correlations.argmax(axis=0).reshape(len(first), 2 * len(SCALES))
    best = correlations.max(axis=0).reshape(len(first), 2 * len(SCALES))
    choice = best.argmax(axis=1)
    everyone = np.arange(len(first))
    row, column = np.divmod(place[everyone, choice], around)
    scales = np.array(SCALES, dtype=np.float32)[choice // 2]
    x, y = (
        np.stack([scale, 0.5 - scale * (start + window / 2) / side], axis=1).astype(np.float32)
        for scale, start in ((scales[:, 0], column), (scales[:, 1], row))
    )
    return Poses(best[everyone, choice], choice % 2 == 1, x, y)


def refine(first: Plane, second: Plane, poses: Poses) -> Poses:
    """Improve poses to a fraction of a pixel.

    Args:
        first: uint8 (n, f, f), fine luminance.
        second: uint8 (n, f, f).
        poses: Where to begin.

    Returns:
        Poses with the same scores and flips.
    """
    upright = flipped(first, poses.flipped).astype(np.float32)
    target, x, y = second.astype(np.float32), poses.x, poses.y
    for number, (reduction, grid, steps) in enumerate(STAGES):
        here, there = _reduced(upright, reduction), _reduced(target, reduction)
        if number:  # clipped highlights, taken for shapes, would pull the pose
            here, there = level_tones(here, there, *_sampled(here, there, x, y, grid))
        for _ in range(steps):
            x, y = _step(here, there, x, y, grid)
    return poses._replace(x=x, y=y)


def flipped(planes: npt.NDArray[Any], which: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
    """Planes (n, s, s, ...) with left and right of those chosen exchanged."""
    turned = planes.copy()
    turned[which] = planes[which][:, :, ::-1]
    return turned


def _reduced(planes: Floats, factor: int) -> Floats:
    """Means of squares of pixels: a large step has to see far, not sharply."""
    weights = _means(planes.shape[1], factor)
    means: Floats = weights.T @ (planes @ weights)
    return means


@lru_cache(maxsize=8)
def _means(side: int, factor: int) -> Floats:
    """From a row of pixels to the means of every ``factor`` of them: a product is faster than sums along axes."""
    return np.repeat(np.eye(side // factor, dtype=np.float32) / np.float32(factor), factor, axis=0)


def overlap(poses: Poses) -> Floats:
    """Share of each picture that the other shows, of the pair the smaller one, float32 (n,)."""
    inside = [_common(axis) for axis in (poses.x, poses.y)]
    of_second = np.prod([high - low for low, high in inside], axis=0)
    of_first = of_second * poses.x[:, 0] * poses.y[:, 0]
    shares: Floats = np.clip(np.minimum(of_first, of_second), 0, 1).astype(np.float32)
    return shares


def overlaid(
    first: npt.NDArray[Any], second: npt.NDArray[Any], poses: Poses, grid: int
) -> tuple[Floats, Floats]:
    """What both pictures show, on one grid.

    Args:
        first: (n, s, s), any real dtype; flipped already where the pose says so.
        second: (n, s, s).
        poses: How they lie on each other.
        grid: Side of the result.

    Returns:
        Both as float32 (n, grid, grid).
    """
    return _sampled(first.astype(np.float32), second.astype(np.float32), poses.x, poses.y, grid)


def _unit(windows: npt.NDArray[Any]) -> Floats:
    """Windows (..., p) with mean 0 and length 1, flat ones shorter."""
    centred = windows - windows.mean(axis=-1, keepdims=True)
    power = np.einsum("...p,...p->...", centred, centred) + np.float32(NOISE * windows.shape[-1])
    unit: Floats = (centred / np.sqrt(power)[..., None]).astype(np.float32, copy=False)
    return unit


def _middles(planes: Plane, window: int) -> Floats:
    """Middles of planes at every scale, upright and flipped, float32 (n, 2 scales, window^2)."""
    wide = planes.astype(np.float32)
    found = []
    for across, down in SCALES:
        columns = middle_weights(across, window, planes.shape[2])
        rows = middle_weights(down, window, planes.shape[1])
        view = rows @ wide @ columns.T
        found += [view, view[:, :, ::-1]]
    return _unit(np.stack(found, axis=1).reshape(len(planes), len(found), window * window))


@lru_cache(maxsize=64)
def middle_weights(scale: float, window: int, side: int) -> Floats:
    """From a row of ``side`` pixels to the ``window`` ones of its middle, seen at a scale, float32 (window, side)."""
    half = scale * window / side / 2
    weights: Floats = _weights(window, side, np.array([0.5 - half]), np.array([0.5 + half]))[0]
    return weights


def _weights(grid: int, side: int, low: npt.NDArray[Any], high: npt.NDArray[Any]) -> Floats:
    """Matrices that sample a row of ``side`` pixels at ``grid`` places between low and high, float32 (n, grid, side).

    Linear interpolation, widened to the distance of the places where they are further apart than the pixels.
    """
    step = ((high - low) * side / grid).astype(np.float32)
    places = (low * side).astype(np.float32)[:, None] + step[:, None] * _ticks(grid) - np.float32(0.5)
    width = np.maximum(np.float32(1), np.abs(step))
    kernel: Floats = places[:, :, None] - np.arange(side, dtype=np.float32)  # the rest in place: it is large
    np.abs(kernel, out=kernel)
    kernel /= width[:, None, None]
    np.subtract(np.float32(1), kernel, out=kernel)
    np.maximum(kernel, np.float32(0), out=kernel)
    total = kernel.sum(axis=2)
    kernel[:, :, 0] += np.maximum(np.float32(0), np.float32(1e-6) - total)  # outside shows the edge
    kernel /= np.maximum(total, np.float32(1e-6))[:, :, None]
    return kernel


def _ticks(grid: int) -> Floats:
    """Middles of the cells of a grid, in cells."""
    return np.arange(grid, dtype=np.float32) + np.float32(0.5)


def _common(axis: Floats) -> tuple[Floats, Floats]:
    """Where along an axis of the second picture the first is visible."""
    scale, shift = axis[:, 0], axis[:, 1]
    low = np.maximum(0.0, -shift / scale).astype(np.float32)
    high = np.minimum(1.0, (1 - shift) / scale).astype(np.float32)
    return low, np.maximum(high, low + np.float32(0.05)).astype(np.float32)


def _sampled(first: Floats, second: Floats, x: Floats, y: Floats, grid: int) -> tuple[Floats, Floats]:
    (left, right), (top, bottom) = _common(x), _common(y)
    side = second.shape[1]
    rows, columns = _weights(grid, side, top, bottom), _weights(grid, side, left, right)
    there = rows @ second @ columns.transpose(0, 2, 1)
    rows = _weights(grid, side, y[:, 0] * top + y[:, 1], y[:, 0] * bottom + y[:, 1])
    columns = _weights(grid, side, x[:, 0] * left + x[:, 1], x[:, 0] * right + x[:, 1])
    return np.asarray(rows @ first @ columns.transpose(0, 2, 1), np.float32), np.asarray(there, np.float32)


def _step(first: Floats, second: Floats, x: Floats, y: Floats, grid: int) -> tuple[Floats, Floats]:
    """One Gauss-Newton step: second = gain * first(pose) + offset, linear in the change of the pose."""
    here, there = _sampled(first, second, x, y, grid)
    n = len(here)
    (left, right), (top, bottom) = _common(x), _common(y)
    ticks = _ticks(grid) / grid
    across = np.gradient(here, axis=2) * (grid / ((right - left) * x[:, 0]))[:, None, None]
    down = np.gradient(here, axis=1) * (grid / ((bottom - top) * y[:, 0]))[:, None, None]
    u = (left[:, None] + (right - left)[:, None] * ticks)[:, None, :]
    v = (top[:, None] + (bottom - top)[:, None] * ticks)[:, :, None]
    terms = np.stack([here, np.ones_like(here), across * u, across, down * v, down], axis=-1)
    terms = terms.reshape(n, grid * grid, 6)
    turned = terms.transpose(0, 2, 1)
    normal = (turned @ terms).astype(np.float64)
    right_side = (turned @ there.reshape(n, -1, 1)).astype(np.float64)
    damping = 1e-3 * np.einsum("nii->ni", normal) + 1e-3  # a picture without edges has no place to slide to
    solved = np.linalg.solve(normal + np.eye(6) * damping[:, :, None], right_side)[:, :, 0]
    gain = np.maximum(0.2, solved[:, :1])
    change = np.clip(solved[:, 2:] / gain, -LARGEST_STEP, LARGEST_STEP).astype(np.float32)
    return _bounded(x + change[:, :2]), _bounded(y + change[:, 2:])


def _bounded(axis: Floats) -> Floats:
    scale = np.clip(axis[:, 0], *SCALE_LIMITS)
    return np.stack([scale, np.clip(axis[:, 1], -SHIFT_LIMIT, SHIFT_LIMIT)], axis=1)
