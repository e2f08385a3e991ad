"""Tracks of one camera from detections, frame by frame.

ByteTrack (Zhang et al. 2022, https://arxiv.org/abs/2110.06864): detections of high confidence are matched with all
tracks by overlap with where motion predicts them, those of low confidence with what is left, and tracks that are
lost wait for a while. Where descriptors are given, overlap and likeness are added, and matches that do not look alike
are refused, in the manner of BoT-SORT (Aharon et al. 2022, https://arxiv.org/abs/2206.14651, section 3.3).

Numbers of tracks belong to one tracker, start from 1 and are never used again: two cameras do not know of each other.
Its whole state is a dictionary of arrays, so that a live stream survives a restart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.tracking.assignment import match
from lookalike.tracking.boxes import iou
from lookalike.tracking.detections import Detections
from lookalike.tracking.motion import Motion
from lookalike.types import Embeddings
from lookalike.vectors.metrics import normalise

Integers = npt.NDArray[np.int64]

NO_TRACK = -1
"""The track of a detection that belongs to none."""


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """When detections are taken for one thing.

    Args:
        high: Confidence from which on a detection may begin a track, in [0, 1].
        low: Confidence below which a detection is left out.
        least_iou: Overlap of a detection of high confidence with the prediction of its track.
        least_iou_low: The same for low confidence.
        seconds_lost: Time that a lost track waits, at least 0.
        sightings_to_start: Detections in a row that make a track, at least 1; those before belong to it as well.
        least_cosine: Similarity of appearance below which a match by overlap is refused; used with descriptors.
        momentum: Weight of what a track looked like against the newest sighting, in [0, 1).

    Raises:
        InputError: If a setting is out of range.
    """

    high: float = 0.5
    low: float = 0.1
    least_iou: float = 0.2
    least_iou_low: float = 0.5
    seconds_lost: float = 3.0
    sightings_to_start: int = 3
    least_cosine: float = 0.5
    momentum: float = 0.9

    def __post_init__(self) -> None:
        for name in ("high", "low", "least_iou", "least_iou_low"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} is {getattr(self, name)}: expected a number in [0, 1]")
        if self.low > self.high:
            raise InputError(f"low {self.low} is greater than high {self.high}: expected at most that")
        if not (self.seconds_lost >= 0 and self.sightings_to_start >= 1):
            raise InputError(
                f"seconds_lost {self.seconds_lost}, sightings_to_start {self.sightings_to_start}: expected at "
                "least 0 and at least 1"
            )
        if not (-1 <= self.least_cosine <= 1 and 0 <= self.momentum < 1):
            raise InputError(
                f"least_cosine {self.least_cosine}, momentum {self.momentum}: expected [-1, 1] and [0, 1)"
            )


class Tracker:
    """Follows what one camera sees.

    Args:
        settings: When detections are taken for one thing.

    Example:
        >>> tracker = Tracker()
        >>> seen = Detections(np.array([[10.0, 20.0, 30.0, 80.0]]), np.array([0.9]), np.array([1]))
        >>> tracker.update(seen, seconds=0.0)
        array([1])
    """

    def __init__(self, settings: TrackerSettings | None = None) -> None:
        self.settings = settings or TrackerSettings()
        self._motion = Motion.none()
        self._number: Integers = np.empty(0, dtype=np.int64)
        self._hits: Integers = np.empty(0, dtype=np.int64)
        self._category: Integers = np.empty(0, dtype=np.int64)
        self._seen: npt.NDArray[np.float64] = np.empty(0)
        self._look: npt.NDArray[np.float32] = np.empty((0, 0), dtype=np.float32)
        self._next = 1
        self._clock: float | None = None

    def update(
        self, detections: Detections, seconds: float, *, descriptors: Embeddings | None = None
    ) -> Integers:
        """Take up one frame.

        Args:
            detections: What is in it.
            seconds: Its time; greater than the last frame's.
            descriptors: float32 (n, d), L2-normalised rows: how each detection looks. All frames or none.

        Returns:
            int64 (n,): the track of each detection, -1 for those left out. A track that is young may yet turn out to
            be none: see :meth:`confirmed`.

        Raises:
            InputError: If time does not go on, or descriptors do not fit.
        """
        self._check(detections, seconds, descriptors)
        if self._clock is not None:
            self._motion = self._motion.predicted(seconds - self._clock, holds_size=self._seen < self._clock)
        tracks = self._matched(detections, descriptors)
        found = np.flatnonzero(tracks >= 0)
        self._motion = self._motion.corrected(tracks[found], detections.box[found])
        self._hits[tracks[found]] += 1
        self._seen[tracks[found]] = seconds
        if descriptors is not None:
            self._remember(tracks[found], descriptors[found])
        numbers = np.where(tracks >= 0, self._number[tracks] if len(self._number) else NO_TRACK, NO_TRACK)
        self._forget(seconds)
        begin = np.flatnonzero((tracks < 0) & (detections.confidence >= self.settings.high))
        numbers[begin] = self._begin(detections.take(begin), seconds, descriptors, begin)
        self._clock = seconds
        return np.asarray(numbers, dtype=np.int64)

    def confirmed(self) -> Integers:
        """Numbers of the tracks that are followed or waited for and were seen often enough, ascending."""
        return np.sort(self._number[self._hits >= self.settings.sightings_to_start])

    def alive(self) -> Integers:
        """Numbers of all tracks that are followed or waited for, ascending."""
        return np.sort(self._number)

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Everything that the next frame's answer depends on, as arrays for ``numpy.savez``."""
        return {
            "mean": self._motion.mean,
            "covariance": self._motion.covariance,
            "number": self._number,
            "hits": self._hits,
            "category": self._category,
            "seen": self._seen,
            "look": self._look,
            "next": np.array(self._next),
            "clock": np.array(np.nan if self._clock is None else self._clock),
            "settings": np.array(list(asdict(self.settings).values()), dtype=np.float64),
        }

    @classmethod
    def restored(cls, state: Mapping[str, npt.NDArray[Any]]) -> Tracker:
        """A tracker that goes on where :meth:`state` was taken."""
        names = list(asdict(TrackerSettings()))
        values: dict[str, Any] = dict(zip(names, state["settings"].tolist(), strict=True))
        values["sightings_to_start"] = int(values["sightings_to_start"])
        tracker = cls(TrackerSettings(**values))
        tracker._motion = Motion(state["mean"].copy(), state["covariance"].copy())
        tracker._number, tracker._hits = state["number"].copy(), state["hits"].copy()
        tracker._category, tracker._seen = state["category"].copy(), state["seen"].copy()
        tracker._look = state["look"].copy()
        tracker._next = int(state["next"])
        clock = float(state["clock"])
        tracker._clock = None if np.isnan(clock) else clock
        return tracker

    def _check(self, detections: Detections, seconds: float, descriptors: Embeddings | None) -> None:
        if self._clock is not None and not seconds > self._clock:
            raise InputError(
                f"a frame of {seconds} s came after one of {self._clock} s: expected frames in order of time. "
                "If the camera's clock was set back, start a new tracker"
            )
        if descriptors is None:
            return
        if descriptors.ndim != 2 or len(descriptors) != len(detections.box):
            raise InputError(
                f"descriptors {descriptors.shape} for {len(detections.box)} detections: expected one row each"
            )
        if len(self._number) and self._look.shape[1] != descriptors.shape[1]:
            raise InputError(
                f"descriptors of {descriptors.shape[1]} numbers after some of {self._look.shape[1]}: expected "
                "descriptors of one kind in every frame, or in none"
            )

    def _matched(self, detections: Detections, descriptors: Embeddings | None) -> Integers:
        """The place of each detection's track, -1 for those without one."""
        tracks = np.full(len(detections.box), NO_TRACK, dtype=np.int64)
        if not len(self._number) or not len(tracks):
            return tracks
        overlap = iou(detections.box, self._motion.boxes)
        overlap[detections.category[:, None] != self._category[None]] = 0.0
        alike = None
        if descriptors is not None and self._look.shape[1]:
            alike = descriptors.astype(np.float64) @ self._look.T.astype(np.float64)
        high = detections.confidence >= self.settings.high
        low = ~high & (detections.confidence >= self.settings.low)
        free = np.ones(len(self._number), dtype=np.bool_)
        young = self._hits < self.settings.sightings_to_start
        stages = (
            (high, free & ~young, self.settings.least_iou),
            (low, free & ~young, self.settings.least_iou_low),
        )
        for taking, offered, least in (*stages, (high, free & young, self.settings.least_iou)):
            rows, columns = np.flatnonzero(taking & (tracks < 0)), np.flatnonzero(offered & free)
            part = np.ix_(rows, columns)
            score, possible = overlap[part], overlap[part] >= least
            if alike is not None:
                score = score + np.clip(alike[part], 0, 1)
                possible &= alike[part] >= self.settings.least_cosine
            pairs = match(score, possible)
            tracks[rows[pairs[:, 0]]] = columns[pairs[:, 1]]
            free[columns[pairs[:, 1]]] = False
        return tracks

    def _remember(self, tracks: Integers, descriptors: Embeddings) -> None:
        if not len(tracks):
            return
        weight = self.settings.momentum
        mixed = weight * self._look[tracks] + (1 - weight) * descriptors
        self._look[tracks] = normalise(mixed)

    def _forget(self, seconds: float) -> None:
        """Drop tracks that were lost for too long, and young ones that were lost at all."""
        waited = seconds - self._seen
        young = self._hits < self.settings.sightings_to_start
        kept = np.where(young, waited <= 0, waited <= self.settings.seconds_lost)
        self._motion = self._motion.take(kept)
        self._number, self._hits, self._category = self._number[kept], self._hits[kept], self._category[kept]
        self._seen, self._look = self._seen[kept], self._look[kept]

    def _begin(
        self, detections: Detections, seconds: float, descriptors: Embeddings | None, which: Integers
    ) -> Integers:
        """Numbers of new tracks, one a detection."""
        count = len(detections.box)
        numbers = np.arange(self._next, self._next + count, dtype=np.int64)
        self._next += count
        self._motion = self._motion.joined(Motion.started(detections.box))
        self._number = np.concatenate([self._number, numbers])
        self._hits = np.concatenate([self._hits, np.ones(count, dtype=np.int64)])
        self._category = np.concatenate([self._category, detections.category])
        self._seen = np.concatenate([self._seen, np.full(count, seconds)])
        new = (
            np.empty((count, 0), np.float32) if descriptors is None else descriptors[which].astype(np.float32)
        )
        kept = self._look if len(self._look) else np.empty((0, new.shape[1]), np.float32)
        self._look = np.concatenate([kept, new])
        return numbers
