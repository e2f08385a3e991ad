"""Where two images look alike, for any encoder: cover a place, and see how much similarity goes.

Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks" (ECCV 2014, arXiv:1311.2901), with a
similarity in place of a class score. It needs one pass of the network for every place, and the drops do not
sum to the similarity: where two places say the same, covering one of them costs nothing. Covering clutter can
raise the similarity, since less that is foreign is left: on cluttered photos the drops and the exact shares of
:mod:`lookalike.tasks.explain` answer different questions, on plain ones they order the places much alike
(``python -m benchmarks explaining``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.types import Image

CELLS = 7
"""Rows and columns of the map of drops."""

SPREAD = 1 / 4
"""Standard deviation of the blur that covers a place, as a share of the shorter side."""


def covered(pixels: Image, *, cells: int = CELLS) -> Iterator[Image]:
    """Copies of a network's input, each with one place blurred beyond recognition.

    A place is two cells wide and high and moves by one, over the edges, so that every cell is covered four
    times. Blur keeps the place's colour; a grey patch would add edges that neither image has.

    Args:
        pixels: uint8 (h, w, 3).
        cells: Rows and columns of the grid.

    Yields:
        (cells + 1)^2 arrays like ``pixels``, in the order that :func:`drops` expects.

    Raises:
        InputError: If the grid is finer than the pixels.
    """
    from scipy.ndimage import gaussian_filter

    height, width = pixels.shape[:2]
    if not 1 <= cells <= min(height, width):
        raise InputError(f"{cells} cells do not fit an input of {width} x {height} pixels")
    spread = SPREAD * min(height, width)
    blurred = gaussian_filter(pixels.astype(np.float32), (spread, spread, 0), mode="nearest")
    cover = np.rint(blurred).astype(np.uint8)
    rows = np.linspace(0, height, cells + 1).round().astype(int)
    columns = np.linspace(0, width, cells + 1).round().astype(int)
    for i in range(cells + 1):
        for j in range(cells + 1):
            place = (
                slice(rows[max(i - 1, 0)], rows[min(i + 1, cells)]),
                slice(columns[max(j - 1, 0)], columns[min(j + 1, cells)]),
            )
            copy = pixels.copy()
            copy[place] = cover[place]
            yield copy


def drops(
    similarity: float, similarities: Sequence[float] | npt.NDArray[np.floating], *, cells: int = CELLS
) -> npt.NDArray[np.float64]:
    """The map of how much similarity every cell's cover costs.

    Args:
        similarity: Of the whole image with the other one.
        similarities: ((cells + 1)^2,), of the covered copies, in the order of :func:`covered`.
        cells: Rows and columns of the grid.

    Returns:
        float64 (cells, cells): the mean drop of the four covers that hide the cell; negative where hiding it
        makes the images more similar.

    Raises:
        InputError: If there is not one similarity for every copy.
    """
    values = np.asarray(similarities, np.float64)
    if values.shape != ((cells + 1) ** 2,):
        raise InputError(f"{values.shape} similarities: expected ({(cells + 1) ** 2},), one for every copy")
    lost = similarity - values.reshape(cells + 1, cells + 1)
    return (lost[:-1, :-1] + lost[1:, :-1] + lost[:-1, 1:] + lost[1:, 1:]) / 4
