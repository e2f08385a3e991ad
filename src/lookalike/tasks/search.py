"""Search: what to look for, and which of the nearest items make the answer.

Works on arrays and callables; knows no store and no index.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.tasks.rerank import SHORTLIST
from lookalike.types import AttributeValue, Embeddings, Rows
from lookalike.vectors.diversify import mmr
from lookalike.vectors.metrics import normalise

Scores: TypeAlias = npt.NDArray[np.float32]
Nearest: TypeAlias = Callable[[Embeddings, int], tuple[Rows, Scores]]
"""``nearest(query (d,) or (w, d), k)``: rows int64 (m,) and cosines float32 (m,), best first, padded with -1 or
short only when there are no more than m."""

Reorder: TypeAlias = Callable[[Rows, Scores], npt.NDArray[np.int64]]
"""``reorder(rows (m,), scores (m,))``: positions int64 (m,) of the first answers in another order."""

NEGATIVE_WEIGHT = 0.5

POOL_PER_HIT, LEAST_POOL = 5, 100
"""Candidates that diversity chooses from: so many for each hit. Among exactly k it could only reorder."""

WIDENING = 4
"""Factor by which the candidates grow until there are enough groups."""


class Ranked(NamedTuple):
    """The answer to a query, in order.

    Args:
        rows: int64 (m,), m at most k.
        scores: float32 (m,), cosine with the query; descending unless diversity or re-ranking reordered.
        strengths: float64 (m,), match strength in [0, 1].
    """

    rows: Rows
    scores: Scores
    strengths: npt.NDArray[np.float64]


def compose(
    positives: Embeddings, negatives: Embeddings | None = None, *, weight: float = NEGATIVE_WEIGHT
) -> Embeddings:
    """One query from examples: what the positives have in common, less what the negatives have.

    query = normalise(normalise(mean(positives)) - weight * normalise(mean(negatives)))

    The linear form of relevance feedback (Rocchio 1971). With weight < 1 the query keeps pointing towards
    the positives whatever the negatives are, except when both are opposite.

    Args:
        positives: float32 (p, d), L2-normalised rows, at least one.
        negatives: float32 (m, d), L2-normalised rows; None or empty: none.
        weight: How strongly negatives push away, at least 0.

    Returns:
        float32 (d,), L2-normalised.

    Raises:
        InputError: If there is no positive, or the examples cancel each other out.
    """
    if not len(positives):
        raise InputError("a query needs at least one positive example: got none")
    if not (np.isfinite(weight) and weight >= 0):
        raise InputError(f"the weight of negatives is {weight}: expected a number of at least 0")
    try:
        query = normalise(positives.mean(axis=0, dtype=np.float64))
        if negatives is not None and len(negatives):
            query = normalise(query - weight * normalise(negatives.mean(axis=0, dtype=np.float64)))
    except InputError:
        raise InputError(
            "the examples cancel each other out, so they say nothing: use fewer of them"
        ) from None
    return query


def find(
    query: Embeddings,
    nearest: Nearest,
    strength: Callable[[Scores], npt.NDArray[np.float64]],
    *,
    k: int,
    exclude: Sequence[int] = (),
    min_strength: float = 0.0,
    group_of: Callable[[Rows], Sequence[AttributeValue]] | None = None,
    diversity: float = 0.0,
    vectors: Callable[[Rows], Embeddings] | None = None,
    reorder: Reorder | None = None,
) -> Ranked:
    """The k best items of a query; of each group only its best item; varied if asked.

    Candidates are taken from the nearest on until there are k of them that count, or no more exist. So k
    groups come back whenever k exist.

    Args:
        query: float32 (d,), L2-normalised; or (w, d), of which an item's score is the best.
        nearest: Finds the nearest items; asked again for more when too few count.
        strength: Match strengths of scores of this query, rising with the score.
        k: At least 1.
        exclude: Rows that are no answer, such as the query itself.
        min_strength: Weaker items are no answer, 0 to 1.
        group_of: Values of the attribute to group by, one a row; an item without a value is a group by
            itself. None: items are not grouped.
        diversity: 0 ranks by score; above, at most 1, hits differ from each other by maximal marginal
            relevance among 5 k candidates, at least 100.
        vectors: Embeddings of rows, float32 (m, d); needed for diversity.
        reorder: A second look at the first 100 candidates; see :mod:`lookalike.tasks.rerank`. Scores and
            strengths stay those of the query. Groups are then represented by their first item in the new order.

    Returns:
        At most k items.

    Raises:
        InputError: If k, min_strength or diversity is out of range, diversity is asked without vectors, or
            diversity and another order are asked together.
    """
    if k < 1:
        raise InputError(f"k = {k} hits make no answer: expected k >= 1")
    if not 0 <= min_strength <= 1:
        raise InputError(f"min_strength {min_strength} is no match strength: expected a number from 0 to 1")
    if not 0 <= diversity <= 1:
        raise InputError(f"diversity {diversity} is out of range: expected a number from 0 to 1")
    if diversity and vectors is None:
        raise InputError(
            "diversity compares hits with each other: pass vectors, which gives their embeddings"
        )
    if diversity and reorder is not None:
        raise InputError("diversity and re-ranking would order the same hits twice: choose one of them")
    wanted = max(POOL_PER_HIT * k, LEAST_POOL) if diversity else k
    pool = _candidates(query, nearest, strength, wanted, frozenset(exclude), min_strength, group_of, reorder)
    if diversity and vectors is not None and len(pool.rows):
        chosen = mmr(pool.scores, vectors(pool.rows), k, diversity)
        return Ranked(pool.rows[chosen], pool.scores[chosen], pool.strengths[chosen])
    return pool


def first_of_each_group(values: Sequence[AttributeValue]) -> npt.NDArray[np.int64]:
    """Which items to keep so that each group has one.

    Args:
        values: The group of each item, best item first; None is a group by itself.

    Returns:
        int64 (m,), ascending indices of the first item of each group.
    """
    seen: set[Any] = set()
    first = []
    for index, value in enumerate(values):
        if value is not None:
            key = tuple(value) if isinstance(value, list) else value
            if key in seen:
                continue
            seen.add(key)
        first.append(index)
    return np.array(first, dtype=np.int64)


def _candidates(
    query: Embeddings,
    nearest: Nearest,
    strength: Callable[[Scores], npt.NDArray[np.float64]],
    wanted: int,
    exclude: frozenset[int],
    min_strength: float,
    group_of: Callable[[Rows], Sequence[AttributeValue]] | None,
    reorder: Reorder | None,
) -> Ranked:
    """The best ``wanted`` that count, in order; all that count if there are fewer."""
    asked = len(exclude) + (wanted if reorder is None else max(wanted, SHORTLIST))
    while True:
        rows, scores = nearest(query, asked)
        found = rows >= 0
        rows, scores = rows[found], scores[found]
        exhausted = len(rows) < asked
        counts = ~np.isin(rows, list(exclude))
        strengths = strength(scores)
        exhausted |= not bool(
            (strengths >= min_strength).all()
        )  # what comes after a weak item is weaker still
        rows, scores, strengths = rows[counts], scores[counts], strengths[counts]
        if reorder is not None:
            order = _new_order(rows, scores, reorder)
            rows, scores, strengths = rows[order], scores[order], strengths[order]
        strong = strengths >= min_strength
        rows, scores, strengths = rows[strong], scores[strong], strengths[strong]
        if group_of is not None:
            first = first_of_each_group(group_of(rows))
            rows, scores, strengths = rows[first], scores[first], strengths[first]
        if len(rows) >= wanted or exhausted:
            return Ranked(rows[:wanted], scores[:wanted], strengths[:wanted])
        asked *= WIDENING


def _new_order(rows: Rows, scores: Scores, reorder: Reorder) -> npt.NDArray[np.int64]:
    """The first answers in their new order, the others after them as they were."""
    again = reorder(rows[:SHORTLIST], scores[:SHORTLIST])
    return np.concatenate([again, np.arange(len(again), len(rows), dtype=np.int64)])
