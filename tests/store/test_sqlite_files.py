"""The files of an embedded collection: made whole, refused when foreign, brought up to date, shared."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lookalike.errors import (
    CollectionBusy,
    CollectionExists,
    CollectionNotFound,
    DamagedCollection,
    StoreError,
)
from lookalike.store import sqlite_schema
from lookalike.store.filters import parse
from lookalike.store.interactions import EVENT_WEIGHTS
from lookalike.store.sqlite import SqliteStore
from lookalike.types import Interaction
from store_records import FINGERPRINT, record, space

GOLDEN = Path(__file__).parents[1] / "data" / "collection-v1.db"
GOLDEN_2 = Path(__file__).parents[1] / "data" / "collection-v2.db"


def test_a_collection_is_one_file_in_a_folder(tmp_path: Path) -> None:
    with SqliteStore.create(tmp_path / "deep" / "shop.lookalike", space()) as store:
        assert store.uri == str(tmp_path / "deep" / "shop.lookalike")
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["shop.lookalike"]
    assert [path.name for path in (tmp_path / "deep" / "shop.lookalike").iterdir()] == ["collection.db"]


def test_a_collection_whose_making_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_schema, "STEPS", (*sqlite_schema.STEPS, ("this is no statement",)))
    with pytest.raises(StoreError, match="syntax error"):
        SqliteStore.create(tmp_path / "shop.lookalike", space())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["file", "empty folder", "dangling link"])
def test_nothing_that_exists_is_overwritten(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "shop.lookalike"
    if kind == "file":
        path.write_text("mine")
    elif kind == "empty folder":
        path.mkdir()
    else:
        path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CollectionExists):
        SqliteStore.create(path, space())
    assert len(list(tmp_path.iterdir())) == 1


def test_a_path_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StoreError, match="cannot be created"):
        SqliteStore.create(tmp_path / "file" / "shop.lookalike", space())


@pytest.mark.parametrize("kind", ["nothing", "empty folder", "file"])
def test_what_is_no_collection_is_not_found(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "shop.lookalike"
    if kind == "empty folder":
        path.mkdir()
    elif kind == "file":
        path.write_text("mine")
    with pytest.raises(CollectionNotFound, match=r"expected a folder with collection\.db"):
        SqliteStore.open(path)


@pytest.mark.parametrize("content", [b"", b"\x8f\x13random bytes" * 2000], ids=["empty", "random"])
def test_a_file_that_is_no_database_is_damaged(folder: Path, content: bytes) -> None:
    (folder / "collection.db").write_bytes(content)
    with pytest.raises(DamagedCollection, match="restore it from a copy"):
        SqliteStore.open(folder)


def test_another_programs_database_is_not_a_collection(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "collection.db")
    connection.execute("CREATE TABLE items (row)")
    connection.close()
    with pytest.raises(CollectionNotFound, match="another program"):
        SqliteStore.open(tmp_path)


def test_a_cut_off_file_is_an_error_and_not_an_empty_collection(folder: Path) -> None:
    database = folder / "collection.db"
    database.write_bytes(database.read_bytes()[: 3 * sqlite_schema.PAGE_SIZE])
    with pytest.raises(DamagedCollection), SqliteStore.open(folder) as store:
        store.count()


# versions of the schema


def test_a_newer_schema_is_refused_with_the_way_out(folder: Path) -> None:
    connection = sqlite3.connect(folder / "collection.db")
    connection.execute(f"PRAGMA user_version = {len(sqlite_schema.STEPS) + 1}")
    connection.close()
    with pytest.raises(StoreError, match="upgrade lookalike"):
        SqliteStore.open(folder)


def test_an_older_schema_is_brought_up_to_date(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step = ("CREATE TABLE notes (text TEXT)", "INSERT INTO notes VALUES ('from the step')")
    monkeypatch.setattr(sqlite_schema, "STEPS", (*sqlite_schema.STEPS, step))
    with pytest.raises(StoreError, match="open it once without readonly"):
        SqliteStore.open(folder, readonly=True)
    for _ in range(2):  # the step is taken once
        with SqliteStore.open(folder) as store:
            assert store.count() == 3
    connection = sqlite3.connect(folder / "collection.db")
    assert connection.execute("SELECT text FROM notes").fetchall() == [("from the step",)]
    assert connection.execute("PRAGMA user_version").fetchone() == (len(sqlite_schema.STEPS),)
    connection.close()


def test_a_step_that_fails_leaves_the_file_as_it_was(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sqlite_schema, "STEPS", (*sqlite_schema.STEPS, ("CREATE TABLE notes (text)", "no SQL")))
        with pytest.raises(StoreError, match="syntax error"):
            SqliteStore.open(folder)
    with SqliteStore.open(folder) as store:
        assert list(store.verify()) == []


def test_a_collection_of_version_1_opens_forever(tmp_path: Path) -> None:
    shutil.copy(GOLDEN, tmp_path / "collection.db")
    with SqliteStore.open(tmp_path) as store:
        assert list(store.verify()) == []
        assert store.space() == space()
        assert store.schema() == {
            "price": "number",
            "stock": "integer",
            "name": "text",
            "sale": "boolean",
            "tags": "list",
        }
        assert store.sources() == {"catalog": "/pictures/catalog"}
        items = [item for batch in store.stream() for item in batch]
        assert [(item.row, item.id) for item in items] == [
            (1, "catalog/a.jpg"),
            (3, "catalog/c.jpg"),
            (4, "x"),
        ]
        assert items[0].attributes == {
            "price": 9.5,
            "stock": 2,
            "name": "Oak chair",
            "sale": True,
            "tags": ["Mine", "chair"],
        }
        assert store.select(parse('name contains "Oak" and tags has "mine"')).tolist() == [1]
        assert [row for row, _ in store.match_text("chairs", limit=3)] == [1]
        assert abs(float(store.vectors([4])[0] @ record("x").embedding) - 1) < 1e-3
        assert store.changes(0, 3).removed.tolist() == [2]
        store.put([record("new", {"price": "on request"})], FINGERPRINT)
        store.compact()
        assert list(store.verify()) == []


def test_a_collection_of_version_2_opens_forever(tmp_path: Path) -> None:
    shutil.copy(GOLDEN_2, tmp_path / "collection.db")
    with pytest.raises(StoreError, match="schema version 2 and has to become"):
        SqliteStore.open(tmp_path, readonly=True)
    with SqliteStore.open(tmp_path) as store:
        assert list(store.verify()) == []
        assert [item.id for batch in store.stream() for item in batch] == ["catalog/a.jpg"]
        fitted, payload = store.fitted_payload("map", "default")
        assert (fitted.version, fitted.provenance, payload) == (1, {"seed": 3}, b"payload")
        version = store.version()
        assert store.interaction_counts().interactions == store.interaction_version() == 0
        assert store.event_weights() == dict(EVENT_WEIGHTS)
        event = Interaction("ada", "catalog/a.jpg", "view", datetime(2026, 1, 1, tzinfo=UTC))
        assert store.put_interactions([event]) == 1
        assert store.interactions("ada") == [event]
        assert store.version() == version
        store.compact()
        assert list(store.verify()) == []


# permissions, processes and threads


def test_a_collection_opened_for_reading_reads_and_refuses_to_write(folder: Path) -> None:
    with SqliteStore.open(folder) as writer, SqliteStore.open(folder, readonly=True) as reader:
        assert reader.count() == 3
        writer.put([record("d.jpg")], FINGERPRINT)
        assert reader.count() == 4
        assert list(reader.verify()) == []
        for change in (
            lambda: reader.put([record("e.jpg")], FINGERPRINT),
            lambda: reader.remove(["a.jpg"]),
            reader.compact,
        ):
            with pytest.raises(StoreError, match="for reading only"):
                change()


@contextmanager
def without_privileges() -> Iterator[None]:
    """Run as a user to whom permissions apply."""
    if os.geteuid() != 0:
        yield
        return
    os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


@pytest.mark.skipif(not hasattr(os, "setresuid"), reason="this system cannot change users for a moment")
def test_a_folder_that_one_may_only_read_can_be_read(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as parent:  # pytest's own temporary folders are closed to others
        Path(parent).chmod(0o755)
        copy = Path(parent) / "shop.lookalike"
        shutil.copytree(folder, copy)
        (copy / "collection.db").chmod(0o444)
        copy.chmod(0o555)
        with without_privileges():
            with pytest.raises(StoreError, match="cannot be written"), SqliteStore.open(copy) as store:
                store.remove(["a.jpg"])
            with SqliteStore.open(copy, readonly=True) as store:
                assert store.count() == 3
                assert len(store.select(parse("price > 1"))) == 2
                assert list(store.verify()) == []
        assert [path.name for path in copy.iterdir()] == ["collection.db"]
        copy.chmod(0o755)


def test_a_writer_gives_up_after_its_time_limit(folder: Path) -> None:
    holder = sqlite3.connect(folder / "collection.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with SqliteStore.open(folder, busy_seconds=0.05) as store:
        assert store.count() == 3, "readers do not wait"
        with pytest.raises(CollectionBusy, match="another process"):
            store.put([record("d.jpg")], FINGERPRINT)
        holder.execute("ROLLBACK")
        store.put([record("d.jpg")], FINGERPRINT)
        assert store.count() == 4
    holder.close()


def test_compacting_waits_for_no_reader_beyond_its_time_limit(folder: Path) -> None:
    with SqliteStore.open(folder, busy_seconds=0.05) as store:
        stream = store.stream(batch=1)
        next(stream)
        store.remove(["a.jpg"])
        with pytest.raises(CollectionBusy, match="compact again"):
            store.compact()
        assert len([item for batch in stream for item in batch]) == 2
        store.compact()
        assert store.count() == 2


def test_a_thread_that_writes_long_keeps_others_no_longer_than_their_limit(folder: Path) -> None:
    with SqliteStore.open(folder, busy_seconds=0.05) as store:
        holding, enough = threading.Event(), threading.Event()

        def hold() -> None:
            with store._connections.writing():
                holding.set()
                enough.wait()

        thread = threading.Thread(target=hold)
        thread.start()
        holding.wait()
        with pytest.raises(CollectionBusy, match="another thread"):
            store.remove(["a.jpg"])
        enough.set()
        thread.join()


def test_closing_waits_for_a_stream_to_end(folder: Path) -> None:
    store = SqliteStore.open(folder)
    stream = store.stream(batch=1)
    next(stream)
    store.close()
    assert len(list(stream)) == 2
    with pytest.raises(StoreError, match="closed"):
        store.count()
    assert [path.name for path in folder.iterdir()] == ["collection.db"], "the last handle removes the log"


def test_a_full_disk_keeps_what_was_committed_and_says_so(folder: Path) -> None:
    with SqliteStore.open(folder) as store:
        with store._connections.exclusive() as connection:
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {pages + 8}")
        committed = 3
        with pytest.raises(StoreError, match="no space left") as caught:
            for number in range(100):
                store.put([record(f"more {number}", thumbnail=b"x" * 50_000)], FINGERPRINT)
                committed += 1
        assert f"{folder}," in str(caught.value)
        assert "what was committed before is kept" in str(caught.value)
        assert "nothing was changed" not in str(caught.value)
        assert 3 < store.count() == committed < 100
        assert list(store.verify()) == []


_FILL = """
import resource, sys
from pathlib import Path
from lookalike.errors import StoreError
from lookalike.store.sqlite import SqliteStore
from store_records import FINGERPRINT, record

with SqliteStore.open(Path(sys.argv[1])) as store:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
    try:
        for number in range(100):
            store.put([record(f"more {number}", thumbnail=b"x" * 50_000)], FINGERPRINT)
    except StoreError as error:
        print(number, error)
"""


@pytest.mark.skipif(os.name != "posix", reason="only POSIX systems limit the size of a file")
def test_a_disk_that_fails_keeps_what_was_committed_and_says_so(folder: Path) -> None:
    tests = Path(__file__).parents[1]
    said = subprocess.run(
        [sys.executable, "-c", _FILL, str(folder)],
        env={**os.environ, "PYTHONPATH": str(tests)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    committed, message = said.split(" ", 1)
    assert f"{folder}" in message
    assert "what was committed before is kept" in message
    with SqliteStore.open(folder) as store:
        assert 3 < store.count() == 3 + int(committed) < 100
        assert list(store.verify()) == []


def _count(store: SqliteStore, answers: multiprocessing.Queue[str]) -> None:
    try:
        answers.put(str(store.count()))
    except StoreError as error:
        answers.put(str(error))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_is_told_to_open_for_itself(store: SqliteStore) -> None:
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    child = context.Process(target=_count, args=(store, answers))
    child.start()
    answer = answers.get(timeout=30)
    child.join()
    answers.close()
    answers.join_thread()
    assert "open the collection in each process" in answer
    assert store.count() == 3


def make_golden(path: Path) -> None:
    """How tests/data/collection-v1.db was made; never again, for it stands for the files out there.

    Only its pages are smaller (PAGE_SIZE = 1024), for the repository's sake.
    """
    with SqliteStore.create(path, space()) as store:
        store.set_source("catalog", "/pictures/catalog")
        values = {"price": 9.5, "stock": 2, "name": "Oak chair", "sale": True, "tags": "Mine"}
        store.put([record("catalog/a.jpg", values, labels=("chair",)), record("catalog/b.jpg")], FINGERPRINT)
        store.put([record("catalog/c.jpg", {"price": 3}, labels=("bed",)), record("x")], FINGERPRINT)
        store.remove(["catalog/b.jpg"])


def make_golden_2(path: Path) -> None:
    """How tests/data/collection-v2.db was made, with smaller pages too."""
    with SqliteStore.create(path, space()) as store:
        store.set_source("catalog", "/pictures/catalog")
        store.put(
            [record("catalog/a.jpg", {"price": 9.5, "name": "Oak chair"}, labels=("chair",))], FINGERPRINT
        )
        store.put([record("catalog/b.jpg")], FINGERPRINT)
        store.put_fitted("map", "default", b"payload", fingerprint=FINGERPRINT, provenance={"seed": 3})
        store.remove(["catalog/b.jpg"])
