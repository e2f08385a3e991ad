"""Frames of videos."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from painting import difference, make_picture
from test_scan import candidates, ids, problems

from lookalike.errors import ImageError, InputError
from lookalike.images.fetch import fetch
from lookalike.images.scan import resolve
from lookalike.images.video import Sampling
from lookalike.types import Image

av = pytest.importorskip("av", reason="needs PyAV: pip install 'lookalike[video]'")

FPS = 10


def frame_number(pixels: Image) -> int:
    """The number that write_video painted as a level of grey."""
    return round(float(pixels[24:40, 30:50].mean()) / 4)


def write_video(
    path: Path, frames: int = 35, codec: str = "mpeg4", rotation: int = 0, **options: Any
) -> Path:
    """Numbered frames at 10 per second."""
    with av.open(str(path), "w", **options) as container:
        stream = container.add_stream(codec, rate=FPS)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.bit_rate = 2_000_000
        stream.codec_context.gop_size = 5
        if rotation:
            stream.set_display_rotation(rotation)
        for number in range(frames):
            pixels = make_picture(64, 48)
            pixels[20:, 24:] = number * 4
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    (tmp_path / "door").mkdir()
    return write_video(tmp_path / "door" / "clip.mp4")


@pytest.mark.parametrize("name", ["a.mp4", "a.avi", "a.mkv", "a.mov"])
def test_one_frame_a_second_by_default(tmp_path: Path, name: str) -> None:
    (tmp_path / "door").mkdir()
    found = candidates(write_video(tmp_path / "door" / name))
    assert [c.id for c in found] == [f"door/{name}#t={t}.000" for t in range(4)]
    assert [frame_number(c.load()) for c in found] == [0, 10, 20, 30]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "every, numbers",
    [
        ("0.5s", [0, 5, 10, 15, 20, 25, 30]),
        ("2s", [0, 20]),
        (7, [0, 7, 14, 21, 28]),
        ("10", [0, 10, 20, 30]),
        ("0.25s", None),
    ],
)
def test_every_chooses_seconds_or_frames(clip: Path, every: str | int, numbers: list[int] | None) -> None:
    numbers = numbers or [0, 3, 5, 8, 10, 13, 15, 18, 20, 23, 25, 28, 30, 33]
    assert [frame_number(c.load()) for c in candidates(clip, every=every)] == numbers  # type: ignore[arg-type]
    assert ids(clip, every=every) == [f"door/clip.mp4#t={n / FPS:.3f}" for n in numbers]


@pytest.mark.parametrize("every", ["", "0s", 0, -1, "1m", "s", "nan s", "1e3s", True, "٣"])
def test_an_every_that_is_neither_is_an_input_error(every: Any) -> None:
    with pytest.raises(InputError, match="expected seconds such as"):
        Sampling.parse(every)


def test_names_and_stamps(clip: Path) -> None:
    (source,) = resolve([clip])
    assert (source.name, source.uri, source.whole) == ("door/clip.mp4", str(clip), True)
    first, second = list(source.candidates())[:2]
    status = clip.stat()
    assert first.stamp == f"{status.st_size}:{status.st_mtime_ns}:frame=0"
    assert second.stamp == f"{status.st_size}:{status.st_mtime_ns}:frame=10"
    assert second.uri == f"{clip}#t=1.000"
    assert ids(clip, prefix="cam1")[0] == "cam1/clip.mp4#t=0.000"


def test_frames_are_upright_rgb(clip: Path) -> None:
    pixels = candidates(clip)[0].load()
    assert isinstance(pixels, np.ndarray)
    assert pixels.shape == (48, 64, 3) and pixels.dtype == np.uint8 and pixels.flags.c_contiguous
    assert difference(pixels[:16, :], make_picture(64, 48)[:16, :]) < 15


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_rotation_in_the_metadata_is_applied(tmp_path: Path, rotation: int) -> None:
    path = write_video(tmp_path / "turned.mp4", frames=3, rotation=rotation)
    plain = candidates(write_video(tmp_path / "plain.mp4", frames=3))[0].load()
    turned = candidates(path)[0].load()
    with av.open(str(path)) as container:
        stated = next(container.decode(video=0)).rotation
    assert stated % 360 == rotation
    assert difference(turned, np.rot90(plain, rotation // 90)) < 1  # type: ignore[arg-type]


def test_a_video_cut_off_gives_what_is_there_and_says_so(tmp_path: Path) -> None:
    path = write_video(tmp_path / "cut.mp4", frames=60, options={"movflags": "faststart"})
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    found = candidates(path)
    assert frame_number(found[0].load()) == 0  # type: ignore[arg-type]
    assert "the video is cut off" in str(found[-1].problem)
    assert found[-1].hides_more


def test_corrupt_frames_are_problems_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "door").mkdir()
    path = write_video(tmp_path / "door" / "corrupt.avi", frames=60)
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    for start, size in packets[20:30]:
        data[start : start + size] = bytes(size)
    path.write_bytes(bytes(data))
    found = candidates(path, every=1)
    assert "door/corrupt.avi#t=2.000" in problems(found)
    good = [c for c in found if c.problem is None]
    assert frame_number(good[0].load()) == 0  # type: ignore[arg-type]
    assert frame_number(good[-1].load()) == 59  # type: ignore[arg-type]
    assert good[-1].id == "door/corrupt.avi#t=5.900"


@pytest.mark.parametrize("data", [b"", b"no video" * 99, bytes(5000)])
def test_what_is_no_video_is_one_problem(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.mp4").write_bytes(data)
    (found,) = candidates(tmp_path / "x.mp4")
    assert "the video cannot be read" in str(found.problem)
    with pytest.raises(ImageError):
        found.load()


def test_a_file_with_sound_alone_is_one_problem(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    (found,) = candidates(path)
    assert "no video" in str(found.problem)


def test_a_frame_can_be_fetched_again(clip: Path) -> None:
    for candidate in candidates(clip, every="0.5s"):
        np.testing.assert_array_equal(fetch(candidate.uri), candidate.load())
    with pytest.raises(ImageError, match="ends before"):
        fetch(f"{clip}#t=99.000")


def test_without_pyav_the_extra_is_named(clip: Path) -> None:
    script = f"""
import sys
sys.modules["av"] = None
from lookalike.errors import MissingExtra
from lookalike.images.scan import resolve
try:
    resolve([{str(clip)!r}])
except MissingExtra as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "lookalike[video]" in done.stdout
