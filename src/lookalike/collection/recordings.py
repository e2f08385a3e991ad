"""One camera's recording, from frames to tracklets that a store takes.

Memory holds no more than what is being followed, and some 30 KB a finished tracklet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import perf_counter

from lookalike.collection.description import Description
from lookalike.collection.detecting import Finder
from lookalike.collection.pieces import PieceDesk
from lookalike.collection.tracking_report import Problem
from lookalike.errors import SourceError
from lookalike.store.tracking import NewTracklet
from lookalike.tracking.cameras import Camera
from lookalike.tracking.following import Follower
from lookalike.tracking.footage import Shot, shots

MOST_PROBLEMS = 20
"""Problems of a camera that are told one by one; the others are counted."""

CUT_OFF = 1.5
"""Seconds by which a recording may be shorter than it declares before that is told."""

OTHER_RATE = 0.05
"""Share by which frames may come faster or slower than the description says before that is told."""


@dataclass(slots=True)
class Watched:
    """What came of a camera's recording.

    Args:
        tracklets: What was followed, and is not saved yet.
        saved, saved_sightings: Tracklets that are saved already, and their sightings.
        frames: Number of frames.
        readable: How many of them had pixels.
        began, last: Seconds of the first and the last frame looked at, since the camera's first ever.
        size: Width and height of the pictures, pixels; None without any.
        expired: Tracklets that were left out because they are too old.
        problems, problem_count: The first of what went wrong, and how much did.
        complete: Whether the recording could be read to its end.
        seconds: What it took.
    """

    tracklets: list[NewTracklet] = field(default_factory=list)
    saved: int = 0
    saved_sightings: int = 0
    frames: int = 0
    readable: int = 0
    began: float = 0.0
    last: float = 0.0
    size: tuple[int, int] | None = None
    expired: int = 0
    problems: list[Problem] = field(default_factory=list)
    problem_count: int = 0
    complete: bool = True
    seconds: float = 0.0

    @property
    def fps(self) -> float | None:
        """Frames a second as they came."""
        lasted = self.last - self.began
        return (self.frames - 1) / lasted if self.frames > 1 and lasted > 0 else None

    @property
    def sightings(self) -> int:
        """How many there are in all tracklets."""
        return self.saved_sightings + sum(len(tracklet.sightings) for tracklet in self.tracklets)

    def tell(self, reason: str, *, frame: int | None = None, time: datetime | None = None) -> None:
        """Note a problem."""
        self.problem_count += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(frame, time, reason))


def watch(
    camera: Camera,
    finder: Finder,
    description: Description,
    *,
    oldest: int | None,
    step: Callable[[], None],
) -> Watched:
    """Follow what a camera saw.

    Args:
        camera: Where its frames come from.
        finder: Its detections.
        description: What describes crops.
        oldest: Tracklets that started before this time, microseconds since 1970, are not kept; None keeps all.
        step: Called after every frame.

    Raises:
        SourceError: If not even one frame could be read.
        MissingExtra: If reading needs an extra that is not installed.
    """
    begun = perf_counter()
    watched = Watched()
    follower = Follower(camera)
    desk = PieceDesk(description)
    try:
        for shot in shots(camera):
            note(watched, shot, camera)
            desk.take(follower.take(shot, finder.find(shot)))
            step()
    except SourceError as error:
        if watched.frames == 0:
            raise
        watched.tell(str(error))
        watched.complete = False
    desk.take(follower.finish())
    keep(watched, desk, oldest)
    judge(watched, camera, finder)
    watched.seconds = perf_counter() - begun
    return watched


def keep(watched: Watched, desk: PieceDesk, oldest: int | None) -> None:
    """Keep what was followed, but for what is too old."""
    for tracklet in desk.tracklets():
        if oldest is not None and int(tracklet.sightings.time[0]) < oldest:
            watched.expired += 1
        else:
            watched.tracklets.append(tracklet)
    for piece in desk.unseen:
        watched.tell(
            f"a track of {len(piece)} sightings had no picture and was left out", frame=int(piece.frame[0])
        )


def note(watched: Watched, shot: Shot, camera: Camera) -> None:
    """Take notice of a frame: its number, time and size, and what is wrong with it."""
    if watched.frames == 0:
        watched.began = shot.seconds
    watched.frames, watched.last = shot.number, shot.seconds
    if shot.problem is not None:
        watched.tell(shot.problem, frame=shot.number, time=camera.start + timedelta(seconds=shot.seconds))
    if shot.image is None:
        return
    watched.readable += 1
    size = (shot.image.shape[1], shot.image.shape[0])
    if watched.size not in (None, size):
        watched.tell(
            f"pictures are {size[0]} x {size[1]} from here on, and were {watched.size[0]} x {watched.size[1]}",
            frame=shot.number,
        )
    watched.size = size


def _declared_seconds(camera: Camera) -> float:
    """How long a video says that it is; 0 where it does not say, and for everything else."""
    if camera.kind != "video":
        return 0.0
    import av

    try:
        with av.open(camera.source) as container:
            stream = container.streams.video[0]
            if stream.duration is not None and stream.time_base is not None:
                return float(stream.duration * stream.time_base)
            return float((container.duration or 0) / av.time_base)
    except (OSError, IndexError, ValueError, av.FFmpegError):
        return 0.0


def judge(watched: Watched, camera: Camera, finder: Finder) -> None:
    """What can be said at the end."""
    if (left := finder.left()) is not None:
        watched.tell(left)
    missing = _declared_seconds(camera) - watched.last
    if watched.complete and missing > CUT_OFF:
        watched.tell(
            f"the recording ends {missing:.1f} s before the end that it declares: the camera stopped, or it was cut"
        )
    if watched.readable == 0:
        watched.tell("not one frame could be decoded")
    elif not watched.tracklets and not watched.saved and not watched.expired:
        watched.tell(f"nothing was seen in {watched.frames} frames")
    if camera.size is not None and watched.size not in (None, camera.size):
        watched.tell(f"pictures are {watched.size}, but the description says {camera.size}")
    fps = watched.fps
    if camera.fps is not None and fps is not None and abs(fps / camera.fps - 1) > OTHER_RATE:
        watched.tell(
            f"frames came {fps:.2f} a second, but the description says {camera.fps:g}: times are those of the recording"
        )
