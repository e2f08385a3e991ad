"""One identity and one tracklet looked at closely: pictures, clips, and the ways between cameras."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

import lookalike
from camera_scenes import BODY, backdrop
from camera_site import copied_site
from lookalike.collection import Collection, replaying
from lookalike.errors import InputError, SourceError, UnknownItem
from lookalike.types import ItemId


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Iterator[Collection]:
    with lookalike.open(copied_site(tmp_path_factory.getbasetemp(), tmp_path)) as collection:
        yield collection


def pictures(data: bytes) -> list[np.ndarray]:
    import av

    with av.open(io.BytesIO(data)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_one_identity_is_the_one_of_the_list(place: Collection) -> None:
    place.rename("i2", "Ada")
    assert place.identity("Ada") == place.identity("i2") == place.identities()[1]
    with pytest.raises(UnknownItem, match=r"'i999'.*there are i1, Ada"):
        place.identity("i999")


def test_one_tracklet_is_the_one_of_its_identity(place: Collection) -> None:
    visit = place.identity("i1").visits[0]
    assert place.visit(visit.tracklet) == visit
    with pytest.raises(UnknownItem, match="t999"):
        place.visit("t999")
    with pytest.raises(InputError, match="such as t17"):
        place.visit("i1")


def test_the_best_picture_of_a_tracklet_an_identity_and_a_name(place: Collection) -> None:
    best = place.identity("i1").best
    place.rename("i1", "Ada")
    assert place.best_picture(best) == place.best_picture("i1") == place.best_picture("Ada")
    with pytest.raises(UnknownItem, match="t999"):
        place.best_picture("t999")


def test_an_item_id_is_never_looked_for_as_a_file(place: Collection, tmp_path: Path) -> None:
    there = tmp_path / "there.png"
    there.write_bytes(place.best_picture("i1"))
    with pytest.raises(UnknownItem, match="no identity or name"):
        place.follow(ItemId(str(there)))
    with pytest.raises(InputError, match="a crop was given"):
        place.follow(ItemId("i1"), crop=(0, 0, 1, 1))
    assert place.follow(ItemId("i1")).identity == "i1"


def test_a_clip_shows_the_stay_with_a_second_around_it(place: Collection) -> None:
    pytest.importorskip("av", reason="needs PyAV: pip install 'lookalike[video]'")
    visit = place.identity("i2").visits[0]
    clip = place.clip(visit.tracklet)
    second = timedelta(seconds=1)
    assert (clip.start, clip.end, clip.complete) == (visit.start - second, visit.end + second, True)
    shown = pictures(clip.data)
    assert len(shown) == clip.frames
    early = round((visit.start - max(clip.start, place.cameras()[0].start)).total_seconds() * 10)
    assert visit.sightings <= clip.frames <= visit.sightings + early + 11


def test_others_are_made_unrecognisable_on_request(place: Collection) -> None:
    pytest.importorskip("av", reason="needs PyAV: pip install 'lookalike[video]'")
    shown, hidden, rest = (
        pictures(place.clip("t2", hide=hide).data) for hide in ("nobody", "others", "rest")
    )
    assert len(shown) == len(hidden) == len(rest)
    changed = [np.abs(a.astype(float) - b).mean() for a, b in zip(shown, hidden, strict=True)]
    assert max(changed) > 1  # the one before is still there
    floor = (slice(-12, None), slice(-60, None))  # nobody walks there
    sharp, coarse = (np.std(each[5][floor].astype(float)) for each in (shown, rest))
    assert coarse < sharp <= np.std(backdrop(1)[floor].astype(float)) + BODY[0]
    with pytest.raises(InputError, match="nobody, others, rest"):
        place.clip("t2", hide="faces")  # type: ignore[arg-type]


def test_of_a_long_stay_the_part_around_the_best_sighting_is_shown(
    place: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("av", reason="needs PyAV: pip install 'lookalike[video]'")
    monkeypatch.setattr(replaying, "MOST_SECONDS", 1.0)
    visit = place.visit("t3")
    clip = place.clip("t3")
    assert not clip.complete and clip.end - clip.start == timedelta(seconds=1)
    best = place.cameras()[0].start + timedelta(seconds=(visit.frame - 1) / 10)
    assert clip.start <= best <= clip.end
    assert 9 <= clip.frames <= 12


def test_a_stream_cannot_be_played_again(place: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    known = replaying.camera_of
    monkeypatch.setattr(replaying, "camera_of", lambda record: replace(known(record), kind="url"))
    with pytest.raises(SourceError, match="there is no clip of t1: camera gate saw it, but a stream"):
        place.clip("t1")


def test_ways_between_cameras_can_be_asked_for_a_time(place: Collection) -> None:
    ways = {(each.origin, each.target): each.times for each in place.transitions()}
    assert ways["gate", "yard"] == 3
    late = place.transitions(between=("2024-06-11T09:00:26Z", None))
    assert {(each.origin, each.target) for each in late} == {("yard", "yard")}
