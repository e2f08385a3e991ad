"""Who was seen where and when: by identity, by name, by picture; every search is noted."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from camera_scenes import PEOPLE, person
from lookalike.collection.tracking import Tracking
from lookalike.datasets.mot_challenge import read_mot
from lookalike.errors import ImageError, InputError
from lookalike.images.decode import decode

RATE = 0.05
"""Four people are not enough to tell what one comparison in a hundred would look like."""


def true_person(watched: Tracking, scene: Path, identity: str) -> str:
    """Who most boxes of an identity show."""
    votes: Counter[int] = Counter()
    for each in watched.sightings(identity=identity):
        rows = read_mot(scene.parent / "truth" / f"{each.visit.camera}.txt")
        for frame, box in zip(each.frame, each.box, strict=True):
            here = np.flatnonzero((rows.frame == frame) & (np.abs(rows.box - box).max(axis=1) < 1))
            votes.update(rows.identity[here].tolist())
    return PEOPLE[votes.most_common(1)[0][0] - 1]


def at(second: float) -> datetime:
    return datetime(2024, 6, 11, 9, 0, int(second), round(second % 1 * 1e6), tzinfo=UTC)


# identities


def test_identities_come_by_first_sighting_with_their_visits(watched: Tracking) -> None:
    identities = watched.identities()
    assert [each.first for each in identities] == sorted(each.first for each in identities)
    first = identities[0]
    assert (first.id, first.name, first.recognised, first.label) == ("i1", None, None, "i1")
    assert first.first == first.visits[0].start == at(0)
    assert first.sightings == sum(visit.sightings for visit in first.visits)
    assert {visit.identity for visit in first.visits} == {"i1"}
    assert identities.cameras == ("gate", "yard")
    assert sum(len(each.visits) for each in identities) == 21


def test_a_best_picture_shows_the_person(watched: Tracking) -> None:
    identities = watched.identities()
    pixels = decode(identities.best_crop(identities[0])).pixels
    assert abs(pixels.shape[0] / pixels.shape[1] - 3) < 0.3
    assert identities.crops(["t1", "t999"]).keys() == {"t1"}


def test_identities_of_a_time_and_a_camera_have_the_visits_of_then_and_there(watched: Tracking) -> None:
    late = watched.identities(between=(at(26), None))
    assert {visit.camera for each in late for visit in each.visits} == {"yard"}
    assert sum(len(each.visits) for each in late) == 9
    assert (
        watched.identities(between=("2024-06-11T09:00:26Z", None)).to_dict()["identities"]
        == late.to_dict()["identities"]
    )
    assert watched.identities(camera="yard").items == late.items
    assert len(watched.identities(between=(at(0), at(0.5)))) == 1
    assert len(watched.identities(between=(at(50), None))) == 0
    assert len(watched.identities(min_sightings=10_000)) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"camera": "roof"}, "one of gate, yard"),
        ({"between": (datetime(2024, 6, 11), None)}, "no time zone"),
        ({"between": ("yesterday", None)}, "ISO 8601"),
        ({"between": (at(5), at(4))}, "before it begins"),
        ({"between": "today"}, "two times"),
        ({"min_sightings": 0}, "at least 1"),
    ],
)
def test_a_question_that_makes_no_sense_says_why(
    watched: Tracking, options: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        watched.identities(**options)  # type: ignore[arg-type]


# following


def test_following_an_identity_gives_its_visits_in_order(watched: Tracking) -> None:
    identity = watched.identities()[0]
    found = watched.follow("i1")
    assert (found.asked_by, found.identity, found.line, found.candidates) == ("identity", "i1", None, ())
    assert found.visits == identity.visits
    assert [visit.start for visit in found] == sorted(visit.start for visit in found)
    seen = list(found.sightings())
    assert [each.visit.tracklet for each in seen] == list(identity.tracklets)
    assert all(len(each) == 27 and each.seen.all() for each in seen)
    assert len(watched.follow("i1", between=(at(0), at(1)))) == 1
    assert {visit.camera for visit in watched.follow("i1", camera="yard")} <= {"yard"}


def test_following_a_name_gives_who_is_called_so(watched: Tracking) -> None:
    watched.rename("i2", "Bea")
    found = watched.follow("Bea")
    assert (found.asked_by, found.identity, found.name) == ("name", "i2", "Bea")
    assert found.visits == watched.follow("i2").visits


@pytest.mark.parametrize("who", ["red", "blue", "yellow"])
def test_following_a_picture_finds_the_person(watched: Tracking, scene: Path, who: str) -> None:
    found = watched.follow(person(who, seed=99), false_match_rate=RATE)
    assert found.asked_by == "image"
    assert found.identity is not None
    assert true_person(watched, scene, found.identity) == who
    assert found.line is not None
    assert found.line.false_match_rate <= RATE + 1e-9
    assert all(visit.similarity is not None and visit.strength is not None for visit in found)
    assert (
        max(visit.similarity or 0 for visit in found) == found.candidates[0].similarity >= found.line.cosine
    )
    assert found.query is not None


def test_a_picture_of_somebody_else_is_of_somebody_unknown(watched: Tracking) -> None:
    found = watched.follow(person("white", seed=99), false_match_rate=RATE)
    assert (found.identity, found.name, len(found)) == (None, "unknown", 0)
    assert found.candidates, "who came closest is for a human to look at"
    assert not any(candidate.matched for candidate in found.candidates)


def test_a_picture_may_be_a_file_bytes_or_a_part(watched: Tracking, tmp_path: Path) -> None:
    wide = np.full((100, 200, 3), 128, np.uint8)
    wide[10:82, 60:84] = person("red", seed=99)
    Image.fromarray(wide).save(tmp_path / "wide.png")
    data = (tmp_path / "wide.png").read_bytes()
    answers = [
        watched.follow(what, crop="60,10,24,72", false_match_rate=RATE)
        for what in (wide, data, tmp_path / "wide.png", str(tmp_path / "wide.png"))
    ]
    assert len({answer.identity for answer in answers}) == 1
    assert answers[0].identity == watched.follow(person("red", seed=99), false_match_rate=RATE).identity
    assert answers[1].provenance["query"] == hashlib.sha256(data).hexdigest()


def test_what_cannot_be_followed_says_what_can(watched: Tracking, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no identity or name 'i99'.*there are i1, i2"):
        watched.follow("i99")
    with pytest.raises(ImageError):
        watched.follow(tmp_path / "nobody.png")
    with pytest.raises(InputError, match="no image"):
        watched.follow(np.zeros((5, 5), np.uint8))
    with pytest.raises(InputError, match="between 0 and 1"):
        watched.follow("i1", false_match_rate=2)
    assert watched.audit_log() == [], "nobody was searched"


def test_nothing_can_be_followed_before_something_was_tracked(site: Tracking) -> None:
    with pytest.raises(InputError, match="track recordings first"):
        site.follow("i1")
    with pytest.raises(InputError, match="track recordings first"):
        site.follow(person("red"))


# the log


def test_every_search_is_noted_without_what_was_searched_for(watched: Tracking) -> None:
    before = datetime.now(UTC)
    watched.rename("i2", "Bea")
    watched.follow("Bea", reason="she lost a bag", who="front desk")
    watched.follow(person("white", seed=99), reason="asked by the police", who="duty officer")
    watched.follow("i1")
    log = watched.audit_log()
    assert [(each.who, each.kind, each.reason) for each in log[:2]] == [
        ("front desk", "follow name", "she lost a bag"),
        ("duty officer", "follow image", "asked by the police"),
    ]
    assert log[2].who, "the account of the operating system"
    assert [each.answers for each in log] == [len(watched.follow("Bea")), 0, len(watched.follow("i1"))]
    assert before <= log[0].time <= log[1].time <= datetime.now(UTC)
    assert log[0].query == hashlib.sha256(b"name:Bea").hexdigest()
    assert "Bea" not in str(log)


# the gallery


def test_somebody_enrolled_is_recognised(watched: Tracking, scene: Path) -> None:
    enrolled = watched.enrol(
        "Rosa", [person("red", seed=5), person("red", 30, 90, seed=6)], false_match_rate=RATE, reason="staff"
    )
    assert (enrolled.name, enrolled.usable, len(enrolled.pictures)) == ("Rosa", True, 2)
    assert len(enrolled.identities) >= 1
    for id in enrolled.identities:
        assert true_person(watched, scene, id) == "red"
    known = next(each for each in watched.identities(named=True))
    assert known.recognised is not None
    assert (known.recognised.name, known.label, known.name) == ("Rosa", "Rosa?", None)
    assert known.recognised.false_match_rate <= RATE
    assert watched.follow("Rosa").visits[0].start == at(0)
    assert watched.audit_log()[0].kind == "enrol"


def test_somebody_who_was_not_seen_is_nobody(watched: Tracking) -> None:
    assert watched.enrol("Walter", person("white", seed=5), false_match_rate=RATE).identities == ()
    assert len(watched.follow("Walter")) == 0
    assert len(watched.identities(named=True)) == 0


def test_who_is_enrolled_is_looked_for_after_every_run(watched: Tracking, scene: Path) -> None:
    watched.enrol("Rosa", person("red", seed=5), false_match_rate=RATE)
    before = watched.gallery()
    watched.track(scene, detections=scene.parent / "truth", progress=False)
    assert [each.name for each in watched.gallery()] == [each.name for each in before] == ["Rosa"]
    assert watched.unenrol("Rosa")
    assert not watched.unenrol("Rosa")
    assert watched.gallery() == []
    assert len(watched.identities(named=True)) == 0
    with pytest.raises(InputError, match="Rosa"):
        watched.follow("Rosa")


def test_enrolling_needs_pictures_and_somebody_to_compare_with(watched: Tracking, site: Tracking) -> None:
    with pytest.raises(InputError, match="expected a few"):
        watched.enrol("Rosa", [])
    with pytest.raises(InputError, match="track recordings first"):
        site.enrol("Rosa", person("red"))
