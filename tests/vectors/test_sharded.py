"""Several graphs answer as one: over holes and nodes whose vectors are gone, growing, saved and loaded."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from clustered_vectors import clustered
from lookalike.errors import StoreError
from lookalike.types import Embeddings
from lookalike.vectors.approximate import Effort
from lookalike.vectors.hnsw import HNSW, LEVELS
from lookalike.vectors.neighbours import ArrayVectors, Exact, Index, VectorSource
from lookalike.vectors.node_vectors import NodeVectors
from lookalike.vectors.quantise import CodedVectors, Int8
from lookalike.vectors.sharded import (
    GraphSettings,
    Part,
    Sharded,
    build_graph,
    least_effort,
    load_graphs,
)

N = 1600
VECTORS = clustered(N).astype(np.float16)
QUERIES = clustered(N + 60)[N:]


def source(n: int = N) -> ArrayVectors:
    return ArrayVectors(VECTORS[:n])


def recall(index: Index, vectors: VectorSource, allowed: np.ndarray | None = None) -> float:
    """Share of the 10 true neighbours that an index finds."""
    found = index.search(QUERIES, 10, allowed).positions
    true = Exact(vectors).search(QUERIES, 10, allowed).positions
    return float(
        np.mean([len(set(a) & set(b)) / 10 for a, b in zip(found.tolist(), true.tolist(), strict=True)])
    )


def built(shards: int, n: int = N) -> list[Part]:
    parts = []
    for positions in np.array_split(np.arange(n), shards):
        graph = build_graph(GraphSettings(half=True), ArrayVectors(VECTORS[positions]))
        parts.append(Part(graph.content, positions, int(positions[-1]) + 1))
    return parts


def without(parts: list[Part], gone: np.ndarray, kept: np.ndarray) -> list[Part]:
    """The same graphs over a source that has only the vectors ``kept``."""
    changed, stop = [], 0
    for content, positions, _ in parts:
        at = np.searchsorted(kept, positions)
        moved = np.where(np.isin(positions, gone), -1, at)
        stop = int(moved.max()) + 1
        changed.append(Part(content, moved, stop))
    return changed


EFFORT = Effort(LEVELS)


def test_graphs_find_what_one_graph_finds() -> None:
    for shards in (1, 2, 4):
        index = Sharded.build(source(), shards=shards, half=True)
        assert recall(index, source()) >= 0.98
        assert index.describe()["shards"] == shards
        assert len(index) == N


def test_a_graph_built_elsewhere_answers_as_if_built_here() -> None:
    index = Sharded.assembled(built(3), EFFORT, source(), half=True)
    assert recall(index, source()) >= 0.98
    index.tune()
    assert index.describe()["measured"]["recall@10"]
    assert recall(index, source()) >= 0.98


@pytest.mark.parametrize("share", [0.01, 0.2])
def test_nodes_whose_vectors_are_gone_are_no_answers_and_hide_none(share: float) -> None:
    gone = np.flatnonzero(np.random.default_rng(1).random(N) < share)
    kept = np.setdiff1d(np.arange(N), gone)
    left = ArrayVectors(VECTORS[kept])
    index = Sharded.assembled(without(built(2), gone, kept), EFFORT, left, half=True)
    index.tune()
    assert len(index) == len(kept)
    assert recall(index, left) >= 0.97
    exact = Exact(left).search(QUERIES, 10)
    found = index.search(QUERIES, 10, recall=1.0)
    np.testing.assert_allclose(found.scores, exact.scores, atol=2e-6)
    everything = index.search(QUERIES[:2], len(kept))
    np.testing.assert_array_equal(np.sort(everything.positions, axis=1), [np.arange(len(kept))] * 2)
    allowed = np.random.default_rng(2).random(len(kept)) < 0.3
    filtered = index.search(QUERIES, 10, allowed)
    assert allowed[filtered.positions].all()
    assert recall(index, left, allowed) >= 0.97


def test_vectors_between_the_nodes_are_never_found() -> None:
    holes = np.arange(0, N, 7)
    nodes = np.setdiff1d(np.arange(N), holes)
    parts = []
    for positions in np.array_split(nodes, 2):
        graph = build_graph(GraphSettings(half=True), ArrayVectors(VECTORS[positions]))
        parts.append(Part(graph.content, positions, int(positions[-1]) + 1))
    index = Sharded.assembled(parts, EFFORT, source(), half=True)
    assert not np.isin(index.search(QUERIES, 50).positions, holes).any()
    assert not np.isin(index.search(QUERIES, 50, np.ones(len(index), dtype=bool)).positions, holes).any()


@pytest.mark.parametrize("holes", [False, True])
def test_newer_vectors_go_into_the_last_graph(tmp_path: Path, holes: bool) -> None:
    gone = np.arange(5, 1000, 50) if holes else np.empty(0, dtype=np.int64)
    kept = np.setdiff1d(np.arange(N), gone)
    left = ArrayVectors(VECTORS[kept])
    before = int(np.count_nonzero(kept < 1000))
    index = Sharded.assembled(without(built(2, 1000), gone, kept), EFFORT, left, half=True)
    assert len(index) == before
    index.grow(left, len(kept), shared=False)
    assert len(index) == len(kept)
    late = np.arange(len(kept) - 20, len(kept))
    np.testing.assert_array_equal(
        index.search(left.array[late].astype(np.float32), 1, recall=1.0).positions[:, 0], late
    )
    assert recall(index, left) >= 0.97
    saved = index.save(tmp_path / "graphs")
    loaded = load_graphs(tmp_path / "graphs", saved, left, half=True)
    assert len(loaded) == len(index)
    for ours, theirs in zip(
        index.search(QUERIES, 10, recall=1.0), loaded.search(QUERIES, 10, recall=1.0), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_searches_go_on_while_the_last_graph_grows() -> None:
    index = Sharded.assembled(built(2, 1000), EFFORT, source(), half=True)
    expected = index.search(QUERIES, 5, recall=1.0).scores
    grower = threading.Thread(target=lambda: index.grow(source(), N, shared=True))
    grower.start()
    allowed = np.ones(1000, dtype=bool)
    while grower.is_alive():
        found = index.search(QUERIES, 5, allowed, recall=1.0)
        np.testing.assert_array_equal(found.scores, expected)
    assert len(index) == N


def test_graphs_of_codes_are_graphs_too() -> None:
    vectors: Embeddings = clustered(N)
    quantiser = Int8.fit(vectors)
    coded = CodedVectors(quantiser.encode(vectors), quantiser, vectors.shape[1])
    index = Sharded.build(coded, shards=2, half=False, scales=tuple(quantiser.scales.tolist()))
    assert recall(index, coded) >= 0.98
    assert index.describe()["codes"] == "i8"


def test_a_saved_graph_alone_is_loaded_as_before(tmp_path: Path) -> None:
    graph = HNSW.build(source(), half=True)
    loaded = load_graphs(tmp_path / "g", graph.save(tmp_path / "g"), source(), half=True)
    assert isinstance(loaded, HNSW)


def test_graphs_that_do_not_fit_are_refused() -> None:
    content, positions, stop = built(1)[0]
    with pytest.raises(StoreError, match="does not fit"):
        Sharded.assembled([Part(content, positions[:-1], stop)], EFFORT, source(), half=True)
    with pytest.raises(StoreError, match="does not fit"):
        Sharded.assembled([Part(content, positions, stop)], EFFORT, source(N - 1), half=True)
    with pytest.raises(StoreError, match="cannot be read"):
        Sharded.assembled([Part(content[:500], positions, stop)], EFFORT, source(), half=True)


def test_the_effort_of_several_graphs_is_that_of_the_worst() -> None:
    one, other = Effort((16, 32), ((0.9, 1.0), (0.8, 0.9))), Effort((16, 32), ((0.95, 0.97),))
    assert least_effort([one, other]) == Effort((16, 32), ((0.9, 0.97),))


def test_a_view_gives_the_vectors_of_its_nodes_in_order() -> None:
    positions = np.array([2, -1, 5, 6])
    view = NodeVectors(source(20), positions, 8, growing=True)
    view.stand_in(np.full((1, 32), 0.5, dtype=np.float32))
    assert len(view) == 16
    whole = np.concatenate(list(view.blocks(0, 16, 3)))
    expected = np.concatenate([VECTORS[[2]], np.full((1, 32), 0.5, np.float16), VECTORS[5:7], VECTORS[8:20]])
    np.testing.assert_array_equal(whole, expected)
    np.testing.assert_array_equal(view.take(np.arange(16)), expected)
    np.testing.assert_array_equal(view.positions(np.array([[0, 1], [4, -1]])), [[2, -1], [8, -1]])
