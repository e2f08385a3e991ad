"""A gallery that was frozen answers in another process as it would itself, to the last bit."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from reducers import active, reduced_space

from clustered_vectors import clustered
from lookalike.store import subsets
from lookalike.store.gallery import Gallery
from lookalike.store.searched import ActiveReducer
from lookalike.store.sizing import IndexKind
from lookalike.store.sqlite import SqliteStore
from store_records import DIMENSIONS, FINGERPRINT, record, space

VECTORS = clustered(4000, dimensions=DIMENSIONS, clusters=300)
QUERIES = clustered(4040, dimensions=DIMENSIONS, clusters=300)[4000:]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """3,000 items of which some were removed."""
    with SqliteStore.create(tmp_path / "c", space()) as store:
        put(store, 0, 3000)
        yield store


def put(store: SqliteStore, first: int, last: int) -> None:
    records = [record(f"item/{n}", embedding=VECTORS[n], thumbnail=b"") for n in range(first, last)]
    store.put(records, FINGERPRINT)


@pytest.mark.parametrize(
    "reducer", [None, active(reduced_space(precision="i8")), active(reduced_space(precision="f16"))]
)
@pytest.mark.parametrize("kind", ["exact", "hnsw", "ivf"])
def test_it_answers_as_the_gallery_does(
    store: SqliteStore, tmp_path: Path, kind: IndexKind, reducer: ActiveReducer | None
) -> None:
    with Gallery(store, tmp_path / "derived", index=kind, reducer=reducer) as gallery:
        queries = gallery.project(QUERIES)
        store.remove([f"item/{n}" for n in range(0, 3000, 7)])
        put(store, 3000, 3200)  # newer than the index
        frozen = pickle.loads(pickle.dumps(gallery.frozen()))
        for k in (1, 17):
            rows, scores = gallery.search(queries, k)
            found, cosines = frozen.search(queries, k)
            assert np.array_equal(found, rows)
            assert np.array_equal(cosines, scores)
        assert gallery.describe()["rows_exact"] or kind == "exact"


@pytest.mark.parametrize("most_bytes", [0, 64 << 20])
@pytest.mark.parametrize("kind", ["exact", "hnsw"])
def test_among_some_rows_it_answers_as_the_gallery_that_expects_them(
    store: SqliteStore, tmp_path: Path, kind: IndexKind, most_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subsets, "MOST_BYTES", most_bytes)
    with Gallery(store, tmp_path / "derived", index=kind) as gallery:
        allowed = gallery.rows()[::3].copy()
        gallery.expect(allowed)
        frozen = pickle.loads(pickle.dumps(gallery.frozen(allowed)))
        for some in (QUERIES[:3], QUERIES[3:], QUERIES):
            rows, scores = gallery.search(some, 9, allowed)
            found, cosines = frozen.search(some, 9)
            assert np.isin(found, allowed).all()
            assert np.array_equal(found, rows)
            assert np.array_equal(cosines, scores)


def test_what_is_added_later_is_not_found(store: SqliteStore, tmp_path: Path) -> None:
    with Gallery(store, tmp_path / "derived", index="exact") as gallery:
        frozen = gallery.frozen()
        put(store, 3000, 3001)
        new = gallery.rows()[-1]
        assert gallery.search(VECTORS[3000:3001], 1)[0] == new
        assert frozen.search(VECTORS[3000:3001], 1)[0] != new


def test_an_empty_gallery_finds_nothing_there_either(tmp_path: Path) -> None:
    with (
        SqliteStore.create(tmp_path / "c", space()) as store,
        Gallery(store, tmp_path / "derived") as gallery,
    ):
        rows, scores = pickle.loads(pickle.dumps(gallery.frozen())).search(QUERIES, 2)
        assert (rows == -1).all()
        assert (scores == -np.inf).all()
