"""How well similarity finds what belongs together: recall, precision, average precision.

Everywhere, ``scores`` is float (q, n): the similarity of q queries with n gallery items, greater is nearer;
``relevant`` is bool (q, n): the truth; ``excluded`` is bool (q, n) or None: items that count neither for nor
against a query, such as the query itself or, in re-identification, views of the same camera. Equal scores
rank by position. Queries without a relevant item that is not excluded have no answer and are left out of means,
as the Revisited Oxford and Paris protocol does (Radenovic et al. 2018, https://arxiv.org/abs/1803.11285).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError

Scores = npt.NDArray[np.floating[Any]]
Truth = npt.NDArray[np.bool_]


def recall_at_k(scores: Scores, relevant: Truth, k: int, *, excluded: Truth | None = None) -> float:
    """Share of queries with a relevant item among the first k (recall@k of image retrieval, CMC-k of re-ID).

    Args:
        scores: float (q, n).
        relevant: bool (q, n).
        k: At least 1.
        excluded: bool (q, n).

    Returns:
        In [0, 1]; NaN when no query has a relevant item.

    Raises:
        InputError: If k < 1 or shapes differ.
    """
    if k < 1:
        raise InputError(f"k = {k} is no rank: expected k >= 1")
    ranked = _ranked(scores, relevant, excluded)
    hits = [bool(truth[:k].any()) for truth in ranked if truth.any()]
    return _mean(hits)


def average_precision(
    scores: Scores, relevant: Truth, *, excluded: Truth | None = None
) -> npt.NDArray[np.float64]:
    """Average precision of each query: the mean, over its relevant items, of the precision at their ranks.

    AP = 1 / R * sum over relevant items of (number of relevant items up to its rank) / (its rank).

    This is the area under the raw precision-recall steps, as in ``sklearn.metrics.average_precision_score``;
    the trapezoidal variant of Oxford and Paris gives slightly lower values.

    Args:
        scores: float (q, n).
        relevant: bool (q, n).
        excluded: bool (q, n).

    Returns:
        float64 (q,), in [0, 1]; NaN for a query without relevant items.

    Raises:
        InputError: If shapes differ.
    """
    values = []
    for truth in _ranked(scores, relevant, excluded):
        ranks = np.flatnonzero(truth) + 1
        values.append(float(np.mean(np.arange(1, len(ranks) + 1) / ranks)) if len(ranks) else float("nan"))
    return np.array(values, dtype=np.float64)


def mean_average_precision(scores: Scores, relevant: Truth, *, excluded: Truth | None = None) -> float:
    """Mean of :func:`average_precision` over the queries that have relevant items; NaN when none has.

    Args:
        scores: float (q, n).
        relevant: bool (q, n).
        excluded: bool (q, n).
    """
    values = average_precision(scores, relevant, excluded=excluded)
    return _mean(values[~np.isnan(values)])


class Grouped(NamedTuple):
    """Similarity to groups instead of items.

    Args:
        scores: float (q, g), of each group its best item that is not excluded; -inf when none is left.
        relevant: bool (q, g), whether any of its items that is not excluded is relevant.
        excluded: bool (q, g), whether all of its items are excluded.
        groups: The group of each column, in order of first appearance.
    """

    scores: Scores
    relevant: Truth
    excluded: Truth
    groups: list[object]


def by_group(
    scores: Scores, relevant: Truth, groups: Sequence[object], *, excluded: Truth | None = None
) -> Grouped:
    """Keep the best item of each group, to measure retrieval of products instead of their views.

    Args:
        scores: float (q, n).
        relevant: bool (q, n).
        groups: n hashable values; items of equal value form a group, and None is a group by itself.
        excluded: bool (q, n).

    Raises:
        InputError: If shapes differ.
    """
    _check(scores, relevant, excluded)
    if len(groups) != scores.shape[1]:
        raise InputError(f"{len(groups)} groups for {scores.shape[1]} items: expected one an item")
    columns: dict[object, list[int]] = {}
    for index, group in enumerate(groups):
        columns.setdefault((index,) if group is None else group, []).append(index)
    out = np.zeros_like(relevant) if excluded is None else excluded
    left = np.where(out, -np.inf, scores)
    members = list(columns.values())

    def gathered(reduce: Any, table: npt.NDArray[Any]) -> npt.NDArray[Any]:
        parts = [reduce(table[:, at], axis=1) for at in members]
        return np.stack(parts, axis=1) if parts else table[:, :0]

    return Grouped(
        gathered(np.max, left),
        gathered(np.any, relevant & ~out),
        gathered(np.all, out),
        [groups[at[0]] for at in members],
    )


def _ranked(scores: Scores, relevant: Truth, excluded: Truth | None) -> list[Truth]:
    """For each query whether the item at each rank is relevant, without excluded ones."""
    _check(scores, relevant, excluded)
    order = np.argsort(-scores, axis=1, kind="stable")
    truth = np.take_along_axis(relevant, order, axis=1)
    if excluded is None:
        return list(truth)
    out = np.take_along_axis(excluded, order, axis=1)
    return [row[~gone] for row, gone in zip(truth, out, strict=True)]


def _check(scores: Scores, relevant: Truth, excluded: Truth | None) -> None:
    shapes = {scores.shape, relevant.shape, scores.shape if excluded is None else excluded.shape}
    if len(shapes) > 1 or scores.ndim != 2:
        raise InputError(
            f"scores {scores.shape}, relevant {relevant.shape} and excluded "
            f"{None if excluded is None else excluded.shape} do not fit: expected (q, n) of each"
        )
    if np.isnan(scores).any():
        raise InputError("scores hold NaN, which has no rank: look for vectors that are not finite")


def _mean(values: Sequence[bool] | npt.NDArray[np.float64]) -> float:
    return float(np.mean(values)) if len(values) else float("nan")
