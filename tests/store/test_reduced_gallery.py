"""A gallery over reduced vectors: as fresh, as exact and as hard to break as one over full ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from reducers import VECTORS, active, reduced_space

from clustered_vectors import clustered
from lookalike.errors import InputError
from lookalike.evaluate.index import evaluate_index
from lookalike.store.gallery import Gallery
from lookalike.store.searched import ActiveReducer, Superseded
from lookalike.store.sizing import IndexKind, index_kind
from lookalike.store.sqlite import SqliteStore
from lookalike.types import Rows
from lookalike.vectors.metrics import cosine
from store_records import DIMENSIONS, FINGERPRINT, record, space

KINDS: tuple[IndexKind, ...] = ("exact", "hnsw", "ivf")
SPACES = {
    "pca-i8": reduced_space(12, "i8"),
    "pca-f16": reduced_space(12, "f16"),
    "svd-f32": reduced_space(10, "f32", "svd"),
    "random-i8": reduced_space(14, "i8", "random"),
}
QUERIES = clustered(6040, dimensions=DIMENSIONS, clusters=300)[6000:]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with SqliteStore.create(tmp_path / "c", space()) as store:
        yield store


@pytest.fixture
def derived(tmp_path: Path) -> Path:
    return tmp_path / "derived"


@pytest.fixture(params=SPACES)
def reducer(request: pytest.FixtureRequest) -> ActiveReducer:
    return active(SPACES[request.param])


def put(store: SqliteStore, first: int, last: int) -> None:
    records = [record(f"item/{n}", embedding=VECTORS[n], thumbnail=b"") for n in range(first, last)]
    store.put(records, FINGERPRINT)


def check(
    gallery: Gallery, store: SqliteStore, rows: Rows | None = None, *, recall: float | None = 1.0
) -> None:
    """The answer is that of an exact search of the record, reduced and decoded here."""
    assert gallery.reducer is not None
    reduced = gallery.reducer.space
    queries = gallery.project(QUERIES)
    np.testing.assert_array_equal(queries, reduced.reducer.transform(QUERIES))
    found, scores = gallery.search(queries, 10, rows, recall=recall)
    known, vectors = zip(*store.stream_vectors(), strict=True)
    keep = np.ones(store.count(), dtype=bool) if rows is None else np.isin(np.concatenate(known), rows)
    truth = -np.sort(-cosine(queries, reduced.kept(np.concatenate(vectors))[keep]), axis=1)[:, :10]
    width = truth.shape[1]
    np.testing.assert_allclose(scores[:, :width], truth, atol=3e-6)
    assert (found[:, width:] == -1).all()
    own = gallery.vectors(found[:, :width].ravel()).reshape(len(queries), width, -1)
    np.testing.assert_allclose(np.einsum("qd,qkd->qk", queries, own), scores[:, :width], atol=3e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_additions_removals_and_filters_are_followed_exactly(
    store: SqliteStore, derived: Path, reducer: ActiveReducer, kind: IndexKind
) -> None:
    put(store, 0, 1500)
    with Gallery(store, derived, index=kind, reducer=reducer) as gallery:
        check(gallery, store)
        assert gallery.describe()["kind"] == kind
        assert gallery.dimensions == reducer.space.dimensions
        put(store, 1500, 1700)
        check(gallery, store)
        store.remove([f"item/{n}" for n in range(0, 1700, 7)])
        check(gallery, store)
        rows = np.array(store.rows([f"item/{n}" for n in range(1, 1700, 10) if n % 7]), dtype=np.int64)
        check(gallery, store, rows)
        check(gallery, store, rows[:3])
        assert len(gallery) == store.count() == len(gallery.rows())


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_saved_opens_again_and_answers_the_same(
    store: SqliteStore, derived: Path, reducer: ActiveReducer, kind: IndexKind
) -> None:
    put(store, 0, 1500)
    with Gallery(store, derived, index=kind, reducer=reducer) as gallery:
        gallery.save()
        expected = gallery.search(gallery.project(QUERIES), 10)
    kept = {path.name: path.stat().st_mtime_ns for path in derived.iterdir() if path.name != "lock"}
    data = next(derived.glob("*.data"))
    assert data.stat().st_size == 1500 * reducer.space.quantiser.width(reducer.space.dimensions)
    with Gallery(store, derived, index=kind, reducer=reducer) as again:
        for ours, theirs in zip(again.search(again.project(QUERIES), 10), expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)
        assert list(again.verify()) == []
        put(store, 1500, 2100)
        again.save()
        check(again, store)
        assert list(again.verify()) == []
    assert kept.keys() <= {path.name for path in derived.iterdir()}


@pytest.mark.parametrize("kind", ["hnsw", "ivf"])
def test_an_approximate_index_finds_nearly_all(
    store: SqliteStore, derived: Path, reducer: ActiveReducer, kind: IndexKind
) -> None:
    put(store, 0, 4000)
    with Gallery(store, derived, index=kind, reducer=reducer) as gallery:
        assert evaluate_index(gallery, queries=60).recall >= 0.98


@pytest.mark.parametrize("what", ["data", "rows", "sums", "vectors.json", "index.bin"])
def test_damage_is_noticed_and_answers_stay_right(store: SqliteStore, derived: Path, what: str) -> None:
    reducer = active(SPACES["pca-i8"])
    put(store, 0, 1500)
    with Gallery(store, derived, index="hnsw", reducer=reducer) as gallery:
        gallery.save()
    found = next(path for path in derived.iterdir() if path.name == what or path.name.endswith(f".{what}"))
    data = bytearray(found.read_bytes())
    data[len(data) // 2] ^= 0xFF
    found.write_bytes(data)
    with Gallery(store, derived, index="hnsw", reducer=reducer) as gallery:
        check(gallery, store)
        gallery.rebuild()
        assert list(gallery.verify()) == []


def test_verify_compares_with_the_record_reduced_anew(store: SqliteStore, derived: Path) -> None:
    put(store, 0, 600)
    with Gallery(store, derived, reducer=active(SPACES["pca-f16"])) as gallery:
        gallery.save()
    wrong = active(reduced_space(12, "f16", "random"))
    with Gallery(store, derived, reducer=wrong) as gallery:  # files of another reducer under the same name
        assert [damage.what for damage in gallery.verify()] == [
            "the vectors that are searched are not those of the record"
        ]


def test_codes_of_other_scales_are_never_read_as_ones_own(store: SqliteStore, derived: Path) -> None:
    put(store, 0, 600)
    with Gallery(store, derived, reducer=active(SPACES["pca-i8"])) as gallery:
        gallery.save()
    sample = VECTORS[3000:]
    other = SPACES["pca-i8"].fit(SPACES["pca-i8"].reducer, "i8", sample)
    with Gallery(store, derived, reducer=active(other)) as gallery:
        check(gallery, store)


def test_files_deleted_under_an_open_gallery_do_not_stop_it(store: SqliteStore, derived: Path) -> None:
    put(store, 0, 900)
    with Gallery(store, derived, reducer=active(SPACES["pca-i8"])) as gallery:
        gallery.save()
    with Gallery(store, derived, budget=0, reducer=active(SPACES["pca-i8"])) as gallery:  # nothing read yet
        for path in derived.iterdir():
            path.unlink()
        derived.rmdir()
        check(gallery, store)


def test_the_description_says_how_vectors_were_reduced(store: SqliteStore, derived: Path) -> None:
    put(store, 0, 30)
    with Gallery(store, derived, reducer=active(SPACES["pca-i8"], version=7)) as gallery:
        described = gallery.describe()["reducer"]
    assert (described["version"], described["method"]) == (7, "pca")
    assert (described["dimensions"], described["precision"]) == (12, "i8")
    with Gallery(store, derived.with_name("full")) as gallery:
        assert "reducer" not in gallery.describe()
        assert gallery.project(QUERIES) is QUERIES


def test_queries_of_another_length_are_refused(store: SqliteStore, derived: Path) -> None:
    put(store, 0, 30)
    with Gallery(store, derived, reducer=active(SPACES["pca-i8"])) as gallery:
        with pytest.raises(InputError, match=f"length {DIMENSIONS}"):
            gallery.project(QUERIES[:, :5])
        with pytest.raises(InputError, match=r"expected \(q, 12\)"):
            gallery.search(QUERIES, 3)


def test_a_migration_leaves_an_open_gallery_its_answers_and_opens_no_new_one(
    store: SqliteStore, derived: Path
) -> None:
    put(store, 0, 300)
    reducer = active(SPACES["pca-i8"])
    with Gallery(store, derived, reducer=reducer) as gallery:
        before = gallery.search(gallery.project(QUERIES), 5)
        store.begin_space(space(2, fingerprint="f" * 16))
        rows = np.concatenate([rows for rows, _ in store.stream_vectors()])
        store.put_vectors(rows, VECTORS[1000 : 1000 + len(rows)], [()] * len(rows), "f" * 16)
        store.switch_space("f" * 16)
        for ours, theirs in zip(gallery.search(gallery.project(QUERIES), 5), before, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(Superseded, match="migrated"):
        Gallery(store, derived, reducer=reducer)


def test_smaller_vectors_fit_more_into_an_index_in_memory() -> None:
    budget = 500_000 * (256 + 64 * 4 + 32)
    assert index_kind(500_000, 256, half=False, int8=True, budget=budget) == "hnsw"
    assert index_kind(500_000, 256, half=True, budget=budget) == "ivf"
