"""What a fixed camera sees when nobody is there: the median of frames over the last minute.

A median over frames seconds apart needs no model of noise, forgets who walked by, and takes half a minute to take up
what stays. People who stand still for less than half of the window are not taken up.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.types import Image

SAMPLES = 45
"""Frames that the median is taken of."""

SECONDS_BETWEEN = 2.0
"""Time between two of them: 45 are a minute and a half."""

REFRESHED_EVERY = 5
"""New frames after which the median is taken again: a fifth of a second of work for 640 x 360 every ten seconds."""

FEWEST = 3
"""Frames before there is a background at all."""


class Background:
    """The background of one camera, kept up as frames come.

    Args:
        samples: Frames that the median is taken of, at least 3.
        seconds_between: Time between two of them, greater than 0.

    Raises:
        InputError: If an argument is out of range.
    """

    def __init__(self, *, samples: int = SAMPLES, seconds_between: float = SECONDS_BETWEEN) -> None:
        if samples < FEWEST or not seconds_between > 0:
            raise InputError(
                f"samples {samples}, seconds_between {seconds_between}: expected at least {FEWEST} frames, and a "
                "time greater than 0"
            )
        self._between = seconds_between
        self._frames: deque[Image] = deque(maxlen=samples)
        self._due = -np.inf
        self._fresh = 0
        self._median: Image | None = None

    @property
    def picture(self) -> Image | None:
        """uint8 (h, w, 3): the empty scene; None before enough frames were seen. Not to be written to."""
        return self._median

    def prime(self, images: Iterable[Image]) -> None:
        """Start from frames that were chosen by somebody else, such as one a second of a recording.

        Args:
            images: uint8 (h, w, 3) each, of one size.
        """
        for image in images:
            self._add(image)
        self._refresh()

    def update(self, image: Image, seconds: float) -> None:
        """Look at the next frame; it is kept when the time has come.

        Args:
            image: uint8 (h, w, 3). Another size than before starts anew: the camera was changed.
            seconds: Its time; one that lies before the last frame's starts a new interval and forgets nothing.
        """
        if self._frames and image.shape != self._frames[-1].shape:
            self._frames.clear()
            self._median, self._fresh, self._due = None, 0, -np.inf
        if self._due - self._between > seconds:
            self._due = seconds  # the clock was set back
        if seconds < self._due:
            return
        self._due = seconds + self._between
        self._add(image)
        if self._median is None or self._fresh >= REFRESHED_EVERY:
            self._refresh()

    def state(self, *, brief: bool = False) -> dict[str, npt.NDArray[np.generic]]:
        """Everything that the next frame's answer depends on, as arrays for ``numpy.savez``.

        Args:
            brief: Without the frames, which are many megabytes; the empty scene, once restored, stands in for some.
        """
        frames = np.empty((0, 0, 0, 3), np.uint8)
        if self._frames and not brief:
            frames = np.stack(self._frames)
        median = np.empty((0, 0, 3), np.uint8) if self._median is None else self._median
        return {"frames": frames, "median": median, "clock": np.array([self._due, self._fresh])}

    def restore(self, state: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Go on where :meth:`state` was taken."""
        self._frames.clear()
        self._frames.extend(np.asarray(frame, dtype=np.uint8) for frame in state["frames"])
        median = np.asarray(state["median"], dtype=np.uint8)
        self._median = median if median.size else None
        if self._median is not None and not self._frames:
            self._frames.extend([self._median] * FEWEST)
        due, fresh = np.asarray(state["clock"], dtype=np.float64).tolist()
        self._due, self._fresh = due, int(fresh)

    def _add(self, image: Image) -> None:
        self._frames.append(image.copy())
        self._fresh += 1

    def _refresh(self) -> None:
        if len(self._frames) < FEWEST:
            return
        middle = len(self._frames) // 2
        stack = np.stack(self._frames)
        stack.partition(middle, axis=0)
        self._median, self._fresh = stack[middle].copy(), 0
