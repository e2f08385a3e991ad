"""Where the relevant items of a query rank, and the measures that follow from that alone.

Throughout, ``ranks`` is int64 (r,), ascending: the places, counted from 1, of a query's r relevant items among
all items that are not excluded. A query without relevant items has no ranks, and its measures are NaN.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError

Ranks = npt.NDArray[np.int64]
Scores = npt.NDArray[np.floating[Any]]
Truth = npt.NDArray[np.bool_]

FEW_RELEVANT = 16
"""Up to so many relevant items, counting what scores higher is quicker than sorting all scores (measured)."""


def relevant_ranks(scores: Scores, relevant: Truth, *, excluded: Truth | None = None) -> list[Ranks]:
    """Ranks of the relevant items of each query; equal scores rank by position.

    Args:
        scores: float (q, n), greater is nearer.
        relevant: bool (q, n).
        excluded: bool (q, n) or None: items that count neither for nor against a query.

    Returns:
        q arrays of ranks.

    Raises:
        InputError: If shapes differ or a score is NaN.
    """
    check_scores(scores, relevant, excluded)
    ranks = []
    for row in range(len(scores)):
        kept = None if excluded is None else ~excluded[row]
        of_query = scores[row] if kept is None else scores[row][kept]
        truth = relevant[row] if kept is None else relevant[row][kept]
        ranks.append(_ranks(of_query, truth))
    return ranks


def _ranks(scores: npt.NDArray[Any], truth: Truth) -> Ranks:
    wanted = np.flatnonzero(truth)
    if len(wanted) > FEW_RELEVANT:
        return np.flatnonzero(truth[np.argsort(-scores, kind="stable")]) + 1
    places = [
        1 + np.count_nonzero(scores > scores[at]) + np.count_nonzero(scores[:at] == scores[at])
        for at in wanted.tolist()
    ]
    return np.sort(np.array(places, dtype=np.int64))


def check_scores(scores: Scores, relevant: npt.NDArray[Any], excluded: Truth | None) -> None:
    """Refuse what has no ranking.

    Raises:
        InputError: If shapes differ or a score is NaN.
    """
    shapes = {scores.shape, relevant.shape, scores.shape if excluded is None else excluded.shape}
    if len(shapes) > 1 or scores.ndim != 2:
        raise InputError(
            f"scores {scores.shape}, relevant {relevant.shape} and excluded "
            f"{None if excluded is None else excluded.shape} do not fit: expected (q, n) of each"
        )
    if np.isnan(scores).any():
        raise InputError("scores hold NaN, which has no rank: look for vectors that are not finite")


def check_k(k: int) -> None:
    """Refuse what is no rank.

    Raises:
        InputError: If k < 1.
    """
    if k < 1:
        raise InputError(f"k = {k} is no rank: expected k >= 1")


def hit(ranks: Ranks, k: int) -> float:
    """1 if a relevant item is among the first k, else 0: what recall@k of image retrieval averages."""
    return float(ranks[0] <= k) if len(ranks) else float("nan")


def precision_steps(ranks: Ranks) -> float:
    """Average precision as the area under the raw precision-recall steps."""
    return float(np.mean(np.arange(1, len(ranks) + 1) / ranks)) if len(ranks) else float("nan")


def precision_trapezoids(ranks: Ranks) -> float:
    """Average precision as the area of trapezoids, the variant of Oxford, Paris and their revision.

    Each relevant item adds the mean of the precision just before it and at it; before rank 1 that is 1.
    """
    if not len(ranks):
        return float("nan")
    found = np.arange(len(ranks))
    before = np.where(ranks == 1, 1.0, found / np.maximum(ranks - 1, 1))
    return float(np.mean((before + (found + 1) / ranks) / 2))


def ndcg(ranks: Ranks, k: int) -> float:
    """Normalised discounted cumulative gain of the first k, each relevant item gaining 1 / log2(1 + rank).

    Järvelin and Kekäläinen 2002, https://doi.org/10.1145/582415.582418, with binary gains.
    """
    if not len(ranks):
        return float("nan")
    ideal = np.arange(1, min(len(ranks), k) + 1)
    return float((1 / np.log2(1 + ranks[ranks <= k])).sum() / (1 / np.log2(1 + ideal)).sum())


def precision(ranks: Ranks, k: int) -> float:
    """Share of relevant items among the first k, as the revisited protocol counts it.

    A query whose last relevant item ranks before k is cut there: it is not blamed for having few of them.
    """
    if not len(ranks):
        return float("nan")
    cut = min(int(ranks[-1]), k)
    return float(np.count_nonzero(ranks <= cut) / cut)
