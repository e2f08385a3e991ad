"""A Kalman filter for many boxes at once: constant velocity of centre, width and height.

As in DeepSORT and ByteTrack, noise grows with the size of the box; here time is in seconds, so that frame rates may
differ and frames may be missing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.tracking.boxes import Boxes

Floats = npt.NDArray[np.float64]

FRAMES = 30.0
"""Frames a second that the published noise was tuned for; velocities are per such a frame."""

POSITION_NOISE = 1 / 20
VELOCITY_NOISE = 1 / 160
"""Shares of a box's height (of its width, for x and width) by which a frame may surprise: Wojke et al. 2017,
https://arxiv.org/abs/1703.07402, as in the authors' code."""

LEAST_SIDE = 1.0
"""Pixels that a predicted width or height keeps."""


class Motion(NamedTuple):
    """What is believed of n boxes.

    Args:
        mean: float64 (n, 8): centre x, centre y, width, height, and their change per thirtieth of a second.
        covariance: float64 (n, 8, 8).
    """

    mean: Floats
    covariance: Floats

    @classmethod
    def none(cls) -> Motion:
        """No boxes."""
        return cls(np.empty((0, 8)), np.empty((0, 8, 8)))

    @classmethod
    def started(cls, boxes: Boxes) -> Motion:
        """Boxes seen for the first time: where they go is not known."""
        measured = _centred(boxes)
        mean = np.hstack([measured, np.zeros_like(measured)])
        size = _sizes(measured)
        spread = np.hstack([2 * POSITION_NOISE * size, 10 * VELOCITY_NOISE * size])
        return cls(mean, _diagonal(spread**2))

    def take(self, which: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> Motion:
        """Some of them."""
        return Motion(self.mean[which], self.covariance[which])

    def joined(self, others: Motion) -> Motion:
        """These and others after them."""
        return Motion(
            np.concatenate([self.mean, others.mean]), np.concatenate([self.covariance, others.covariance])
        )

    @property
    def boxes(self) -> Boxes:
        """float64 (n, 4), left, top, width, height of the most likely boxes."""
        sides = np.maximum(self.mean[:, 2:4], LEAST_SIDE)
        return np.hstack([self.mean[:, :2] - sides / 2, sides])

    def predicted(self, seconds: float, *, holds_size: npt.NDArray[np.bool_]) -> Motion:
        """Where they are after some time.

        Args:
            seconds: Since the last prediction, at least 0.
            holds_size: bool (n,), those that were not seen the last time: their size stops changing, or a person
                who was half hidden would go on shrinking.
        """
        steps = seconds * FRAMES
        mean = self.mean.copy()
        mean[holds_size, 6:] = 0.0
        move = np.eye(8)
        move[:4, 4:] = steps * np.eye(4)
        size = _sizes(mean)
        noise = np.hstack([POSITION_NOISE * size, VELOCITY_NOISE * size]) ** 2 * steps
        return Motion(mean @ move.T, move @ self.covariance @ move.T + _diagonal(noise))

    def corrected(self, which: npt.NDArray[np.int64], boxes: Boxes) -> Motion:
        """After some of them were seen.

        Args:
            which: int64 (m,), their numbers.
            boxes: float64 (m, 4), where they were seen.
        """
        if not len(which):
            return self
        mean, covariance = self.mean[which], self.covariance[which]
        measured = _centred(boxes)
        noise = _diagonal((POSITION_NOISE * _sizes(mean)) ** 2)
        expected = covariance[:, :4, :4] + noise
        gain = np.swapaxes(np.linalg.solve(expected, covariance[:, :4, :]), 1, 2)
        new_mean, new_covariance = self.mean.copy(), self.covariance.copy()
        new_mean[which] = mean + np.einsum("nij,nj->ni", gain, measured - mean[:, :4])
        updated = covariance - gain @ covariance[:, :4, :]
        new_covariance[which] = (updated + np.swapaxes(updated, 1, 2)) / 2
        return Motion(new_mean, new_covariance)


def _centred(boxes: Boxes) -> Floats:
    return np.hstack([boxes[:, :2] + boxes[:, 2:] / 2, boxes[:, 2:]])


def _sizes(mean: Floats) -> Floats:
    """float64 (n, 4): width, height, width, height, none below a pixel."""
    return np.tile(np.maximum(mean[:, 2:4], LEAST_SIDE), 2)


def _diagonal(values: Floats) -> Floats:
    return values[:, :, None] * np.eye(values.shape[1])
