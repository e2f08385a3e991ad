"""The frames of truth and tracks side by side: what every measure of tracking starts from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from lookalike.tracking.boxes import Boxes, iou

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

ROUNDING = float(np.finfo(np.float64).eps)
"""Overlaps that fall short of a threshold by no more than this reach it, as in TrackEval."""


class Columns(Protocol):
    """Boxes with identities: see :class:`lookalike.evaluate.tracking.Tracks`."""

    @property
    def frame(self) -> Integers:
        """int64 (n,)."""

    @property
    def identity(self) -> Integers:
        """int64 (n,)."""

    @property
    def box(self) -> Boxes:
        """float64 (n, 4)."""


class Frame(NamedTuple):
    """One frame.

    Args:
        truth: int64 (t,), true identities as numbers from 0.
        found: int64 (f,), found identities as numbers from 0.
        overlap: float64 (t, f), intersection over union.
    """

    truth: Integers
    found: Integers
    overlap: Floats


@dataclass(frozen=True, slots=True)
class Frames:
    """Frames of truth and tracks, in order.

    Args:
        frames: Those in which there is a box.
        true_ids, found_ids: The identities that the numbers in frames stand for.
    """

    frames: list[Frame]
    true_ids: Integers
    found_ids: Integers

    @property
    def truths(self) -> int:
        """Number of true boxes."""
        return sum(len(frame.truth) for frame in self.frames)

    @property
    def found(self) -> int:
        """Number of found boxes."""
        return sum(len(frame.found) for frame in self.frames)

    @classmethod
    def joined(cls, cameras: Sequence[Frames]) -> Frames:
        """Cameras one after another; equal identities are one, whatever the camera."""
        true_ids = np.unique(np.concatenate([camera.true_ids for camera in cameras]))
        found_ids = np.unique(np.concatenate([camera.found_ids for camera in cameras]))
        frames = []
        for camera in cameras:
            true, found = (
                np.searchsorted(true_ids, camera.true_ids),
                np.searchsorted(found_ids, camera.found_ids),
            )
            frames += [Frame(true[f.truth], found[f.found], f.overlap) for f in camera.frames]
        return cls(frames, true_ids, found_ids)


def pair_up(truth: Columns, found: Columns, ignored: npt.NDArray[np.bool_], *, least_iou: float) -> Frames:
    """Bring truth and tracks of one camera side by side.

    Args:
        truth: What is there.
        found: What was found.
        ignored: bool (n,), true boxes that are not evaluated. They are left out, and with them the found boxes that
            fit them best (one each, matched together with all other true boxes, as MOTChallenge does).
        least_iou: Overlap that a found box must have with an ignored one to be left out with it.
    """
    true_rows, found_rows = _by_frame(truth.frame), _by_frame(found.frame)
    kept: list[tuple[Integers, Integers]] = []
    for number in sorted(true_rows.keys() | found_rows.keys()):
        t, f = true_rows.get(number, _NONE), found_rows.get(number, _NONE)
        if ignored[t].any() and len(f):
            f = np.delete(f, _on_ignored(iou(truth.box[t], found.box[f]), ignored[t], least_iou))
        t = t[~ignored[t]]
        if len(t) or len(f):
            kept.append((t, f))
    all_true = np.concatenate([t for t, _ in kept]) if kept else _NONE
    all_found = np.concatenate([f for _, f in kept]) if kept else _NONE
    true_ids, true_numbers = np.unique(truth.identity[all_true], return_inverse=True)
    found_ids, found_numbers = np.unique(found.identity[all_found], return_inverse=True)
    frames, at_true, at_found = [], 0, 0
    for t, f in kept:
        frames.append(
            Frame(
                true_numbers[at_true : at_true + len(t)].astype(np.int64),
                found_numbers[at_found : at_found + len(f)].astype(np.int64),
                iou(truth.box[t], found.box[f]),
            )
        )
        at_true, at_found = at_true + len(t), at_found + len(f)
    return Frames(frames, true_ids.astype(np.int64), found_ids.astype(np.int64))


_NONE: Integers = np.empty(0, dtype=np.int64)


def _by_frame(frame: Integers) -> dict[int, Integers]:
    order = np.argsort(frame, kind="stable")
    numbers, starts = np.unique(frame[order], return_index=True)
    return dict(zip(numbers.tolist(), np.split(order, starts[1:]), strict=True)) if len(frame) else {}


def _on_ignored(overlap: Floats, ignored: npt.NDArray[np.bool_], least_iou: float) -> Integers:
    from scipy.optimize import linear_sum_assignment

    possible = np.where(overlap >= least_iou - ROUNDING, overlap, 0.0)
    rows, columns = linear_sum_assignment(possible, maximize=True)
    on = (possible[rows, columns] > 0) & ignored[rows]
    return np.asarray(columns[on], dtype=np.int64)
