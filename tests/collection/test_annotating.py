from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import lookalike
from camera_scene import FRAMES, WALKS, write_scene
from lookalike.collection.facade import Collection
from lookalike.errors import InputError, MissingExtra

av = pytest.importorskip("av", reason="needs PyAV: pip install 'lookalike[video]'")


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scene, and ``place.lookalike`` that was tracked from its true boxes."""
    folder = tmp_path_factory.mktemp("scene")
    write_scene(folder)
    with lookalike.create(folder / "place.lookalike") as place:
        report = place.track(folder / "cameras.json", detections=folder / "detections", progress=False)
    assert report.tracklets == 4
    return folder


@pytest.fixture
def place(tracked: Path, tmp_path: Path) -> Iterator[Collection]:
    shutil.copytree(tracked / "place.lookalike", tmp_path / "place.lookalike")
    with lookalike.open(tmp_path / "place.lookalike") as collection:
        yield collection


def pictures(path: str | None) -> list[np.ndarray]:
    assert path is not None
    with av.open(path) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_every_camera_gets_a_video_with_every_identity(place: Collection, tmp_path: Path) -> None:
    done = place.annotate(place.identities(), tmp_path / "v", progress=False)
    assert [(video.camera, Path(video.file or "").name) for video in done.videos] == [
        ("door", "door.mp4"),
        ("yard", "yard.mp4"),
    ]
    boxes = [sum(walk.last - walk.first + 1 for walk in walks) for walks in WALKS.values()]
    assert [video.boxes for video in done.videos] == boxes
    assert not done.failed and done.to_dict()[0]["camera"] == "door"
    assert len(pictures(done.videos[0].file)) == done.videos[0].frames <= FRAMES


def test_a_follow_up_shows_the_times_it_was_seen_and_nobody_else(place: Collection, tmp_path: Path) -> None:
    first = place.identities(camera="door")[0]
    found = place.follow(first.id)
    done = place.annotate(found, tmp_path / "v", progress=False)
    own = {camera: walk for camera, walks in WALKS.items() for walk in walks if walk.figure == 0}
    assert [video.camera for video in done.videos] == list(own) == ["door", "yard"]
    for video in done.videos:
        assert video.boxes == own[video.camera].last - own[video.camera].first + 1
        assert video.frames < FRAMES


def test_whoever_is_not_followed_is_hidden(place: Collection, tmp_path: Path) -> None:
    found = place.follow(place.identities(camera="door")[0].id)
    plain = place.annotate(found, tmp_path / "plain", progress=False).videos[0]
    hidden = place.annotate(found, tmp_path / "hidden", hide="others", progress=False).videos[0]
    rest = place.annotate(found, tmp_path / "rest", hide="rest", progress=False).videos[0]
    walk = WALKS["door"][1]
    at = 20  # both are there; the video begins with the recording, a second before the first sighting
    left, top, wide, high = walk.box(at, 160)
    region = (slice(top, top + high), slice(left, left + wide))
    shown, without, coarse = (pictures(each.file)[at - 1].astype(float) for each in (plain, hidden, rest))
    assert np.abs(shown - without)[region].mean() > 10
    away = (slice(0, 14), slice(0, 60))  # nobody walks there
    assert np.abs(shown - without)[away].mean() < 4 < np.abs(shown - without)[region].mean()
    assert np.abs(shown - coarse)[region].mean() > 10


def test_nobody_can_be_hidden_where_nobody_is_followed(place: Collection, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="follow"):
        place.annotate(place.identities(), tmp_path / "v", hide="others", progress=False)
    with pytest.raises(InputError, match="nobody, others, rest"):
        place.annotate(place.follow("i1"), tmp_path / "v", hide="all", progress=False)  # type: ignore[arg-type]
    assert not (tmp_path / "v").exists()


def test_a_recording_is_never_replaced(place: Collection, tracked: Path) -> None:
    before = (tracked / "door.mp4").read_bytes()
    with pytest.raises(InputError, match=r"door\.mp4 is a recording"):
        place.annotate(place.identities(), tracked, progress=False)
    assert (tracked / "door.mp4").read_bytes() == before


def test_without_pyav_the_extra_is_named(
    place: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtra, match=r"lookalike\[video\]"):
        place.annotate(place.identities(), tmp_path / "v", progress=False)


def test_a_recording_that_is_gone_is_told_and_the_others_are_written(tmp_path: Path) -> None:
    write_scene(tmp_path)
    with lookalike.create(tmp_path / "place.lookalike") as place:
        place.track(tmp_path / "cameras.json", detections=tmp_path / "detections", progress=False)
        (tmp_path / "door.mp4").unlink()
        done = place.annotate(place.identities(), tmp_path / "v", progress=False)
    assert [video.camera for video in done.failed] == ["door"]
    assert "door.mp4" in (done.failed[0].problem or "")
    assert done.videos[1].file is not None
