"""How well similarity finds what belongs together: recall, precision, average precision, nDCG.

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
from lookalike.evaluate.ranks import (
    Scores,
    Truth,
    check_k,
    check_scores,
    hit,
    ndcg,
    precision_steps,
    relevant_ranks,
)


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
    return _mean(hits_at_k(scores, relevant, k, excluded=excluded))


def hits_at_k(
    scores: Scores, relevant: Truth, k: int, *, excluded: Truth | None = None
) -> npt.NDArray[np.float64]:
    """What :func:`recall_at_k` averages: for each query 1 if a relevant item is among the first k, else 0.

    Args:
        scores: float (q, n).
        relevant: bool (q, n).
        k: At least 1.
        excluded: bool (q, n).

    Returns:
        float64 (q,), NaN for a query without relevant items.

    Raises:
        InputError: If k < 1 or shapes differ.
    """
    check_k(k)
    return np.array([hit(ranks, k) for ranks in relevant_ranks(scores, relevant, excluded=excluded)])


def ndcg_at_k(
    scores: Scores, relevant: Truth, k: int, *, excluded: Truth | None = None
) -> npt.NDArray[np.float64]:
    """Normalised discounted cumulative gain of the first k, for each query.

    nDCG@k = sum over relevant items of rank <= k of 1 / log2(1 + rank), divided by its value if all relevant
    items came first (Järvelin and Kekäläinen 2002, https://doi.org/10.1145/582415.582418, with binary gains).

    Args:
        scores: float (q, n).
        relevant: bool (q, n).
        k: At least 1.
        excluded: bool (q, n).

    Returns:
        float64 (q,), in [0, 1]; NaN for a query without relevant items.

    Raises:
        InputError: If k < 1 or shapes differ.
    """
    check_k(k)
    return np.array([ndcg(ranks, k) for ranks in relevant_ranks(scores, relevant, excluded=excluded)])


def average_precision(
    scores: Scores, relevant: Truth, *, excluded: Truth | None = None
) -> npt.NDArray[np.float64]:
    """Average precision of each query: the mean, over its relevant items, of the precision at their ranks.

    AP = 1 / R * sum over relevant items of (number of relevant items up to its rank) / (its rank).

    This is the area under the raw precision-recall steps, as in ``sklearn.metrics.average_precision_score``;
    the trapezoidal variant of Oxford and Paris (:mod:`lookalike.evaluate.protocols`) gives slightly lower values.

    Args:
        scores: float (q, n).
        relevant: bool (q, n).
        excluded: bool (q, n).

    Returns:
        float64 (q,), in [0, 1]; NaN for a query without relevant items.

    Raises:
        InputError: If shapes differ.
    """
    return np.array([precision_steps(ranks) for ranks in relevant_ranks(scores, relevant, excluded=excluded)])


def mean_average_precision(scores: Scores, relevant: Truth, *, excluded: Truth | None = None) -> float:
    """Mean of :func:`average_precision` over the queries that have relevant items; NaN when none has.

    Args:
        scores: float (q, n).
        relevant: bool (q, n).
        excluded: bool (q, n).
    """
    return _mean(average_precision(scores, relevant, excluded=excluded))


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


class Grouping:
    """Which columns form a group, worked out once for many blocks of queries.

    Args:
        groups: n hashable values; items of equal value form a group, and None is a group by itself.
    """

    def __init__(self, groups: Sequence[object]) -> None:
        codes: dict[object, int] = {}
        self.of = np.array(
            [
                codes.setdefault((at,) if group is None else group, len(codes))
                for at, group in enumerate(groups)
            ],
            dtype=np.int64,
        )
        self._order = np.argsort(self.of, kind="stable")
        self._starts = np.flatnonzero(np.diff(self.of[self._order], prepend=-1))
        self.groups: list[object] = [groups[at] for at in self._order[self._starts].tolist()]

    def apply(self, scores: Scores, relevant: Truth, excluded: Truth | None = None) -> Grouped:
        """Keep the best item of each group; see :func:`by_group`."""
        check_scores(scores, relevant, excluded)
        if len(self.of) != scores.shape[1]:
            raise InputError(f"{len(self.of)} groups for {scores.shape[1]} items: expected one an item")
        out = np.zeros_like(relevant) if excluded is None else excluded
        return Grouped(
            self._reduced(np.maximum, np.where(out, -np.inf, scores)),
            self._reduced(np.logical_or, relevant & ~out),
            self._reduced(np.logical_and, out),
            self.groups,
        )

    def _reduced(self, reduce: np.ufunc, table: npt.NDArray[Any]) -> npt.NDArray[Any]:
        if not len(self._starts):
            return table[:, :0]
        return np.asarray(reduce.reduceat(table[:, self._order], self._starts, axis=1), dtype=table.dtype)


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
    return Grouping(groups).apply(scores, relevant, excluded)


def _mean(values: npt.NDArray[np.float64]) -> float:
    answered = values[~np.isnan(values)]
    return float(answered.mean()) if len(answered) else float("nan")
