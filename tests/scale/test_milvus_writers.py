"""Several writers of a collection on a Milvus server, writers that die, and a server that dies."""

from __future__ import annotations

import base64
import itertools
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from lookalike.errors import CollectionExists, CollectionNotFound, InputError, StoreError
from lookalike.ingest.ray_pipeline import shared_store
from lookalike.store import lance_checkpoints, milvus_objects, milvus_place
from lookalike.store.interactions import InteractionColumns
from lookalike.store.milvus_address import parse
from lookalike.store.milvus_place import MilvusPlace
from lookalike.store.milvus_store import MilvusStore
from lookalike.store.object_places import ABANDONED_SECONDS, Taken
from lookalike.types import Interaction
from milvus_servers import FOREIGN, lite_uri, server_uri, started_server
from store_records import FINGERPRINT, record, space

pytest.importorskip("pymilvus", reason="needs the driver of Milvus: pip install 'lookalike[milvus]'")

SERVERS = {"milvus-lite": lite_uri, "milvus": server_uri}
PUTS = 100
_COUNT = map("{0}_{1}".format, itertools.repeat(secrets.token_hex(4)), itertools.count())
"""Names that no other run has on a server that lives on."""

WRITER = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from lookalike.store.milvus_store import MilvusStore
from store_records import FINGERPRINT, record
with MilvusStore.open({uri!r}, cache=Path({cache!r})) as store:
    for number in range({puts}):
        store.put([record(f"{name}-{{number}}")], FINGERPRINT)
        print(number, flush=True)
"""


@pytest.fixture(params=SERVERS)
def place(request: pytest.FixtureRequest) -> Iterator[MilvusPlace]:
    made = MilvusPlace(SERVERS[request.param](f"place_{next(_COUNT)}"))
    yield made
    made.destroy()


def _writer(uri: str, name: str, cache: Path, puts: int = PUTS) -> subprocess.Popen[str]:
    code = WRITER.format(
        tests=str(Path(__file__).parents[1]), uri=uri, cache=str(cache), name=name, puts=puts
    )
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)


def _dump(store: MilvusStore) -> list[object]:
    return [
        (item.row, item.id, item.sha256, dict(item.attributes)) for batch in store.stream() for item in batch
    ]


def test_two_processes_lose_nothing_and_their_replicas_agree(tmp_path: Path) -> None:
    uri = server_uri(f"writers_{next(_COUNT)}")
    MilvusStore.create(uri, space(), cache=tmp_path / "first").close()
    writers = [_writer(uri, name, tmp_path / name) for name in ("left", "right")]
    said = [writer.communicate(timeout=300)[0].split() for writer in writers]
    assert [len(each) for each in said] == [PUTS, PUTS]
    assert [writer.returncode for writer in writers] == [0, 0]
    with (
        MilvusStore.open(uri, cache=tmp_path / "left") as left,
        MilvusStore.open(uri, cache=tmp_path / "new") as new,
    ):
        assert left.count() == 2 * PUTS
        assert _dump(left) == _dump(new)
        assert list(new.verify()) == []
        new.place.destroy()


def test_a_writer_killed_in_the_middle_leaves_what_it_acknowledged_and_nobody_waits_for_it(
    tmp_path: Path,
) -> None:
    uri = server_uri(f"killed_{next(_COUNT)}")
    MilvusStore.create(uri, space(), cache=tmp_path / "first").close()
    writer = _writer(uri, "dead", tmp_path / "dead")
    assert writer.stdout is not None
    acknowledged = [int(next(writer.stdout)) for _ in range(12)]
    writer.kill()
    writer.communicate()
    with MilvusStore.open(uri, cache=tmp_path / "other") as store:
        store.put([record("alive")], FINGERPRINT)
        ids = {id for _, id, *_ in _dump(store)}
        assert {f"dead-{number}" for number in acknowledged} | {"alive"} <= ids
        assert len(ids) <= len(acknowledged) + 2
        assert list(store.verify()) == []
        store.place.destroy()


def test_a_killed_server_comes_back_with_all_that_was_acknowledged(tmp_path: Path) -> None:
    if FOREIGN in os.environ:
        pytest.skip(f"{FOREIGN} names a server that is not this test's to kill")
    server, name = started_server(), f"kept_{next(_COUNT)}"
    with MilvusStore.create(server_uri(name), space(), cache=tmp_path / "first") as store:
        for number in range(20):
            store.put([record(f"i{number}")], FINGERPRINT)
        store.set_attributes({"i3": {"price": 3}})
    server.kill()
    server.start()
    with MilvusStore.open(server_uri(name), cache=tmp_path / "new") as store:
        assert store.count() == 20
        assert store.column("price", store.rows(["i3"])) == [3]
        assert list(store.verify()) == []
        store.put([record("later")], FINGERPRINT)
        assert store.count() == 21
        store.place.destroy()


def test_an_object_is_made_once(place: MilvusPlace) -> None:
    place.create("log/0000000001.json", b"first")
    with pytest.raises(Taken):
        place.create("log/0000000001.json", b"second")
    another = MilvusPlace(place.root)
    with pytest.raises(Taken):
        another.create("log/0000000001.json", b"third")
    assert another.read("log/0000000001.json") == b"first"
    assert another.exists("log/0000000001.json") and not another.exists("log/0000000002.json")
    assert place.names("log") == ["0000000001.json"]


def test_an_object_whose_writer_died_before_it_wrote_it_is_finished_by_a_reader(
    place: MilvusPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as dying:
        dying.setattr(MilvusPlace, "_publish", _die)
        with pytest.raises(KeyboardInterrupt):
            place.create("log/0000000001.json", b"x" * 200_000)
    reader = MilvusPlace(place.root)
    assert reader.exists("log/0000000001.json")
    assert reader.read("log/0000000001.json") == b"x" * 200_000
    with pytest.raises(Taken):
        reader.create("log/0000000001.json", b"other")
    assert reader.names("log") == ["0000000001.json"]


def test_a_candidate_that_was_never_made_an_object_is_nobodys(
    place: MilvusPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as dying:
        dying.setattr(MilvusPlace, "_claim", _die)
        with pytest.raises(KeyboardInterrupt):
            place.create("log/0000000001.json", b"lost")
    reader = MilvusPlace(place.root)
    assert not reader.exists("log/0000000001.json") and reader.names("log") == []
    reader.create("log/0000000001.json", b"kept")
    assert place.read("log/0000000001.json") == b"kept"


def test_a_candidate_whose_writer_left_is_swept(place: MilvusPlace) -> None:
    place.create("log/0000000001.json", b"first")
    place._objects.put([("log/0000000002.json@a_writer_that_left", b"lost")])
    place.sweep(["log"])
    assert place._objects.names("log") == ["0000000001.json"]
    assert place.read("log/0000000001.json") == b"first"


def test_more_names_than_one_answer_holds_are_all_listed(
    place: MilvusPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(milvus_objects, "LISTED", 4)
    for count in (3, 4, 9):
        for number in range(count):
            place.replace(f"many{count}/{number:03}", b"x")
        assert place.names(f"many{count}") == [f"{number:03}" for number in range(count)]


def _die(*_: object) -> None:
    raise KeyboardInterrupt


def _rows(place: MilvusPlace, collection: str = "objects") -> dict[str, bytes]:
    """What a collection of objects has, by the key of the row."""
    found = place.client.query(
        place.collection(collection),
        filter='key >= ""',
        output_fields=["key", "data"],
        limit=16_000,
        consistency_level="Strong",
    )
    return {row["key"]: base64.b64decode(row["data"]) for row in found}


@pytest.mark.parametrize("beside", ["{0}_", "{0}_b", "_{0}", "{0}0"])
def test_a_collection_goes_alone_whatever_others_are_called(place: MilvusPlace, beside: str) -> None:
    another = MilvusPlace(place.root.removesuffix(place.address.name) + beside.format(place.address.name))
    for each in (place, another):
        each.create("log/0000000001.json", b"first")
        each.bulk().create("items", space())
    place.destroy()
    assert MilvusPlace(another.root).read("log/0000000001.json") == b"first"
    assert len(another.names("data")) == 1
    another.create("log/0000000002.json", b"second")
    another.destroy()
    assert not any(place.address.name in name for name in place.client.list_collections())


def test_what_is_replaced_by_something_short_leaves_no_row(place: MilvusPlace) -> None:
    place.create("log/0000000001.json", b"ada" * 100_000)
    time.sleep(1)  # what the server has had for less may stay until it is swept
    place.replace("log/0000000001.json", b"erased")
    assert not place.address.is_lite or len(_rows(place)) == 1
    place.sweep(["log"])
    assert _rows(place) == {"log/0000000001.json#": b"erased"}


def test_parts_that_nothing_refers_to_are_swept_and_those_being_written_are_not(
    place: MilvusPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = b"ada" * 100_000
    for name in ("log/0000000001.json", "log/0000000002.json", "payloads/lost"):
        place.create(name, long)
    place._publish("log/0000000001.json", long)  # as a helper does besides the writer
    place._objects.put([("log/0000000001.json", b"erased")], replace=True)  # as it was before parts went
    place._objects.delete_rows(["payloads/lost#"])  # a deletion that broke off
    place._objects._write([milvus_objects._row("payloads/old#0123456789abcdef.0", 0, b"ada")], replace=False)
    place.sweep(["log", "payloads"])
    rows = _rows(place)
    assert place.read("log/0000000002.json") == long
    assert not any(key.startswith(("log/0000000001.json#", "payloads/old")) for key in rows if key[-1] != "#")
    assert any(key.startswith("payloads/lost#") for key in rows), "it may be one that is being written"
    later = time.time() + ABANDONED_SECONDS + 10
    monkeypatch.setattr(milvus_objects, "time", SimpleNamespace(time=lambda: later))
    place.sweep(["log", "payloads"])
    assert {key.partition("#")[0] for key in _rows(place)} == {"log/0000000001.json", "log/0000000002.json"}
    assert place.read("log/0000000002.json") == long


def test_an_object_that_took_too_long_to_write_is_given_up(
    place: MilvusPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = itertools.count(time.time(), ABANDONED_SECONDS)
    monkeypatch.setattr(milvus_objects, "time", SimpleNamespace(time=lambda: next(times)))
    with pytest.raises(StoreError, match="was not written whole within 1800 s"):
        place.replace("payloads/slow", b"x" * 200_000)
    assert place.read("payloads/slow") is None


def test_an_object_that_is_replaced_while_it_is_read_is_read_again(place: MilvusPlace) -> None:
    place.replace("payloads/some", b"x" * 200_000)
    found = MilvusPlace(place.root)._objects._heads(["payloads/some"], "Strong")
    for after in (b"y" * 150_000, b"short"):
        place.replace("payloads/some", after)
        place._objects.delete_rows(milvus_objects._part_keys(*found.values()))
        assert place._objects._whole("payloads/some", *found.values(), "Strong", b"".join) == after
    place.delete(["payloads/some"])
    assert place._objects._whole("payloads/some", *found.values(), "Strong", b"".join) is None


@pytest.mark.parametrize("kind", SERVERS)
def test_of_a_user_who_was_forgotten_no_byte_is_left_on_the_server(kind: str, tmp_path: Path) -> None:
    began = datetime(2025, 1, 1, tzinfo=UTC)
    with MilvusStore.create(
        SERVERS[kind](f"forgotten_{next(_COUNT)}"), space(), cache=tmp_path, freshness=0
    ) as store:
        store.put([record("sofa")], FINGERPRINT)
        visits = [Interaction("ada-lovelace", "sofa", "view", began + timedelta(n)) for n in range(1_000)]
        store.put_interactions(visits)  # an entry of several rows
        n = 9_000
        none = np.zeros(n, dtype=np.int64)
        times = np.arange(n) + began.timestamp() + 1
        store.put_interactions(
            InteractionColumns(["ada-lovelace"], none, ["sofa"], none, ["view"], none, times, np.ones(n))
        )  # a payload of several
        assert sum(b"ada-lovelace" in data for data in _rows(store.place).values()) > 3
        assert store.forget_user("ada-lovelace") == 10_000
        store.compact()
        rows = _rows(store.place)
        assert not any(b"ada-lovelace" in data for data in rows.values())
        assert {key.partition("/")[0] for key in rows if key[-1] != "#"} <= {"checkpoint"}
        assert lance_checkpoints.fetch(store.place, tmp_path / "checkpoint.db")
        assert b"ada-lovelace" not in (tmp_path / "checkpoint.db").read_bytes()
        assert list(store.verify()) == []
        store.place.destroy()


@pytest.mark.parametrize("kind", SERVERS)
def test_an_entry_that_a_late_writer_wrote_back_is_erased_again(kind: str, tmp_path: Path) -> None:
    with MilvusStore.create(
        SERVERS[kind](f"late_{next(_COUNT)}"), space(), cache=tmp_path, freshness=0
    ) as store:
        when = datetime(2025, 1, 1, tzinfo=UTC)
        store.put_interactions([Interaction("ada-lovelace", "sofa", "view", when)])
        entry = store.place.read("log/0000000002.json")
        assert entry is not None and b"ada-lovelace" in entry
        store.forget_user("ada-lovelace")
        store.compact()
        first = store.place.read("log/0000000001.json")
        store.place._publish("log/0000000002.json", entry)
        store.put([record("sofa")], FINGERPRINT)
        store.compact()
        assert not any(b"ada-lovelace" in data for data in _rows(store.place).values())
        assert store.place.read("log/0000000001.json") == first
        store.put([record("lamp")], FINGERPRINT)
        assert list(store.verify()) == [] and store.count() == 2
        store.place.destroy()


def test_a_helper_does_not_write_over_what_the_writer_wrote(
    place: MilvusPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "log/0000000001.json"
    with monkeypatch.context() as dying:
        dying.setattr(MilvusPlace, "_publish", _die)
        with pytest.raises(KeyboardInterrupt):
            place.create(name, b"ada")
    place._objects.put([(name, b"erased")], replace=True)  # by a compaction, after the writer wrote it
    assert MilvusPlace(place.root).read(name) == b"erased"
    assert _rows(place) == {f"{name}#": b"erased"}


@pytest.mark.parametrize("kind", SERVERS)
def test_a_deletion_that_died_leaves_no_collection_and_can_be_repeated(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = SERVERS[kind](f"half_gone_{next(_COUNT)}")
    for after in range(4):
        with MilvusStore.create(uri, space(), cache=tmp_path, freshness=0) as store:
            store.put([record("sofa")], FINGERPRINT)
        drops = iter([milvus_place.drop_collection] * after)
        with monkeypatch.context() as dying:
            dying.setattr(milvus_place, "drop_collection", lambda *given: next(drops, _die)(*given))  # noqa: B023
            with suppress(KeyboardInterrupt):
                MilvusPlace(uri).destroy()
        with pytest.raises(CollectionNotFound):
            MilvusStore.open(uri, cache=tmp_path)
        MilvusPlace(uri).destroy()
    place = MilvusPlace(uri)
    assert not any(name.startswith(place.address.name) for name in place.client.list_collections())


@pytest.mark.parametrize("size", [0, 1, 49_149, 49_150, 300_000])
def test_objects_of_every_length_come_back(place: MilvusPlace, size: int, tmp_path: Path) -> None:
    data = bytes(number % 251 for number in range(size))
    place.replace("payloads/some", data)
    assert place.read("payloads/some") == data
    (tmp_path / "file").write_bytes(data[::-1])
    place.upload("checkpoint/0000000001", tmp_path / "file")
    place.upload("checkpoint/0000000001", tmp_path / "file")
    assert place.download("checkpoint/0000000001", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == data[::-1]
    place.delete(["payloads/some", "checkpoint/0000000001"])
    assert place.read("payloads/some") is None and place.names("checkpoint") == []


def test_a_fragment_or_an_entry_that_is_lost_is_found_by_verify(tmp_path: Path) -> None:
    uri = lite_uri(f"damaged_{next(_COUNT)}")
    with MilvusStore.create(uri, space(), cache=tmp_path, freshness=0) as store:
        store.put([record("a"), record("b")], FINGERPRINT)
        store.set_attributes({"a": {"price": 1}})
        (dataset,) = store.place.names("data")
        client, items = store.place.client, store.place.collection(dataset)
        keys = [
            row["key"] for row in client.query(items, filter="parts > 0", output_fields=["key"], limit=100)
        ]
        client.delete(items, ids=[key for key in keys if key.endswith(".0.thumbnail#")])
        assert any("lacks 1 of 2 objects" in damage.what for damage in store.verify())
        store.place._objects.delete(["log/0000000003.json"])
        assert any(damage.where == "log, entry 3" for damage in store.verify())


def test_what_is_not_there_or_not_reachable_is_said(tmp_path: Path) -> None:
    with pytest.raises(CollectionNotFound, match="no collection at milvus://"):
        MilvusStore.open(lite_uri("nothing"), cache=tmp_path)
    with pytest.raises(StoreError, match=r"127\.0\.0\.1:9/default/shop cannot be opened") as refused:
        MilvusStore.open("milvus://root:secret@127.0.0.1:9/shop", cache=tmp_path)
    assert "secret" not in str(refused.value)
    uri = lite_uri("twice")
    with MilvusStore.create(uri, space(), cache=tmp_path) as store:
        with pytest.raises(CollectionExists):
            MilvusStore.create(uri, space(), cache=tmp_path)
        assert store.delete_if_empty()
    with pytest.raises(InputError, match="no collection on Milvus"):
        parse("milvus://127.0.0.1")


def test_a_file_of_milvus_lite_is_not_indexed_by_the_workers_of_a_cluster(tmp_path: Path) -> None:
    with (
        MilvusStore.create(lite_uri("alone"), space(), cache=tmp_path) as store,
        pytest.raises(InputError, match=r"one process alone can open.*milvus://HOST:19530/default/alone"),
    ):
        shared_store(store)


def test_a_database_of_the_server_is_part_of_the_address(tmp_path: Path) -> None:
    server = server_uri("x").removesuffix("/x")
    with pytest.raises(StoreError, match="no database nowhere"):
        MilvusStore.open(f"{server}/nowhere/shop", cache=tmp_path)
    from pymilvus import MilvusClient

    client = MilvusClient(server.replace("milvus://", "http://"))
    if "outlet" not in client.list_databases():
        client.create_database("outlet")
    with MilvusStore.create(f"{server}/outlet/shop", space(), cache=tmp_path) as store:
        assert store.count() == 0
        assert not any(name.startswith("shop__") for name in client.list_collections())
        store.put([record("here")], FINGERPRINT)
        with MilvusStore.create(f"{server}/shop", space(), cache=tmp_path, freshness=0) as namesake:
            for number in range(4):
                namesake.put([record(f"there{number}")], FINGERPRINT)
            store.put([record("later")], FINGERPRINT)
            store.place.destroy()
            assert namesake.count() == 4 and list(namesake.verify()) == []
            namesake.place.destroy()
    client.close()
