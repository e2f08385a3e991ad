"""Measures of recommended lists, a value a user.

Lists come from a ranking of the whole catalogue: measures on a sample of it do not even order recommenders as the
full ranking does (Krichene and Rendle 2020, https://doi.org/10.1145/3394486.3403226).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.evaluate.recommendation_split import Numbers, UnitLists, Values
from lookalike.types import Embeddings
from lookalike.vectors.metrics import normalise

NOTHING = -1
"""Fills a list that has fewer than k units."""

RARE = 5
"""A unit with fewer events than this before the split is rare: there is little to go by but its looks."""

BLOCK_VALUES = 1 << 23
"""Numbers of unit vectors that are gathered at a time: 64 MiB."""


@dataclass(frozen=True, slots=True, eq=False)
class UnitFacts:
    """What the measures know about the units.

    Args:
        vectors: float32 (n, d), L2-normalised rows.
        surprise: float64 (n,), bits of self-information, see :func:`self_information`.
        rare: bool (n,), fewer than ``RARE`` events before the split.
    """

    vectors: Embeddings
    surprise: Values
    rare: npt.NDArray[np.bool_]


def self_information(unit_users: Numbers, user_count: int) -> Values:
    """How surprising each unit is: -log2 of the share of users who had interacted with it.

    The share is smoothed as ``(users of the unit + 1) / (users + 1)``, so that a unit nobody touched has
    ``log2(users + 1)`` bits, not infinitely many. The mean over a list is its novelty (Zhou et al. 2010,
    https://doi.org/10.1073/pnas.1000488107).

    Args:
        unit_users: int64 (n,), users who interacted with each unit before the split.
        user_count: All users with an interaction before the split.

    Returns:
        float64 (n,), bits, at least 0.
    """
    information: Values = -np.log2((unit_users + 1) / (user_count + 1))
    return information


def measure_lists(lists: Numbers, relevant: UnitLists, facts: UnitFacts) -> dict[str, Values]:
    """Every measure of every list.

    Args:
        lists: int64 (q, k), units best first, each at most once, filled with -1.
        relevant: What each of the q users wanted; at least one unit each.
        facts: Of the units.

    Returns:
        Each float64 (q,):
            ``recall@k``: share of the relevant units that are in the list.
            ``ndcg@k``: discounted cumulative gain with gains 0 and 1, by that of the best list of k units
            (Järvelin and Kekäläinen 2002, https://doi.org/10.1145/582415.582418).
            ``hit@k``: whether any relevant unit is in the list.
            ``mrr``: 1 / rank of the first relevant unit in the list, 0 without one.
            ``intra_list_diversity``: mean of 1 - cosine over all pairs of the list; NaN with fewer than two units.
            ``novelty``: mean self-information of the list, bits; NaN for an empty list.
            ``recall_rare@k``: recall of the relevant units that are rare; NaN for users who wanted none.

    Raises:
        InputError: If there is not one list a user, or a user wanted nothing.
    """
    if lists.ndim != 2 or len(lists) != len(relevant.starts) - 1:
        raise InputError(
            f"lists of shape {lists.shape} for {len(relevant.starts) - 1} users: expected one row of k units a user"
        )
    wanted = relevant.counts()
    if not wanted.all():
        raise InputError("a user without relevant units has no recall: leave such users out")
    k = lists.shape[1]
    hits = _hits(lists, relevant, len(facts.rare))
    rank = np.arange(1, k + 1)
    gains = 1 / np.log2(rank + 1)
    ideal = np.cumsum(gains)[np.minimum(wanted, k) - 1]
    first = hits.argmax(axis=1)
    found = hits.any(axis=1)
    return {
        f"recall@{k}": hits.sum(axis=1) / wanted,
        f"ndcg@{k}": (hits @ gains) / ideal,
        f"hit@{k}": found.astype(np.float64),
        "mrr": np.where(found, 1 / (first + 1), 0.0),
        "intra_list_diversity": intra_list_diversity(lists, facts.vectors),
        "novelty": _novelty(lists, facts.surprise),
        f"recall_rare@{k}": _rare_recall(lists, hits, relevant, facts.rare),
    }


def catalogue_coverage(lists: Numbers, unit_count: int) -> float:
    """Share of the catalogue that is in any of the lists.

    Args:
        lists: int64 (q, k), filled with -1.
        unit_count: Units of the catalogue.
    """
    return len(np.unique(lists[lists != NOTHING])) / unit_count


def intra_list_diversity(lists: Numbers, vectors: Embeddings) -> Values:
    """Mean of 1 - cosine over all pairs of each list (Ziegler et al. 2005, https://doi.org/10.1145/1060745.1060754).

    The sum over pairs comes from the length of the sum of vectors, ``|sum|^2 = n + 2 * (sum of cosines of pairs)``.

    Args:
        lists: int64 (q, k), filled with -1.
        vectors: float32 (n, d), L2-normalised rows.

    Returns:
        float64 (q,), in [0, 2]; NaN for lists with fewer than two units.
    """
    diversity = np.full(len(lists), np.nan)
    step = max(1, BLOCK_VALUES // max(1, lists.shape[1] * vectors.shape[1]))
    for start in range(0, len(lists), step):
        part = lists[start : start + step]
        there = part != NOTHING
        counts = there.sum(axis=1)
        rows = normalise(vectors[np.where(there, part, 0)].reshape(-1, vectors.shape[1])).astype(np.float64)
        sums = np.einsum("qkd,qk->qd", rows.reshape(*part.shape, -1), there.astype(np.float64))
        several = counts > 1
        pairs = (counts * (counts - 1))[several]
        cosines = (np.einsum("qd,qd->q", sums, sums)[several] - counts[several]) / pairs
        diversity[start : start + step][several] = np.clip(1 - cosines, 0.0, 2.0)
    return diversity


def _hits(lists: Numbers, relevant: UnitLists, unit_count: int) -> npt.NDArray[np.bool_]:
    """bool (q, k), which of the units listed are relevant."""
    users = np.arange(len(lists))
    wanted = np.repeat(users, relevant.counts()) * unit_count + relevant.units
    hits: npt.NDArray[np.bool_] = np.isin(users[:, None] * unit_count + lists, wanted) & (lists != NOTHING)
    return hits


def _novelty(lists: Numbers, surprise: Values) -> Values:
    there = lists != NOTHING
    counts = there.sum(axis=1)
    total = np.where(there, surprise[np.where(there, lists, 0)], 0.0).sum(axis=1)
    return np.where(counts > 0, total / np.maximum(counts, 1), np.nan)


def _rare_recall(
    lists: Numbers, hits: npt.NDArray[np.bool_], relevant: UnitLists, rare: npt.NDArray[np.bool_]
) -> Values:
    users = np.repeat(np.arange(len(lists)), relevant.counts())
    wanted = np.bincount(users, weights=rare[relevant.units], minlength=len(lists))
    found = (hits & rare[np.where(hits, lists, 0)]).sum(axis=1)
    return np.where(wanted > 0, found / np.maximum(wanted, 1), np.nan)
