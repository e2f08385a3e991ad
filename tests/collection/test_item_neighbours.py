from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from clustered_vectors import clustered
from lookalike.collection.item_neighbours import ROUGH, ItemNeighbours
from lookalike.store.base import Space
from lookalike.store.gallery import Gallery
from lookalike.store.sqlite import SqliteStore
from lookalike.types import Embeddings, Rows
from lookalike.vectors.neighbours import NOWHERE, Neighbours
from store_records import FINGERPRINT, record

N, K, DIMENSIONS = 2000, 10, 16
VECTORS = clustered(N, dimensions=DIMENSIONS, clusters=4, spread=1.0)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteStore]:
    """Four groups of 500."""
    space = Space(1, '{"name": "test"}', FINGERPRINT, DIMENSIONS, "f16")
    with SqliteStore.create(tmp_path_factory.mktemp("neighbours") / "c", space) as made:
        made.put(
            [record(f"item/{n}", embedding=vector, thumbnail=b"") for n, vector in enumerate(VECTORS)],
            FINGERPRINT,
        )
        yield made


class Hasty(Gallery):
    """A gallery whose index finds little when little recall is asked for, and that notes what it was asked for."""

    found = K + 1
    """How many of the nearest a search with little effort finds, the item itself among them."""

    def __init__(self, store: SqliteStore, folder: Path) -> None:
        super().__init__(store, folder, index="hnsw")
        self.asked: list[float | None] = []

    def search(
        self, queries: Embeddings, k: int, rows: Rows | None = None, recall: float | None = None
    ) -> tuple[Rows, npt.NDArray[np.float32]]:
        """As its class does, less what it does not find."""
        answer, scores = super().search(queries, k, rows, recall)
        self.asked.append(recall)
        if recall == ROUGH:
            lost = np.argsort(np.random.default_rng(len(self.asked)).random(answer[:, 1:].shape), axis=1)
            lost = 1 + lost[:, : K + 1 - self.found]
            np.put_along_axis(answer, lost, NOWHERE, axis=1)
            np.put_along_axis(scores, lost, -np.inf, axis=1)
            order = np.argsort(-scores, axis=1, kind="stable")
            answer, scores = np.take_along_axis(answer, order, 1), np.take_along_axis(scores, order, 1)
        return answer, scores


@pytest.fixture
def gallery(store: SqliteStore, tmp_path: Path) -> Iterator[Hasty]:
    with Hasty(store, tmp_path / "derived") as opened:
        yield opened


def find(gallery: Gallery, rows: Rows | None = None) -> tuple[Neighbours, Embeddings]:
    """The neighbours of items, and their vectors."""
    chosen = gallery.rows() if rows is None else rows
    vectors = gallery.vectors(chosen)
    return ItemNeighbours(gallery, chosen, vectors, K, batch=500).find(), vectors


def recall(found: Neighbours, vectors: Embeddings) -> float:
    similar = vectors @ vectors.T
    np.fill_diagonal(similar, -np.inf)
    truth = np.argsort(-similar, axis=1)[:, :K]
    return float((found.positions[:, :, None] == truth[:, None, :]).any(axis=1).mean())


def check(found: Neighbours, vectors: Embeddings) -> None:
    """Others only, none twice, best first, with their exact scores."""
    n = len(vectors)
    assert found.positions.shape == (n, K) and (found.positions != np.arange(n)[:, None]).all()
    assert (found.positions >= 0).all() and all(len(set(row)) == K for row in found.positions.tolist())
    assert (np.diff(found.scores, axis=1) <= 0).all()
    exact = np.einsum("nd,nkd->nk", vectors, vectors[found.positions])
    assert np.allclose(found.scores, exact, atol=1e-5)


def test_little_effort_is_enough_where_it_finds_nearly_all(gallery: Hasty) -> None:
    found, vectors = find(gallery)
    check(found, vectors)
    assert recall(found, vectors) > 0.985
    assert None not in gallery.asked and gallery.asked.count(ROUGH) == 4  # batches of 500


def test_what_the_index_misses_is_found_over_neighbours_of_neighbours(gallery: Hasty) -> None:
    gallery.found = 10
    found, vectors = find(gallery)
    check(found, vectors)
    assert recall(found, vectors) > 0.985
    assert None not in gallery.asked


def test_where_nothing_leads_on_the_index_takes_its_time(gallery: Hasty) -> None:
    gallery.found = 1  # nobody but the item itself
    found, vectors = find(gallery)
    check(found, vectors)
    assert gallery.asked.count(None) == 4
    assert recall(found, vectors) > 0.985


@pytest.mark.parametrize("some", [11, 10])
def test_items_chosen_by_a_filter_are_neighbours_among_themselves(gallery: Hasty, some: int) -> None:
    gallery.found = some
    chosen = gallery.rows()[::2]
    found, vectors = find(gallery, chosen)
    check(found, vectors)
    assert recall(found, vectors) > 0.985


def test_the_same_items_have_the_same_neighbours(gallery: Hasty) -> None:
    gallery.found = 10
    one, _ = find(gallery)
    gallery.asked.clear()
    other, _ = find(gallery)
    assert np.array_equal(one.positions, other.positions) and np.array_equal(one.scores, other.scores)
