"""What every store promises about cameras, tracklets and identities: see lookalike/store/tracking.py."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from store_engines import Engine

from lookalike.errors import CollectionBusy, InputError
from lookalike.store.base import Store
from lookalike.store.tracking import (
    Anchor,
    AuditRecord,
    CameraRecord,
    Correction,
    GalleryPicture,
    SightingColumns,
    StoredIdentity,
)
from store_records import space
from tracklet_records import FINGERPRINT, NINE, SECOND, camera, tracklet


@pytest.fixture
def watched(store: Store) -> Store:
    """Three tracklets of the gate, one of the yard; two identities."""
    store.replace_tracklets(camera(), [tracklet(0, seed=1), tracklet(10, seed=2), tracklet(20, seed=3)])
    store.replace_tracklets(camera("yard"), [tracklet(5, seed=4)])
    first, second = store.new_identities(2)
    store.put_identities(
        [StoredIdentity(first, "Anna"), StoredIdentity(second)], {1: first, 2: second, 4: first}
    )
    return store


def same(a: SightingColumns, b: SightingColumns) -> bool:
    return all(
        np.allclose(getattr(a, n), getattr(b, n)) for n in ("frame", "time", "box", "confidence", "seen")
    )


# cameras and tracklets


def test_tracklets_come_back_from_another_handle(engine: Engine, tmp_path: Path) -> None:
    given = [tracklet(7, seed=1), tracklet(3, seed=2)]
    with engine.create(tmp_path / "c", space()) as store:
        assert store.replace_tracklets(camera(), given) == [1, 2]
    with engine.open(tmp_path / "c") as store:
        late, early = given
        found = store.tracklets()
        assert [each.number for each in found] == [2, 1], "by start"
        assert (found[0].start, found[0].end) == (NINE + 3 * SECOND, NINE + 4_900_000)
        assert (found[0].camera, found[0].sightings, found[0].quality) == ("gate", 20, 0.5)
        assert found[0].frame == early.sightings.frame[10]
        assert found[0].time == early.sightings.time[10]
        assert found[0].box == tuple(early.sightings.box[10])
        assert found[0].identity is None
        columns = dict(store.stream_sightings([1, 2]))
        assert same(columns[1], late.sightings)
        assert same(columns[2], early.sightings)
        assert store.crops([2, 99]) == {2: b"webp 2"}
        assert [number for number, _ in store.stream_sightings([2, 99, 1])] == [2, 1], "as asked"


def test_cameras_know_how_far_they_were_looked_at(watched: Store) -> None:
    gate, yard = watched.cameras()
    assert (gate.name, gate.run, gate.frames, gate.tracklets) == ("gate", "first", 900, 3)
    assert (gate.start, gate.last, gate.retain, yard.name) == (NINE, NINE + 90 * SECOND, None, "yard")


def test_new_settings_of_a_camera_leave_its_tracklets(watched: Store) -> None:
    version = watched.tracking_version()
    watched.put_cameras([CameraRecord("gate", '{"a": 1}', start=NINE + 5, retain=SECOND)])
    gate = watched.cameras()[0]
    assert (gate.settings, gate.start, gate.retain) == ('{"a": 1}', NINE + 5, SECOND)
    assert (gate.run, gate.frames, gate.tracklets) == ("first", 900, 3)
    assert watched.tracking_version() == version + 1
    watched.put_cameras([CameraRecord("gate", '{"a": 1}', start=NINE + 5, retain=SECOND)])
    assert watched.tracking_version() == version + 1, "nothing changed"


def test_tracking_a_camera_anew_replaces_what_it_saw_and_keeps_what_is_the_same(watched: Store) -> None:
    again = replace(tracklet(10, seed=2), crop=b"sharper", identity=1)
    assert watched.replace_tracklets(camera(run="second"), [tracklet(30, seed=9), again]) == [5, 2]
    assert [(each.number, each.identity) for each in watched.tracklets(camera="gate")] == [(2, 2), (5, None)]
    assert watched.crops([1, 2, 3]) == {2: b"sharper"}
    assert [each.number for each in watched.tracklets()] == [4, 2, 5], "another camera's stay"
    assert watched.cameras()[0].run == "second"
    assert [each.number for each in watched.stored_identities()] == [1, 2]
    watched.replace_tracklets(camera("yard"), [])
    assert [each.number for each in watched.stored_identities()] == [2], "nothing is left of the first"


def test_equal_tracklets_are_two(store: Store) -> None:
    assert store.replace_tracklets(camera(), [tracklet(), tracklet()]) == [1, 2]
    assert store.replace_tracklets(camera(), [tracklet(), tracklet(), tracklet()]) == [1, 2, 3]


def test_a_new_tracklet_takes_over_an_identity_that_exists(watched: Store) -> None:
    watched.replace_tracklets(
        camera(), [replace(tracklet(1, seed=7), identity=2), replace(tracklet(2, seed=8), identity=77)]
    )
    assert [each.identity for each in watched.tracklets(camera="gate")] == [2, None]


def test_a_stream_adds_to_what_was_kept(watched: Store) -> None:
    numbers = watched.replace_tracklets(
        camera(state=b"state"), [tracklet(15, seed=6)], since=NINE + 15 * SECOND
    )
    assert [each.number for each in watched.tracklets(camera="gate")] == [1, 2, *numbers], (
        "the third began later"
    )
    assert watched.cameras()[0].state == b"state"


def test_a_tracklet_that_grew_takes_the_place_of_what_it_was(watched: Store) -> None:
    grown = replace(tracklet(0, frames=35, seed=1), number=1)
    other = replace(tracklet(30, seed=6), number=4)  # of another camera: not to be replaced
    numbers = watched.replace_tracklets(
        camera(), [grown, other], since=NINE + 90 * SECOND, gone=[1, 2, 4, 99]
    )
    assert numbers == [1, 5]
    found = {each.number: each for each in watched.tracklets()}
    assert sorted(found) == [1, 3, 4, 5], "2 is gone, and 4 is the yard's"
    assert (found[1].sightings, found[1].identity) == (35, 1)
    assert found[1].end == NINE + 34 * SECOND // 10
    ((_, columns),) = watched.stream_sightings([1])
    assert same(columns, grown.sightings)
    assert watched.replace_tracklets(camera(), [grown], since=NINE + 90 * SECOND) == [1], "the same again"


@pytest.mark.parametrize(("until", "left"), [(NINE + 200 * SECOND, b"state"), (NINE + 12 * SECOND, b"")])
def test_the_state_of_a_stream_goes_with_whom_it_had_in_view(store: Store, until: int, left: bytes) -> None:
    store.replace_tracklets(camera(state=b"state", last=until), [tracklet(10, seed=1)])
    store.erase_tracklets_before("gate", NINE + 11 * SECOND)
    assert store.tracklets() == []
    assert store.cameras()[0].state == left


def test_tracklets_are_chosen_by_camera_identity_and_number(watched: Store) -> None:
    assert [each.number for each in watched.tracklets(identity=1)] == [1, 4]
    assert [each.number for each in watched.tracklets(identity=1, camera="yard")] == [4]
    assert [each.number for each in watched.tracklets(numbers=[3, 2, 50])] == [2, 3]
    assert watched.tracklets(numbers=[]) == []


def test_descriptions_of_another_fingerprint_never_come_along(watched: Store) -> None:
    other = replace(tracklet(40, seed=5), fingerprint="other", parts={"network": np.ones(2, np.float32)})
    watched.replace_tracklets(camera("roof"), [other])
    found = list(watched.stream_descriptions(FINGERPRINT, batch=3))
    assert [numbers.tolist() for numbers, _ in found] == [[1, 2, 3], [4]]
    assert found[0][1]["network"].shape == (3, 12)
    assert np.array_equal(found[1][1]["colour"][0], tracklet(5, seed=4).parts["colour"])
    ((numbers, parts),) = watched.stream_descriptions(FINGERPRINT, numbers=[4, 5, 1])
    assert numbers.tolist() == [4, 1]
    assert np.array_equal(parts["network"][0], tracklet(5, seed=4).parts["network"])
    ((numbers, _),) = watched.stream_descriptions("other")
    assert numbers.tolist() == [5]


@pytest.mark.parametrize(
    "wrong",
    [
        {"best": 20},
        {"quality": 1.5},
        {"fingerprint": ""},
        {"parts": {}},
        {"sightings": replace(tracklet().sightings, time=tracklet().sightings.time - 2 * NINE)},
    ],
    ids=str,
)
def test_a_tracklet_that_cannot_be_kept_changes_nothing(watched: Store, wrong: dict[str, object]) -> None:
    before = watched.tracklets(), watched.cameras(), watched.tracking_version()
    with pytest.raises(InputError):
        watched.replace_tracklets(camera(run="x"), [tracklet(50, seed=6), replace(tracklet(), **wrong)])  # type: ignore[arg-type]
    assert (watched.tracklets(), watched.cameras(), watched.tracking_version()) == before


def test_a_camera_that_cannot_be_kept_is_refused(store: Store) -> None:
    for wrong in (camera(""), camera(start=-1), camera(retain=0), camera(last=10**17)):
        with pytest.raises(InputError):
            store.put_cameras([wrong])
    assert store.cameras() == []


# identities


def test_numbers_of_identities_are_never_given_twice(watched: Store) -> None:
    watched.put_identities([], {})
    assert watched.stored_identities() == []
    assert watched.new_identities(2) == [3, 4]


def test_identities_replace_each_other_at_once(watched: Store) -> None:
    version = watched.tracking_version()
    watched.put_identities([StoredIdentity(2, "Bea", "Bea Smith", 0.9, 0.001)], {3: 2}, version=version)
    assert watched.stored_identities() == [StoredIdentity(2, "Bea", "Bea Smith", 0.9, 0.001)]
    assert {each.number: each.identity for each in watched.tracklets()} == {1: None, 2: None, 3: 2, 4: None}
    with pytest.raises(CollectionBusy, match="repeat the call"):
        watched.put_identities([], {}, version=version)


@pytest.mark.parametrize(
    ("identities", "members"),
    [
        ([StoredIdentity(9)], {1: 9}),
        ([StoredIdentity(1), StoredIdentity(1)], {1: 1}),
        ([StoredIdentity(1, "A"), StoredIdentity(2, "A")], {1: 1, 2: 2}),
        ([StoredIdentity(1)], {1: 2}),
        ([StoredIdentity(1)], {99: 1}),
        ([StoredIdentity(1, "")], {1: 1}),
    ],
)
def test_identities_that_cannot_be_are_refused(
    watched: Store, identities: list[StoredIdentity], members: dict[int, int]
) -> None:
    before = watched.stored_identities()
    with pytest.raises(InputError):
        watched.put_identities(identities, members)
    assert watched.stored_identities() == before


def test_nothing_of_tracking_changes_the_version_of_the_items(store: Store) -> None:
    version = store.version()
    store.replace_tracklets(camera(), [tracklet()])
    store.put_identities([StoredIdentity(store.new_identities(1)[0])], {1: 1})
    assert store.version() == version
    assert store.tracking_version() > 0


# what users said, gallery, log


def test_corrections_come_back_in_order_and_can_be_taken_back(store: Store) -> None:
    here, there = Anchor("gate", NINE, (1.0, 2.0, 3.5, 4.0)), Anchor("yard", NINE + 1, (5.0, 6.0, 7.0, 8.25))
    said = [
        Correction("together", (here, there), 10),
        Correction("name", (there,), 11, "Anna"),
        Correction("left out", (here,), 12),
    ]
    store.put_corrections(said)
    assert store.corrections() == [replace(each, number=at) for at, each in enumerate(said, 1)]
    assert store.remove_corrections([2, 99]) == 1
    assert [each.number for each in store.corrections()] == [1, 3]
    store.put_corrections([Correction("apart", (there, here), 13)])
    assert store.corrections()[-1].number == 4, "numbers count up"


@pytest.mark.parametrize(
    "wrong",
    [
        Correction("together", (Anchor("gate", 0, (0, 0, 1, 1)),), 0),
        Correction("name", (Anchor("gate", 0, (0, 0, 1, 1)),), 0),
        Correction("left out", (Anchor("gate", 0, (0, 0, 1, 1)),), 0, "a name"),
        Correction("sideways", (Anchor("gate", 0, (0, 0, 1, 1)),), 0),  # type: ignore[arg-type]
    ],
)
def test_a_correction_that_says_nothing_is_refused(store: Store, wrong: Correction) -> None:
    with pytest.raises(InputError, match="together, apart, name, left out"):
        store.put_corrections([wrong])
    assert store.corrections() == []


def test_the_gallery_keeps_a_few_pictures_a_name(watched: Store) -> None:
    parts = {"network": np.array([0.5, 0.25], np.float32)}
    watched.enrol([GalleryPicture("Bea", "f", parts, b"one"), GalleryPicture("Bea", "f", parts, b"two")])
    watched.enrol([GalleryPicture("Al", "f", parts, b"three")])
    assert [(each.name, each.picture) for each in watched.gallery_pictures()] == [
        ("Al", b"three"),
        ("Bea", b"one"),
        ("Bea", b"two"),
    ]
    watched.enrol([GalleryPicture("Bea", "f", parts, b"new")])
    assert [each.picture for each in watched.gallery_pictures()] == [b"three", b"new"]
    watched.put_identities([StoredIdentity(1, "Anna", "Bea", 0.8, 0.01)], {1: 1})
    assert watched.unenrol("Bea")
    assert not watched.unenrol("Bea")
    assert watched.stored_identities() == [StoredIdentity(1, "Anna")], "nobody is recognised as her any more"


def test_searches_are_noted_in_order(store: Store) -> None:
    version = store.tracking_version()
    entries = [AuditRecord(NINE + i, "ops", "follow image", "ab" * 32, "lost child", i) for i in range(3)]
    for entry in entries:
        store.log_search(entry)
    assert list(store.searches()) == entries
    assert store.tracking_version() == version


# retention


def test_erasing_takes_what_began_before_and_what_hangs_on_it(watched: Store) -> None:
    early, late = (Anchor("gate", NINE + s * SECOND, (0.0, 0.0, 1.0, 1.0)) for s in (1, 30))
    watched.put_corrections(
        [
            Correction("apart", (early, late), 0),
            Correction("name", (late,), 0, "Bea"),
            Correction("left out", (early,), 0),
        ]
    )
    assert watched.erase_tracklets_before("gate", NINE + 15 * SECOND) == (2, 40)
    assert [each.number for each in watched.tracklets()] == [4, 3], "the yard has its own retention"
    assert [each.kind for each in watched.corrections()] == ["name"]
    assert [each.number for each in watched.stored_identities()] == [1], "nothing was left of the second"
    assert watched.crops([1, 2]) == {}
    assert list(watched.stream_sightings([1, 2])) == []
    assert list(watched.verify()) == []


def test_erasing_nothing_changes_nothing(watched: Store) -> None:
    version = watched.tracking_version()
    assert watched.erase_tracklets_before("gate", NINE) == (0, 0)
    assert watched.erase_tracklets_before("no such camera", NINE * 2) == (0, 0)
    assert watched.tracking_version() == version


def test_a_sound_record_verifies(watched: Store) -> None:
    watched.log_search(AuditRecord(NINE, "ops", "follow name", "", "", 1))
    watched.put_corrections([Correction("left out", (Anchor("gate", NINE, (0, 0, 1, 1)),), 0)])
    watched.enrol([GalleryPicture("Al", "f", {"network": np.ones(3, np.float32)}, b"x")])
    assert list(watched.verify()) == []
