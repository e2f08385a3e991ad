"""One camera's recording written anew: with boxes and names, and with people hidden.

Hiding errs on the safe side: who is hidden is hidden for half a second before the first and after the last sighting, in
all gaps between, and a little beyond the box; where a hidden one and the one who is shown overlap, both are hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from lookalike.errors import ImageError, LookalikeError, MissingExtra
from lookalike.images.mosaic import FRAME_CELLS, hide, mosaic
from lookalike.images.video_writing import VideoWriter
from lookalike.reports.clock import moment
from lookalike.reports.frames import DrawnBox, draw_boxes, identity_colour
from lookalike.tracking.cameras import Camera
from lookalike.tracking.footage import Shot, shots
from lookalike.types import Image

Hidden: TypeAlias = Literal["nobody", "others", "rest"]
HIDDEN: tuple[Hidden, ...] = get_args(Hidden)
"""``others``: whoever was sighted and is not followed. ``rest``: all of the picture but the one who is followed, and so
whoever the detector missed too."""

HOLD = 0.5
"""Seconds for which somebody is hidden before the first and after the last sighting."""

MARGIN = 0.15
"""Of a box's width and height, on each side, that is hidden with it."""

USUAL_FPS = 10.0
"""Where nothing else is known."""

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class Trace(NamedTuple):
    """Boxes of one identity, or of a tracklet without one, in one camera.

    Args:
        number: Of the identity, which gives the colour; 0 for none.
        text: What is written on it.
        shown: Whether it is drawn; otherwise it is one of those that can be hidden.
        frame: int64 (n,), ascending.
        box: float64 (n, 4), left, top, width, height in pixels.
        seen: bool (n,): False where a box was filled in.
    """

    number: int
    text: str
    shown: bool
    frame: Integers
    box: Floats
    seen: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class AnnotatedVideo:
    """One camera's file.

    Args:
        camera: Its name.
        file: What was written; None if nothing was.
        frames: Pictures in it.
        boxes: Boxes drawn in it.
        unreadable: Frames of the recording that are left out because they could not be decoded.
        problem: Why there is no file; None if there is one.
    """

    camera: str
    file: str | None
    frames: int
    boxes: int
    unreadable: int
    problem: str | None


def write_annotated(
    camera: Camera,
    traces: Sequence[Trace],
    path: Path,
    *,
    intervals: Sequence[tuple[float, float]] | None,
    hidden: Hidden,
    fps: float | None = None,
    size: tuple[int, int] | None = None,
    step: Callable[[], None] = lambda: None,
) -> AnnotatedVideo:
    """Write a camera's recording with boxes.

    Args:
        camera: Where the recording is.
        traces: Its boxes; frames are numbered as :func:`lookalike.tracking.footage.shots` does.
        path: The video to write.
        intervals: Seconds since 1970 UTC from and to which pictures are taken, one after another without the time
            between; None: the whole recording.
        hidden: Who is made unrecognisable.
        fps: Pictures a second as they came; None: as the camera's description says.
        size: Width and height that its pictures had when they were tracked; None if that is not known.
        step: Called after each frame that was looked at.

    Returns:
        What was written. A recording that cannot be read, or is another, is a problem and no exception.

    Raises:
        MissingExtra: If PyAV is not installed.
        OSError: If the video cannot be written.
    """
    if camera.kind == "url":
        why = "a stream cannot be played again: give track the recording as video"
        return AnnotatedVideo(camera.name, None, 0, 0, 0, why)
    rate = fps or camera.fps or USUAL_FPS
    drawn, covered = _Boxes([t for t in traces if t.shown]), None
    if hidden != "nobody":
        covered = _Boxes([_covering(t, max(1, round(HOLD * rate))) for t in traces if not t.shown])
    boxes, unreadable = 0, 0
    try:
        with VideoWriter(path, fps=rate) as video:
            for shot, seconds in _wanted(camera, intervals, rate, step):
                if shot.image is None:
                    unreadable += 1
                    continue
                _check_size(shot.image, size)
                here = drawn.at(shot.number)
                image = (
                    shot.image
                    if covered is None
                    else _hidden(shot.image, here, covered.at(shot.number), hidden)
                )
                note = f"{camera.name}  {moment(_clock(camera, shot))}"
                video.write(draw_boxes(image, [_drawn(each) for each in here], note=note), seconds)
                boxes += len(here)
            frames = video.frames
    except MissingExtra:
        raise
    except LookalikeError as error:
        return AnnotatedVideo(camera.name, None, 0, 0, unreadable, str(error))
    if not frames:
        return AnnotatedVideo(
            camera.name, None, 0, 0, unreadable, "no picture of what was asked for can be read"
        )
    return AnnotatedVideo(camera.name, str(path), frames, boxes, unreadable, None)


def merged(intervals: Sequence[tuple[float, float]], *, around: float) -> list[tuple[float, float]]:
    """Intervals widened on both sides, in order; those that touch are one."""
    found: list[tuple[float, float]] = []
    for start, end in sorted((start - around, end + around) for start, end in intervals):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


class _Here(NamedTuple):
    """A box in one frame."""

    trace: Trace
    box: Floats
    seen: bool


class _Boxes:
    """Boxes of several traces, by frame."""

    def __init__(self, traces: Sequence[Trace]) -> None:
        self._traces = traces
        owner = [np.full(len(t.frame), number, np.int64) for number, t in enumerate(traces)]
        row = [np.arange(len(t.frame)) for t in traces]
        frame = np.concatenate([t.frame for t in traces] or [np.empty(0, np.int64)])
        order = np.argsort(frame, kind="stable")
        self._frame = frame[order]
        self._owner = np.concatenate(owner or [np.empty(0, np.int64)])[order]
        self._row = np.concatenate(row or [np.empty(0, np.int64)])[order]

    def at(self, frame: int) -> list[_Here]:
        """Those in a frame."""
        first, last = np.searchsorted(self._frame, [frame, frame + 1])
        pairs = zip(self._owner[first:last].tolist(), self._row[first:last].tolist(), strict=True)
        traces = ((self._traces[owner], row) for owner, row in pairs)
        return [_Here(trace, trace.box[row], bool(trace.seen[row])) for trace, row in traces]


def _wanted(
    camera: Camera,
    intervals: Sequence[tuple[float, float]] | None,
    fps: float,
    step: Callable[[], None],
) -> Iterator[tuple[Shot, float]]:
    """The frames within some intervals, with their times in a video without what lies between."""
    began = camera.start.timestamp()
    removed, last, cut = 0.0, -1 / fps, True
    for shot in shots(camera):
        step()
        at = began + shot.seconds
        if intervals is not None:
            if not intervals or at > intervals[-1][1]:
                return
            if not any(start <= at <= end for start, end in intervals):
                cut = True
                continue
        if cut:  # what comes next is shown one frame after what came before
            removed = shot.seconds - last - 1 / fps
        cut, last = False, shot.seconds - removed
        yield shot, last


def _covering(trace: Trace, hold: int) -> Trace:
    """Without gaps, and held for some frames before and after."""
    frames = np.arange(max(1, int(trace.frame[0]) - hold), int(trace.frame[-1]) + hold + 1)
    box = np.stack([np.interp(frames, trace.frame, column) for column in trace.box.T], axis=1)
    return trace._replace(frame=frames, box=box, seen=np.zeros(len(frames), np.bool_))


def _hidden(image: Image, shown: Sequence[_Here], others: Sequence[_Here], hidden: Hidden) -> Image:
    made = image.copy() if hidden == "others" else mosaic(image, FRAME_CELLS)
    height, width = image.shape[:2]
    for each in shown if hidden == "rest" else ():
        left, top, right, bottom = _corners(each.box, 0.0)
        rows = slice(max(0, top), min(height, bottom))
        columns = slice(max(0, left), min(width, right))
        made[rows, columns] = image[rows, columns]
    for each in others:
        hide(made, _corners(each.box, MARGIN))
    return made


def _drawn(here: _Here) -> DrawnBox:
    return DrawnBox(
        _corners(here.box, 0.0), here.trace.text, identity_colour(here.trace.number), dashed=not here.seen
    )


def _corners(box: Floats, margin: float) -> tuple[int, int, int, int]:
    left, top, width, height = box.tolist()
    wide, high = margin * width, margin * height
    return (
        int(np.floor(left - wide)),
        int(np.floor(top - high)),
        int(np.ceil(left + width + wide)),
        int(np.ceil(top + height + high)),
    )


def _check_size(image: Image, size: tuple[int, int] | None) -> None:
    found = (image.shape[1], image.shape[0])
    if size is not None and found != size:
        raise ImageError(
            f"its pictures have {found[0]} x {found[1]} pixels now, but had {size[0]} x {size[1]} when they were "
            "tracked: this is another recording, or its description tells another size"
        )


def _clock(camera: Camera, shot: Shot) -> datetime:
    return datetime.fromtimestamp(camera.start.timestamp() + shot.seconds, tz=UTC)
