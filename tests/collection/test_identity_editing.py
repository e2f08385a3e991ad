"""Corrections by a human hold at once, after the next run, and when a camera is tracked anew."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from lookalike.collection.tracking import Tracking
from lookalike.errors import InputError


@pytest.fixture
def jittered(scene: Path, tmp_path: Path) -> Path:
    """The same recordings with boxes that are a little off: every tracklet is another one."""
    place = tmp_path / "jittered"
    shutil.copytree(scene.parent, place)
    rng = np.random.default_rng(5)
    for path in (place / "truth").iterdir():
        rows = [line.split(",") for line in path.read_text().splitlines()]
        for row in rows:
            row[2:6] = [f"{float(v) + rng.uniform(-1, 1):.2f}" for v in row[2:6]]
        path.write_text("\n".join(",".join(row) for row in rows))
    return place / "cameras.json"


def again(watched: Tracking, scene: Path, **options: str) -> None:
    watched.track(scene, detections=scene.parent / "truth", progress=False, **options)  # type: ignore[arg-type]


def starts(watched: Tracking, identity: str) -> set[tuple[str, str]]:
    """Where and when an identity's visits began: the same whatever numbers its tracklets have."""
    return {(visit.camera, visit.start.isoformat()) for visit in watched.follow(identity).visits}


def separate(watched: Tracking) -> tuple[str, str]:
    """Split an identity in two, to have two that may be merged; the parts' ids."""
    whole = next(each for each in watched.identities() if len(each.visits) > 2)
    return whole.id, watched.split(whole.id, whole.tracklets[:1])


@pytest.mark.parametrize("mode", ["offline", "online"])
def test_a_split_stays(watched: Tracking, scene: Path, jittered: Path, mode: str) -> None:
    whole, part = separate(watched)
    old, new = starts(watched, whole), starts(watched, part)
    assert len(new) == 1
    assert not old & new
    for recordings in (scene, jittered):
        again(watched, recordings, mode=mode)
        owner = {start: each.id for each in watched.identities() for start in starts(watched, each.id)}
        (alone,) = new
        assert owner[alone] not in {owner[start] for start in old}


@pytest.mark.parametrize("mode", ["offline", "online"])
def test_a_merge_takes_back_a_split_and_stays(
    watched: Tracking, scene: Path, jittered: Path, mode: str
) -> None:
    whole, part = separate(watched)
    both = starts(watched, whole) | starts(watched, part)
    assert watched.merge(whole, part) == whole
    assert starts(watched, whole) == both
    assert part not in [each.id for each in watched.identities()]
    for recordings in (scene, jittered):
        again(watched, recordings, mode=mode)
        assert both <= starts(watched, whole)


def test_who_was_seen_in_one_frame_cannot_be_merged(watched: Tracking) -> None:
    with pytest.raises(InputError, match=r"camera gate saw 'i1'.* and 'i2'.* in one frame"):
        watched.merge("i1", "i2")
    with pytest.raises(InputError, match="one identity already"):
        watched.merge("i1", "i1")


def test_a_name_stays_with_whom_it_was_given_to(watched: Tracking, scene: Path, jittered: Path) -> None:
    watched.rename("i2", "Bea")
    watched.rename("i1", "Al")
    when = min(starts(watched, "Bea"))
    for recordings in (scene, jittered):
        again(watched, recordings)
        assert {each.name for each in watched.identities()} >= {"Al", "Bea"}
        assert when in starts(watched, "Bea")
    watched.rename("Bea", None)
    again(watched, jittered)
    assert [each.name for each in watched.identities() if each.name] == ["Al"]


def test_two_names_are_never_joined(watched: Tracking, scene: Path) -> None:
    whole, part = separate(watched)
    watched._store.remove_corrections([each.number for each in watched._store.corrections()])
    watched.rename(whole, "Al")
    watched.rename(part, "Bea")
    again(watched, scene)
    assert starts(watched, "Al").isdisjoint(starts(watched, "Bea"))


def test_a_merge_keeps_the_first_name(watched: Tracking) -> None:
    whole, part = separate(watched)
    watched.rename(part, "Bea")
    watched.merge(whole, part)
    assert {each.id: each.name for each in watched.identities()}[whole] == "Bea", "the only name there was"
    other = watched.split(whole, [watched.follow(whole).visits[0].tracklet])
    watched.rename(other, "Al")
    watched.merge(other, whole)
    assert {each.id: each.name for each in watched.identities()}[other] == "Al"


def test_a_removed_identity_stays_away(watched: Tracking, scene: Path, jittered: Path) -> None:
    gone = starts(watched, "i1")
    assert watched.remove_identity("i1") == len(gone)
    for recordings in (None, scene, jittered):
        if recordings is not None:
            again(watched, recordings)
        left = {s for each in watched.identities() for s in starts(watched, each.id)}
        assert not left & gone
        assert len(left) == 21 - len(gone)
    assert "i1" not in [each.id for each in watched.identities()], "an id is never given twice"


def test_corrections_of_what_was_erased_are_gone(watched: Tracking) -> None:
    separate(watched)
    assert watched._store.corrections()
    for camera in ("gate", "yard"):
        watched._store.erase_tracklets_before(camera, 4_000_000_000_000_000)
    assert watched._store.corrections() == []


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: s.rename("i1", "i7"), "no id"),
        (lambda s: s.rename("i1", " "), "not blank"),
        (lambda s: s.rename("nobody", "Al"), "there are i1"),
        (lambda s: s.split("i1", []), "some, not all"),
        (lambda s: s.split("i1", s.identities()[0].tracklets), "some, not all"),
        (lambda s: s.split("i1", s.identities()[1].tracklets), "some, not all"),
        (lambda s: s.split("i1", ["x1"]), "such as t17"),
        (lambda s: s.merge("i1", "i999"), "no identity"),
        (lambda s: s.remove_identity("i999"), "no identity"),
    ],
)
def test_a_correction_that_cannot_be_says_why(watched: Tracking, call: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call(watched)  # type: ignore[operator]
    assert watched._store.corrections() == []


def test_a_name_is_given_once(watched: Tracking) -> None:
    watched.rename("i1", "Al")
    with pytest.raises(InputError, match="i1 is called 'Al' already"):
        watched.rename("i2", "Al")
    watched.rename("i1", "Al")
