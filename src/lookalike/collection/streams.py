"""A live stream, followed until it ends or somebody stops it, and saved as it goes on.

Every few seconds all that is known is put on disk at once: tracklets that have ended, those that are still followed as
they are by now, and the state of what follows. After a restart, numbers of frames, tracks and tracklets go on where
they were, and whoever is still there stays who it was.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.collection.description import Description
from lookalike.collection.detecting import Finder
from lookalike.collection.pieces import PieceDesk
from lookalike.collection.recordings import Watched, judge, keep, note
from lookalike.collection.retention import oldest_kept
from lookalike.errors import InputError, SourceError
from lookalike.store.base import Store
from lookalike.store.interactions import microseconds
from lookalike.store.tracking import CameraRecord, NewTracklet
from lookalike.tracking.cameras import EPOCH, Camera
from lookalike.tracking.following import Followed, Follower
from lookalike.tracking.footage import LEAST_STEP
from lookalike.tracking.live import WAITS, live_shots

SAVED_EVERY = 10.0
"""Seconds of a stream after which what was followed is saved."""

GROWN = 1.5
"""Times the sightings that an open track was saved with last, from which on it is described and saved anew."""

NEVER = 2**62
"""No tracklet starts as late: what there is stays."""


def dated(camera: Camera, known: CameraRecord | None) -> Camera:
    """A stream with the time of its first frame: as described, or that of the first connection, or now."""
    if camera.start != EPOCH:
        return camera
    start = datetime.now(UTC) if known is None else EPOCH + timedelta(microseconds=known.start)
    return replace(camera, start=start)


def watch_stream(
    camera: Camera,
    finder: Finder,
    description: Description,
    store: Store,
    record: CameraRecord,
    *,
    step: Callable[[], None],
    stop: threading.Event,
) -> Watched:
    """Follow a stream and save what comes of it.

    Args:
        camera: With the time of its first frame ever.
        finder: Its detections.
        description: What describes crops.
        store: Takes the tracklets.
        record: The camera as it is stored by now, or as it will be.
        step: Called after every frame.
        stop: Set to end.

    Returns:
        What came of this run.

    Raises:
        SourceError: If not even one frame could be read.
    """
    begun = perf_counter()
    whole = Watched()
    last = 0.0 if record.last is None else (record.last - record.start) / 1e6
    frames = record.frames
    offset: float | None = None
    follower = Follower(camera)
    try:
        _restore(record.state, follower, finder)
    except (InputError, KeyError, ValueError, OSError) as error:
        whole.tell(f"what was followed before cannot be taken up again ({error}): tracks begin anew")
        follower = Follower(camera)
    desk = _Desk(camera, description, store, record, follower, finder)
    saved, over = 0.0, True
    try:
        for shot in live_shots(camera, stop, waits=WAITS):
            if offset is None:  # as much time went by since the last run as the clock says
                elapsed = (datetime.now(UTC) - camera.start).total_seconds()
                offset = saved = max(elapsed, 0.0 if record.last is None else last + LEAST_STEP)
            shot = shot._replace(number=shot.number + frames, seconds=shot.seconds + offset)
            note(whole, shot, camera)
            desk.take(follower.take(shot, finder.find(shot)))
            step()
            if shot.seconds - saved >= SAVED_EVERY:
                desk.save(whole)
                saved = shot.seconds
    except SourceError as error:
        if whole.frames == 0:
            raise
        whole.tell(str(error))
        over = False
    if over and not stop.is_set():  # it came to its end: nobody will be seen any further
        desk.take(follower.finish())
    desk.save(whole, last=True)
    whole.frames -= frames
    judge(whole, camera, finder)
    whole.seconds = perf_counter() - begun
    return whole


class _Desk:
    """Describes and saves what one stream's follower finds.

    Args:
        camera: With its start.
        description: What describes crops.
        store: Takes the tracklets.
        record: The camera as it was stored.
        follower, finder: Whose state is saved.
    """

    def __init__(
        self,
        camera: Camera,
        description: Description,
        store: Store,
        record: CameraRecord,
        follower: Follower,
        finder: Finder,
    ) -> None:
        self._camera, self._description, self._store, self._record = camera, description, store, record
        self._follower, self._finder = follower, finder
        self._ended = PieceDesk(description)
        self._open: dict[int, list[int]] = {}
        """Numbers of stored tracklets that are not over, by track."""
        self._sizes: dict[int, int] = {}
        begun = {
            each.tracklet.track: round(each.tracklet.start * 1e6) for each in reversed(follower.so_far())
        }
        for stored in store.tracklets(camera=camera.name):
            if stored.track in begun and stored.start >= begun[stored.track] - 1:
                self._open.setdefault(stored.track, []).append(stored.number)

    def take(self, finished: Sequence[Followed]) -> None:
        """Take up tracks that have ended."""
        self._ended.take(finished)

    def save(self, whole: Watched, *, last: bool = False) -> None:
        """Put everything on disk at once.

        Args:
            whole: Is told what was saved, and what went wrong.
            last: Describe every open track as it is now, however little it has grown.
        """
        oldest = oldest_kept(self._record.retain, None)
        keep(whole, self._ended, oldest)
        self._ended = PieceDesk(self._description)
        ended, whole.tracklets = whole.tracklets, []
        alive = self._follower.so_far()
        growing, sizes = self._growing(alive, last, oldest)
        tracks = {each.tracklet.track for each in alive}
        closed = [each.track for each in growing] + [track for track in self._open if track not in tracks]
        numbers = {track: self._open.pop(track, []) for track in dict.fromkeys(closed)}
        fresh = [self._numbered(each, numbers) for each in (*ended, *growing)]
        moment = microseconds(self._camera.start + timedelta(seconds=whole.last))
        record = replace(self._record, run="", frames=whole.frames, last=moment)
        placed = self._store.replace_tracklets(
            replace(record, state=_packed(self._follower, self._finder)),
            fresh,
            since=NEVER,
            gone=[number for left in numbers.values() for number in left],
        )
        for each, number in zip(growing, placed[len(ended) :], strict=True):
            self._open.setdefault(each.track, []).append(number)
        self._sizes = {track: size for track, size in (self._sizes | sizes).items() if track in self._open}
        counted = [*ended, *growing] if last else ended
        whole.saved += len(counted)
        whole.saved_sightings += sum(len(each.sightings) for each in counted)

    def _growing(
        self, alive: Sequence[Followed], last: bool, oldest: int | None
    ) -> tuple[list[NewTracklet], dict[int, int]]:
        """Open tracks that are worth saving anew, and the sightings of each."""
        sizes: dict[int, int] = {}
        for each in alive:
            sizes[each.tracklet.track] = sizes.get(each.tracklet.track, 0) + len(each.tracklet)
        wanted = {t for t, size in sizes.items() if last or size >= GROWN * self._sizes.get(t, 0)}
        desk = PieceDesk(self._description)
        desk.take([each for each in alive if each.tracklet.track in wanted])
        found = [each for each in desk.tracklets() if oldest is None or int(each.sightings.time[0]) >= oldest]
        saved = {each.track for each in found}
        return found, {track: size for track, size in sizes.items() if track in saved}

    @staticmethod
    def _numbered(tracklet: NewTracklet, numbers: Mapping[int, list[int]]) -> NewTracklet:
        """A tracklet in the place of what was saved of its track before."""
        left = numbers.get(tracklet.track)
        return replace(tracklet, number=left.pop(0)) if left else tracklet


def _packed(follower: Follower, finder: Finder) -> bytes:
    """The state of what follows; tracks are few, so arrays are small but for crops."""
    parts = {"follower": follower.state(), "finder": finder.state()}
    file = io.BytesIO()
    np.savez_compressed(
        file,
        allow_pickle=False,
        **{f"{part}.{name}": value for part, state in parts.items() for name, value in state.items()},
    )
    return file.getvalue()


def _restore(state: bytes, follower: Follower, finder: Finder) -> None:
    """Go on where a state was saved; nothing before the first connection."""
    if not state:
        return
    parts: dict[str, dict[str, npt.NDArray[Any]]] = {"follower": {}, "finder": {}}
    with np.load(io.BytesIO(state), allow_pickle=False) as arrays:
        for name in arrays.files:
            part, _, own = name.partition(".")
            if part in parts:
                parts[part][own] = arrays[name]
    follower.restore(parts["follower"])
    finder.restore(parts["finder"])
