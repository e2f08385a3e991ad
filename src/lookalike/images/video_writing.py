"""Writing video files, through PyAV."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from lookalike.errors import InputError
from lookalike.images.video import av_library
from lookalike.types import Image

CODECS = ("libx264", "mpeg4")
"""The first that PyAV's FFmpeg was built with is taken: H.264 plays everywhere, MPEG-4 where a player is installed."""

ENDING = ".mp4"

_TICKS = 60_000
"""Of a second; MPEG-4 has no finer ones."""


class VideoWriter:
    """A video of pictures with their times; the file is there when it is complete, and not before. It has no sound.

    Args:
        path: Ends in ``.mp4``; the folder has to exist. A file that is there is replaced.
        fps: Usual pictures a second; what a picture's own time says goes before it.

    Raises:
        InputError: If the path is none of a video, or its folder is missing.
        MissingExtra: If PyAV is not installed.

    Example:
        >>> with VideoWriter(Path("c1.mp4"), fps=10) as video:
        ...     for seconds, picture in pictures:
        ...         video.write(picture, seconds)
    """

    def __init__(self, path: Path, *, fps: float) -> None:
        if path.suffix.lower() != ENDING:
            raise InputError(f"{path} cannot be written: expected a name that ends in {ENDING}")
        if not path.parent.is_dir():
            raise InputError(f"{path} cannot be written: there is no folder {path.parent}; make it first")
        if not 0 < fps < 10_000:
            raise InputError(f"fps is {fps}: expected pictures a second, greater than 0")
        self._path = path
        self._building = path.with_name(f".{path.name}.{secrets.token_hex(4)}{ENDING}")
        self._fps = Fraction(fps).limit_denominator(1001)
        self._container: Any = None
        self._stream: Any = None
        self._size = (0, 0)
        self._first = self._last = 0
        self._av = av_library()
        self.frames = 0

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._container is not None:
                with self._told():
                    if kind is None:
                        self._container.mux(self._stream.encode(None))
                    self._container.close()
                if kind is None:
                    self._building.replace(self._path)
        finally:
            self._building.unlink(missing_ok=True)

    def write(self, image: Image, seconds: float) -> None:
        """Add a picture.

        Args:
            image: uint8 (h, w, 3) RGB; all of one size, which the first sets.
            seconds: Its time, greater than that of the one before; the video begins with the first.

        Raises:
            InputError: If the size is another, or time does not go on.
            OSError: If the file cannot be written.
        """
        if self._container is None:
            with self._told():
                self._open(image.shape[1], image.shape[0])
            self._first = round(seconds * _TICKS)
        elif (image.shape[1], image.shape[0]) != self._size:
            raise InputError(
                f"picture {self.frames + 1} has {image.shape[1]} x {image.shape[0]} pixels: expected "
                f"{self._size[0]} x {self._size[1]}, as the first"
            )
        ticks = round(seconds * _TICKS) - self._first
        if self.frames and ticks <= self._last:
            raise InputError(
                f"picture {self.frames + 1} comes at {seconds:.3f} s: expected a later time than before"
            )
        frame = self._av.VideoFrame.from_ndarray(_even(image), format="rgb24")
        frame.pts, frame.time_base = ticks, Fraction(1, _TICKS)
        with self._told():
            self._container.mux(self._stream.encode(frame))
        self._last = ticks
        self.frames += 1

    @contextmanager
    def _told(self) -> Iterator[None]:
        """FFmpeg's errors as those of any other file that cannot be written."""
        try:
            yield
        except self._av.FFmpegError as error:
            raise OSError(error.errno, f"{self._path} cannot be written: {error.strerror}") from error

    def _open(self, width: int, height: int) -> None:
        codec = next(name for name in CODECS if _has(self._av, name))
        self._container = self._av.open(str(self._building), mode="w", format="mp4")
        self._stream = self._container.add_stream(codec, rate=self._fps)
        self._stream.width, self._stream.height = width + width % 2, height + height % 2
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = Fraction(1, _TICKS)
        if codec == "libx264":
            self._stream.options = {"crf": "21", "preset": "veryfast"}
        else:
            self._stream.bit_rate = max(400_000, int(4 * width * height))
        self._size = (width, height)


def _even(image: Image) -> Image:
    """With an even width and height, as encoders want it: the last row or column is repeated."""
    height, width = image.shape[:2]
    if not (width % 2 or height % 2):
        return np.ascontiguousarray(image)
    return np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def _has(av: Any, codec: str) -> bool:
    try:
        av.codec.Codec(codec, "w")
    except ValueError:  # av's UnknownCodecError is one
        return False
    return True
