"""From scored candidates to an answer: interests share the slots, and answers differ if asked."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from lookalike.types import Embeddings

POOL_PER_ANSWER, LEAST_POOL = 5, 100
"""Candidates that are chosen from: so many for each answer. Among exactly k diversity could only reorder."""

NOTHING_NEW = 1e-3
"""Length outside the span of those chosen below which a candidate adds nothing to them."""


def pool_size(k: int) -> int:
    """How many candidates k answers are chosen from."""
    return max(POOL_PER_ANSWER * k, LEAST_POOL)


def varied(
    scores: npt.NDArray[np.float64], vectors: Embeddings, count: int, diversity: float
) -> npt.NDArray[np.int64]:
    """The order in which a determinantal point process takes candidates that are good and unlike each other.

    Chen, Zhang & Zhou 2018, "Fast greedy MAP inference for determinantal point process",
    https://arxiv.org/abs/1709.05135; scores are first brought to 0..1, so that ``diversity`` means the same for
    every strategy.

    Args:
        scores: float64 (n,), best first.
        vectors: float32 (n, d), L2-normalised rows.
        count: How many to order; the others follow as they were, and so do those that add nothing new.
        diversity: 0 to 1.

    Returns:
        int64 (n,), a permutation.
    """
    n = len(scores)
    if diversity == 0 or n < 2:
        return np.arange(n, dtype=np.int64)
    from pyversity import Strategy, diversify

    low, high = float(scores.min()), float(scores.max())
    relevance = (scores - low) / (high - low) if high > low else np.ones(n)
    with np.errstate(over="ignore", invalid="ignore"):  # beyond the rank of the vectors, cut off below
        chosen = diversify(vectors, relevance, min(count, n), strategy=Strategy.DPP, diversity=diversity)
    taken = np.asarray(chosen.indices, dtype=np.int64)[: vectors.shape[1]]
    beyond = np.abs(np.diag(np.linalg.qr(vectors[taken].T, mode="r")))  # what each has that those before lack
    taken = taken[np.logical_and.accumulate(beyond > NOTHING_NEW)]
    left = np.ones(n, dtype=bool)
    left[taken] = False
    return np.concatenate([taken, np.flatnonzero(left)])


def shared_slots(
    order: npt.NDArray[np.int64],
    owners: npt.NDArray[np.int64],
    importance: npt.NDArray[np.float64],
    k: int,
    slots: float,
) -> npt.NDArray[np.int64]:
    """The first k of an order in which no interest takes more than ``slots`` times its share, rounded up.

    What an interest may not take goes to the next of another one; if too few are left, the order decides again.

    Args:
        order: int64 (n,), candidates, the one to take first first.
        owners: int64 (n,), the interest of each candidate (not of each place in the order).
        importance: float64 (g,), shares that sum to 1.
        k: How many.
        slots: At least 1; ``inf``: no limit.

    Returns:
        int64 (min(k, n),), candidates.
    """
    most = [math.ceil(share) if math.isfinite(share) else k for share in (importance * k * slots).tolist()]
    taken: list[int] = []
    passed_over: list[int] = []
    for candidate in order.tolist():
        if len(taken) == k:
            break
        owner = owners[candidate]
        if most[owner] > 0:
            most[owner] -= 1
            taken.append(candidate)
        else:
            passed_over.append(candidate)
    return np.array([*taken, *passed_over[: k - len(taken)]], dtype=np.int64)


def interleaved(first: int, second: int) -> npt.NDArray[np.bool_]:
    """Where the ``second`` kind goes in a list of both: evenly spread, towards the end of each stretch.

    Returns:
        bool (first + second,), True where one of the second kind stands.
    """
    n = first + second
    marks = np.floor(np.arange(1, n + 1) * second / n) if n else np.empty(0)
    places: npt.NDArray[np.bool_] = np.diff(marks, prepend=0.0) > 0
    return places
