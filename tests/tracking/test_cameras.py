from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from lookalike.errors import InputError
from lookalike.tracking.cameras import inside, least_travel, overlapping, parse_cameras, read_cameras

ONE = {"name": "a", "video": "a.mp4"}


def parse(*cameras: dict) -> list:
    return parse_cameras({"cameras": list(cameras)}, folder=Path("place"))


def test_a_whole_description_is_read(tmp_path: Path) -> None:
    entry = {
        "name": "door",
        "frames": "door",
        "start": "2024-06-11T11:00:02.350+02:00",
        "fps": 12.5,
        "width": 640,
        "height": 360,
        "overlaps": ["hall"],
        "neighbours": {"hall": [2, 30]},
        "homography": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        "ignore": [[[0, 0], [10, 0], [10, 10]]],
        "owner": "keys of the owner's own are let be",
    }
    hall = {"name": "hall", "video": "h.mp4", "start": "2024-06-11T09:00:00Z", "frames": 900}
    (tmp_path / "cameras.json").write_text(json.dumps({"cameras": [entry, hall]}))
    door, other = read_cameras(tmp_path / "cameras.json")
    assert (door.source, door.kind, door.fps, door.size) == (
        str(tmp_path / "door"),
        "frames",
        12.5,
        (640, 360),
    )
    assert (door.start - other.start).total_seconds() == 2.35
    assert door.neighbours == {"hall": (2.0, 30.0)}
    assert other.kind == "video"
    assert overlapping([door, other], "hall", "door") is True


@pytest.mark.parametrize(
    ("cameras", "message"),
    [
        ([{"name": "a"}], "exactly one of video, frames, url"),
        ([{**ONE, "url": "rtsp://x"}], "video and url"),
        ([{"name": "a/b", "video": "x"}], "may name a file"),
        ([ONE, ONE], "has a more than once"),
        ([{**ONE, "overlap": []}], "overlaps was meant"),
        ([{**ONE, "start": "2024-06-11T09:00:00"}], "time zone"),
        ([{"name": "a", "frames": "x"}], "without fps"),
        ([{**ONE, "fps": 0}], "greater than 0"),
        ([{**ONE, "width": 640}], "expected both"),
        ([{**ONE, "overlaps": ["b"]}], "names 'b'"),
        ([ONE, {"name": "b", "video": "b", "neighbours": {"a": [5, 2]}}], "least <= most"),
        ([{**ONE, "homography": [[1, 0, 0], [0, 0, 0], [0, 0, 1]]}], "can be inverted"),
        ([{**ONE, "ignore": [[[0, 0], [1, 1]]]}], "3 points or more"),
        ([ONE, {"name": "b", "video": "b", "start": "2024-06-11T09:00:00Z"}], "no start for a"),
        ([], "has no list of cameras"),
    ],
)
def test_what_cannot_be_is_refused_and_named(cameras: list, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse(*cameras)


def test_views_that_nobody_speaks_of_may_overlap_and_listed_ones_do_not() -> None:
    silent = parse(ONE, {"name": "b", "video": "b"})
    assert overlapping(silent, "a", "b") is None
    said = parse({**ONE, "overlaps": []}, {"name": "b", "video": "b"})
    assert overlapping(said, "a", "b") is False


def test_travel_adds_up_along_the_ways_and_is_infinite_without_one() -> None:
    cameras = parse(
        {**ONE, "neighbours": {"b": [4, 9]}, "overlaps": []},
        {"name": "b", "video": "b", "neighbours": {"c": [3, 9]}},
        {"name": "c", "video": "c"},
        {"name": "d", "video": "d"},
    )
    times = least_travel(cameras)
    assert times["a", "c"] == times["c", "a"] == 7
    assert math.isinf(times["a", "d"])
    assert least_travel(parse(ONE, {"name": "b", "video": "b"})) == {}


def test_a_point_lies_inside_a_polygon_or_not() -> None:
    triangle = ((0.0, 0.0), (10.0, 0.0), (0.0, 10.0))
    assert inside([triangle], 2, 2)
    assert not inside([triangle], 6, 6)
