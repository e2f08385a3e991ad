"""Frames of video files, through PyAV."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from lookalike.errors import ImageError, InputError, MissingExtra
from lookalike.images.candidates import Candidate, ResolvedSource, printable
from lookalike.images.storage import Storage, reason
from lookalike.types import Image

VIDEO_ENDINGS = (".mp4", ".avi", ".mkv", ".mov", ".webm")

Every: TypeAlias = "str | int | None"
"""``"0.5s"`` for seconds, an integer (or its digits) for frames, None for the default."""

DEFAULT_EVERY = "1s"

_SECONDS = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*s")


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which frames are taken: the first, then one every so many seconds or frames."""

    seconds: float | None = None
    frames: int | None = None

    @classmethod
    def parse(cls, every: Every) -> Sampling:
        """Read an ``every``.

        Raises:
            InputError: If it is neither seconds nor a count of frames, or is not greater than 0.
        """
        text = str(DEFAULT_EVERY if every is None else every).strip()
        if text.isascii() and text.isdigit() and int(text) > 0:
            return cls(frames=int(text))
        if (found := _SECONDS.fullmatch(text)) and float(found[1]) > 0:
            return cls(seconds=float(found[1]))
        raise InputError(
            f"every {every!r} is not understood: expected seconds such as '1s' or '0.5s', or frames: 25"
        )


class VideoSource(ResolvedSource):
    """Frames of one video, with ids such as ``clips/door.mp4#t=12.500`` (seconds from its first frame).

    Frames are decoded in passing and turned into RGB only when they are loaded. What cannot be decoded is a
    problem at its time, and the rest goes on.
    """

    def __init__(self, name: str, storage: Storage, place: str, sampling: Sampling) -> None:
        """Note what to read.

        Raises:
            MissingExtra: If PyAV is not installed.
        """
        super().__init__(name, place, whole=True)
        self._storage, self._sampling = storage, sampling
        av_library()

    def candidates(self) -> Iterator[Candidate]:
        """The frames, in order of time."""
        av = av_library()
        try:
            stamp = self._storage.stamp(self.uri)
            with self._storage.open(self.uri) as file, av.open(file, mode="r") as container:
                if not container.streams.video:
                    yield self.problem(self.name, self.uri, "the file has no video in it")
                    return
                yield from self._frames(container, stamp)
        except (OSError, EOFError, ValueError, av.FFmpegError) as error:
            why = f"the video cannot be read: {reason(error, printable(self.uri))}"
            yield self.problem(self.name, self.uri, why, hides_more=True)

    def _frames(self, container: Any, stamp: str | None) -> Iterator[Candidate]:
        stream = container.streams.video[0]
        seconds, due, number = 0.0, 0.0, 0
        for number, (seconds, frame, problem) in enumerate(decoded_frames(container, stream), 1):
            if self._is_due(number - 1, seconds, due):
                due = self._next_due(seconds, due)
                yield self._candidate(frame, problem, seconds, number - 1, stamp)
        if number == 0:
            why = "the video has no frame that can be decoded"
            yield self.problem(self.name, self.uri, why, hides_more=True)
        elif short := _missing_end(stream, seconds):
            yield self.problem(f"{self.name}#t={seconds:.3f}+", self.uri, short, hides_more=True)

    def _is_due(self, number: int, seconds: float, due: float) -> bool:
        if self._sampling.frames is not None:
            return number % self._sampling.frames == 0
        return seconds >= due - 1e-6

    def _next_due(self, seconds: float, due: float) -> float:
        """The first multiple of the interval after a frame; times that fall between frames are skipped."""
        every = self._sampling.seconds or 0.0
        return due if not every else every * (int(seconds / every + 1e-6) + 1)

    def _candidate(
        self, frame: Any, problem: str | None, seconds: float, number: int, stamp: str | None
    ) -> Candidate:
        mark = f"#t={seconds:.3f}"
        if problem is not None:
            return self.problem(self.name + mark, self.uri + mark, problem)
        own = None if stamp is None else f"{stamp}:frame={number}"
        return self.candidate(self.name + mark, self.uri + mark, own, partial(frame_pixels, frame))

    def read_frame(self, seconds: float) -> Image:
        """The frame at a time, as its id tells it.

        Raises:
            ImageError: If there is none.
        """
        av = av_library()
        try:
            with self._storage.open(self.uri) as file, av.open(file, mode="r") as container:
                stream = container.streams.video[0]
                for at, frame, _ in decoded_frames(container, stream):
                    if frame is not None and at >= seconds - 0.0006:
                        return frame_pixels(frame)
        except (OSError, EOFError, ValueError, IndexError, av.FFmpegError) as error:
            raise ImageError(f"the video cannot be read: {reason(error, self.uri)}") from None
        raise ImageError(f"the video ends before {seconds:.3f} s: {self.uri}")


def decoded_frames(container: Any, stream: Any) -> Iterator[tuple[float, Any, str | None]]:
    """Seconds since the first frame, the frame (None if it was not decoded), and what is wrong with it."""
    av = av_library()
    stream.thread_type = "SLICE"  # threads per frame would report an error some frames late
    start: float | None = None
    seconds = 0.0
    for packet in container.demux(stream):
        shots: list[tuple[Any, Any, str | None]]
        try:
            shots = [(f, f, "the frame is corrupt" if f.is_corrupt else None) for f in packet.decode()]
        except av.FFmpegError as error:
            shots = [(packet, None, f"the frame cannot be decoded: {error.strerror or error}")]
        for timed, frame, problem in shots:
            ticks = timed.dts if timed.pts is None else timed.pts  # AVI has no presentation times
            if ticks is None or timed.time_base is None:
                at = (start or 0.0) + seconds + (0.0 if start is None else frame_seconds(stream))
            else:
                at = float(ticks * timed.time_base)
            start = at if start is None else start
            seconds = max(at - start, 0.0)
            yield seconds, frame, problem


def frame_pixels(frame: Any) -> Image:
    """uint8 (h, w, 3) RGB of a frame, turned as the video's metadata say."""
    try:
        pixels = frame.to_ndarray(format="rgb24")
    except (OSError, ValueError) as error:
        raise ImageError(f"the frame cannot be turned into RGB: {error}") from None
    # FFmpeg counts the rotation counter-clockwise, as numpy does.
    return np.ascontiguousarray(np.rot90(pixels, round(frame.rotation / 90) % 4))


def frame_seconds(stream: Any) -> float:
    """How long a frame lasts, as the stream says; 0.04 where it does not."""
    rate = stream.average_rate or stream.guessed_rate
    return float(1 / rate) if rate else 0.04


def _missing_end(stream: Any, seconds: float) -> str | None:
    """Why the video seems to be cut off, or None: its own stream declares more than a second more."""
    if stream.duration is None or stream.time_base is None:
        return None
    declared = float(stream.duration * stream.time_base)
    if declared - seconds <= 1.0 + 2 * frame_seconds(stream):
        return None
    return f"the video is cut off: it ends at {seconds:.3f} s of {declared:.3f} s"


def av_library() -> Any:
    """PyAV.

    Raises:
        MissingExtra: If it is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise MissingExtra("reading video", "video") from error
    return av
