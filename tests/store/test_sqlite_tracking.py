"""What cameras saw in the files of an embedded collection: erased for good, checked by verify()."""

from __future__ import annotations

import hashlib
import sqlite3
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lookalike.store.sqlite import SqliteStore
from lookalike.store.tracking import Anchor, AuditRecord, Correction, GalleryPicture, StoredIdentity
from lookalike.store.tracklet_bytes import pack_parts, pack_sightings
from store_records import space
from tracklet_records import NINE, SECOND, camera, tracklet

MARKER = "zqxjkvbwmarker"
SECRET = replace(tracklet(3, frames=400, seed=77), best=203, crop=f"{MARKER}crop".encode() * 2000)
AT = int(SECRET.sightings.time[SECRET.best])
BOX = tuple(SECRET.sightings.box[SECRET.best])


def traces(folder: Path) -> set[str]:
    """What of the secret tracklet the files of a collection hold, the log among them."""
    packed = pack_sightings(SECRET.sightings)
    needles = {
        "text": MARKER.encode(),
        "sightings": packed[5:29],
        "later sightings": packed[-40:-8],
        "description": pack_parts(SECRET.parts)[-24:],
        "digest": hashlib.sha256(packed).digest(),
        "time": AT.to_bytes(8, "big"),
        "box": struct.pack(">d", BOX[0]),
    }
    data = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    return {name for name, needle in needles.items() if needle in data}


def fill(store: SqliteStore) -> None:
    """The secret tracklet among many others, named, corrected, followed."""
    others = [tracklet(10 + i, frames=60, seed=i) for i in range(60)]
    numbers = store.replace_tracklets(camera(retain=SECOND), [*others[:30], SECRET, *others[30:]])
    (identity,) = store.new_identities(1)
    store.put_identities([StoredIdentity(identity, f"{MARKER}name")], {numbers[30]: identity})
    anchor = Anchor("gate", AT, BOX)
    store.put_corrections([Correction("name", (anchor,), NINE, f"{MARKER}name")])
    store.put_corrections(
        [Correction("apart", (anchor, Anchor("gate", NINE + 60 * SECOND, (1, 2, 3, 4))), NINE)]
    )


def test_the_traces_are_there_before(tmp_path: Path) -> None:
    with SqliteStore.create(tmp_path / "c", space()) as store:
        fill(store)
    assert traces(tmp_path / "c") == {
        "text",
        "sightings",
        "later sightings",
        "description",
        "digest",
        "time",
        "box",
    }


def test_what_retention_erased_leaves_no_byte_after_compacting(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    with SqliteStore.create(folder, space()) as store:
        fill(store)
        assert store.erase_tracklets_before("gate", NINE + 5 * SECOND) == (1, 400)
        store.compact()
        assert traces(folder) == set(), "while it is open"
        assert len(store.tracklets()) == 60
        assert list(store.verify()) == []
    assert traces(folder) == set()


def test_a_camera_tracked_anew_leaves_no_byte_of_before_after_compacting(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    with SqliteStore.create(folder, space()) as store:
        fill(store)
        store.replace_tracklets(camera(run="second"), [tracklet(10, seed=5)])
        store.remove_corrections([each.number for each in store.corrections()])
        store.compact()
    assert traces(folder) == set()


def test_somebody_who_was_unenrolled_leaves_no_byte_after_compacting(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    with SqliteStore.create(folder, space()) as store:
        fill(store)
        store.enrol([GalleryPicture(f"{MARKER}person", "f", SECRET.parts, SECRET.crop)])
        store.put_identities([StoredIdentity(1, None, f"{MARKER}person", 0.9, 0.01)], {1: 1})
        store.erase_tracklets_before("gate", NINE + 5 * SECOND)
        store.unenrol(f"{MARKER}person")
        store.compact()
        assert store.stored_identities() == [StoredIdentity(1)]
    assert traces(folder) == set()


DAMAGES = {
    "UPDATE tracklet_data SET crop = x'00' WHERE number = 3": "does not match its checksum",
    "UPDATE tracklets SET last = last + 1 WHERE number = 3": "its sightings do not",
    "DELETE FROM tracklet_data WHERE number = 3": "is not in the table tracklet_data",
    "DELETE FROM tracklets WHERE number = 3": "is not in the table tracklets",
    "DELETE FROM cameras": "is not in the table cameras",
    "DELETE FROM identities": "is not in the table identities",
    "DELETE FROM memberships": "is not in the table memberships",
    "DELETE FROM anchors": "is not in the table anchors",
    "UPDATE meta SET identities = 0": "was never given out",
    "UPDATE gallery SET picture = x'00'": "does not match its checksum",
    "UPDATE searches SET who = 'somebody else' WHERE number = 2": "does not match its seal",
    "DELETE FROM searches WHERE number = 1": "does not match its seal",
    "UPDATE searches SET answers = 0 WHERE number = 3": "does not match its seal",
}


@pytest.mark.parametrize("statement", DAMAGES)
def test_damage_is_found_and_named(tmp_path: Path, statement: str) -> None:
    folder = tmp_path / "c"
    with SqliteStore.create(folder, space()) as store:
        fill(store)
        store.enrol([GalleryPicture("Al", "f", {"network": np.ones(3, np.float32)}, b"x")])
        for number in range(3):
            store.log_search(AuditRecord(NINE, "ops", "follow image", "", "", number))
        assert list(store.verify()) == []
    connection = sqlite3.connect(folder / "collection.db")
    connection.execute(statement)
    connection.commit()
    connection.close()
    with SqliteStore.open(folder) as store:
        assert any(DAMAGES[statement] in damage.what for damage in store.verify()), list(store.verify())


def test_a_collection_from_before_cameras_is_brought_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lookalike.store import sqlite_schema

    with monkeypatch.context() as patch:
        patch.setattr(sqlite_schema, "STEPS", sqlite_schema.STEPS[:3])
        sqlite_schema.create(tmp_path / "c", space())
    with SqliteStore.open(tmp_path / "c") as store:
        assert store.cameras() == []
        assert store.tracking_version() == 0
        assert store.replace_tracklets(camera(), [tracklet()]) == [1]
