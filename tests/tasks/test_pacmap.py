from __future__ import annotations

import numpy as np
import pytest

from lookalike.tasks.pacmap import (
    MID_NEAR_SCALE,
    NEAR_SCALE,
    Counts,
    Pairs,
    _push,
    _Springs,
    near_pairs,
    near_weights,
    optimise,
    pair_counts,
    sample_pairs,
)
from lookalike.vectors.metrics import normalise


def pairs_of(n: int, *, near: int = 4, seed: int = 0) -> Pairs:
    rng = np.random.default_rng(seed)
    unit = normalise(rng.standard_normal((n, 8)))
    partners = np.stack([rng.permutation(np.delete(np.arange(n), i))[:near] for i in range(n)])
    return sample_pairs(unit, partners.astype(np.int32), Counts(near, 3, 6), rng)


def loss(points: np.ndarray, pairs: Pairs) -> float:
    """The three losses of the paper, near pairs weighted by rank, written down directly."""
    n = len(points)
    weights = near_weights(pairs.near.shape[1]).tolist()

    def d(i: int, j: int) -> float:
        return 1 + float(((points[i] - points[j]) ** 2).sum())

    total = 0.0
    for i in range(n):
        total += sum(
            2 * w * d(i, j) / (NEAR_SCALE + d(i, j)) for w, j in zip(weights, pairs.near[i], strict=True)
        )
        total += sum(5 * d(i, j) / (MID_NEAR_SCALE + d(i, j)) for j in pairs.mid_near[i])
        for shift, barred in zip(pairs.shifts, pairs.barred, strict=True):
            if i not in barred:
                total += 1 / (1 + d(i, (i + shift) % n))
    return total


def test_the_gradient_is_that_of_the_papers_loss() -> None:
    pairs = pairs_of(30)
    points = np.random.default_rng(1).standard_normal((30, 2)).astype(np.float32) * 3
    plane = points.view(np.complex64).ravel()
    gradient = np.zeros_like(plane)
    _Springs(pairs.near, near_weights(4)).pull(plane, NEAR_SCALE, 2, gradient)
    _Springs(pairs.mid_near).pull(plane, MID_NEAR_SCALE, 5, gradient)
    _push(plane, pairs, gradient)
    numeric = np.zeros((30, 2))
    for i in range(30):
        for axis in range(2):
            step = np.zeros((30, 2))
            step[i, axis] = 1e-4
            numeric[i, axis] = (loss(points + step, pairs) - loss(points - step, pairs)) / 2e-4
    assert np.allclose(gradient.view(np.float32).reshape(-1, 2), numeric, atol=2e-4)


def test_a_near_partner_is_never_pushed_away() -> None:
    pairs = pairs_of(25, near=10)
    for shift, barred in zip(pairs.shifts, pairs.barred, strict=True):
        expected = [i for i in range(25) if (i + shift) % 25 in pairs.near[i]]
        assert barred.tolist() == expected
    assert any(len(barred) for barred in pairs.barred)


def test_no_point_is_its_own_partner() -> None:
    pairs = pairs_of(40)
    own = np.arange(40)[:, None]
    assert not (pairs.mid_near == own).any()
    assert all(0 < shift < 40 for shift in pairs.shifts)
    assert len(set(pairs.shifts)) == len(pairs.shifts)


def test_a_mid_near_partner_is_nearer_than_chance() -> None:
    rng = np.random.default_rng(0)
    unit = normalise(rng.standard_normal((500, 8)))
    near = np.zeros((500, 1), dtype=np.int32)
    pairs = sample_pairs(unit, near, Counts(1, 5, 2), rng)
    similarity = unit @ unit.T
    ranks = (similarity[:, None, :] > np.take_along_axis(similarity, pairs.mid_near, 1)[:, :, None]).mean(
        axis=2
    )
    assert 0.2 < ranks.mean() < 0.4  # the second of six lies at 2/7


def test_scaled_distances_prefer_partners_for_which_the_distance_is_usual() -> None:
    # both neighbours of point 0 are equally far; the second lies where points are sparse
    neighbours = np.array([[1, 2], [0, 2], [0, 1]])
    distances = np.array([[1, 1], [0.1, 0.1], [5, 5]], dtype=np.float32)
    assert near_pairs(neighbours, distances, 1)[0].tolist() == [2]


def test_nearer_partners_weigh_more_and_all_together_as_much_as_in_the_paper() -> None:
    weights = near_weights(10)
    assert (np.diff(weights) < 0).all() and weights.mean() == pytest.approx(1)


@pytest.mark.parametrize("n", [7, 12, 35, 36, 100, 1_000_000])
def test_there_are_always_enough_points_for_the_pairs(n: int) -> None:
    counts = pair_counts(n)
    assert counts.near >= 1 and counts.mid_near >= 1 and counts.further >= 2
    assert sum(counts) <= n
    assert pair_counts(100) == Counts(10, 5, 20)


def test_near_pairs_come_together_and_further_ones_apart() -> None:
    # two rings of ten: near partners inside a ring, so further pairs have to tear the rings apart
    ring = np.arange(10)
    inside = np.stack([(ring + step) % 10 for step in (1, 2, 3, 4)], axis=1)
    near = np.concatenate([inside, inside + 10]).astype(np.int32)
    shifts = tuple(range(1, 20))
    offsets = (near - np.arange(20)[:, None]) % 20
    barred = tuple(np.flatnonzero((offsets == shift).any(axis=1)) for shift in shifts)
    start = np.random.default_rng(0).standard_normal((20, 2)).astype(np.float32) * 0.01
    points = optimise(start, Pairs(near, near[:, :1], shifts, barred))
    first, second = points[:10], points[10:]
    within = max(
        np.linalg.norm(first - first.mean(0), axis=1).max(),
        np.linalg.norm(second - second.mean(0), axis=1).max(),
    )
    assert np.linalg.norm(first.mean(0) - second.mean(0)) > 2 * within
