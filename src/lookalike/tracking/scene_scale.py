"""How tall a person appears where they stand, learned from what a fixed camera has seen.

On level ground, a person's height in the picture grows linearly with the row of their feet (Hoiem, Efros & Hebert
2008, https://doi.org/10.1007/s11263-008-0137-5). Whoever stands alone teaches the line; it then tells a person from two
who walk side by side, and says which pieces belong to one person.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from lookalike.tracking.boxes import Boxes

KEPT = 600
"""Examples that the line is fitted to."""

FEWEST = 60
"""Examples before there is a line."""

REFITTED_EVERY = 50

SLIM, STOUT = 0.2, 0.65
"""Width by height of what may be one person upright."""

MOST_SPREAD = 0.25
"""Median deviation, as a share of the height, beyond which the examples are no people on level ground."""


class SceneScale:
    """The expected height and width of a person by the row of the feet."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, float, float]] = deque(maxlen=KEPT)
        self._fresh = 0
        self._line: tuple[float, float] | None = None
        self._aspect = 0.4

    @property
    def learned(self) -> bool:
        """Whether there is a line yet."""
        return self._line is not None

    def learn(self, boxes: Boxes, width: int, height: int) -> None:
        """Take up those boxes that look like one person, whole.

        Args:
            boxes: float64 (n, 4), what was found in one frame.
            width, height: Of the frame; boxes at its border are cut off and teach nothing.
        """
        for left, top, wide, high in boxes.tolist():
            whole = left > 1 and top > 1 and left + wide < width - 1 and top + high < height - 1
            if whole and SLIM * high <= wide <= STOUT * high:
                self._seen.append((top + high, high, wide))
                self._fresh += 1
        if len(self._seen) >= FEWEST and (self._fresh >= REFITTED_EVERY or self._line is None):
            self._fit()

    def expected(self, feet: float) -> tuple[float, float] | None:
        """Height and width in pixels of a person whose feet are in a row; None while nothing is known there."""
        if self._line is None:
            return None
        high = self._line[0] + self._line[1] * feet
        return (high, high * self._aspect) if high > 0 else None

    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """Everything that is remembered, as arrays."""
        line = (np.nan, np.nan) if self._line is None else self._line
        return {
            "seen": np.array(self._seen, dtype=np.float64).reshape(-1, 3),
            "fitted": np.array([*line, self._aspect, self._fresh]),
        }

    def restore(self, state: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Go on where :meth:`state` was taken."""
        self._seen.clear()
        self._seen.extend((feet, high, wide) for feet, high, wide in state["seen"].tolist())
        intercept, slope, self._aspect, fresh = np.asarray(state["fitted"], dtype=np.float64).tolist()
        self._line = None if np.isnan(slope) else (intercept, slope)
        self._fresh = int(fresh)

    def _fit(self) -> None:
        """Least absolute deviations by reweighting: a few merged or cut people do not move the line."""
        feet, high, wide = np.array(self._seen).T
        self._fresh = 0
        design = np.stack([np.ones_like(feet), feet], axis=1)
        weight = np.ones_like(feet)
        for _ in range(20):
            root = np.sqrt(weight)[:, None]
            line = np.linalg.lstsq(design * root, high * root[:, 0], rcond=None)[0]
            weight = 1 / np.maximum(np.abs(high - design @ line), 0.01 * high)
        spread = float(np.median(np.abs(high - design @ line) / high))
        self._line = (float(line[0]), float(line[1])) if spread <= MOST_SPREAD else None
        self._aspect = float(np.median(wide / high))
