"""Which pictures cannot lie on another, told without looking for them: a bound on what ``locate`` would find.

:func:`lookalike.tasks.registration.locate` correlates the middle of one picture, at nine scales and mirrored, with
every window of another. Most of the power of a picture lies in its low frequencies, and most pairs differ there. Let w
be a window and t a middle, both of mean 0, a and b their low frequencies (of the orthonormal discrete cosine
transform, so that lengths and products are kept). What the other frequencies add to the product is at most the product
of their lengths (Cauchy-Schwarz); whatever length t has beyond b, its correlation with w is at most

    sqrt((a b / |b|)^2 + |w - a|^2) / |w|

so neither the other frequencies of t nor their length are needed. No pair that ``locate`` would find is lost.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.tasks.registration import NOISE, SCALES, WINDOW_SHARE, Floats, Plane, middle_weights

FREQUENCIES = 8
"""Along each side, the mean among them. Mirroring a picture changes the sign of every second one."""

ROUNDING = 1e-3
"""Taken off the correlation that counts: more than single precision can add to one."""

GREY = np.float32(128)
"""Taken off all pixels: changes no correlation and keeps squares small."""

TINY = np.float32(1e-6)
"""Instead of 0, where it would be divided by."""

PICTURES, WINDOWED = 512, 16
"""Pictures whose middles, and whose windows, are worked on at a time: what fits a processor's cache."""


class Spectra(NamedTuple):
    """Low frequencies of parts of pictures, all but the mean.

    Args:
        even: float32 (..., 31), those that mirroring leaves as they are.
        odd: float32 (..., 32), those whose sign it changes.
    """

    even: Floats
    odd: Floats


def middle_spectra(planes: Plane) -> Spectra:
    """Low frequencies of the middles of pictures at every scale, each of length 1.

    Args:
        planes: uint8 (n, s, s), coarse luminance.

    Returns:
        Of shape (n, 9, ...).
    """
    parts = [_middles(planes[first : first + PICTURES]) for first in range(0, len(planes), PICTURES)]
    return Spectra(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def may_be_found(
    middles: Spectra, wanted: npt.NDArray[np.int64], planes: Plane, least: float
) -> npt.NDArray[np.bool_]:
    """Which pictures ``locate`` may find in others with a correlation of at least ``least``.

    Args:
        middles: Of the pictures that are looked for, (n, 9, ...).
        wanted: int64 (m, k): those that are looked for in each of the others, positions among the n.
        planes: uint8 (m, s, s), coarse luminance of the others.
        least: Above 0.

    Returns:
        bool (m, k). False: the correlation is certainly less.
    """
    possible = np.empty(wanted.shape, dtype=bool)
    for first in range(0, len(planes), WINDOWED):
        block = slice(first, first + WINDOWED)
        windows, unbounded = _windows(planes[block], np.float32(least - ROUNDING))
        products = []
        for part, of in zip(windows, middles, strict=True):
            sought = of[wanted[block]]
            sought = sought.reshape(len(sought), -1, part.shape[-1])
            products.append(part @ sought.transpose(0, 2, 1))
        same, mirrored = products
        np.abs(mirrored, out=mirrored)  # the better of the picture and its mirror image
        mirrored += same
        reached = mirrored.max(axis=1).reshape(len(part), -1, len(SCALES)).max(axis=2)
        possible[block] = (reached >= 1) | unbounded[:, None]
    return possible


def _middles(planes: Plane) -> Spectra:
    n, side = planes.shape[:2]
    pixels = (planes.astype(np.float32) - GREY).reshape(-1, side)
    table: Floats = np.empty((n, len(SCALES), FREQUENCIES, FREQUENCIES), dtype=np.float32)
    rows: dict[float, npt.NDArray[Any]] = {}
    for number, (across, down) in enumerate(SCALES):
        if across not in rows:
            along = (pixels @ _middle_basis(across, side)).reshape(n, side, FREQUENCIES)
            rows[across] = np.ascontiguousarray(along.transpose(0, 2, 1)).reshape(-1, side)
        table[:, number] = (rows[across] @ _middle_basis(down, side)).reshape(n, FREQUENCIES, FREQUENCIES)
    table[..., 0, 0] = 0
    lengths = np.sqrt(np.einsum("nsxy,nsxy->ns", table, table))
    table /= np.maximum(lengths, TINY)[..., None, None]
    return _parted(table)


def _windows(planes: Plane, least: np.float32) -> tuple[Spectra, npt.NDArray[np.bool_]]:
    """Low frequencies of all windows, (m, 169, ...), so scaled that a product of at least 1 with a middle's may reach
    ``least``; and bool (m,), where a window's other frequencies could do so alone."""
    m, side = planes.shape[:2]
    basis, box = _window_basis(side)
    around = box.shape[1]
    pixels = planes.astype(np.float32) - GREY
    along = (pixels.reshape(-1, side) @ basis).reshape(m, side, -1).transpose(0, 2, 1)
    table = (np.ascontiguousarray(along).reshape(-1, side) @ basis).reshape(
        m, around, FREQUENCIES, around, FREQUENCIES
    )
    table = np.ascontiguousarray(table.transpose(0, 1, 3, 2, 4))
    size = np.float32((side - around + 1) ** 2)
    squares = np.einsum("xi,mxy,yj->mji", box, pixels * pixels, box, optimize=True)
    power = np.maximum(squares - table[..., 0, 0] ** 2, 0)
    table[..., 0, 0] = 0
    rest = np.maximum(power - np.einsum("mijxy,mijxy->mij", table, table), 0)
    needed = least**2 * (power + np.float32(NOISE) * size) - rest
    table /= np.sqrt(np.maximum(needed, TINY))[..., None, None]
    spectra = _parted(table.reshape(m, around * around, FREQUENCIES, FREQUENCIES))
    return spectra, (needed <= 0).any(axis=(1, 2))


def _parted(table: npt.NDArray[Any]) -> Spectra:
    """Frequencies (..., across, down) to those that mirroring keeps and those that it turns."""
    even, odd = table[..., 0::2, :], table[..., 1::2, :]
    shape = table.shape[:-2]
    return Spectra(even.reshape(*shape, -1)[..., 1:], odd.reshape(*shape, -1))


@lru_cache(maxsize=64)
def _middle_basis(scale: float, side: int) -> Floats:
    """From a row of pixels to the low frequencies of its middle at one scale, float32 (s, 8)."""
    window = round(WINDOW_SHARE * side)
    return np.ascontiguousarray((_cosines(window) @ middle_weights(scale, window, side)).T)


@lru_cache(maxsize=4)
def _window_basis(side: int) -> tuple[Floats, Floats]:
    """From a row of pixels to the low frequencies, (s, 13 * 8), and to the sums, (s, 13), of every window of it."""
    window = round(WINDOW_SHARE * side)
    around = side - window + 1
    basis = np.zeros((side, around, FREQUENCIES), dtype=np.float32)
    box: Floats = np.zeros((side, around), dtype=np.float32)
    for start in range(around):
        basis[start : start + window, start] = _cosines(window).T
        box[start : start + window, start] = 1
    return basis.reshape(side, -1), box


def _cosines(window: int) -> Floats:
    """The slowest rows of the orthonormal discrete cosine transform, float32 (8, window)."""
    places = (np.arange(window) + 0.5) * np.pi / window
    rows = np.cos(np.arange(FREQUENCIES)[:, None] * places) * np.sqrt(2 / window)
    rows[0] /= np.sqrt(2)
    cosines: Floats = rows.astype(np.float32)
    return cosines
