"""The frames of a camera with their times: a video file, a stream, or a folder of pictures.

What cannot be read is told, and the rest goes on: every frame comes with pixels or with a reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from lookalike.errors import ImageError, SourceError
from lookalike.images.decode import decode
from lookalike.images.folders import is_image_name
from lookalike.images.video import av_library, decoded_frames, frame_pixels, frame_seconds
from lookalike.tracking.cameras import Camera
from lookalike.types import Image

JUMP = 10.0
"""Seconds between two frames beyond which the camera is said to have stopped."""

CONNECTING, STALLED = 10.0, 10.0
"""Seconds after which a stream that does not answer, or that nothing comes from, counts as dropped."""

UNTIMED = ("mpjpeg", "mjpeg", "jpeg_pipe", "image2pipe")
"""Formats of streams that say nothing of time: FFmpeg would count 25 frames a second; frames have the time at which
they came."""

LEAST_STEP = 0.001
"""Seconds between two frames that came at once."""


class Shot(NamedTuple):
    """One frame.

    Args:
        number: From 1, as MOTChallenge counts.
        seconds: Since the camera's first frame; greater than that of the frame before.
        image: uint8 (h, w, 3), upright RGB; None where it could not be decoded.
        problem: What is wrong with it, or None.
        live: Whether the next one comes when it comes; a recording waits.
    """

    number: int
    seconds: float
    image: Image | None
    problem: str | None
    live: bool = False


def shots(camera: Camera) -> Iterator[Shot]:
    """The frames of a camera, in order.

    Times are those of the video. A clock that goes back is told, and time goes on from the frame before at the usual
    pace; so is a gap of more than ten seconds. A stream in a form without times (MJPEG) has those at which frames came.

    Args:
        camera: Where they come from.

    Raises:
        SourceError: If there is no such source, nothing of it can be read, or a live stream drops, which is its only
            end.
        MissingExtra: If it is a video and PyAV is not installed.
    """
    return _pictures(camera) if camera.kind == "frames" else _video(camera)


def _video(camera: Camera) -> Iterator[Shot]:
    av = av_library()
    number, last, back = 0, -1.0, 0.0
    timeout = (CONNECTING, STALLED) if camera.kind == "url" else None
    live, begun = False, monotonic()
    try:
        with av.open(camera.source, mode="r", timeout=timeout) as container:
            if not container.streams.video:
                raise SourceError(f"camera {camera.name}: {camera.source} has no video in it")
            stream = container.streams.video[0]
            live = camera.kind == "url" and not container.duration
            untimed = live and container.format.name in UNTIMED
            usual = 1 / camera.fps if camera.fps else frame_seconds(stream)
            for seconds, frame, problem in decoded_frames(container, stream):
                number += 1
                now = seconds + back
                if untimed:
                    begun = monotonic() if number == 1 else begun
                    now = max(monotonic() - begun, last + LEAST_STEP)
                if number > 1 and now <= last:
                    problem = problem or f"the clock went back by {last - now:.3f} s"
                    back += last + usual - now
                    now = last + usual
                elif number > 1 and now - last > JUMP:
                    problem = problem or f"nothing came for {now - last:.1f} s"
                image, problem = _image(frame, problem)
                yield Shot(number, now, image, problem, live)
                last = now
    except av.error.ExitError:  # how PyAV tells that time is up
        raise SourceError(
            f"camera {camera.name}: nothing came from {camera.source} for {STALLED:g} s, after {number} frames"
        ) from None
    except (OSError, EOFError, ValueError, av.FFmpegError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SourceError(
            f"camera {camera.name}: {camera.source} cannot be read after {number} frames: {reason}"
        ) from None
    if number == 0:
        raise SourceError(f"camera {camera.name}: {camera.source} has no frame that can be decoded")
    if live:
        raise SourceError(f"camera {camera.name}: {camera.source} ended after {number} frames")


def _image(frame: object | None, problem: str | None) -> tuple[Image | None, str | None]:
    if frame is None:
        return None, problem
    try:
        return frame_pixels(frame), problem
    except ImageError as error:
        return None, str(error)


def _pictures(camera: Camera) -> Iterator[Shot]:
    folder = Path(camera.source)
    if not folder.is_dir():
        raise SourceError(f"camera {camera.name}: there is no folder {folder}")
    paths = sorted(path for path in folder.iterdir() if is_image_name(path.name))
    if not paths:
        raise SourceError(f"camera {camera.name}: {folder} holds no picture, expected one a frame")
    fps = camera.fps or 1.0
    for number, path in enumerate(paths, 1):
        try:
            yield Shot(number, (number - 1) / fps, decode(path.read_bytes()).pixels, None)
        except (OSError, ImageError) as error:
            yield Shot(number, (number - 1) / fps, None, f"{path.name}: {error}")
