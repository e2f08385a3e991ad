"""The gallery of a collection follows its reducer, whoever sets or drops it, and whatever stops half-way."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from reducers import VECTORS, reduced_space

from lookalike.errors import DamagedCollection, FingerprintMismatch
from lookalike.store.galleries import KIND, NAME, Galleries, active_fitted
from lookalike.store.gallery import Gallery
from lookalike.store.sqlite import SqliteStore
from lookalike.vectors.metrics import cosine
from lookalike.vectors.reduced_space import ReducedSpace
from store_records import DIMENSIONS, FINGERPRINT, record, space

QUERIES = VECTORS[5000:5020]
HERE = Path(__file__).parent


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "c"


@pytest.fixture
def store(folder: Path) -> Iterator[SqliteStore]:
    with SqliteStore.create(folder, space()) as store:
        put_items(store, 0, 600)
        yield store


@pytest.fixture
def derived(folder: Path) -> Path:
    return folder / "derived"


@pytest.fixture
def galleries(store: SqliteStore, derived: Path) -> Iterator[Galleries]:
    opened = Galleries(store, derived)
    yield opened
    opened.close()


def put_items(store: SqliteStore, first: int, last: int) -> None:
    records = [record(f"item/{n}", embedding=VECTORS[n], thumbnail=b"") for n in range(first, last)]
    store.put(records, FINGERPRINT)


def put_reducer(galleries: Galleries, reduced: ReducedSpace) -> int:
    return galleries.put(reduced, fingerprint=FINGERPRINT, provenance={"why": "a test"}).version


def check(gallery: Gallery, store: SqliteStore) -> None:
    """The answer is that of the record, as the gallery's own reducer makes it."""
    queries = gallery.project(QUERIES)
    _, vectors = zip(*store.stream_vectors(), strict=True)
    whole = np.concatenate(vectors)
    kept = whole if gallery.reducer is None else gallery.reducer.space.kept(whole)
    truth = -np.sort(-cosine(queries, kept), axis=1)[:, :5]
    np.testing.assert_allclose(gallery.search(queries, 5)[1], truth, atol=3e-6)


def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Another process, with the collection as ``store`` and its ``galleries``."""
    whole = (
        "import sys; sys.path[:0] = sys.argv[2:]; from pathlib import Path; import os, test_galleries as t;"
        "from lookalike.store import gallery_state;"
        "store = t.SqliteStore.open(Path(sys.argv[1]));"
        "galleries = t.Galleries(store, Path(sys.argv[1]) / 'derived');"
        f"{script}"
    )
    return subprocess.run(
        [sys.executable, "-c", whole, str(folder), str(HERE), str(HERE.parent)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_reducer_is_searched_with_from_the_next_call_on_and_its_files_replace_the_others(
    store: SqliteStore, derived: Path, galleries: Galleries
) -> None:
    full = galleries.current()
    full.save()
    assert list(derived.glob("vectors-*"))
    version = put_reducer(galleries, reduced_space())
    reduced = galleries.current()
    assert reduced is galleries.current()
    assert reduced.dimensions == 12
    reduced.save()
    check(reduced, store)
    assert [path.name for path in derived.iterdir() if path.name != "lock"] == [f"reducer-{version}"]
    check(full, store)  # whoever still held it
    again = put_reducer(galleries, reduced_space(8, "f16"))
    assert galleries.current().dimensions == 8
    assert [path.name for path in derived.iterdir() if path.name != "lock"] == [f"reducer-{again}"]
    assert galleries.drop()
    assert not galleries.drop()
    galleries.current().save()
    check(galleries.current(), store)
    assert galleries.current().dimensions == DIMENSIONS
    assert not list(derived.glob("reducer-*"))


def test_the_record_keeps_full_vectors(store: SqliteStore, galleries: Galleries) -> None:
    before = np.concatenate([vectors for _, vectors in store.stream_vectors()])
    put_reducer(galleries, reduced_space(4, "i8"))
    galleries.current().save()
    put_items(store, 600, 610)
    after = np.concatenate([vectors for _, vectors in store.stream_vectors()])
    np.testing.assert_array_equal(after[: len(before)], before)
    assert after.shape == (610, DIMENSIONS)


def test_a_reducer_set_or_dropped_by_another_process_is_noticed_by_the_next_call(
    folder: Path, store: SqliteStore, derived: Path, galleries: Galleries
) -> None:
    full = galleries.current()
    done = run("t.put_reducer(galleries, t.reduced_space(9)); galleries.current().save()", folder)
    assert done.returncode == 0, done.stderr
    reduced = galleries.current()
    assert reduced.dimensions == 9
    check(reduced, store)
    check(full, store)
    done = run("t.put_items(store, 600, 640); t.put_reducer(galleries, t.reduced_space(7))", folder)
    assert done.returncode == 0, done.stderr
    check(reduced, store)
    assert galleries.current().dimensions == 7
    check(galleries.current(), store)
    assert run("assert galleries.drop()", folder).returncode == 0
    assert galleries.current().dimensions == DIMENSIONS
    check(galleries.current(), store)
    assert not list(derived.glob("reducer-*"))


@pytest.mark.parametrize(
    "dies",
    [
        "os._exit(9)",  # nothing was derived yet
        "gallery_state.append = lambda *_: os._exit(9); galleries.current()",  # begun and empty
        "old = gallery_state.append; gallery_state.append = lambda *a: (old(*a), os._exit(9)); galleries.current()",
        "galleries._clean = lambda _: os._exit(9); galleries.current()",  # the old files still lie there
    ],
    ids=["before", "begun", "written", "not-cleaned"],
)
def test_a_kill_after_the_reducer_was_saved_leaves_a_searchable_collection(
    folder: Path, store: SqliteStore, derived: Path, galleries: Galleries, dies: str
) -> None:
    galleries.current().save()
    done = run(f"t.put_reducer(galleries, t.reduced_space(9));{dies}", folder)
    assert done.returncode == 9, done.stderr
    reduced = galleries.current()
    assert reduced.dimensions == 9
    check(reduced, store)
    reduced.save()
    assert list(galleries.verify()) == []
    assert not list(derived.glob("vectors-*"))


def test_a_process_that_dies_before_saving_a_reducer_changes_nothing(
    folder: Path, store: SqliteStore, galleries: Galleries
) -> None:
    done = run(
        "store.put_fitted = lambda *a, **k: os._exit(9); t.put_reducer(galleries, t.reduced_space())", folder
    )
    assert done.returncode == 9, done.stderr
    assert galleries.current().dimensions == DIMENSIONS
    check(galleries.current(), store)


def test_a_migration_drops_the_reducer_and_one_fitted_before_is_refused(
    store: SqliteStore, galleries: Galleries
) -> None:
    put_reducer(galleries, reduced_space())
    galleries.current().save()
    store.begin_space(space(2, fingerprint="f" * 16))
    rows = np.concatenate([rows for rows, _ in store.stream_vectors()])
    store.put_vectors(rows, VECTORS[1000 : 1000 + len(rows)], [()] * len(rows), "f" * 16)
    store.switch_space("f" * 16)
    assert galleries.current().dimensions == DIMENSIONS
    check(galleries.current(), store)
    with pytest.raises(FingerprintMismatch):
        put_reducer(galleries, reduced_space())


def test_a_reducer_that_cannot_be_read_is_named_and_can_be_dropped(
    store: SqliteStore, galleries: Galleries
) -> None:
    store.put_fitted(KIND, NAME, b"no reducer", fingerprint=FINGERPRINT, provenance={})
    with pytest.raises(DamagedCollection, match="lookalike reduce --off"):
        galleries.current()
    assert galleries.drop()
    check(galleries.current(), store)


def test_answers_stay_right_while_reducers_come_and_go(store: SqliteStore, galleries: Galleries) -> None:
    spaces = [reduced_space(4), reduced_space(9, "f16"), reduced_space(12, "f32", "svd")]
    stop, wrong = threading.Event(), []

    def ask() -> None:
        while not stop.is_set():
            try:
                check(galleries.current(), store)
            except Exception as error:  # noqa: BLE001 - counted
                wrong.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for reduced in [*spaces, *spaces]:
        put_reducer(galleries, reduced)
        galleries.current()
        galleries.drop()
        galleries.current()
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong


def test_rebuilding_after_compact_leaves_nothing_of_a_removed_item(
    store: SqliteStore, derived: Path, galleries: Galleries
) -> None:
    galleries.current().save()
    before = {path: path.read_bytes() for path in derived.iterdir() if path.is_file()}
    reduced = reduced_space(9, "f16")
    put_reducer(galleries, reduced)
    galleries.current().save()
    for path, data in before.items():  # as if they could not have been deleted, as on Windows
        path.write_bytes(data)
    traces = [VECTORS[77].astype("<f2").tobytes(), reduced.kept(VECTORS[77:78]).astype("<f2").tobytes()]

    def left() -> int:
        files = [path.read_bytes() for path in derived.rglob("*") if path.is_file()]
        return sum(trace in data for trace in traces for data in files)

    assert left() == 2
    store.remove(["item/77"])
    store.compact()
    galleries.rebuild()
    assert left() == 0
    check(galleries.current(), store)


def test_verify_names_damage_in_the_reducers_files_before_opening_repairs_it(
    store: SqliteStore, derived: Path, galleries: Galleries
) -> None:
    version = put_reducer(galleries, reduced_space())
    galleries.current().save()
    data = next((derived / f"reducer-{version}").glob("*.data"))
    content = bytearray(data.read_bytes())
    content[100] ^= 1
    data.write_bytes(content)
    fresh = Galleries(store, derived)
    assert len(list(fresh.verify())) == 1
    fresh.rebuild()
    assert list(fresh.verify()) == []
    fresh.close()


def test_versions_are_never_used_twice(galleries: Galleries, store: SqliteStore) -> None:
    first = put_reducer(galleries, reduced_space())
    galleries.drop()
    second = put_reducer(galleries, reduced_space())
    assert second > first
    found = active_fitted(store)
    assert found is not None
    assert found.version == second
    assert found.provenance == {"why": "a test"}
