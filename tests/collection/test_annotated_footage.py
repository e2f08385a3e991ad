"""Annotated and blurred videos, read back frame by frame."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from camera_scene import FRAMES, WALKS, Walk, write_video
from lookalike.collection.annotated_footage import AnnotatedVideo, Hidden, Trace, merged, write_annotated
from lookalike.images.mosaic import FRAME_CELLS, mosaic
from lookalike.reports.frames import identity_colour
from lookalike.tracking.cameras import Camera

av = pytest.importorskip("av", reason="needs PyAV: pip install 'lookalike[video]'")

Frames = list[npt.NDArray[np.uint8]]
SIZE = (160, 96)


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Camera:
    folder = tmp_path_factory.mktemp("footage")
    write_video(folder / "door.mp4", WALKS["door"], FRAMES)
    return Camera("door", str(folder / "door.mp4"), "video", fps=10.0)


def trace(walk: Walk, *, shown: bool, gap: range = range(0)) -> Trace:
    frame = np.array([n for n in range(walk.first, walk.last + 1) if n not in gap], dtype=np.int64)
    box = np.array([walk.box(int(n), SIZE[0]) for n in frame], dtype=np.float64)
    number = walk.figure + 1
    return Trace(number, f"i{number}", shown, frame, box, np.ones(len(frame), np.bool_))


def read(path: str | None) -> Frames:
    assert path is not None
    with av.open(path) as container:
        assert [stream.type for stream in container.streams] == ["video"]
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def written(
    door: Camera,
    folder: Path,
    hidden: Hidden,
    *,
    intervals: list[tuple[float, float]] | None = None,
    gap: range = range(0),
) -> tuple[AnnotatedVideo, Frames]:
    first, second = WALKS["door"]
    traces = [trace(first, shown=True), trace(second, shown=hidden == "nobody", gap=gap)]
    done = write_annotated(door, traces, folder / "door.mp4", intervals=intervals, hidden=hidden, size=SIZE)
    return done, read(done.file)


def patch(image: npt.NDArray[np.uint8], walk: Walk, frame: int) -> npt.NDArray[np.float64]:
    """The inside of a figure's box, without its edge."""
    left, top, wide, high = walk.box(frame, SIZE[0])
    return image[top + 3 : top + high - 3, left + 3 : left + wide - 3].astype(np.float64)


def head(image: npt.NDArray[np.uint8], walk: Walk, frame: int) -> float:
    """How far the skin of a figure's head stands out from its body, 0 to 255."""
    left, top, wide, high = walk.box(frame, SIZE[0])
    middle = left + wide // 2
    skin = image[top + 3 : top + high // 6 - 1, middle - 2 : middle + 3].mean(axis=(0, 1))
    body = image[top + high // 4 : top + high // 2, middle - 2 : middle + 3].mean(axis=(0, 1))
    return float(np.abs(skin - body).max())


def test_all_frames_are_written_and_every_box_is_drawn(door: Camera, tmp_path: Path) -> None:
    done, frames = written(door, tmp_path, "nobody")
    assert (done.frames, done.unreadable, done.problem) == (FRAMES, 0, None)
    assert len(frames) == FRAMES
    assert done.boxes == sum(walk.last - walk.first + 1 for walk in WALKS["door"])
    for walk in WALKS["door"]:
        left, top, _, high = walk.box(15, SIZE[0])
        edge = frames[14][top + high // 2 : top + high - 4, left].astype(float)
        assert np.abs(edge - identity_colour(walk.figure + 1)).mean() < 70
        assert head(frames[14], walk, 15) > 60


def test_others_cannot_be_recognised_and_the_one_asked_for_can(door: Camera, tmp_path: Path) -> None:
    _, frames = written(door, tmp_path, "others")
    first, second = WALKS["door"]
    for number in (14, 16, 18):
        assert head(frames[number - 1], first, number) > 60
        hidden = patch(frames[number - 1], second, number)
        # six cells over the height: neighbouring rows are alike but where a cell ends
        rows = np.abs(np.diff(hidden.mean(axis=(1, 2))))
        assert (rows > 12).sum() <= 6
        assert head(frames[number - 1], second, number) < 60


def test_who_is_hidden_stays_hidden_before_after_and_between_sightings(door: Camera, tmp_path: Path) -> None:
    second = WALKS["door"][1]
    late = replace(second, first=second.first + 4, last=second.last - 4)
    traces = [
        trace(WALKS["door"][0], shown=True),
        trace(second, shown=False, gap=range(second.first, late.first)),
    ]
    held = traces[1]._replace(frame=traces[1].frame[:-4], box=traces[1].box[:-4], seen=traces[1].seen[:-4])
    broken = np.concatenate([np.arange(5), np.arange(12, len(held.frame))])
    held = held._replace(frame=held.frame[broken], box=held.box[broken], seen=held.seen[broken])
    done = write_annotated(
        door, [traces[0], held], tmp_path / "a.mp4", intervals=None, hidden="others", size=SIZE
    )
    frames, plain = read(done.file), read(door.source)
    in_gap = late.first + 8  # a frame without a sighting
    assert in_gap not in held.frame
    for number in (late.first - 1, in_gap, late.last + 1):
        changed = np.abs(frames[number - 1].astype(int) - plain[number - 1]).max(axis=2) > 30
        left, top, wide, high = second.box(number, SIZE[0])
        assert changed[top : top + high, left : left + wide].mean() > 0.15


def test_of_the_rest_nothing_is_left_that_the_detector_missed(door: Camera, tmp_path: Path) -> None:
    first, second = WALKS["door"]
    done = write_annotated(
        door, [trace(first, shown=True)], tmp_path / "a.mp4", intervals=None, hidden="rest", size=SIZE
    )
    frames = read(done.file)
    for number in (14, 18):
        assert head(frames[number - 1], first, number) > 60
    alone = second.last  # only the second is there, whom no box tells of
    plain = read(door.source)[alone - 1]
    coarse = patch(mosaic(plain, FRAME_CELLS), second, alone)
    left = np.abs(patch(frames[alone - 1], second, alone) - coarse).mean()
    assert left < 0.5 * np.abs(patch(plain, second, alone) - coarse).mean()


def test_where_both_overlap_both_are_hidden(door: Camera, tmp_path: Path) -> None:
    first = WALKS["door"][0]
    shown = trace(first, shown=True)
    other = shown._replace(number=2, shown=False)
    done = write_annotated(door, [shown, other], tmp_path / "a.mp4", intervals=None, hidden="rest", size=SIZE)
    assert head(read(done.file)[14], first, 15) < 60


def test_intervals_are_shown_one_after_another(door: Camera, tmp_path: Path) -> None:
    done, frames = written(door, tmp_path, "nobody", intervals=[(0.45, 0.95), (2.05, 2.45)])
    assert done.frames == len(frames) == 5 + 4
    with av.open(str(done.file)) as container:
        times = [frame.time for frame in container.decode(video=0)]
    np.testing.assert_allclose(np.diff(times), 0.1, atol=2e-3)
    plain = read(door.source)
    for shown, number in zip(frames, [*range(5, 10), *range(21, 25)], strict=True):
        away = slice(100, 160) if number < 10 else slice(0, 30)  # where no box is drawn, nor the time
        difference = shown[:70, away].astype(float) - plain[number][:70, away]
        assert np.abs(difference).mean() < 4


def test_a_recording_of_another_size_is_a_problem(door: Camera, tmp_path: Path) -> None:
    done = write_annotated(door, [], tmp_path / "a.mp4", intervals=None, hidden="nobody", size=(320, 200))
    assert done.file is None and "another recording" in (done.problem or "")
    assert not list(tmp_path.iterdir())


def test_a_recording_that_is_gone_is_a_problem(tmp_path: Path) -> None:
    gone = Camera("door", str(tmp_path / "gone.mp4"), "video")
    done = write_annotated(gone, [], tmp_path / "a.mp4", intervals=None, hidden="nobody")
    assert done.file is None and "gone.mp4" in (done.problem or "")


def test_nothing_of_the_interval_is_a_problem(door: Camera, tmp_path: Path) -> None:
    done = write_annotated(door, [], tmp_path / "a.mp4", intervals=[(900.0, 901.0)], hidden="nobody")
    assert done.file is None and "no picture" in (done.problem or "")


def test_intervals_that_touch_are_one() -> None:
    assert merged([(8, 9), (1, 2), (3, 4)], around=0.5) == [(0.5, 4.5), (7.5, 9.5)]
    assert merged([], around=1) == []


def test_a_stream_cannot_be_played_again(tmp_path: Path) -> None:
    stream = Camera("door", "rtsp://127.0.0.1:1/door", "url")
    done = write_annotated(stream, [], tmp_path / "a.mp4", intervals=None, hidden="nobody")
    assert done.file is None and "played again" in (done.problem or "")
