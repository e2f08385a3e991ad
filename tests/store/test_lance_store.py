"""What a collection in Lance promises beyond the contract: replicas, machines that slept, damage, what is refused."""

from __future__ import annotations

import inspect
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lookalike.errors import (
    CollectionBusy,
    CollectionExists,
    CollectionNotFound,
    DamagedCollection,
    InputError,
    StoreError,
)
from lookalike.store.object_log import ObjectLog
from lookalike.store.object_places import LocalPlace
from lookalike.store.s3_place import S3Place
from lookalike.store.sqlite import SqliteStore
from lookalike.store.sqlite_schema import DATABASE
from lookalike.store.tracking import (
    Anchor,
    AuditRecord,
    Correction,
    GalleryPicture,
    StoredIdentity,
)
from lookalike.types import Interaction
from s3_server import s3_uri
from store_records import FINGERPRINT, record, space, unit
from tracklet_records import camera, tracklet

pytest.importorskip("lance", reason="needs Lance: pip install 'lookalike[lance]'")

from lookalike.store import lance_replica, lance_rewriting
from lookalike.store.lance_store import LanceStore

OTHER = "feedfeedfeedfeed"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The path of an empty collection."""
    LanceStore.create(tmp_path / "shop.lance", space(), cache=tmp_path / "maker").close()
    return tmp_path / "shop.lance"


def on_machine(root: Path, name: str) -> LanceStore:
    """The collection, opened on a machine of this name."""
    return LanceStore.open(root, cache=root.parent / name)


def dump(store: LanceStore) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that a replica holds, the word index as what it says."""
    store.count()  # follows the log
    with sqlite3.connect(store.folder / DATABASE) as database:
        tables = [
            name
            for (name,) in database.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
            )
            if not name.startswith("words_")
        ]
        found = {
            name: sorted(database.execute(f"SELECT rowid, * FROM {name}").fetchall(), key=repr)
            if name == "words"
            else sorted(database.execute(f"SELECT * FROM {name}").fetchall(), key=repr)
            for name in tables
        }
    database.close()
    return found


def test_every_call_that_writes_a_sqlite_store_is_logged() -> None:
    writing = {
        name
        for name, method in inspect.getmembers(SqliteStore, inspect.isfunction)
        if "_connections.write()" in inspect.getsource(method) and name != "verify"
    }
    assert len(writing) > 20
    unlogged = {name for name in writing if getattr(LanceStore, name) is getattr(SqliteStore, name)}
    assert unlogged == set(), "log them in lance_calls.py, and name them in lance_replay.CALLS"


def test_a_change_that_is_not_logged_is_refused(root: Path) -> None:
    with on_machine(root, "a") as store, pytest.raises(StoreError, match="without an entry in its log"):
        SqliteStore.set_source(store, "catalog", "/pictures")


START = datetime(2024, 5, 1, tzinfo=UTC)

STEPS = (
    "put", "put", "put", "remove", "attributes", "touch", "source", "interactions", "forget", "weights", "fit", "unfit",
    "track", "identify", "correct", "enrol", "search", "compact",
)  # fmt: skip


def take(step: str, store: LanceStore, chance: random.Random, n: int) -> None:
    """One change of a kind."""
    ids = [item.id for item in next(store.stream(batch=3), [])]
    match step:
        case "put":
            values = {"n": n, "word": f"w{n}", "odd": n / 3}
            names = [f"item {chance.randrange(30)} {i}" for i in range(chance.randrange(1, 6))]
            store.put([record(name, values, labels=("x", f"l{n}"), seed=n) for name in names], FINGERPRINT)
        case "remove":
            store.remove(ids)
        case "attributes":
            store.set_attributes(
                {id_: {"n": f"text {n}", "new": True, "tags": ["a", f"t{n}"]} for id_ in ids}
            )
        case "touch":
            store.touch(dict.fromkeys(ids, (f"/moved/{n}", None)))
        case "source":
            store.set_source("catalog", f"/pictures/{n}")
        case "interactions":
            time, user = START + timedelta(seconds=n), f"user {chance.randrange(3)}"
            store.put_interactions([Interaction(user, f"item {n}", "view", time, n / 7)] * 3)
        case "forget":
            store.forget_user("user 1")
        case "weights":
            store.set_event_weights({"view": n / 10})
        case "fit":
            payload = bytes([n]) * 50_000
            store.put_fitted("map", f"m{n % 3}", payload, fingerprint=FINGERPRINT, provenance={"n": n / 3})
        case "unfit":
            store.remove_fitted("map", "m1")
        case "track":
            store.replace_tracklets(camera(run=f"{n}"), [tracklet(n, seed=n), tracklet(n + 9, seed=n + 9)])
        case "identify":
            number = store.new_identities(1)[0]
            members = {each.number: number for each in store.tracklets()[:1]}
            store.put_identities([StoredIdentity(number, f"name {n}")], members)
        case "correct":
            store.put_corrections([Correction("name", (Anchor("gate", n, (1.0, 2.0, 3.0, 4.5)),), n, "Ada")])
        case "enrol":
            store.enrol([GalleryPicture("Ada", "f", {"all": unit(n)}, b"webp")])
        case "search":
            store.log_search(AuditRecord(n, "who", "image", "q", "why", 3))
        case "compact":
            store.compact()


@pytest.mark.parametrize("seed", range(3))
def test_replicas_that_replayed_the_same_log_are_equal(root: Path, seed: int) -> None:
    chance = random.Random(seed)
    with on_machine(root, "a") as a, on_machine(root, "b") as b:
        for number in range(60):
            take(chance.choice(STEPS), chance.choice([a, b]), chance, number + 1)
        first = dump(a)
        assert dump(b) == first
        with on_machine(root, "c") as late:
            assert dump(late) == first
            assert list(late.verify()) == []
        assert list(a.verify()) == []
    assert len(first["items"]) > 0
    assert len(first["tracklets"]) > 0


def test_threads_on_two_machines_lose_and_double_nothing(root: Path) -> None:
    stores = [on_machine(root, name) for name in ("a", "b")]

    def write(store: LanceStore, name: str) -> None:
        for number in range(15):
            store.put([record(f"{name}/{number}"), record(f"both/{number}", seed=number)], FINGERPRINT)

    threads = [threading.Thread(target=write, args=(store, f"{n}")) for n, store in enumerate(stores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [store.count() for store in stores] == [45, 45]
    assert dump(stores[0]) == dump(stores[1])
    assert stores[0].version() == 30
    for store in stores:
        assert list(store.verify()) == []
        store.close()


def test_a_call_that_changes_nothing_is_not_logged(root: Path) -> None:
    with on_machine(root, "a") as store:
        store.put([record("a")], FINGERPRINT)
        entries = len(list((root / "log").iterdir()))
        store.put([], FINGERPRINT)
        store.touch({"a": ("/pictures/a", "1:2")})
        store.remove(["unknown"])
        store.remove_fitted("map", "none")
        assert store.forget_user("nobody") == 0
        with pytest.raises(InputError):
            store.set_attributes({"a": {"x": {1, 2}}})  # type: ignore[dict-item]  # that is the test
        assert len(list((root / "log").iterdir())) == entries


def test_a_replica_may_be_deleted(root: Path) -> None:
    with on_machine(root, "a") as store:
        store.put([record(f"{i}") for i in range(20)], FINGERPRINT)
        before, folder = dump(store), store.folder
    shutil.rmtree(folder)
    with on_machine(root, "a") as store:
        assert dump(store) == before
        assert len(store.vectors(store.rows(["3", "7"]))) == 2


def test_a_collection_that_is_made_anew_at_a_path_is_not_mistaken_for_the_old_one(root: Path) -> None:
    with on_machine(root, "a") as store:
        store.put([record("old")], FINGERPRINT)
    shutil.rmtree(root)
    LanceStore.create(root, space(), cache=root.parent / "a").close()
    with on_machine(root, "a") as store:
        assert store.count() == 0


def test_freshness_lets_others_changes_wait_but_not_ones_own(root: Path) -> None:
    with on_machine(root, "a") as a, LanceStore.open(root, cache=root.parent / "b", freshness=3600) as b:
        assert b.count() == 0
        a.put([record("a")], FINGERPRINT)
        assert b.count() == 0
        b.put([record("b")], FINGERPRINT)
        assert b.count() == 2, "a writer looks before it writes"


# machines that slept


def test_a_machine_that_slept_through_a_compaction_goes_on_from_the_checkpoint(root: Path) -> None:
    with on_machine(root, "a") as a, on_machine(root, "b") as sleeper:
        a.put([record(f"{i}", {"n": i}) for i in range(10)], FINGERPRINT)
        assert sleeper.count() == 10
        a.put([record("secret", {"word": "zqxjkvbw"})], FINGERPRINT)
        a.put_fitted("map", "m", bytes(100_000), fingerprint=FINGERPRINT, provenance={})
        a.remove(["secret", "3"])
        a.compact()
        a.put([record("late")], FINGERPRINT)
        assert sleeper.count() == 10
        assert dump(sleeper) == dump(a)
        assert len(sleeper.vectors(sleeper.rows(["late", "5"]))) == 2
        assert list(sleeper.verify()) == []


def test_a_writer_that_slept_through_a_compaction_cannot_take_an_erased_number(root: Path) -> None:
    with on_machine(root, "a") as a, on_machine(root, "b") as sleeper:
        sleeper.put([record("first")], FINGERPRINT)
        for number in range(5):
            a.put([record(f"{number}")], FINGERPRINT)
        a.compact()
        sleeper.put([record("last")], FINGERPRINT)
        assert a.count() == sleeper.count() == 7
        assert dump(a) == dump(sleeper)


def test_a_batch_that_was_written_before_a_compaction_is_written_again(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with on_machine(root, "a") as a, on_machine(root, "b") as b:
        a.put([record("first")], FINGERPRINT)
        commit = a._replica.commit

        def late(work_out: Any) -> Any:
            monkeypatch.undo()
            b.compact()
            return commit(work_out)

        monkeypatch.setattr(a._replica, "commit", late)
        a.put([record("second", seed=5)], FINGERPRINT)
        assert np.allclose(b.vectors(b.rows(["second"]))[0], unit(5), atol=1e-3)
        assert list(b.verify()) == []


@pytest.mark.parametrize("moment", ["copying", "committing"])
@pytest.mark.parametrize("operation", ["compact", "switch"])
def test_what_another_machine_compacted_meanwhile_is_written_anew_again(
    root: Path, monkeypatch: pytest.MonkeyPatch, moment: str, operation: str
) -> None:
    with on_machine(root, "a") as a, on_machine(root, "b") as b:
        a.put([record(f"{i}", seed=i) for i in range(6)], FINGERPRINT)
        if operation == "switch":
            rows = a.changes(0, -1).added
            a.begin_space(space(2, "f32", OTHER))
            a.put_vectors(rows, np.stack([unit(i) for i in range(6)]), [["new"]] * 6, OTHER)
        where, name = (
            (lance_rewriting._ItemsCopy, "copy_newer") if moment == "copying" else (a._replica, "commit")
        )
        original = getattr(where, name)

        def late(*arguments: Any) -> Any:
            monkeypatch.undo()
            b.compact()
            b.put([record("late", seed=77)], FINGERPRINT) if operation == "compact" else None
            return original(*arguments)

        monkeypatch.setattr(where, name, late)
        a.compact() if operation == "compact" else a.switch_space(OTHER)
        assert np.allclose(b.vectors(b.rows(["3"]))[0], unit(3), atol=1e-3)
        assert b.space().number == (1 if operation == "compact" else 2)
        assert a.count() == (7 if operation == "compact" else 6)
        assert dump(a) == dump(b)
        assert list(b.verify()) == []


def test_a_stream_goes_on_over_a_compaction_by_another_machine(root: Path) -> None:
    with on_machine(root, "a") as a, on_machine(root, "b") as b:
        a.put([record(f"{i}", seed=i) for i in range(20)], FINGERPRINT)
        stream = a.stream_vectors(batch=5)
        parts = [next(stream)]
        b.compact()
        parts += list(stream)
        assert np.concatenate([rows for rows, _ in parts]).tolist() == a.rows([f"{i}" for i in range(20)])
        assert np.allclose(np.concatenate([each for _, each in parts])[19], unit(19), atol=1e-3)


def test_checkpoints_spare_new_machines_the_replay(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lance_replica, "MOST_ENTRIES", 8)
    monkeypatch.setattr(lance_replica, "LOOK_FOR_CHECKPOINT", 4)
    with on_machine(root, "a") as a:
        for number in range(30):
            a.put([record(f"{number}")], FINGERPRINT)
        assert [path.name for path in (root / "checkpoint").iterdir()] == ["0000000028.sqlite.z"]
        read: list[int] = []
        monkeypatch.setattr(
            ObjectLog,
            "read",
            lambda log, number, previous, real=ObjectLog.read: (
                read.append(number) or real(log, number, previous)
            ),
        )
        with on_machine(root, "late") as late:
            assert dump(late) == dump(a)
        assert sorted(set(read)) == [1, 29, 30, 31]


# migrations


def test_a_migration_goes_over_to_other_machines(root: Path) -> None:
    with on_machine(root, "a") as a, on_machine(root, "b") as b:
        a.put([record(f"{i}") for i in range(6)], FINGERPRINT)
        rows = a.changes(0, -1).added
        new = space(2, "f32", OTHER)
        a.begin_space(new)
        b.put_vectors(rows, np.stack([unit(int(row)) for row in rows]), [["new"]] * 6, OTHER)
        a.compact()
        assert sum(map(len, b.lacking(OTHER))) == 0, "what a migration made so far outlives a compaction"
        a.remove(["0"])
        b.switch_space(OTHER)
        assert a.space() == new
        assert np.array_equal(a.vectors(rows[1:]), np.stack([unit(int(row)) for row in rows[1:]]))
        assert a.thumbnails(rows[1:2]) == [b"webp of 1"]
        assert dump(a) == dump(b)
        assert list(a.verify()) == []


# damage


@pytest.fixture
def filled(root: Path) -> Path:
    """That collection with ten items in two batches, and something fitted with a payload."""
    with on_machine(root, "a") as store:
        for start in (0, 5):
            store.put(
                [record(f"{i}", {"n": i}, thumbnail=bytes([i]) * 5000) for i in range(start, start + 5)],
                FINGERPRINT,
            )
        store.put_fitted("map", "m", bytes(100_000), fingerprint=FINGERPRINT, provenance={})
    return root


@pytest.mark.parametrize("number", [2, 4])
def test_an_entry_that_is_missing_is_found(filled: Path, number: int) -> None:
    with on_machine(filled, "a") as store:
        assert list(store.verify()) == []
        (filled / "log" / f"{number:010}.json").unlink()
        assert [damage.where for damage in store.verify()] == [f"log, entry {number}"]


def test_an_entry_that_was_changed_is_found_and_not_replayed(filled: Path) -> None:
    path = filled / "log" / "0000000003.json"
    path.write_bytes(path.read_bytes().replace(b"put", b"pot"))
    with on_machine(filled, "a") as store:
        assert any("not what was written" in damage.what for damage in store.verify())
    with on_machine(filled, "new") as store, pytest.raises(DamagedCollection, match="not what was written"):
        store.count()


def test_a_payload_that_is_gone_is_found(filled: Path) -> None:
    for path in (filled / "payloads").iterdir():
        path.unlink()
    with on_machine(filled, "a") as store:
        assert any("is missing" in damage.what for damage in store.verify())


def test_a_byte_of_a_thumbnail_that_turned_is_found(filled: Path) -> None:
    found = next(
        path for path in (filled / "data").rglob("data/*.lance") if bytes([7]) * 5000 in path.read_bytes()
    )
    data = found.read_bytes()
    at = data.index(bytes([7]) * 5000) + 2000
    found.write_bytes(data[:at] + b"\xff" + data[at + 1 :])
    with on_machine(filled, "a") as store:
        assert any("thumbnails" in damage.where and "(7)" in damage.where for damage in store.verify())
        with pytest.raises(DamagedCollection, match="does not match its checksum"):
            store.thumbnails(store.rows(["7"]))
        with pytest.raises(DamagedCollection, match="nothing was written anew"):
            store.compact()
        store.remove(["7"])
        store.compact()
        assert list(store.verify()) == []
        assert store.count() == 9


def test_bulk_data_that_are_gone_are_damage_and_not_an_empty_answer(filled: Path) -> None:
    with on_machine(filled, "a") as store:
        rows = store.rows(["1", "8"])
    for path in (filled / "data").rglob("data/*.lance"):
        path.unlink()
    with on_machine(filled, "a") as store:
        with pytest.raises(DamagedCollection):
            store.vectors(rows)
        assert list(store.verify()) != []


def test_a_newest_manifest_of_zeros_loses_nothing_and_is_not_built_upon(filled: Path) -> None:
    """What a power cut may leave of a commit that was not acknowledged: Lance opens it as an empty dataset."""
    (versions,) = (filled / "data").rglob("_versions")
    last = min(path for path in versions.glob("*.manifest"))
    newer = versions / f"{int(last.stem) - 1}.manifest"
    newer.write_bytes(bytes(last.stat().st_size))
    with on_machine(filled, "new") as store:
        assert len(store.vectors(store.rows([f"{i}" for i in range(10)]))) == 10
        with pytest.raises(StoreError):
            store.put([record("more")], FINGERPRINT)
        assert store.count() == 10
        store.compact()
        store.put([record("more")], FINGERPRINT)
        assert store.count() == 11
        assert list(store.verify()) == []


# what is refused


def test_a_folder_without_a_log_is_no_collection(tmp_path: Path) -> None:
    (tmp_path / "x.lance").mkdir()
    with pytest.raises(CollectionNotFound, match="no collection"):
        on_machine(tmp_path / "x.lance", "a")
    with pytest.raises(CollectionExists):
        LanceStore.create(tmp_path / "x.lance", space(), cache=tmp_path / "a")


def test_a_service_that_overwrites_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = s3_uri(tmp_path)
    monkeypatch.setattr(S3Place, "create", S3Place.replace)
    with pytest.raises(StoreError, match="conditional puts"):
        LanceStore.create(place, space(), cache=tmp_path / "a")
    assert S3Place(place).names("") == []


def test_an_original_is_put_in_the_period_in_which_it_was_written(root: Path) -> None:
    one = replace(record("uploads/a.jpg"), uri="original://uploads/a.jpg")
    with on_machine(root, "a") as store:
        assert store.original_objects is not None
        store.original_objects.write(one.sha256, b"a picture")
        with on_machine(root, "b") as other:
            other.compact()
            assert other.original_objects is not None and other.original_objects.all_names() == {}
        with pytest.raises(CollectionBusy, match="upload them again"):
            store.put([one], FINGERPRINT)
        assert store.count() == 0
        store.original_objects.write(one.sha256, b"a picture")
        store.put([one], FINGERPRINT)
        store.compact()
        assert list(store.original_objects.all_names()) == [one.sha256]
        assert store.original_objects.bytes() == len(b"a picture")


def test_an_entry_of_an_unknown_operation_is_refused(root: Path) -> None:
    with on_machine(root, "a") as store:
        state = store._replica.state()
        ObjectLog(LocalPlace(str(root))).append(state.number + 1, state.digest, "newer", {})
        with pytest.raises(StoreError, match="upgrade lookalike"):
            store.count()


def test_lance_is_imported_only_when_a_collection_in_lance_is_opened(tmp_path: Path) -> None:
    script = (
        "import sys, lookalike\n"
        "assert 'lance' not in sys.modules and 'lookalike.store.lance_store' not in sys.modules\n"
        "sys.modules['lance'] = None\n"
        "try:\n    lookalike.create(sys.argv[1])\n"
        "except lookalike.errors.MissingExtra as error:\n    print(error)\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "x.lance")], capture_output=True, text=True, check=True
    )
    assert re.search(r"pip install 'lookalike\[lance\]'", said.stdout), said
    assert list(tmp_path.iterdir()) == [], "nothing half made stays"
