"""The graph over int8 codes: the promises of every index, with the codes that the source keeps and no others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from test_indexes import check_answer

from clustered_vectors import clustered
from lookalike.types import Embeddings
from lookalike.vectors.approximate import faiss
from lookalike.vectors.hnsw import HNSW
from lookalike.vectors.metrics import normalise
from lookalike.vectors.neighbours import ArrayVectors, Neighbours
from lookalike.vectors.quantise import CodedVectors, Int8

N, K, D, FLOOR = 4000, 10, 32, 0.98
VECTORS = clustered(N, dimensions=D)
QUERIES = clustered(N + 60, dimensions=D)[N:]
INT8 = Int8.fit(VECTORS)
SCALES = tuple(INT8.scales.tolist())


def coded(vectors: Embeddings) -> CodedVectors:
    return CodedVectors(INT8.encode(vectors), INT8, D)


@pytest.fixture(scope="module")
def index() -> HNSW:
    return HNSW.build(coded(VECTORS), half=False, scales=SCALES)


def oracle(
    queries: Embeddings, source: CodedVectors, k: int, allowed: np.ndarray | None = None
) -> Neighbours:
    decoded = ArrayVectors(source.take(np.arange(len(source))))
    scores = queries.astype(np.float64) @ normalise(decoded.array).astype(np.float64).T
    if allowed is not None:
        scores[:, ~allowed] = -np.inf
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    best = np.take_along_axis(scores, order, axis=1)
    best = np.pad(best, ((0, 0), (0, k - best.shape[1])), constant_values=-np.inf)
    order = np.pad(order, ((0, 0), (0, k - order.shape[1])), constant_values=-1)
    return Neighbours(np.where(np.isfinite(best), order, -1), best.astype(np.float32))


def test_the_graph_keeps_the_very_codes_of_the_source(index: HNSW) -> None:
    storage = faiss().downcast_index(index._index.storage)
    codes = faiss().vector_to_array(storage.codes).reshape(N, D).astype(np.int16) - 128
    np.testing.assert_array_equal(codes, INT8.encode(VECTORS))
    np.testing.assert_allclose(storage.reconstruct(7), INT8.decode(INT8.encode(VECTORS[7:8]))[0], atol=1e-6)
    assert storage.code_size == D
    assert index.describe()["codes"] == "i8"
    assert index.describe()["bytes"] < HNSW.memory(N, D, half=True)


def test_neighbours_are_those_of_the_oracle_and_scores_exact(index: HNSW) -> None:
    check_answer(index.search(QUERIES, K), oracle(QUERIES, coded(VECTORS), K), FLOOR)
    found = index.search(QUERIES, K)
    expected = np.einsum("qd,qkd->qk", QUERIES, normalise(coded(VECTORS).take(np.arange(N)))[found.positions])
    np.testing.assert_allclose(found.scores, expected, atol=1e-6)


def test_recall_1_is_exact(index: HNSW) -> None:
    check_answer(index.search(QUERIES, K, recall=1.0), oracle(QUERIES, coded(VECTORS), K), 1.0)


@pytest.mark.parametrize("share", [0.9, 0.1, 0.001])
def test_a_filter_is_never_broken_and_k_come_back(index: HNSW, share: float) -> None:
    allowed = np.random.default_rng(1).random(N) < share
    found = index.search(QUERIES, K, allowed)
    assert allowed[found.positions[found.positions >= 0]].all()
    check_answer(found, oracle(QUERIES, coded(VECTORS), K, allowed), FLOOR)


@pytest.mark.parametrize("n", [0, 1, 7])
def test_tiny_collections_work(n: int) -> None:
    source = coded(VECTORS[:n])
    check_answer(
        HNSW.build(source, half=False, scales=SCALES).search(QUERIES, 5), oracle(QUERIES, source, 5), 1.0
    )


def test_what_was_saved_answers_the_same(index: HNSW, tmp_path: Path) -> None:
    saved = index.save(tmp_path / "graph")
    again = HNSW.load(tmp_path / "graph", saved, coded(VECTORS), half=False, scales=SCALES)
    for ours, theirs in zip(again.search(QUERIES, K), index.search(QUERIES, K), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert (tmp_path / "graph").stat().st_size < index.describe()["bytes"]
    more = coded(np.vstack([VECTORS, QUERIES]))
    again.grow(more, len(more), shared=False)
    assert (again.search(QUERIES, 1).positions[:, 0] >= N).mean() > 0.95
