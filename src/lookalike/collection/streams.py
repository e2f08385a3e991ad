"""A live stream, followed until it ends or somebody stops it, and saved as it goes on.

What was followed is on disk every minute, with the tracker's state: after a restart, numbers of frames and tracks go on
where they were, and tracklets are added to those that there are.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import perf_counter

import numpy as np

from lookalike.collection.description import Description
from lookalike.collection.detecting import Finder
from lookalike.collection.pieces import PieceDesk
from lookalike.collection.recordings import Watched, judge, keep, note
from lookalike.collection.retention import oldest_kept
from lookalike.errors import SourceError
from lookalike.store.base import Store
from lookalike.store.interactions import microseconds
from lookalike.store.tracking import CameraRecord
from lookalike.tracking.cameras import EPOCH, Camera
from lookalike.tracking.following import Follower
from lookalike.tracking.footage import shots
from lookalike.tracking.tracker import Tracker

SAVED_EVERY = 60.0
"""Seconds of a stream after which what was followed is saved."""

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
        What came of this connection.

    Raises:
        SourceError: If not even one frame could be read.
    """
    begun = perf_counter()
    whole = Watched()
    last = 0.0 if record.last is None else (record.last - record.start) / 1e6
    elapsed = (datetime.now(UTC) - camera.start).total_seconds()
    frames, offset = record.frames, max(elapsed, last + 1.0) if record.last is not None else max(elapsed, 0.0)
    follower = Follower(camera, _restored(record.state))
    desk = PieceDesk(description)
    saved = offset

    def save() -> None:
        nonlocal desk
        keep(whole, desk, oldest_kept(record.retain, None))
        desk = PieceDesk(description)
        fresh, whole.tracklets = whole.tracklets, []
        whole.saved += len(fresh)
        whole.saved_sightings += sum(len(each.sightings) for each in fresh)
        moment = microseconds(camera.start + timedelta(seconds=whole.last))
        state = _packed(follower.tracker)
        store.replace_tracklets(
            replace(record, run="", frames=whole.frames, last=moment, state=state), fresh, since=NEVER
        )

    try:
        for shot in shots(camera):
            shot = shot._replace(number=shot.number + frames, seconds=shot.seconds + offset)
            note(whole, shot, camera)
            desk.take(follower.take(shot, finder.find(shot)))
            step()
            if shot.seconds - saved >= SAVED_EVERY:
                save()
                saved = shot.seconds
            if stop.is_set():
                break
    except SourceError as error:
        if whole.frames == 0:
            raise
        whole.tell(str(error))
    desk.take(follower.finish())
    save()
    whole.frames -= frames
    judge(whole, camera, finder)
    whole.seconds = perf_counter() - begun
    return whole


def _packed(tracker: Tracker) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **tracker.state())
    return file.getvalue()


def _restored(state: bytes) -> Tracker | None:
    """The tracker that was saved; None before the first connection."""
    if not state:
        return None
    with np.load(io.BytesIO(state), allow_pickle=False) as arrays:
        return Tracker.restored({name: arrays[name] for name in arrays.files})
