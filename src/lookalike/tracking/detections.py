"""What a detector gives, and what it has to be able to do."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from lookalike.tracking.boxes import Boxes
from lookalike.types import Image

PERSON = 1
"""The class of a person in MOTChallenge, and of whatever the built-in detector finds."""


class Detections(NamedTuple):
    """What was found in one frame.

    Args:
        box: float64 (n, 4), left, top, width, height in pixels of the frame.
        confidence: float64 (n,), 0 to 1.
        category: int64 (n,), the class by number.
    """

    box: Boxes
    confidence: npt.NDArray[np.float64]
    category: npt.NDArray[np.int64]

    @classmethod
    def none(cls) -> Detections:
        """Nothing."""
        return cls(np.empty((0, 4)), np.empty(0), np.empty(0, dtype=np.int64))

    def take(self, which: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> Detections:
        """Some of them, by mask or by number."""
        return Detections(self.box[which], self.confidence[which], self.category[which])


class Detector(Protocol):
    """Finds people or things in the frames of one camera, which come in order."""

    def detect(self, image: Image, seconds: float) -> Detections:
        """What is in a frame.

        Args:
            image: uint8 (h, w, 3), upright RGB.
            seconds: Its time since the camera's first frame; does not decrease.
        """
