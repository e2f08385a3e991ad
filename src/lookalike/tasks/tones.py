"""Undo what an edit did to the tones of a picture: brightness, contrast, gamma, clipping."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

LEVELS = 256
_COARSE = 4
"""Levels that are counted together where histograms are compared."""


def tone_curves(source: Floats, target: Floats) -> Floats:
    """The change of tones that gives pictures the histograms of others.

    The darkest level becomes the darkest, and so on; each changes as a whole, so that flat areas stay flat.

    Args:
        source: float32 (n, p), luminance from 0 to 255.
        target: float32 (n, p).

    Returns:
        float32 (n, 256): what each level becomes; 0 where no pixel has it.
    """
    n = len(source)
    bins = (LEVELS * np.arange(n))[:, None] + _levels(source)
    counts = np.bincount(bins.ravel(), minlength=LEVELS * n)
    seen = np.flatnonzero(counts)
    curves = np.zeros(LEVELS * n, dtype=np.float32)
    first = (np.cumsum(counts) - counts)[seen]
    sums = np.add.reduceat(np.sort(target, axis=1).ravel(), first, dtype=np.float64)
    curves[seen] = sums / counts[seen]
    return curves.reshape(n, LEVELS)


def match_tones(source: Floats, target: Floats) -> Floats:
    """Pictures float32 (n, p) with the histograms of others, float32 (n, p)."""
    return np.take_along_axis(tone_curves(source, target), _levels(source).astype(np.intp), axis=1)


def level_tones(
    first: Floats, second: Floats, seen_first: Floats, seen_second: Floats
) -> tuple[Floats, Floats]:
    """Give the richer picture of each pair the tones of the poorer one, since lost tones cannot be brought back.

    Args:
        first, second: float32 (n, s, s).
        seen_first, seen_second: float32 (n, g, g), the part that both show; what the tones are learned from.

    Returns:
        The pairs, one picture of each changed.
    """
    n = len(first)
    a, b = seen_first.reshape(n, -1), seen_second.reshape(n, -1)
    first_is_richer = _entropy(a) >= _entropy(b)
    source, target = np.where(first_is_richer[:, None], a, b), np.where(first_is_richer[:, None], b, a)
    curves = _filled(tone_curves(source, target), source)
    which = first_is_richer[:, None, None]
    changed = _applied(curves, np.where(which, first, second))
    return np.where(which, changed, first), np.where(which, second, changed)


def _levels(planes: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    levels: npt.NDArray[np.uint8] = np.clip(np.rint(planes), 0, LEVELS - 1).astype(np.uint8)
    return levels


def _entropy(pixels: Floats) -> npt.NDArray[np.float64]:
    """Of histograms, bits: how many tones there are."""
    n = len(pixels)
    width = LEVELS // _COARSE
    bins = (width * np.arange(n))[:, None] + _levels(pixels) // _COARSE
    shares = np.bincount(bins.ravel(), minlength=width * n).reshape(n, width) / pixels.shape[1]
    entropy: npt.NDArray[np.float64] = -(shares * np.log2(np.maximum(shares, 1e-12))).sum(axis=1)
    return entropy


def _filled(curves: Floats, source: Floats) -> Floats:
    """Curves with levels that were not seen taken from those beside them."""
    every = np.arange(LEVELS)
    filled = np.empty_like(curves)
    for curve, pixels, out in zip(curves, _levels(source), filled, strict=True):
        seen = np.flatnonzero(np.bincount(pixels, minlength=LEVELS))
        out[:] = np.interp(every, seen, curve[seen])
    return filled


def _applied(curves: Floats, planes: Floats) -> Floats:
    levels = _levels(planes).reshape(len(planes), -1).astype(np.intp)
    return np.take_along_axis(curves, levels, axis=1).reshape(planes.shape)
