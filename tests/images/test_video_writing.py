from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lookalike.errors import InputError
from lookalike.images import video_writing
from lookalike.images.video_writing import CODECS, VideoWriter

av = pytest.importorskip("av", reason="needs PyAV: pip install 'lookalike[video]'")


def plain(level: int, height: int = 48, width: int = 64) -> np.ndarray:
    image = np.full((height, width, 3), 40, np.uint8)
    image[:, : width // 2] = level
    return image


def read(path: Path) -> tuple[list[float], list[np.ndarray], list[str]]:
    with av.open(str(path)) as container:
        kinds = [stream.type for stream in container.streams]
        frames = list(container.decode(video=0))
    return [frame.time for frame in frames], [frame.to_ndarray(format="rgb24") for frame in frames], kinds


@pytest.mark.parametrize("codec", CODECS)
def test_pictures_come_back_with_their_times_and_no_sound(
    tmp_path: Path, codec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video_writing, "CODECS", (codec,))
    given = [3.0, 3.1, 3.25, 4.0]
    with VideoWriter(tmp_path / "a.mp4", fps=10) as video:
        for number, seconds in enumerate(given):
            video.write(plain(80 + 40 * number), seconds)
    times, pictures, kinds = read(tmp_path / "a.mp4")
    assert kinds == ["video"] and video.frames == 4
    np.testing.assert_allclose(np.array(times) - times[0], np.array(given) - 3.0, atol=1e-3)
    for number, picture in enumerate(pictures):
        assert abs(int(picture[24, 10, 0]) - (80 + 40 * number)) < 12


def test_odd_sizes_get_a_row_and_a_column(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", fps=5) as video:
        video.write(plain(200, 47, 63), 0.0)
    assert read(tmp_path / "a.mp4")[1][0].shape == (48, 64, 3)


def test_a_video_that_breaks_off_leaves_nothing_and_keeps_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "a.mp4"
    target.write_bytes(b"old")
    with pytest.raises(InputError, match="later time"), VideoWriter(target, fps=10) as video:
        video.write(plain(90), 1.0)
        video.write(plain(90), 1.0)
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"] and target.read_bytes() == b"old"


def test_without_pictures_there_is_no_file(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", fps=10):
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "fps", "said"),
    [("a.avi", 10, "ends in .mp4"), ("missing/a.mp4", 10, "no folder"), ("a.mp4", 0, "greater than 0")],
)
def test_what_cannot_be_written_is_refused_at_once(tmp_path: Path, name: str, fps: float, said: str) -> None:
    with pytest.raises(InputError, match=said):
        VideoWriter(tmp_path / name, fps=fps)


def test_pictures_of_another_size_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="32 x 48"), VideoWriter(tmp_path / "a.mp4", fps=10) as video:
        video.write(plain(90), 0.0)
        video.write(plain(90, 48, 32), 0.1)


def test_what_ffmpeg_cannot_write_is_an_error_of_the_file(tmp_path: Path) -> None:
    with (
        pytest.raises(OSError, match=r"a\.mp4 cannot be written"),
        VideoWriter(tmp_path / "a.mp4", fps=10) as video,
    ):
        video.write(np.zeros((2, 40_000, 3), np.uint8), 0.0)
    assert not list(tmp_path.iterdir())


def test_without_pyav_the_extra_is_named(tmp_path: Path) -> None:
    code = f"""
import sys
sys.modules["av"] = None
from pathlib import Path
from lookalike.images.video_writing import VideoWriter
VideoWriter(Path({str(tmp_path / "a.mp4")!r}), fps=10)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert "lookalike[video]" in done.stderr
