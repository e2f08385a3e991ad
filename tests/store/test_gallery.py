"""A gallery over the real store: always as new as the record, whoever wrote, whatever happened to its files."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from clustered_vectors import clustered
from lookalike.errors import InputError, UnknownItem
from lookalike.evaluate.index import evaluate_index
from lookalike.store import gallery_state, sizing
from lookalike.store.derived import DerivedFolder
from lookalike.store.gallery import Gallery
from lookalike.store.sidecar import Sidecar
from lookalike.store.sizing import IndexKind, index_kind
from lookalike.store.sqlite import SqliteStore
from lookalike.types import Embeddings, Rows
from lookalike.vectors.metrics import cosine, normalise
from store_records import DIMENSIONS, FINGERPRINT, record, space

KINDS: tuple[IndexKind, ...] = ("exact", "hnsw", "ivf")
VECTORS = clustered(6000, dimensions=DIMENSIONS, clusters=300)
QUERIES = clustered(6040, dimensions=DIMENSIONS, clusters=300)[6000:]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with SqliteStore.create(tmp_path / "c", space()) as store:
        yield store


@pytest.fixture
def derived(tmp_path: Path) -> Path:
    return tmp_path / "derived"


def put(store: SqliteStore, first: int, last: int) -> None:
    """Items ``first`` to ``last``; the embedding of item n is VECTORS[n]."""
    records = [record(f"item/{n}", embedding=VECTORS[n], thumbnail=b"") for n in range(first, last)]
    store.put(records, FINGERPRINT)


def truth(store: SqliteStore, queries: Embeddings, k: int, allowed: set[int] | None = None) -> np.ndarray:
    """Exact scores, straight from the record."""
    rows, vectors = zip(*store.stream_vectors(), strict=True)
    keep = np.array([allowed is None or row in allowed for row in np.concatenate(rows).tolist()])
    scores = cosine(normalise(queries), np.concatenate(vectors)[keep])
    return -np.sort(-scores, axis=1)[:, :k]


def check(
    gallery: Gallery, store: SqliteStore, rows: Rows | None = None, *, recall: float | None = 1.0
) -> None:
    """The answer is that of an exact search of the record."""
    found, scores = gallery.search(QUERIES, 10, rows, recall=recall)
    expected = truth(store, QUERIES, 10, None if rows is None else set(rows.tolist()))
    width = expected.shape[1]
    np.testing.assert_allclose(scores[:, :width], expected, atol=2e-6)
    assert (found[:, width:] == -1).all()
    assert (found[:, :width] >= 0).all()
    own = np.einsum(
        "qd,qkd->qk", QUERIES, gallery.vectors(found[:, :width].ravel()).reshape(len(QUERIES), width, -1)
    )
    np.testing.assert_allclose(scores[:, :width], own, atol=2e-6)


def damage(path: Path, at: int) -> None:
    with path.open("r+b") as handle:
        handle.seek(at)
        byte = handle.read(1)
        handle.seek(at)
        handle.write(bytes([byte[0] ^ 0xFF]))


@pytest.mark.parametrize("kind", KINDS)
def test_every_index_sees_additions_removals_and_replacements_at_once(
    store: SqliteStore, derived: Path, kind: IndexKind
) -> None:
    put(store, 0, 2000)
    with Gallery(store, derived, index=kind) as gallery:
        check(gallery, store)
        assert gallery.describe()["kind"] == kind
        put(store, 2000, 2300)
        check(gallery, store)
        assert gallery.describe()["rows_exact"] == 300
        nearest = gallery.search(QUERIES, 1)[0][:, 0]
        store.remove([item.id for item in store.items(np.unique(nearest).tolist())])
        assert not set(gallery.search(QUERIES, 10)[0].ravel().tolist()) & set(nearest.tolist())
        check(gallery, store)
        store.put([record("item/5", embedding=VECTORS[5999])], FINGERPRINT)
        assert store.items([int(gallery.search(VECTORS[5999], 1)[0][0, 0])])[0].id == "item/5"
        check(gallery, store)
        assert len(gallery) == store.count()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("keep", [2, 10, 300])
def test_filters_are_exact_and_cover_new_rows(
    store: SqliteStore, derived: Path, kind: IndexKind, keep: int
) -> None:
    put(store, 0, 2000)
    with Gallery(store, derived, index=kind) as gallery:
        put(store, 2000, 2200)
        store.remove([f"item/{n}" for n in range(0, 2200, 7)])
        rows = np.array(store.rows([f"item/{n}" for n in range(1, 2200, keep) if n % 7]), dtype=np.int64)
        check(gallery, store, rows)
        found, scores = gallery.search(QUERIES, 10, rows)
        assert set(found.ravel().tolist()) <= {*rows.tolist(), -1}
        assert (np.isfinite(scores).sum(axis=1) == min(10, len(rows))).all()
        check(gallery, store, rows[:4])
        assert (gallery.search(QUERIES, 10, rows[:0])[0] == -1).all()


@pytest.mark.parametrize("kind", ["hnsw", "ivf"])
def test_an_approximate_index_finds_nearly_all(store: SqliteStore, derived: Path, kind: IndexKind) -> None:
    put(store, 0, 5000)
    with Gallery(store, derived, index=kind) as gallery:
        report = evaluate_index(gallery, queries=100)
        assert report.index == kind
        assert report.recall >= 0.98
        assert (report.items, report.queries, report.k) == (5000, 100, 10)


def test_a_write_of_another_process_is_seen_by_the_next_query(
    store: SqliteStore, derived: Path, tmp_path: Path
) -> None:
    put(store, 0, 100)
    with Gallery(store, derived) as gallery:
        assert gallery.search(VECTORS[700], 1)[1][0, 0] < 0.999
        script = (
            "import sys; sys.path.insert(0, sys.argv[2]); from pathlib import Path; import test_gallery as t;"
            "s = t.SqliteStore.open(Path(sys.argv[1])); t.put(s, 700, 701); s.remove(['item/3']); s.close()"
        )
        here = Path(__file__).parent
        paths = {"PYTHONPATH": f"{here.parent}:{here}", "PATH": ""}
        subprocess.run([sys.executable, "-c", script, str(tmp_path / "c"), str(here)], check=True, env=paths)
        found, scores = gallery.search(VECTORS[700], 1)
        assert scores[0, 0] > 0.999
        assert store.items(found[0].tolist())[0].id == "item/700"
        check(gallery, store)


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_saved_opens_again_and_answers_the_same(
    store: SqliteStore, derived: Path, kind: IndexKind
) -> None:
    put(store, 0, 2000)
    with Gallery(store, derived, index=kind) as gallery:
        gallery.save()
        expected = gallery.search(QUERIES, 10)
    names = {path.name: path.stat().st_mtime_ns for path in derived.iterdir() if path.name != "lock"}
    with Gallery(store, derived, index=kind) as again:
        for ours, theirs in zip(again.search(QUERIES, 10), expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)
        assert again.background.sigma > 0
        assert list(again.verify()) == []
    assert {path.name: path.stat().st_mtime_ns for path in derived.iterdir() if path.name != "lock"} == names


def test_indexing_in_the_background_ends_in_an_index_of_all(store: SqliteStore, derived: Path) -> None:
    put(store, 0, 1000)
    with Gallery(store, derived, index="hnsw") as gallery:
        for first in range(1000, 6000, 1000):
            put(store, first, first + 1000)
            gallery.extend()
            check(gallery, store)
        gallery.save()
        assert gallery.describe()["rows_exact"] <= 512
        assert gallery.describe()["rows"] + gallery.describe()["rows_exact"] == 6000
        assert evaluate_index(gallery, queries=50).recall >= 0.98


def test_many_small_appends_leave_what_one_would(store: SqliteStore, derived: Path) -> None:
    put(store, 0, 700)
    with Gallery(store, derived) as gallery:
        for first in range(700, 3500, 700):
            put(store, first, first + 700)
            gallery.extend()
            check(gallery, store)
        assert list(gallery.verify()) == []
        (rows,) = derived.glob("vectors-*.rows")
        assert rows.stat().st_size == 8 * 3500
    with Gallery(store, derived) as again:
        assert list(again.verify()) == []
        check(again, store)
    assert list(derived.glob("vectors-*.rows")) == [rows]


def test_what_others_add_does_not_pile_up_in_memory(
    store: SqliteStore, derived: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gallery_state, "FRESH_BYTES", 500 * 4 * DIMENSIONS)

    def written() -> int:
        return sum(path.stat().st_size // 8 for path in derived.glob("vectors-*.rows"))

    put(store, 0, 50)
    with Gallery(store, derived) as reader:
        assert written() == 50
        put(store, 50, 400)
        check(reader, store)
        assert written() == 50
        put(store, 400, 1500)
        store.remove(["item/7", "item/1400"])
        check(reader, store)
        assert written() == 1499  # item/1400 was never seen
    put(store, 1500, 3000)
    with Gallery(store, derived) as again:
        check(again, store)
        assert written() == 2999
        with DerivedFolder(derived).lock():
            put(store, 3000, 4000)
            check(again, store)  # whoever writes is not waited for
        assert written() == 2999
        assert list(again.verify()) == []


def test_another_gallery_takes_over_an_index_that_was_saved_meanwhile(
    store: SqliteStore, derived: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sizing, "EXACT_MOST", 1000)
    put(store, 0, 50)
    with Gallery(store, derived) as reader, Gallery(store, derived) as writer:
        put(store, 50, 3000)
        check(reader, store)
        writer.save()
        check(reader, store)
        assert reader.describe()["kind"] == "hnsw"
        assert reader.describe()["rows"] == 3000


def test_two_galleries_of_one_folder_agree_whoever_saves_first(store: SqliteStore, derived: Path) -> None:
    put(store, 0, 100)
    with Gallery(store, derived) as one, Gallery(store, derived) as two:
        put(store, 100, 110)
        one.refresh()
        store.remove(["item/105"])
        put(store, 110, 120)
        two.refresh()  # never saw item/105, which the other is about to write
        one.save()
        two.save()
        for gallery in (one, two):
            check(gallery, store)
            assert list(gallery.verify()) == []
    side = Sidecar.open(one._folder)
    assert side is not None
    assert len(set(side.rows.tolist())) == len(side.rows)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "what", ["data", "rows", "sums", "vectors.json", "index.bin", "index.json", "background.bin"]
)
def test_damage_is_noticed_and_answers_stay_right(
    store: SqliteStore, derived: Path, kind: IndexKind, what: str
) -> None:
    put(store, 0, 1500)
    with Gallery(store, derived, index=kind) as gallery:
        gallery.save()
    found = [path for path in derived.iterdir() if path.name == what or path.name.endswith(f".{what}")]
    if kind == "exact" and what.startswith("index"):
        assert found == []
        return
    damage(found[0], found[0].stat().st_size // 2)
    with Gallery(store, derived, index=kind) as gallery:
        check(gallery, store)
        assert gallery.background.strength(QUERIES[0], np.float32([1.0]), candidates=1500)[0] > 0.5
        gallery.rebuild()
        assert list(gallery.verify()) == []
        check(gallery, store)


@pytest.mark.parametrize("what", ["data", "background.bin", "index.bin"])
def test_verify_names_damage_while_the_collection_is_open(
    store: SqliteStore, derived: Path, what: str
) -> None:
    put(store, 0, 1500)
    with Gallery(store, derived, index="hnsw") as gallery:
        gallery.save()
    with Gallery(store, derived) as gallery:
        found = next(
            path for path in derived.iterdir() if path.name == what or path.name.endswith(f".{what}")
        )
        damage(found, found.stat().st_size // 2)
        assert len(list(gallery.verify())) == 1
        gallery.rebuild()
        assert list(gallery.verify()) == []


def test_a_damaged_vector_that_is_read_late_is_never_answered_with(store: SqliteStore, derived: Path) -> None:
    put(store, 0, 3000)
    with Gallery(store, derived, index="ivf") as gallery:
        gallery.save()
    with Gallery(store, derived, index="ivf") as gallery:
        damage(next(derived.glob("*.data")), 2900 * DIMENSIONS * 2 + 3)
        check(gallery, store)


def test_an_append_that_was_cut_short_is_ignored(store: SqliteStore, derived: Path) -> None:
    put(store, 0, 300)
    with Gallery(store, derived) as gallery:
        gallery.save()
    for path in derived.glob("vectors-*"):
        with path.open("ab") as handle:
            handle.write(b"half an append")
    with Gallery(store, derived) as gallery:
        put(store, 300, 700)
        gallery.save()
        check(gallery, store)
    with Gallery(store, derived) as gallery:
        assert len(gallery._state.table.sidecar or ()) == 700
        check(gallery, store)
        assert list(gallery.verify()) == []


def test_everything_derived_can_be_deleted_while_in_use(store: SqliteStore, derived: Path) -> None:
    put(store, 0, 600)
    with Gallery(store, derived) as gallery:
        gallery.save()
        for path in derived.iterdir():
            path.unlink()
        check(gallery, store)
        put(store, 600, 700)
        gallery.save()
        check(gallery, store)
        assert list(gallery.verify()) == []


def test_after_compact_nothing_of_a_removed_item_is_left(store: SqliteStore, derived: Path) -> None:
    put(store, 0, 200)
    with Gallery(store, derived, index="hnsw") as gallery:
        gallery.save()
        trace = VECTORS[77].astype("<f2").tobytes()
        assert any(trace in path.read_bytes() for path in derived.iterdir())
        store.remove(["item/77"])
        store.compact()
        gallery.rebuild()
        assert not any(trace in path.read_bytes() for path in derived.iterdir())
        check(gallery, store)


def test_compact_and_migration_by_another_are_followed(store: SqliteStore, derived: Path) -> None:
    put(store, 0, 200)
    with Gallery(store, derived) as gallery:
        store.remove([f"item/{n}" for n in range(50)])
        store.compact()
        check(gallery, store)
        store.begin_space(space(2, fingerprint="f" * 16))
        rows = np.concatenate([rows for rows, _ in store.stream_vectors()])
        store.put_vectors(rows, VECTORS[1000 : 1000 + len(rows)], [()] * len(rows), "f" * 16)
        store.switch_space("f" * 16)
        check(gallery, store)
        assert gallery.search(VECTORS[1000], 1)[1][0, 0] > 0.999


def test_many_removals_are_cleared_away_when_saving(store: SqliteStore, derived: Path) -> None:
    put(store, 0, 400)
    with Gallery(store, derived) as gallery:
        store.remove([f"item/{n}" for n in range(200)])
        gallery.save()
        assert gallery.describe()["rows_removed"] == 0
        check(gallery, store)


@pytest.mark.skipif(sys.platform != "linux", reason="needs a folder that nobody may write into: /sys")
def test_a_folder_that_cannot_be_written_leaves_everything_in_memory(store: SqliteStore) -> None:
    put(store, 0, 300)
    with Gallery(store, Path("/sys/lookalike-derived"), index="hnsw") as gallery:
        put(store, 300, 400)
        gallery.save()
        check(gallery, store)
        assert gallery.describe()["derived"] == "in memory"
        assert gallery.describe()["rows"] == 300


def test_an_empty_collection_answers_and_fills(store: SqliteStore, derived: Path) -> None:
    with Gallery(store, derived) as gallery:
        rows, scores = gallery.search(QUERIES[:2], 3)
        assert (rows == -1).all()
        assert (scores == -np.inf).all()
        assert gallery.vectors(np.empty(0, np.int64)).shape == (0, DIMENSIONS)
        assert list(gallery.stream()) == []
        gallery.save()
        put(store, 0, 5)
        check(gallery, store)


def test_vectors_come_in_the_order_asked_and_gone_ones_are_named(store: SqliteStore, derived: Path) -> None:
    put(store, 0, 50)
    with Gallery(store, derived) as gallery:
        put(store, 50, 60)
        rows = np.array(store.rows(["item/55", "item/3", "item/20"]), dtype=np.int64)
        np.testing.assert_allclose(gallery.vectors(rows), VECTORS[[55, 3, 20]], atol=1e-3)
        store.remove(["item/3"])
        with pytest.raises(UnknownItem, match=f"row {rows[1]}"):
            gallery.vectors(rows)
        streamed = np.concatenate([rows for rows, _ in gallery.stream(batch=7)])
        expected = np.concatenate([rows for rows, _ in store.stream_vectors()])
        np.testing.assert_array_equal(streamed, expected)


def test_searches_from_many_threads_stay_right_while_rows_come_and_go(
    store: SqliteStore, derived: Path
) -> None:
    put(store, 0, 2000)
    with Gallery(store, derived, index="hnsw") as gallery:
        stop, wrong = threading.Event(), []

        def ask() -> None:
            while not stop.is_set():
                rows, scores = gallery.search(QUERIES[:4], 10)
                if (
                    (rows < 0).any()
                    or (np.diff(scores, axis=1) > 0).any()
                    or any(len(set(r)) < 10 for r in rows.tolist())
                ):
                    wrong.append(rows)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for first in range(2000, 5000, 250):
            put(store, first, first + 250)
            store.remove([f"item/{n}" for n in range(first - 2000, first - 1950)])
            gallery.extend()
        stop.set()
        for thread in threads:
            thread.join()
        assert not wrong
        gallery.save()
        check(gallery, store)


def test_an_unknown_index_is_refused_with_those_that_exist(store: SqliteStore, derived: Path) -> None:
    with pytest.raises(InputError, match="exact, hnsw, ivf"):
        Gallery(store, derived, index="annoy")  # type: ignore[arg-type]


def test_the_index_suits_the_size() -> None:
    kinds = [index_kind(n, 1280, half=True, budget=1 << 30) for n in (0, 20_000, 20_001, 300_000, 1_000_000)]
    assert kinds == ["exact", "exact", "hnsw", "hnsw", "ivf"]
