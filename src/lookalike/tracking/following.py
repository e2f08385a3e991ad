"""One camera, frame by frame: detections become tracks, and finished tracks become tracklets with their best crops.

Memory holds the tracks that are followed, with their boxes and at most 64 small crops each, and nothing of those that
have ended: a stream may run for as long as it likes. All of it is a dictionary of arrays, so that a stream survives a
restart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.tracking.cameras import Camera, inside
from lookalike.tracking.crops import chosen, frame_quality, usual_shape
from lookalike.tracking.detections import Detections
from lookalike.tracking.footage import Shot
from lookalike.tracking.open_tracks import OpenTrack, packed, unpacked
from lookalike.tracking.tracker import Tracker
from lookalike.tracking.tracklets import Tracklet, divided, filled
from lookalike.types import Image

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

MOST_CROPS = 8
"""Crops of a tracklet that are described."""

HIDDEN = 0.6
"""Share of a box that must be free of nearer ones, or the tracker may go over to the other."""

LEAST_SECONDS = 1.0
"""Tracklets that a track is cut into are at least so long."""


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """A finished tracklet with what is worth describing.

    Args:
        tracklet: Where it was, and when.
        crops: uint8 (h, w, 3) each: the best sightings of parts of its time, in order.
        rows: int64 (k,), which sightings they are.
        quality: float64 (k,), what each is worth, greater than 0.
    """

    tracklet: Tracklet
    crops: tuple[Image, ...]
    rows: Integers
    quality: Floats


class Follower:
    """Follows what one camera sees.

    Args:
        camera: Its regions to ignore are left out; its start gives sightings their time.
        tracker: Follows detections; None for a new one.
        fill_seconds: Gaps of at most this long are filled with boxes on a straight line.
        least_sightings: Tracks of fewer are left out.
    """

    def __init__(
        self,
        camera: Camera,
        tracker: Tracker | None = None,
        *,
        fill_seconds: float = 3.0,
        least_sightings: int = 3,
    ) -> None:
        self.camera = camera
        self.tracker = tracker or Tracker()
        self._fill, self._least = fill_seconds, least_sightings
        self._tracks: dict[int, OpenTrack] = {}
        self._next = 1

    def take(self, shot: Shot, detections: Detections) -> list[Followed]:
        """Take up one frame.

        Args:
            shot: The frame; one without pixels gives sightings without crops.
            detections: What is in it.

        Returns:
            The tracklets of tracks that have ended.
        """
        detections = detections.take(self._wanted(detections))
        numbers = self.tracker.update(detections, shot.seconds)
        size = self.camera.size if shot.image is None else (shot.image.shape[1], shot.image.shape[0])
        width, height = size or (1 << 30, 1 << 30)
        quality, free = frame_quality(detections.box, detections.confidence, width=width, height=height)
        for at in np.flatnonzero(numbers >= 0).tolist():
            track = self._tracks.setdefault(int(numbers[at]), OpenTrack())
            track.frame.append(shot.number)
            track.time.append(shot.seconds)
            track.box.append(detections.box[at])
            track.confidence.append(float(detections.confidence[at]))
            track.category.append(int(detections.category[at]))
            track.free.append(float(free[at]))
            if shot.image is not None:
                track.keep_crop(shot, detections.box[at], float(quality[at]))
        alive = set(self.tracker.alive().tolist())
        return self._ended([number for number in self._tracks if number not in alive])

    def finish(self) -> list[Followed]:
        """The tracklets of all tracks that are still followed: the recording is over."""
        return self._ended(list(self._tracks))

    def so_far(self) -> list[Followed]:
        """The tracks that are still followed, as tracklets that would have ended now; they go on."""
        number = self._next
        found = [
            each
            for track, one in self._tracks.items()
            if len(one.frame) >= self._least
            for each in self._followed(track, one)
        ]
        self._next = number
        return found

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Everything that the next frame's answer depends on, as arrays for ``numpy.savez``; of each track's crops a
        quarter at least (:data:`lookalike.tracking.open_tracks.CROPS_SAVED`)."""
        parts = {"tracker": self.tracker.state(), "tracks": packed(self._tracks)}
        named = {f"{part}.{name}": value for part, state in parts.items() for name, value in state.items()}
        return {**named, "next": np.array(self._next)}

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Go on where :meth:`state` was taken, with this camera's regions and times.

        Raises:
            InputError: If the state was saved in another form.
        """
        parts: dict[str, dict[str, npt.NDArray[Any]]] = {"tracker": {}, "tracks": {}}
        for name, value in state.items():
            part, _, own = name.partition(".")
            if own:
                parts[part][own] = value
        self.tracker = Tracker.restored(parts["tracker"])
        self._tracks = unpacked(parts["tracks"])
        self._next = int(state["next"])

    def _wanted(self, detections: Detections) -> npt.NDArray[np.bool_]:
        feet = detections.box[:, :2] + detections.box[:, 2:] * (0.5, 1.0)
        return np.array([not inside(self.camera.ignore, x, y) for x, y in feet.tolist()], dtype=np.bool_)

    def _ended(self, numbers: list[int]) -> list[Followed]:
        found = []
        for number in numbers:
            track = self._tracks.pop(number)
            if len(track.frame) >= self._least:
                found += self._followed(number, track)
        return found

    def _followed(self, number: int, track: OpenTrack) -> list[Followed]:
        start = self.camera.start.timestamp()
        kinds, counts = np.unique(track.category, return_counts=True)
        whole = Tracklet(
            camera=self.camera.name,
            number=number,
            frame=np.array(track.frame, dtype=np.int64),
            time=start + np.array(track.time),
            box=np.array(track.box),
            confidence=np.array(track.confidence),
            seen=np.ones(len(track.frame), dtype=np.bool_),
            category=int(kinds[np.argmax(counts)]),
            track=number,
        )
        whole = filled(whole, seconds=self._fill)
        doubtful = ~whole.seen
        doubtful[np.searchsorted(whole.frame, np.array(track.frame))] = np.array(track.free) < HIDDEN
        found = []
        for piece in divided(whole, doubtful, least_seconds=LEAST_SECONDS):
            named = piece.take(np.arange(len(piece)), number=self._next)
            self._next += 1
            found.append(_with_crops(named, track))
        return found


def _with_crops(tracklet: Tracklet, track: OpenTrack) -> Followed:
    usual = usual_shape(tracklet.box)
    quality = np.zeros(len(tracklet))
    pixels: dict[int, Image] = {}
    for frame, worth, image in track.crops.values():
        row = int(np.searchsorted(tracklet.frame, frame))
        if row < len(tracklet) and tracklet.frame[row] == frame:
            quality[row] = worth * usual[row]
            pixels[row] = image
    rows = chosen(quality, most=MOST_CROPS)
    return Followed(tracklet, tuple(pixels[row] for row in rows.tolist()), rows, quality[rows])
