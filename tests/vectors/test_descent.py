from __future__ import annotations

import numpy as np
import pytest

from clustered_vectors import clustered
from lookalike.vectors import descent
from lookalike.vectors.descent import begun, descend, refined
from lookalike.vectors.metrics import inner
from lookalike.vectors.neighbours import NOWHERE, ArrayVectors, Neighbours, rescore

N, K = 3000, 10


@pytest.fixture(scope="module")
def embeddings() -> np.ndarray:
    return clustered(N, dimensions=64, clusters=60, spread=1.0)


@pytest.fixture(scope="module")
def truth(embeddings: np.ndarray) -> np.ndarray:
    similar = inner(embeddings, embeddings)
    np.fill_diagonal(similar, -np.inf)
    return np.argsort(-similar, axis=1)[:, :K].astype(np.int64)


@pytest.fixture(scope="module")
def rough(embeddings: np.ndarray, truth: np.ndarray) -> Neighbours:
    """Of each item four true neighbours and six strangers."""
    rng = np.random.default_rng(1)
    strangers = (np.arange(N)[:, None] + 1 + np.argsort(rng.random((N, N - 1)), axis=1)[:, : K - 4]) % N
    known = np.take_along_axis(truth, np.argsort(rng.random((N, K)), axis=1)[:, :4], 1)
    strangers[(strangers[:, :, None] == known[:, None, :]).any(axis=2)] = NOWHERE
    return rescore(ArrayVectors(embeddings), embeddings, K, np.hstack([known, strangers]))


def recall(found: Neighbours, truth: np.ndarray) -> float:
    return float((found.positions[:, :, None] == truth[:, None, :]).any(axis=1).mean())


def test_rounds_bring_rough_lists_to_nearly_all_true_neighbours(
    embeddings: np.ndarray, truth: np.ndarray, rough: Neighbours
) -> None:
    assert recall(rough, truth) < 0.5
    found = refined(embeddings, rough)
    assert recall(found, truth) > 0.98
    assert (found.positions != np.arange(N)[:, None]).all()
    assert all(len(set(row)) == K for row in found.positions.tolist())
    expected = np.einsum("nd,nkd->nk", embeddings, embeddings[found.positions])
    assert np.allclose(found.scores, expected, atol=1e-6) and (np.diff(found.scores, axis=1) <= 0).all()


def test_a_round_loses_nothing_and_marks_what_it_brought(embeddings: np.ndarray, rough: Neighbours) -> None:
    after = descend(embeddings, begun(rough))
    assert (after.near.scores >= rough.scores - 1e-6).all()
    old = (after.near.positions[:, :, None] == rough.positions[:, None, :]).any(axis=2)
    assert np.array_equal(after.fresh, ~old) and after.fresh.any()


def test_lists_that_no_longer_change_stay(embeddings: np.ndarray, truth: np.ndarray) -> None:
    exact = rescore(ArrayVectors(embeddings), embeddings, K, truth)
    after = descend(embeddings, begun(exact))
    assert np.array_equal(after.near.positions, exact.positions) and not after.fresh.any()


def test_an_aim_that_is_reached_ends_the_work(embeddings: np.ndarray, rough: Neighbours) -> None:
    assert refined(embeddings, rough, recall=0.3) is rough


def test_blocks_do_not_show(
    embeddings: np.ndarray, rough: Neighbours, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = descend(embeddings, begun(rough))
    monkeypatch.setattr(descent, "BLOCK", 700)
    parts = descend(embeddings, begun(rough))
    assert np.array_equal(whole.near.positions, parts.near.positions)
    assert np.array_equal(whole.fresh, parts.fresh)


def test_who_knows_nobody_is_found_by_those_that_know_it(embeddings: np.ndarray, truth: np.ndarray) -> None:
    exact = rescore(ArrayVectors(embeddings), embeddings, K, truth)
    popular = int(np.bincount(truth.ravel(), minlength=N).argmax())
    exact.positions[popular], exact.scores[popular] = NOWHERE, -np.inf
    after = descend(embeddings, begun(exact))
    assert len(set(after.near.positions[popular]) & set(truth[popular])) >= K - 1


def test_copies_are_neighbours_of_each_other_and_never_of_themselves() -> None:
    many = np.repeat(clustered(40), 15, axis=0)
    rng = np.random.default_rng(0)
    start = (np.arange(600)[:, None] + 1 + np.argsort(rng.random((600, 599)), axis=1)[:, :K]) % 600
    start[:, 0] = np.arange(600) // 15 * 15 + (np.arange(600) + 1) % 15  # one copy is known
    found = refined(many, rescore(ArrayVectors(many), many, K, start))
    assert (found.positions != np.arange(600)[:, None]).all()
    assert (found.positions // 15 == np.arange(600)[:, None] // 15).mean() > 0.99


def test_of_more_copies_than_places_the_first_ones_are_taken() -> None:
    same = np.repeat(clustered(1), 30, axis=0)
    circle = (np.arange(30)[:, None] + np.arange(1, 4)) % 30
    near = rescore(ArrayVectors(same), same, 3, circle)
    for _ in range(8):
        near = descend(same, begun(near)).near
    assert near.positions.tolist() == [[at for at in range(4) if at != item][:3] for item in range(30)]


def test_one_item_has_no_neighbours() -> None:
    alone = Neighbours(np.full((1, 2), NOWHERE, dtype=np.int64), np.full((1, 2), -np.inf, dtype=np.float32))
    assert refined(clustered(1), alone) is alone
