"""What indexes promise beyond searching: growing while others search, saving, loading."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from clustered_vectors import clustered
from lookalike.errors import StoreError
from lookalike.vectors.approximate import Effort
from lookalike.vectors.hnsw import HNSW, chunk_rows
from lookalike.vectors.ivf import IVF
from lookalike.vectors.neighbours import ArrayVectors, Exact

VECTORS = clustered(3000).astype(np.float16)
QUERIES = clustered(3040)[3000:]


def source(n: int = 3000) -> ArrayVectors:
    return ArrayVectors(VECTORS[:n])


@pytest.mark.parametrize("half", [True, False])
def test_a_loaded_graph_answers_like_the_saved_one(tmp_path: Path, half: bool) -> None:
    vectors = ArrayVectors(VECTORS if half else VECTORS.astype(np.float32))
    graph = HNSW.build(vectors, half=half)
    saved = graph.save(tmp_path / "graph")
    assert (tmp_path / "graph").stat().st_size < VECTORS.nbytes * 5  # links only, no vectors
    loaded = HNSW.load(tmp_path / "graph", saved, vectors, half=half)
    for ours, theirs in zip(graph.search(QUERIES, 10), loaded.search(QUERIES, 10), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert loaded.describe() == graph.describe()


def test_a_loaded_graph_can_grow(tmp_path: Path) -> None:
    saved = HNSW.build(source(2000), half=True).save(tmp_path / "graph")
    graph = HNSW.load(tmp_path / "graph", saved, source(2000), half=True)
    graph.grow(source(), 3000, shared=False)
    found = graph.search(VECTORS[2990:].astype(np.float32), 1)
    np.testing.assert_array_equal(found.positions[:, 0], np.arange(2990, 3000))


@pytest.mark.parametrize("shared", [True, False])
def test_adding_to_a_graph_takes_no_longer_because_it_is_large(shared: bool) -> None:
    def locks(n: int) -> int:
        """How many FAISS makes until a graph has n vectors: one for each that is there, at every step."""
        made = there = 0
        while there < n:
            made += there
            there += chunk_rows(there, shared=shared)
        return made

    assert locks(40_000_000) < 2.1 * locks(20_000_000)
    assert chunk_rows(100_000, shared=True) < 100 < chunk_rows(100_000, shared=False)


@pytest.mark.parametrize("content", [b"", b"nonsense", "cut"])
def test_a_file_that_is_no_graph_is_refused(tmp_path: Path, content: bytes | str) -> None:
    path = tmp_path / "graph"
    saved = HNSW.build(source(500), half=True).save(path)
    path.write_bytes(path.read_bytes()[:5000] if isinstance(content, str) else content)
    with pytest.raises(StoreError, match="build it anew"):
        HNSW.load(path, saved, source(500), half=True)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_graph_that_cannot_be_written_says_so_as_the_system_does(tmp_path: Path) -> None:
    graph = HNSW.build(source(500), half=True)
    with pytest.raises(OSError, match="No space left"):
        graph.save(Path("/dev/full"))
    assert graph.save(tmp_path / "graph")["rows"] == 500


def test_a_graph_of_other_vectors_is_refused(tmp_path: Path) -> None:
    saved = HNSW.build(source(500), half=True).save(tmp_path / "graph")
    with pytest.raises(StoreError, match="does not fit"):
        HNSW.load(tmp_path / "graph", saved, source(400), half=True)


def test_searches_go_on_while_a_graph_grows() -> None:
    graph = HNSW.build(source(1000), half=True)
    expected = set(graph.search(QUERIES, 5, recall=1.0).positions.ravel().tolist())
    grower = threading.Thread(target=lambda: graph.grow(source(), 3000, shared=True))
    grower.start()
    allowed = np.ones(1000, dtype=bool)
    answers = 0
    while grower.is_alive():
        found = graph.search(QUERIES, 5, allowed)
        assert found.positions.max() < 1000
        assert len(expected & set(found.positions.ravel().tolist())) >= 0.95 * len(expected)
        answers += 1
    grower.join()
    assert answers > 0
    assert len(graph) == 3000


def test_growing_stops_when_cancelled() -> None:
    graph, cancelled = HNSW(source(), half=True), threading.Event()
    cancelled.set()
    graph.grow(source(), 3000, shared=True, cancelled=cancelled)
    assert len(graph) == 0


def test_loaded_lists_answer_like_the_saved_ones(tmp_path: Path) -> None:
    lists = IVF.build(source())
    saved = lists.save(tmp_path / "lists")
    loaded = IVF.load(tmp_path / "lists", saved, source())
    for ours, theirs in zip(lists.search(QUERIES, 10), loaded.search(QUERIES, 10), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_lists_are_built_the_same_from_the_same_seed() -> None:
    ours, theirs = (IVF.build(source(), seed=3).search(QUERIES, 10, recall=0.5).positions for _ in range(2))
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("mapped", [False, True])
def test_lists_grow_by_copy_and_leave_the_original(tmp_path: Path, mapped: bool) -> None:
    lists = IVF.build(source(2000))
    if mapped:
        saved = lists.save(tmp_path / "lists")
        lists = IVF.load(tmp_path / "lists", saved, source(2000))
    grown = lists.grown(source())
    assert (len(lists), len(grown)) == (2000, 3000)
    found = grown.search(VECTORS[2990:].astype(np.float32), 1)
    np.testing.assert_array_equal(found.positions[:, 0], np.arange(2990, 3000))


@pytest.mark.parametrize("searched_before", [True, False])
def test_an_exact_index_grows_step_by_step_and_leaves_the_smaller_ones(searched_before: bool) -> None:
    indexes = [Exact(source(100), resident=True)]
    for n in (110, 130, 1000, 3000):
        if searched_before:
            indexes[-1].search(QUERIES[:1], 1)
        indexes.append(indexes[-1].grown(source(n)))
    for index in indexes:
        found, expected = index.search(QUERIES, 5), Exact(source(len(index))).search(QUERIES, 5)
        np.testing.assert_array_equal(found.positions, expected.positions)


def test_effort_is_the_least_that_reached_the_recall_half_way_to_1() -> None:
    effort = Effort((1, 2, 4, 8), ((0.5, 0.9, 0.97, 0.995),))
    assert [effort.choose(recall, 10) for recall in (0.4, 0.9, 0.95, None, 0.999)] == [2, 4, 8, 8, 8]


def test_deeper_answers_take_more_effort() -> None:
    effort = Effort((1, 2, 4, 8), ((0.99, 1.0, 1.0, 1.0), (0.5, 0.9, 0.99, 1.0)))
    assert [effort.choose(None, depth) for depth in (5, 10, 31, 100, 200)] == [2, 2, 4, 8, 16]
