"""Is one picture an edit of the other? What is left of their difference when everything an edit may change is undone.

An embedding says that two pictures show the same kind of thing; two views of a vase have nearly the same one. An edit
keeps the picture itself. So the two are laid on each other (``lookalike.tasks.registration``: crop, size, mirror), the
tones of one are matched to the other's (``lookalike.tasks.tones``: brightness, contrast, gamma), and what differs then
is measured in two ways that fail on different pictures:

    area  = q99 |blur6(D)| / (std(B) + 8)                               D = tones(A) - B, where A is not clipped
    edges = sum |grad blur2(D)| / sum (|grad blur2(tones(A))| + |grad blur2(B)| + 1/2)
    residual = max(sqrt(area * edges), chroma / 60)

A turned view agrees nearly everywhere and fails somewhere, which the 99th percentile of the area sees, and its contours
shift by a little everywhere, which the edges see; an edit holds. The blurs (6 and 2 of 96 pixels) remove what
compression changes. Both ways round are measured and the worse counts; clipped pixels of A say nothing about B, so they
are left out. ``chroma`` is the root mean square of the colour that no saturation between 0 and 2 and no shift explains:
a chair in red is no edit of the chair in blue.

Residuals of edits lie about 0.05, of different pictures above 0.3, of turned views of round things in between; where to
draw the line is learned from the collection (``lookalike.tasks.duplicate_threshold``).
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.images.perceptual import Planes
from lookalike.tasks.registration import Floats, Poses, flipped, overlaid, overlap, refine
from lookalike.tasks.tones import match_tones

GRID = 96
AREA_BLUR, EDGE_BLUR = 6, 2
QUANTILE = 0.99
LEAST_CONTRAST = 8.0
"""Added to the contrast (standard deviation, of 255 levels): below it, differences are noise."""

LEAST_EDGE = 0.5
"""Added to the gradients, levels a pixel, for the same reason."""

CLIPPED = (3.0, 252.0)
"""Luminance beyond which a pixel may have been anything."""

CHROMA_GRID = 24
CHROMA_UNIT = 60.0
MOST_SATURATION = 2.0

LEAST_OVERLAP = 0.55
"""Share of each picture that the other must show: crops of 15 % on each side keep 0.7 x 0.7 of it, less is a detail."""


class Verified(NamedTuple):
    """What the comparison of n pairs found.

    Args:
        residual: float32 (n,), at least 0; inf where the pictures do not lie on each other.
        poses: How the first lies on the second.
    """

    residual: Floats
    poses: Poses


def verify(first: Planes, second: Planes, poses: Poses, *, most: float = np.inf) -> Verified:
    """Compare n pairs of pictures.

    Args:
        first: n pictures.
        second: n pictures.
        poses: Where to begin, from :func:`lookalike.tasks.registration.locate`.
        most: What a residual is above this need not be known: it may be returned less than it is, but above this.
            Most neighbours are so different that one way round tells.
    """
    poses = refine(first.luminance, second.luminance, poses)
    here, there = overlaid(flipped(first.luminance, poses.flipped), second.luminance, poses, GRID)
    residual = np.where(overlap(poses) >= LEAST_OVERLAP, _one_way(here, there), np.float32(np.inf))
    left = np.flatnonzero(residual <= most)
    if len(left):
        other_way = _one_way(there[left], here[left])
        colour = _chroma_residual(first.chroma[left], second.chroma[left], poses.take(left)) / CHROMA_UNIT
        residual[left] = np.maximum(residual[left], np.maximum(other_way, colour))
    return Verified(residual.astype(np.float32, copy=False), poses)


def similarity(residual: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """The residual as a number for people: 1 is the same picture, 0 another one."""
    alike: npt.NDArray[np.floating] = np.clip(1 - residual, 0.0, 1.0)
    return alike


def _one_way(source: Floats, target: Floats) -> Floats:
    """Difference of luminance after the tones of the source were matched, float32 (n,)."""
    n = len(source)
    matched = match_tones(source.reshape(n, -1), target.reshape(n, -1)).reshape(source.shape)
    known = (source > CLIPPED[0]) & (source < CLIPPED[1])
    difference = np.where(known, matched - target, np.float32(0))
    blurred = np.abs(_box(difference, AREA_BLUR)).reshape(n, -1)
    area = np.quantile(blurred, QUANTILE, axis=1) / (target.reshape(n, -1).std(axis=1) + LEAST_CONTRAST)
    gradients = [_gradient(_box(each, EDGE_BLUR)) for each in (difference, matched, target)]
    of_difference, of_matched, of_target = (each.reshape(n, -1).mean(axis=1) for each in gradients)
    edges = of_difference / (of_matched + of_target + LEAST_EDGE)
    residual: Floats = np.sqrt(area * edges)
    return residual


def _gradient(planes: Floats) -> Floats:
    """Magnitude of the gradient, levels a pixel."""
    down, across = np.gradient(planes, axis=(1, 2))
    magnitude: Floats = np.hypot(across, down)
    return magnitude


def _chroma_residual(first: npt.NDArray[np.uint8], second: npt.NDArray[np.uint8], poses: Poses) -> Floats:
    """Colour that saturation and a shift do not explain, levels, the better way round, float32 (n,)."""
    n = len(first)
    upright = flipped(first, poses.flipped)
    planes = [overlaid(upright[..., c], second[..., c], poses, CHROMA_GRID) for c in range(2)]
    here, there = (np.stack([plane[side].reshape(n, -1) for plane in planes], axis=2) for side in range(2))
    here, there = _centred(here), _centred(there)
    return np.minimum(_unexplained(here, there), _unexplained(there, here))


def _centred(colour: Floats) -> Floats:
    centred: Floats = colour - colour.mean(axis=1, keepdims=True)
    return centred


def _unexplained(source: Floats, target: Floats) -> Floats:
    power = np.einsum("npc,npc->n", source, source) + np.float32(1e-3)
    saturation = np.clip(np.einsum("npc,npc->n", source, target) / power, 0, MOST_SATURATION)
    rest = target - saturation[:, None, None] * source
    unexplained: Floats = np.sqrt(np.einsum("npc,npc->n", rest, rest) / source.shape[1])
    return unexplained


def _box(planes: Floats, width: int) -> Floats:
    """Means of all windows of ``width`` x ``width`` pixels."""
    weights = _windows(planes.shape[1], width)
    means: Floats = weights.T @ (planes @ weights)
    return means


@lru_cache(maxsize=8)
def _windows(side: int, width: int) -> Floats:
    """From a row of pixels to the means of its windows, float32 (side, side - width + 1)."""
    weights = np.zeros((side, side - width + 1), dtype=np.float32)
    for start in range(side - width + 1):
        weights[start : start + width, start] = 1 / width
    return weights
