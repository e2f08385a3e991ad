"""PaCMAP: a 2-D layout that keeps near things near and the large picture in place.

Wang, Huang, Rudin & Shaposhnik, "Understanding How Dimension Reduction Tools Work: An Empirical Approach to
Deciphering t-SNE, UMAP, TriMap, and PaCMAP for Data Visualization", JMLR 22 (2021), arXiv:2012.04456.

Written on NumPy and SciPy. It differs from the authors' package in two things.

- Points are shuffled once, and the further pairs of point i are i + s for a few random shifts s. A shift of a
  shuffled order is a random partner, but reading and writing go through memory in order, and every point is partner
  as often as it has partners.
- Near pairs weigh 1 / (1 + rank) instead of all alike, which costs nothing. Of the ten nearest it keeps 3 to 6
  points of percentage more, and the very nearest stay beside each other: in a catalogue with five views of each
  product the nearest point is the same product for 72 % instead of 47 %.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from lookalike.types import Embeddings
from lookalike.vectors.metrics import cosine_pairs

Plane = npt.NDArray[np.complex64]
"""Points of a plane, complex64 (n,): x + iy, so that one gather fetches both coordinates."""

Partners = npt.NDArray[np.int32]

NEAR_PAIRS = 10
"""Near pairs of a point. More of them in larger sets, as the paper proposes, kept no more neighbours (measured at
40,000 points) and cost more; the authors' package does not raise them by default either."""

MID_NEAR_RATIO, FURTHER_RATIO = 0.5, 2.0
"""Mid-near and further pairs for each near pair."""

MID_NEAR_SAMPLE = 6
"""A mid-near partner is the second nearest of so many random points."""

CANDIDATES_BEYOND = 20
"""Neighbours beyond those needed, from which the scaled distance chooses the near pairs. The authors take 50; no
measure was better for it."""

NEAR_SCALE, MID_NEAR_SCALE = 10.0, 10_000.0
"""The losses are d / (10 + d) for near and d / (10,000 + d) for mid-near pairs, 1 / (1 + d) for further ones,
each of d = 1 + squared distance in the plane."""

PHASES = (100, 100, 250)
"""Steps of the three phases: the large picture, the structure of clusters, the detail."""

MID_NEAR_WEIGHT = 1000.0
"""Weight of mid-near pairs at the start; falls to 3 during the first phase."""

LEARNING_RATE, MOMENT_1, MOMENT_2, ADAM_EPSILON = 1.0, 0.9, 0.999, 1e-7

START_SPREAD = 0.01
"""Standard deviation of the first coordinate that the optimisation starts from."""

BLOCK = 4096
"""Points whose pairs are worked on at a time: what they take stays in the processor's cache."""

PAIR_BLOCK = 512
"""Points whose mid-near candidates are compared at a time."""


class Counts(NamedTuple):
    """How many pairs each point gets."""

    near: int
    mid_near: int
    further: int


class Pairs(NamedTuple):
    """Partners of each point.

    Args:
        near: int32 (n, near), nearest first.
        mid_near: int32 (n, mid_near).
        shifts: The further partners of point i are i + shift, modulo n.
        barred: For each shift the points whose partner there is a near one, which is not pushed away.
    """

    near: Partners
    mid_near: Partners
    shifts: tuple[int, ...]
    barred: tuple[npt.NDArray[np.int64], ...]


def pair_counts(n: int) -> Counts:
    """Pairs of each point in a set of n: fewer in small sets, in the same proportion; n is at least 7."""
    near = min(NEAR_PAIRS, int(n / (1 + MID_NEAR_RATIO + FURTHER_RATIO)))
    return Counts(near, max(1, int(near * MID_NEAR_RATIO)), int(near * FURTHER_RATIO))


def near_pairs(neighbours: npt.NDArray[np.int64], distances: npt.NDArray[np.float32], count: int) -> Partners:
    """The near partners of each point, chosen by scaled distance.

    The squared distance is divided by the local scale of both ends (mean distance of the 4th to 6th
    neighbour), so that a point in a sparse region keeps partners as well as one in a dense region.

    Args:
        neighbours: int64 (n, c), nearest first, without the point itself; c >= count.
        distances: float32 (n, c), distance of each.
        count: Partners of a point.

    Returns:
        int32 (n, count), nearest first by scaled distance.
    """
    scale = np.maximum(distances[:, 3:6].mean(axis=1) if distances.shape[1] > 3 else distances[:, -1], 1e-10)
    scaled = distances**2 / scale[:, None] / scale[neighbours]
    chosen = np.argsort(scaled, axis=1, kind="stable")[:, :count]
    return np.take_along_axis(neighbours, chosen, axis=1).astype(np.int32)


def sample_pairs(unit: Embeddings, near: Partners, counts: Counts, rng: np.random.Generator) -> Pairs:
    """Draw mid-near and further partners.

    Args:
        unit: float32 (n, d), L2-normalised rows, in random order.
        near: int32 (n, near), as :func:`near_pairs` gives them.
        counts: How many to draw.
        rng: Source of randomness.
    """
    n = len(unit)
    mid_near = np.empty((n, counts.mid_near), dtype=np.int32)
    for first in range(0, n, PAIR_BLOCK):
        own = np.arange(first, min(first + PAIR_BLOCK, n))
        drawn = rng.integers(1, n, size=(len(own), counts.mid_near * MID_NEAR_SAMPLE))
        others = (own[:, None] + drawn) % n
        similarities = cosine_pairs(unit[own], unit[others]).reshape(len(own), counts.mid_near, -1)
        second = np.argsort(-similarities, axis=2, kind="stable")[:, :, 1:2]
        others = others.reshape(similarities.shape)
        mid_near[own] = np.take_along_axis(others, second, axis=2)[:, :, 0]
    shifts = tuple(int(s) for s in rng.choice(np.arange(1, n), size=counts.further, replace=False))
    offsets = (near - np.arange(n)[:, None]) % n
    barred = tuple(np.flatnonzero((offsets == shift).any(axis=1)) for shift in shifts)
    return Pairs(near, mid_near, shifts, barred)


def optimise(
    start: npt.NDArray[np.float32], pairs: Pairs, *, progress: Callable[[int, int], None] | None = None
) -> npt.NDArray[np.float32]:
    """Move the points until near pairs are near and further pairs are apart.

    One thread and a fixed order of summation: the same start and pairs give the same layout, bit for bit.

    Args:
        start: float32 (n, 2), small coordinates such as those of a PCA.
        pairs: Of the same points.
        progress: Called with (steps done, steps).

    Returns:
        float32 (n, 2).
    """
    plane: Plane = np.ascontiguousarray(start, dtype=np.float32).view(np.complex64).ravel().copy()
    near = _Springs(pairs.near, near_weights(pairs.near.shape[1]))
    mid_near = _Springs(pairs.mid_near)
    mean = np.zeros_like(plane)
    square = np.zeros((len(plane), 2), dtype=np.float32)
    gradient = np.empty_like(plane)
    for step in range(sum(PHASES)):
        near_weight, mid_near_weight = _weights(step)
        gradient[:] = 0
        near.pull(plane, NEAR_SCALE, near_weight, gradient)
        if mid_near_weight:
            mid_near.pull(plane, MID_NEAR_SCALE, mid_near_weight, gradient)
        _push(plane, pairs, gradient)
        _adam(plane, gradient, mean, square, step)
        if progress is not None:
            progress(step + 1, sum(PHASES))
    return plane.view(np.float32).reshape(-1, 2)


def near_weights(count: int) -> npt.NDArray[np.float32]:
    """Weights of near partners by rank, float32 (count,), 1 in the mean."""
    weights: npt.NDArray[np.float32] = (1 / np.arange(1, count + 1)).astype(np.float32)
    weights /= weights.mean()
    return weights


def _weights(step: int) -> tuple[float, float]:
    """Weights of near and mid-near pairs; that of further ones is always 1."""
    first, second, _ = PHASES
    if step < first:
        done = step / first
        return 2.0, (1 - done) * MID_NEAR_WEIGHT + done * 3.0
    return (3.0, 3.0) if step < first + second else (1.0, 0.0)


class _Springs:
    """Pairs that attract each other.

    The force on a point is the sum over its own pairs, which lie side by side, less the sum over the pairs in
    which it is the partner: a product of the sparse matrix of all forces, transposed, with ones.

    Args:
        partners: int32 (n, k).
        weights: float32 (k,), of a point's first, second, ... partner; None: all 1.
    """

    def __init__(self, partners: Partners, weights: npt.NDArray[np.float32] | None = None) -> None:
        n, k = partners.shape
        self._weights = np.ones(k, dtype=np.float32) if weights is None else weights
        self._partners = partners
        ends = np.arange(0, n * k + 1, k, dtype=np.int64 if n * k >= 2**31 else np.int32)
        forces = np.zeros(n * k, dtype=np.complex64)
        self._matrix = csr_matrix((forces, partners.ravel().astype(ends.dtype), ends), shape=(n, n))
        self._forces = self._matrix.data.reshape(n, k)
        self._ones = np.ones(n, dtype=np.complex64)

    def pull(self, plane: Plane, scale: float, weight: float, gradient: Plane) -> None:
        """Add the gradient of weight * d / (scale + d), d = 1 + squared distance, at both ends."""
        for first in range(0, len(plane), BLOCK):
            block = slice(first, first + BLOCK)
            difference = self._forces[block]
            np.subtract(plane[block, None], plane.take(self._partners[block]), out=difference)
            strength = _squared(difference)
            strength += np.float32(1 + scale)
            np.multiply(strength, strength, out=strength)
            np.divide(np.float32(2 * scale * weight) * self._weights, strength, out=strength)
            difference *= strength
            gradient[block] += difference.sum(axis=1)
        gradient -= self._matrix.T @ self._ones


def _push(plane: Plane, pairs: Pairs, gradient: Plane) -> None:
    """Add the gradient of 1 / (1 + d), d = 1 + squared distance, of the further pairs at both ends."""
    n = len(plane)
    for shift, barred in zip(pairs.shifts, pairs.barred, strict=True):
        difference = np.empty_like(plane)
        np.subtract(plane[: n - shift], plane[shift:], out=difference[: n - shift])
        np.subtract(plane[n - shift :], plane[:shift], out=difference[n - shift :])
        strength = _squared(difference)
        strength += np.float32(2)
        np.multiply(strength, strength, out=strength)
        np.divide(np.float32(2), strength, out=strength)
        strength[barred] = 0
        difference *= strength
        gradient -= difference
        gradient[shift:] += difference[: n - shift]
        gradient[:shift] += difference[n - shift :]


def _squared(numbers: Plane) -> npt.NDArray[np.float32]:
    """Squared magnitudes."""
    squared: npt.NDArray[np.float32] = numbers.real**2
    squared += numbers.imag**2
    return squared


def _adam(plane: Plane, gradient: Plane, mean: Plane, square: npt.NDArray[np.float32], step: int) -> None:
    """One step of Adam (Kingma & Ba, arXiv:1412.6980), in place."""
    mean += np.float32(1 - MOMENT_1) * (gradient - mean)
    parts = gradient.view(np.float32).reshape(-1, 2)
    square += np.float32(1 - MOMENT_2) * (parts * parts - square)
    rate = LEARNING_RATE * np.sqrt(1 - MOMENT_2 ** (step + 1)) / (1 - MOMENT_1 ** (step + 1))
    moved = (
        np.float32(rate) * mean.view(np.float32).reshape(-1, 2) / (np.sqrt(square) + np.float32(ADAM_EPSILON))
    )
    plane -= moved.view(np.complex64).ravel()
