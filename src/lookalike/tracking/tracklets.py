"""What a camera followed: sightings that one tracker took for one person or thing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.tracking.boxes import Boxes

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Tracklet:
    """Consecutive sightings of one thing in one camera, in order of time.

    Args:
        camera: Its name.
        number: Unique in the camera.
        frame: int64 (n,), ascending, none twice.
        time: float64 (n,), seconds since 1970 UTC, ascending.
        box: float64 (n, 4), left, top, width, height in pixels.
        confidence: float64 (n,), 0 to 1.
        seen: bool (n,): False where the box was filled in between two sightings.
        category: The class by number.
        track: Number that the tracker gave. Tracklets of one track follow each other where the tracker may have gone
            over to somebody else: they are probably one thing, not surely.

    Raises:
        InputError: If there is no sighting, columns differ in length, or frames or times do not ascend.
    """

    camera: str
    number: int
    frame: Integers
    time: Floats
    box: Boxes
    confidence: Floats
    seen: npt.NDArray[np.bool_]
    category: int
    track: int

    def __post_init__(self) -> None:
        n = len(self.frame)
        name = f"tracklet {self.number} of camera {self.camera}"
        shapes = (self.frame.shape, self.time.shape, self.confidence.shape, self.seen.shape, self.box.shape)
        if n == 0 or shapes != ((n,), (n,), (n,), (n,), (n, 4)):
            raise InputError(f"{name} has columns of shapes {shapes}: expected (n,) each and (n, 4), n >= 1")
        if (np.diff(self.frame) <= 0).any() or (np.diff(self.time) <= 0).any():
            raise InputError(f"{name} has frames or times that do not ascend: sort its sightings by frame")

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def start(self) -> float:
        """Time of the first sighting."""
        return float(self.time[0])

    @property
    def end(self) -> float:
        """Time of the last sighting."""
        return float(self.time[-1])

    def take(self, which: Integers | npt.NDArray[np.bool_], *, number: int) -> Tracklet:
        """Some of its sightings as another tracklet."""
        return Tracklet(
            self.camera,
            number,
            self.frame[which],
            self.time[which],
            self.box[which],
            self.confidence[which],
            self.seen[which],
            self.category,
            self.track,
        )


def tracklets_of(
    camera: str,
    frame: Integers,
    time: Floats,
    box: Boxes,
    confidence: Floats,
    category: Integers,
    track: Integers,
    *,
    least_sightings: int = 3,
) -> list[Tracklet]:
    """Group the sightings of a camera by track.

    Args:
        camera: Its name.
        frame: int64 (n,).
        time: float64 (n,), seconds since 1970 UTC.
        box: float64 (n, 4).
        confidence: float64 (n,).
        category: int64 (n,).
        track: int64 (n,), the track of each sighting; those below 0 belong to none.
        least_sightings: Tracks of fewer are left out.

    Returns:
        Tracklets by number.
    """
    found = []
    for number in np.unique(track[track >= 0]).tolist():
        rows = np.flatnonzero(track == number)
        if len(rows) < least_sightings:
            continue
        rows = rows[np.argsort(frame[rows], kind="stable")]
        kinds, counts = np.unique(category[rows], return_counts=True)
        found.append(
            Tracklet(
                camera,
                number,
                frame[rows],
                time[rows],
                box[rows],
                confidence[rows],
                np.ones(len(rows), dtype=np.bool_),
                int(kinds[np.argmax(counts)]),
                number,
            )
        )
    return found


def filled(tracklet: Tracklet, *, seconds: float) -> Tracklet:
    """Boxes put in, on a straight line, where a track was lost for a short time.

    Args:
        tracklet: One.
        seconds: Gaps of at most this long are filled.

    Returns:
        A tracklet whose added sightings have ``seen`` False and confidence 0.
    """
    frames, times = tracklet.frame, tracklet.time
    missing = [
        np.arange(a + 1, b)
        for a, b, wait in zip(frames[:-1].tolist(), frames[1:].tolist(), np.diff(times).tolist(), strict=True)
        if b - a > 1 and wait <= seconds
    ]
    if not missing:
        return tracklet
    added = np.concatenate(missing).astype(np.int64)
    every = np.concatenate([frames, added])
    order = np.argsort(every, kind="stable")
    every = every[order]
    columns = [np.interp(every, frames, column) for column in (times, *tracklet.box.T)]
    was_seen = np.isin(every, frames)
    confidence = np.zeros(len(every))
    confidence[was_seen] = tracklet.confidence
    return Tracklet(
        tracklet.camera,
        tracklet.number,
        every,
        columns[0],
        np.stack(columns[1:], axis=1),
        confidence,
        was_seen,
        tracklet.category,
        tracklet.track,
    )


def divided(tracklet: Tracklet, doubtful: npt.NDArray[np.bool_], *, least_seconds: float) -> list[Tracklet]:
    """A tracklet cut where the tracker may have gone over to somebody else.

    Args:
        tracklet: One; its sightings are numbered by it.
        doubtful: bool (n,), sightings during which it could have happened: filled in, or hidden by others.
        least_seconds: Pieces that would be shorter are left with a neighbour.

    Returns:
        One piece or more, in order; all have the tracklet's number, which the caller makes unique.
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], doubtful, [False]]).astype(np.int8)))
    cuts = [0]
    for first, last in edges.reshape(-1, 2).tolist():
        cut = (first + last) // 2
        long_before = cut > cuts[-1] and tracklet.time[cut - 1] - tracklet.time[cuts[-1]] >= least_seconds
        if long_before and tracklet.end - tracklet.time[min(cut, len(tracklet) - 1)] >= least_seconds:
            cuts.append(cut)
    pieces = zip(cuts, [*cuts[1:], len(tracklet)], strict=True)
    return [tracklet.take(np.arange(a, b), number=tracklet.number) for a, b in pieces]


def continued(tracklets: Sequence[Tracklet]) -> list[tuple[int, int]]:
    """Pairs of numbers of tracklets that follow each other in one track."""
    places: dict[tuple[str, int], list[int]] = {}
    for at, tracklet in enumerate(tracklets):
        places.setdefault((tracklet.camera, tracklet.track), []).append(at)
    pairs = []
    for members in places.values():
        pairs += list(pairwise(sorted(members, key=lambda at: tracklets[at].start)))
    return pairs


def conflicts(tracklets: Sequence[Tracklet]) -> npt.NDArray[np.bool_]:
    """Which tracklets cannot be one thing, because one camera saw both in one frame.

    Args:
        tracklets: n of any cameras.

    Returns:
        bool (n, n), symmetric, False on the diagonal.
    """
    n = len(tracklets)
    together = np.zeros((n, n), dtype=np.bool_)
    for a in range(n):
        for b in range(a):
            first, second = tracklets[a], tracklets[b]
            if first.camera == second.camera and first.end >= second.start and second.end >= first.start:
                together[a, b] = together[b, a] = bool(np.isin(first.frame, second.frame).any())
    return together
