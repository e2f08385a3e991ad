from __future__ import annotations

import numpy as np
import pytest

from clustered_vectors import clustered
from lookalike.errors import InputError
from lookalike.vectors import descent, graph
from lookalike.vectors.graph import fuzzy_graph, memberships, nearest_others
from lookalike.vectors.neighbours import NOWHERE, Neighbours


def brute(embeddings: np.ndarray, k: int) -> np.ndarray:
    similar = embeddings.astype(np.float64) @ embeddings.T
    np.fill_diagonal(similar, -np.inf)
    return np.argsort(-similar, axis=1)[:, :k]


def test_neighbours_are_the_true_ones_without_the_item_itself() -> None:
    embeddings = clustered(300)
    found = nearest_others(embeddings, 5)
    assert np.array_equal(found.positions, brute(embeddings, 5))
    assert (np.diff(found.scores, axis=1) <= 0).all()


def test_copies_are_neighbours_of_each_other_and_never_of_themselves() -> None:
    embeddings = np.repeat(clustered(4), 15, axis=0)
    found = nearest_others(embeddings, 10)
    assert (found.positions != np.arange(60)[:, None]).all()
    assert (found.positions // 15 == np.arange(60)[:, None] // 15).all()


def test_few_vectors_have_few_neighbours() -> None:
    found = nearest_others(clustered(3), 5)
    assert (found.positions[:, :2] != NOWHERE).all()
    assert (found.positions[:, 2:] == NOWHERE).all() and np.isneginf(found.scores[:, 2:]).all()
    assert nearest_others(clustered(1), 5).positions.tolist() == [[NOWHERE] * 5]
    with pytest.raises(InputError, match="at least 1"):
        nearest_others(clustered(3), 0)


def test_beyond_the_exact_search_nearly_all_neighbours_are_found_with_any_number_of_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    embeddings = clustered(6000, dimensions=64, clusters=60, spread=1.0)
    monkeypatch.setattr(graph, "EXACT_MOST", 1000)
    monkeypatch.setattr(graph, "TRAINING_PER_LIST", 5)  # so that there are 310 lists of about 20
    monkeypatch.setattr(graph, "LISTS_READ", 2)
    truth = brute(embeddings, 10)
    found = nearest_others(embeddings, 10)
    assert shared(found.positions, truth) > 0.98
    assert (found.positions != np.arange(6000)[:, None]).all() and (np.diff(found.scores, axis=1) <= 0).all()
    one = nearest_others_with_one_thread(embeddings, monkeypatch)
    assert np.array_equal(one.positions, found.positions) and np.array_equal(one.scores, found.scores)
    monkeypatch.setattr(graph, "refined", lambda _, near, **__: near)
    assert shared(nearest_others(embeddings, 10).positions, truth) < 0.85  # the lists alone would not do


def shared(found: np.ndarray, truth: np.ndarray) -> float:
    """Share of the true neighbours that are found."""
    return float((found[:, :, None] == truth[:, None, :]).any(axis=1).mean())


def nearest_others_with_one_thread(embeddings: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> Neighbours:
    with monkeypatch.context() as patched:
        for module in (graph, descent):
            patched.setattr(module, "use_threads", lambda _: graph.faiss().omp_set_num_threads(1))
        return nearest_others(embeddings, 10)


def test_memberships_begin_at_one_and_sum_to_the_logarithm_of_k() -> None:
    weights = memberships(nearest_others(clustered(200), 10).scores)
    assert (weights[:, 0] == 1).all() and (np.diff(weights, axis=1) <= 0).all()
    assert np.allclose(weights.sum(axis=1), np.log2(10), atol=1e-3)


def test_a_missing_neighbour_has_no_weight() -> None:
    scores = np.array([[0.9, 0.5, -np.inf], [-np.inf] * 3], dtype=np.float32)
    weights = memberships(scores)
    assert weights[0, 0] == 1 and weights[0, 2] == 0 and (weights[1] == 0).all()


def test_the_graph_is_symmetric_with_weights_up_to_one() -> None:
    made = fuzzy_graph(nearest_others(clustered(200), 10))
    assert made.shape == (200, 200) and abs(made - made.T).max() < 1e-12
    assert made.data.min() > 0 and made.data.max() <= 1 and made.diagonal().sum() == 0


def test_an_edge_that_both_ends_want_is_the_fuzzy_union_of_the_two() -> None:
    positions = np.array([[1, 2], [0, 2], [1, 0]])
    scores = np.array([[0.9, 0.1], [0.9, 0.5], [0.5, 0.1]], dtype=np.float32)
    weights, made = memberships(scores), fuzzy_graph(Neighbours(positions, scores))
    there, back = weights[0, 1], weights[2, 1]
    assert 0 < there < 1 and made[0, 2] == pytest.approx(there + back - there * back)
    assert made[0, 1] == 1
