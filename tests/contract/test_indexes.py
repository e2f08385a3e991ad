"""Every index against the exact search: the same promises, with a floor for recall where it is approximate."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest

from clustered_vectors import clustered
from lookalike.errors import InputError
from lookalike.types import Embeddings
from lookalike.vectors.hnsw import HNSW
from lookalike.vectors.ivf import IVF
from lookalike.vectors.metrics import normalise
from lookalike.vectors.neighbours import ArrayVectors, Exact, Index, Neighbours, VectorSource
from lookalike.vectors.sharded import Sharded

Build = Callable[[VectorSource], Index]
ENGINES: dict[str, Build] = {
    "exact": Exact,
    "exact-resident": lambda source: Exact(source, resident=True),
    "hnsw-f16": lambda source: HNSW.build(source, half=True),
    "hnsw-f32": lambda source: HNSW.build(source, half=False),
    "hnsw-sharded": lambda source: Sharded.build(source, shards=3, half=True),
    "ivf": IVF.build,
}
N, K, FLOOR = 4000, 10, 0.98


def stored(vectors: Embeddings, engine: str) -> ArrayVectors:
    return ArrayVectors(vectors if engine == "hnsw-f32" else vectors.astype(np.float16))


def oracle(
    queries: Embeddings, source: ArrayVectors, k: int, allowed: np.ndarray | None = None
) -> Neighbours:
    gallery = normalise(source.array.astype(np.float64)).astype(np.float64)
    scores = queries.astype(np.float64) @ gallery.T
    if allowed is not None:
        scores[:, ~allowed] = -np.inf
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    best = np.take_along_axis(scores, order, axis=1)
    best = np.pad(best, ((0, 0), (0, k - best.shape[1])), constant_values=-np.inf)
    order = np.pad(order, ((0, 0), (0, k - order.shape[1])), constant_values=-1)
    return Neighbours(np.where(np.isfinite(best), order, -1), best.astype(np.float32))


def check_answer(found: Neighbours, truth: Neighbours, floor: float) -> None:
    """Scores are exact, descending and complete; enough of them reach the true ones."""
    assert found.positions.dtype == np.int64
    assert found.scores.dtype == np.float32
    assert found.positions.shape == found.scores.shape == truth.positions.shape
    np.testing.assert_array_equal((found.positions >= 0).sum(axis=1), (truth.positions >= 0).sum(axis=1))
    np.testing.assert_array_equal(np.isfinite(found.scores), found.positions >= 0)
    assert (found.scores[:, 1:] <= found.scores[:, :-1]).all()
    exist = np.isfinite(truth.scores)
    if exist.any():
        last = np.where(exist, truth.scores, np.inf).min(axis=1, keepdims=True)
        assert np.mean((found.scores >= last - 1e-5)[exist]) >= floor
    for row in found.positions:
        real = row[row >= 0]
        assert len(set(real.tolist())) == len(real)


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def source(engine: str) -> ArrayVectors:
    return stored(clustered(N), engine)


@pytest.fixture(scope="module")
def index(engine: str, source: ArrayVectors) -> Index:
    return ENGINES[engine](source)


@pytest.fixture(scope="module")
def queries() -> Embeddings:
    return clustered(N + 60)[N:]


def floor(engine: str) -> float:
    return 1.0 if engine.startswith("exact") else FLOOR


def test_neighbours_are_those_of_the_oracle(
    index: Index, source: ArrayVectors, queries: Embeddings, engine: str
) -> None:
    check_answer(index.search(queries, K), oracle(queries, source, K), floor(engine))


def test_scores_are_exact_cosines_with_the_stored_vectors(
    index: Index, source: ArrayVectors, queries: Embeddings
) -> None:
    found = index.search(queries, K)
    gallery = normalise(source.array)
    expected = np.einsum("qd,qkd->qk", queries, gallery[found.positions])
    np.testing.assert_allclose(found.scores, expected, atol=1e-6)


@pytest.mark.parametrize("share", [0.9, 0.5, 0.1, 0.02, 0.001])
def test_a_filter_is_never_broken_and_k_come_back(
    index: Index, source: ArrayVectors, queries: Embeddings, engine: str, share: float
) -> None:
    allowed = np.random.default_rng(1).random(N) < share
    found = index.search(queries, K, allowed)
    assert allowed[found.positions[found.positions >= 0]].all()
    check_answer(found, oracle(queries, source, K, allowed), floor(engine))


def test_a_filter_that_allows_nothing_gives_nothing(index: Index, queries: Embeddings) -> None:
    found = index.search(queries, K, np.zeros(N, dtype=bool))
    assert (found.positions == -1).all()
    assert (found.scores == -np.inf).all()


def test_recall_1_is_exact_for_every_engine(index: Index, source: ArrayVectors, queries: Embeddings) -> None:
    check_answer(index.search(queries, K, recall=1.0), oracle(queries, source, K), 1.0)


def test_more_than_all_gives_all_and_pads(index: Index, queries: Embeddings) -> None:
    found = index.search(queries[:2], N + 5)
    assert (np.sort(found.positions[:, :N], axis=1) == np.arange(N)).all()
    assert (found.positions[:, N:] == -1).all()


def test_a_query_alone_and_in_a_batch_get_the_same(index: Index, queries: Embeddings) -> None:
    together = index.search(queries, K)
    alone = [index.search(query[None], K) for query in queries[:10]]
    np.testing.assert_array_equal(together.positions[:10], np.vstack([one.positions for one in alone]))


def test_searching_twice_gives_the_same(index: Index, queries: Embeddings) -> None:
    for first, second in zip(index.search(queries, K), index.search(queries, K), strict=True):
        np.testing.assert_array_equal(first, second)


def test_threads_get_what_one_gets(index: Index, queries: Embeddings) -> None:
    expected = index.search(queries, K).positions
    wrong: list[int] = []

    def ask(offset: int) -> None:
        mine = range(offset, len(queries), 4)
        wrong.extend(
            at
            for at in mine
            if not np.array_equal(index.search(queries[at : at + 1], K).positions[0], expected[at])
        )

    threads = [threading.Thread(target=ask, args=(offset,)) for offset in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("copies", [30, 900])
def test_copies_are_all_found_and_hide_nothing(engine: str, copies: int) -> None:
    vectors = clustered(1500, seed=3)
    vectors[:copies] = vectors[0]
    source = stored(vectors, engine)
    index = ENGINES[engine](source)
    found = index.search(normalise(source.array[:1]), 25)
    np.testing.assert_allclose(found.scores, 1, atol=1e-6)
    others = clustered(1600, seed=3)[1500:]
    check_answer(index.search(others, K), oracle(others, source, K), 0.95 if floor(engine) < 1 else 1)


@pytest.mark.parametrize("n", [0, 1, 2, 7])
def test_tiny_collections_work(engine: str, n: int) -> None:
    source = stored(clustered(max(n, 1), clusters=2)[:n], engine)
    queries = clustered(3, seed=9)
    found = ENGINES[engine](source).search(queries, 5)
    check_answer(found, oracle(queries, source, 5), 1.0)


def test_no_queries_get_no_answers(index: Index, queries: Embeddings) -> None:
    assert index.search(queries[:0], K).positions.shape == (0, K)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"k": 0}, "k = 0"),
        ({"recall": 0.0}, "recall 0.0"),
        ({"recall": 1.5}, "recall 1.5"),
        ({"queries": np.zeros((1, 3), np.float32)}, "queries have shape"),
    ],
)
def test_a_wrong_argument_is_refused(
    index: Index, queries: Embeddings, arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        index.search(**{"queries": queries, "k": K} | arguments)  # type: ignore[arg-type]


def test_the_description_names_the_kind_and_the_rows(index: Index, engine: str) -> None:
    described = index.describe()
    assert described["kind"] == engine.split("-")[0]
    assert described["rows"] == N
