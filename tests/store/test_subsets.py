"""Filters that come again are answered from memory: exactly, and never with what is out of date."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from clustered_vectors import clustered
from lookalike.errors import InputError
from lookalike.store.gallery import Gallery
from lookalike.store.sqlite import SqliteStore
from lookalike.types import Rows
from lookalike.vectors.metrics import cosine, normalise
from store_records import DIMENSIONS, FINGERPRINT, record, space

VECTORS = clustered(3040, dimensions=DIMENSIONS, clusters=100)
QUERIES = VECTORS[3000:]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with SqliteStore.create(tmp_path / "c", space()) as store:
        store.put([record(f"item/{n}", embedding=VECTORS[n]) for n in range(3000)], FINGERPRINT)
        yield store


@pytest.fixture
def gallery(store: SqliteStore, tmp_path: Path) -> Iterator[Gallery]:
    with Gallery(store, tmp_path / "derived", index="hnsw") as gallery:
        yield gallery


def check(gallery: Gallery, store: SqliteStore, asked: Rows) -> None:
    """The answer among the rows asked is that of the record."""
    existing = np.intersect1d(asked, np.concatenate([rows for rows, _ in store.stream_vectors()]))
    expected = -np.sort(-cosine(QUERIES, normalise(store.vectors(existing))), axis=1)[:, :10]
    found, scores = gallery.search(QUERIES, 10, asked, recall=1)
    np.testing.assert_allclose(scores[:, : expected.shape[1]], expected, atol=2e-6)
    assert (found[:, expected.shape[1] :] == -1).all()
    assert np.isin(found[found >= 0], existing).all()


def test_every_time_a_filter_comes_it_gets_the_same_exact_answer(
    gallery: Gallery, store: SqliteStore
) -> None:
    asked = np.arange(1, 3001, 10)
    for _ in range(4):
        check(gallery, store, asked)
    few = np.array([5, 17])
    for _ in range(3):
        check(gallery, store, few)


def test_equal_rows_in_another_array_are_another_filter(gallery: Gallery, store: SqliteStore) -> None:
    for first in range(1, 8):
        for _ in range(3):
            check(gallery, store, np.arange(first, 3001, 50))


def test_what_was_kept_never_outlives_a_change(gallery: Gallery, store: SqliteStore) -> None:
    asked = np.arange(1, 3002)
    for _ in range(3):
        check(gallery, store, asked)
    store.remove([f"item/{n}" for n in range(0, 3000, 2)])
    for _ in range(3):
        check(gallery, store, asked)
    store.put([record("new", embedding=QUERIES[0])], FINGERPRINT)
    for _ in range(3):
        check(gallery, store, asked)
    found, scores = gallery.search(QUERIES[:1], 1, asked)
    assert found[0, 0] == 3001
    assert scores[0, 0] > 0.999


def test_nothing_allowed_gives_nothing_and_wrong_arguments_are_refused(gallery: Gallery) -> None:
    gone, asked = np.array([9_999_999]), np.arange(1, 100)
    for _ in range(3):
        found, scores = gallery.search(QUERIES[:2], 3, gone)
        assert (found == -1).all()
        assert np.isneginf(scores).all()
        gallery.search(QUERIES[:2], 3, asked)
    with pytest.raises(InputError, match="k = 0"):
        gallery.search(QUERIES[:2], 0, asked)
