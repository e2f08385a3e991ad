"""The log of a collection in Lance, and small objects: who is first, what is acknowledged, what damage says."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from lookalike.errors import DamagedCollection, InputError, StoreError
from lookalike.store.interactions import columns_of
from lookalike.store.logged_values import NotLoggable, from_log, to_log
from lookalike.store.object_log import INLINE_BYTES, Erased, ObjectLog
from lookalike.store.object_places import LocalPlace, Place, Taken, place_of
from lookalike.store.tracking import Anchor, Correction
from lookalike.types import Interaction
from s3_server import s3_uri


@pytest.fixture(params=["local", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return place_of(str(tmp_path / "c") if request.param == "local" else s3_uri(tmp_path))


def test_objects_are_read_replaced_listed_and_deleted(place: Place) -> None:
    assert place.read("a/b") is None
    assert not place.exists("a/b")
    assert place.names("a") == []
    place.create("a/b", b"one")
    place.replace("a/c", b"two")
    place.replace("a/c", b"three")
    place.replace("a/d/e", b"deep")
    assert place.exists("a/b")
    assert (place.read("a/b"), place.read("a/c")) == (b"one", b"three")
    assert place.names("a") == ["b", "c", "d"]
    place.delete(["a/c", "a/d", "a/never"])
    assert place.names("a") == ["b"]


def test_files_are_copied_there_and_back(place: Place, tmp_path: Path) -> None:
    (tmp_path / "from").write_bytes(bytes(range(256)) * 100)
    place.upload("folder/object", tmp_path / "from")
    assert place.download("folder/object", tmp_path / "to")
    assert (tmp_path / "to").read_bytes() == (tmp_path / "from").read_bytes()
    assert not place.download("folder/nothing", tmp_path / "none")


def test_of_many_that_create_an_object_one_succeeds(place: Place) -> None:
    won: list[int] = []
    barrier = threading.Barrier(8)

    def create(number: int) -> None:
        barrier.wait()
        try:
            place.create("log/1", f"{number}".encode())
        except Taken:
            return
        won.append(number)

    threads = [threading.Thread(target=create, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = won
    assert place.read("log/1") == f"{winner}".encode()
    assert place.names("log") == ["1"], "the losers left nothing"


@pytest.mark.parametrize("uri", ["s3://", "s3://bucket", "gs://bucket/x.lance", "http://host/x.lance"])
def test_a_place_that_there_is_not_is_refused(uri: str) -> None:
    with pytest.raises(InputError, match="no place for a collection"):
        place_of(uri)


def test_entries_follow_each_other(place: Place) -> None:
    log = ObjectLog(place)
    first = log.append(1, "", "create", {"a": 1})
    second = log.append(2, first.digest, "put", {"b": [1, 2]}, b"small")
    third = log.append(3, second.digest, "put", {}, bytes(INLINE_BYTES + 1))
    assert [log.read(1, ""), log.read(2, first.digest), log.read(3, second.digest)] == [first, second, third]
    assert log.read(4, third.digest) is None
    assert (log.has(3), log.has(4)) == (True, False)
    assert len(place.names("payloads")) == 1, "what is large lies beside the entries"


def test_a_number_that_is_taken_is_refused_and_leaves_no_payload(place: Place) -> None:
    log = ObjectLog(place)
    first = log.append(1, "", "create", {})
    with pytest.raises(Taken):
        ObjectLog(place).append(1, "", "create", {}, bytes(INLINE_BYTES + 1))
    assert log.read(1, "") == first
    assert place.names("payloads") == []


def test_an_answer_that_came_too_late_is_no_conflict(tmp_path: Path) -> None:
    class Repeating(LocalPlace):
        """Sends every request twice, as a client does whose connection broke before the answer."""

        def create(self, name: str, data: bytes) -> None:
            super().create(name, data)
            super().create(name, data)

    log = ObjectLog(Repeating(str(tmp_path)))
    entry = log.append(1, "", "create", {"a": 1})
    assert log.read(1, "") == entry


def test_an_erased_entry_keeps_its_number(place: Place) -> None:
    log = ObjectLog(place)
    digest = ""
    for number in range(1, 6):
        digest = log.append(number, digest, "put", {"secret": number}).digest
    log.erase(4)
    assert log.erased_through() == 4
    assert log.read(1, "") is not None, "the first says what the collection is"
    for number in (2, 3, 4):
        with pytest.raises(Erased):
            log.read(number, None)
        with pytest.raises(Taken):
            log.append(number, digest, "put", {})
    entry = log.read(5, None)
    assert entry is not None
    assert entry.arguments == {"secret": 5}


def test_an_entry_that_was_changed_or_exchanged_is_found(place: Place) -> None:
    log = ObjectLog(place)
    first = log.append(1, "", "create", {})
    second = log.append(2, first.digest, "put", {"n": 1})
    document = place.read("log/0000000002.json")
    assert document is not None
    with pytest.raises(DamagedCollection, match="does not follow"):
        log.read(2, "other")
    place.replace("log/0000000002.json", document.replace(b"nonce", b"nance"))
    with pytest.raises(DamagedCollection, match="not what was written"):
        log.read(2, first.digest)
    place.replace("log/0000000003.json", document)
    with pytest.raises(DamagedCollection, match="not what was written"):
        log.read(3, second.digest)
    place.replace("log/0000000002.json", b"")
    with pytest.raises(DamagedCollection, match="not what was written"):
        log.read(2, first.digest)


def test_a_payload_that_is_gone_or_changed_is_found(place: Place) -> None:
    log = ObjectLog(place)
    log.append(1, "", "put", {}, bytes(INLINE_BYTES + 1))
    (name,) = place.names("payloads")
    place.replace(f"payloads/{name}", bytes(INLINE_BYTES) + b"x")
    with pytest.raises(DamagedCollection, match="does not match its checksum"):
        log.read(1, "")
    place.delete([f"payloads/{name}"])
    with pytest.raises(DamagedCollection, match="is missing"):
        log.read(1, "")


def test_a_log_of_a_newer_lookalike_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = ObjectLog(LocalPlace(str(tmp_path)))
    monkeypatch.setattr("lookalike.store.object_log.FORMAT", 2)
    log.append(1, "", "create", {})
    monkeypatch.undo()
    with pytest.raises(StoreError, match="upgrade lookalike"):
        log.read(1, "")


# arguments


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        -(2**63),
        2**63,
        0.1,
        float("inf"),
        "Ähre 🪑",
        b"\x00\xff",
        [1, (2, "x"), []],
        {"a": {1: None}, "class": "x"},
        datetime(2024, 5, 1, 12, 0, 0, 123456, tzinfo=UTC),
        Interaction("u", "i", "view", datetime(2024, 5, 1, tzinfo=UTC), 0.3),
        Correction("apart", (Anchor("c", 1, (0.1, 2.0, 3.0, 4.0)),), 5, "name", 6),
    ],
    ids=repr,
)
def test_an_argument_comes_back_as_it_was(value: object) -> None:
    document, data = to_log(value)
    back = from_log(json.loads(json.dumps(document)), data)
    assert back == value
    assert type(back) is type(value)


def test_arrays_and_numpy_scalars_come_back() -> None:
    columns = columns_of([Interaction("u", "i", "view", datetime(2024, 5, 1, tzinfo=UTC), 0.3)])
    document, data = to_log(
        [columns, np.arange(6, dtype=np.int64).reshape(2, 3), np.float32(0.1), np.int8(3), np.str_("x")]
    )
    back, array, number, integer, text = from_log(json.loads(json.dumps(document)), data)
    assert np.array_equal(back.time, columns.time)
    assert back.users == ["u"]
    assert array.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert (number, integer, text) == (float(np.float32(0.1)), 3, "x")
    assert [type(each) for each in (number, integer, text)] == [float, int, str]


def test_nan_comes_back() -> None:
    document, data = to_log(float("nan"))
    assert np.isnan(from_log(json.loads(json.dumps(document)), data))


@pytest.mark.parametrize(
    "value",
    [{"a"}, 1 + 2j, object(), "\ud800", 10**5000, np.array(["x"], dtype=object)],
    ids=lambda v: type(v).__name__,
)
def test_what_no_store_takes_is_not_logged(value: object) -> None:
    with pytest.raises(NotLoggable):
        to_log({"x": [value]})


def test_what_was_erased_is_known_whatever_a_slower_compaction_marks(place: Place) -> None:
    log = ObjectLog(place)
    previous = ""
    for number in range(1, 8):
        previous = log.append(number, previous, "set_source", {"n": number}).digest
    assert not any(log.was_erased(number) for number in range(1, 8))
    log.erase(6)
    assert [number for number in range(1, 8) if log.was_erased(number)] == [2, 3, 4, 5, 6]
    log.erase(4)
    assert log.erased_through() == 6, "a slower one leaves the mark of one that went further"
    place.replace("log/erased.json", b'{"through": 4}')  # both had looked before either wrote
    assert [number for number in range(1, 8) if log.was_erased(number)] == [2, 3, 4, 5, 6]
