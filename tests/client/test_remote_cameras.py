"""What a service tells of cameras and identities is what the collection tells."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from collection_pair import Pair, paired
from PIL import Image
from plain_answers import told

from camera_scenes import person
from camera_site import RATE, tracked_scene
from lookalike.errors import ImageError, InputError, UnknownItem

NOON = datetime(2024, 6, 11, 9, 0, 26, tzinfo=UTC)
RED = person("red", 60, 180, seed=7)

READS: dict[str, Callable[[Any], Any]] = {
    "cameras": lambda c: [{**each.to_dict(), "source": ""} for each in c.cameras()],
    "identities": lambda c: c.identities(),
    "identities of a time": lambda c: c.identities(between=(NOON, None), min_sightings=2),
    "identities of a camera": lambda c: c.identities(camera="gate", named=False),
    "one identity": lambda c: c.identity("i2"),
    "labels and tracklets": lambda c: [(each.label, each.tracklets) for each in c.identities()],
    "best picture": lambda c: (lambda found: found.best_crop(found[0]))(c.identities()),
    "picture of a tracklet": lambda c: [c.best_picture("t1"), c.best_picture("i1")],
    "pictures of several": lambda c: c.identities().crops(["t1", "t999", "t3"]),
    "transitions": lambda c: [c.transitions(), c.transitions(between=(None, "2024-06-11T09:00:20Z"))],
    "sightings": lambda c: [
        (s.visit.to_dict(), s.frame, s.box, s.confidence, s.seen, s.time) for s in c.sightings(identity="i1")
    ],
}

CHANGES: dict[str, Callable[[Any], Any]] = {
    "follow an identity": lambda c: [c.follow("i1"), [len(each) for each in c.follow("i1").sightings()]],
    "follow a picture": lambda c: c.follow(png(RED), false_match_rate=RATE, reason="a test"),
    "follow a part of a picture": lambda c: c.follow(
        png(np.pad(RED, ((0, 0), (0, 60), (0, 0)))), crop=(0, 0, 0.5, 1), false_match_rate=RATE
    ),
    "follow pixels": lambda c: c.follow(RED, false_match_rate=RATE).visits,
    "picture asked for": lambda c: c.follow(RED).query,
    "split and merge": lambda c: (lambda new: [new, c.identities(), c.merge("i1", new), c.identities()])(
        c.split("i1", c.identity("i1").tracklets[0])
    ),
    "rename": lambda c: [
        c.rename("i1", "Ada / Eve"),
        c.identity("Ada / Eve"),
        c.rename("Ada / Eve", None),
        c.identity("i1"),
    ],
    "remove": lambda c: [c.remove_identity("i2"), c.identities()],
    "enrol": lambda c: [
        c.enrol("Ada", [RED, png(RED)], false_match_rate=RATE, reason="asked to"),
        c.gallery(),
        c.identities(named=True),
        c.follow("Ada"),
        [c.unenrol("Ada"), c.unenrol("Ada"), c.gallery()],
    ],
    "erase": lambda c: c.erase_expired(),
}  # fmt: skip


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    original = tracked_scene(tmp_path_factory.getbasetemp())
    with paired(tmp_path_factory.mktemp("watched"), original) as both:
        yield both


@pytest.fixture
def changed(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Iterator[Pair]:
    with paired(tmp_path, tracked_scene(tmp_path_factory.getbasetemp())) as both:
        yield both


@pytest.mark.parametrize("name", READS)
def test_a_question_about_cameras_is_answered_alike(watched: Pair, name: str) -> None:
    assert told(READS[name](watched.remote)) == told(READS[name](watched.local))


@pytest.mark.parametrize("name", CHANGES)
def test_a_correction_is_the_same_correction(changed: Pair, name: str) -> None:
    assert told(CHANGES[name](changed.remote)) == told(CHANGES[name](changed.local))


def test_every_search_is_logged_under_the_name_of_the_key(changed: Pair) -> None:
    changed.remote.follow("i1", reason="lost bag")
    (entry,) = changed.remote.audit_log()
    assert (entry.who, entry.kind, entry.reason) == ("local", "follow identity", "lost bag")
    assert entry.time.tzinfo is UTC


def test_a_clip_is_a_file_that_can_be_played(watched: Pair) -> None:
    av = pytest.importorskip("av", reason="needs PyAV: pip install 'lookalike[video]'")
    clips = watched.remote.clip("t1", hide="others"), watched.local.clip("t1", hide="others").data
    frames = []
    for clip in clips:
        with av.open(io.BytesIO(clip)) as container:
            frames.append([frame.to_ndarray(format="rgb24").shape for frame in container.decode(video=0)])
    assert frames[0] == frames[1] and len(frames[0]) > 20


def test_sightings_are_exported_as_here(watched: Pair, tmp_path: Path) -> None:
    for ending in ("csv", "json"):
        watched.local.export_sightings(tmp_path / f"here.{ending}", camera="yard")
        watched.remote.export_sightings(tmp_path / f"there.{ending}", camera="yard")
        assert (tmp_path / f"there.{ending}").read_bytes() == (tmp_path / f"here.{ending}").read_bytes()
    with pytest.raises(InputError, match=r"ends in \.csv or \.json"):
        watched.remote.export_sightings(tmp_path / "there.txt")


def test_reports_are_written_from_what_was_fetched(watched: Pair, tmp_path: Path) -> None:
    page = watched.remote.identities().save_html(tmp_path / "people.html").read_text(encoding="utf-8")
    assert "i1" in page and "data:image/webp" in page


@pytest.mark.parametrize(
    ("kind", "call"),
    [
        (UnknownItem, lambda c: c.identity("i999")),
        (UnknownItem, lambda c: c.identity("no/body")),
        (UnknownItem, lambda c: c.follow("nobody")),
        (UnknownItem, lambda c: c.best_picture("t999")),
        (InputError, lambda c: c.identities(camera="attic")),
        (InputError, lambda c: c.identities(between=("yesterday", None))),
        (InputError, lambda c: c.identities(between=(NOON,))),
        (InputError, lambda c: c.split("i1", [])),
        (InputError, lambda c: c.merge("i1", "i1")),
        (InputError, lambda c: c.rename("i1", "i7")),
        (InputError, lambda c: c.enrol("Ada", [])),
        (ImageError, lambda c: c.follow("missing.jpg")),
        (ImageError, lambda c: c.follow(b"no picture")),
    ],
)
def test_what_is_wrong_with_a_question_is_told_alike(
    watched: Pair, kind: type[Exception], call: Callable[[Any], Any]
) -> None:
    for collection in watched:
        with pytest.raises(kind):
            call(collection)
