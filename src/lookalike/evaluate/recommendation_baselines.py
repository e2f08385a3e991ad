"""What a recommender has to beat.

Many published recommenders lose to simple methods that are set up with care (Ferrari Dacrema, Cremonesi and Jannach
2019, https://doi.org/10.1145/3298689.3347058, arXiv 1907.06902), so the simple ones get the same interactions, weights
and decay as ours. Each is a function that scores all units for some users; :func:`rank` makes lists of the scores.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from lookalike.evaluate.recommendation import NOTHING
from lookalike.evaluate.recommendation_split import Numbers, Split, UnitLists, Values
from lookalike.types import Embeddings
from lookalike.vectors.metrics import inner, normalise

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Scorer: TypeAlias = Callable[[Numbers], npt.NDArray[np.floating]]
"""Users int64 (b,) to scores (b, n) of all units; nothing is taken out."""

NEIGHBOURS = 50
"""Neighbours of a unit that item-kNN keeps."""

SHRINKAGE = 20.0
"""Added to item-kNN's denominator, so that two units with one user in common do not count as inseparable."""

BLOCK_SCORES = 1 << 23
"""Scores that are held at a time: 64 MiB."""


def popularity(split: Split, *, half_life: float | None = None) -> Scorer:
    """The same list for everybody: units by the sum of the weights of everybody's likings.

    Args:
        split: What was known.
        half_life: Days; with it, what was popular lately counts (Ji, Sun, Zhang and Li 2020,
            https://doi.org/10.1145/3397271.3401233). None: since the beginning.
    """
    scores = popularity_scores(split, half_life=half_life)
    return lambda users: np.broadcast_to(scores, (len(users), len(scores)))


def popularity_scores(split: Split, *, half_life: float | None = None) -> Values:
    """float64 (n,), the sum of everybody's likings of each unit."""
    return np.asarray(split.likings(half_life).sum(axis=0), dtype=np.float64).ravel()


def random_order(split: Split, seeds: Numbers) -> Scorer:
    """Another random list for each user; ``seeds`` int64 (users,), at least 0."""

    def score(users: Numbers) -> Values:
        return np.stack([np.random.default_rng(int(seeds[user])).random(split.unit_count) for user in users])

    return score


def last_item(split: Split, vectors: Embeddings) -> Scorer:
    """What looks most like the unit that the user liked last.

    Args:
        split: What was known.
        vectors: float32 (n, d) of the units, L2-normalised rows.
    """
    liked = split.train.weights > 0
    last = np.full(split.user_count, NOTHING, dtype=np.int64)
    last[split.train.users[liked]] = split.train.units[liked]  # in order of time: the last one stays

    def score(users: Numbers) -> npt.NDArray[np.float32]:
        known = last[users] != NOTHING
        scores = np.zeros((len(users), len(vectors)), dtype=np.float32)
        scores[known] = inner(vectors[last[users[known]]], vectors)
        return scores

    return score


def decayed_average(split: Split, vectors: Embeddings, *, half_life: float | None) -> Scorer:
    """What looks most like the weighted mean of all that the user liked.

    Args:
        split: What was known.
        vectors: float32 (n, d) of the units, L2-normalised rows.
        half_life: Days after which an event counts half.
    """
    profiles = split.likings(half_life)

    def score(users: Numbers) -> npt.NDArray[np.float32]:
        sums = np.asarray(profiles[users] @ vectors.astype(np.float64))
        known = sums.any(axis=1)
        scores = np.zeros((len(users), len(vectors)), dtype=np.float32)
        scores[known] = inner(normalise(sums[known]), vectors)
        return scores

    return score


def item_knn(
    split: Split,
    *,
    half_life: float | None = None,
    neighbours: int = NEIGHBOURS,
    shrinkage: float = SHRINKAGE,
) -> Scorer:
    """What other users liked who liked the same: item-based nearest neighbours.

    The score of a unit is the sum, over the units that the user liked, of weight times similarity, where it is among
    the nearest of that unit (Deshpande and Karypis 2004, https://doi.org/10.1145/963770.963776). The similarity is the
    cosine of the units' columns of ``log(1 + liking)``, with shrinkage in its denominator. Pictures play no part.

    Args:
        split: What was known.
        half_life: Days after which an event of the user counts half; None: as published, events do not fade. The
            similarities are learned without decay either way.
        neighbours: Neighbours of a unit that are kept.
        shrinkage: See the module's constant.
    """
    similarities = unit_similarities(split.likings(None), neighbours=neighbours, shrinkage=shrinkage)
    profiles = split.likings(half_life)
    return lambda users: np.asarray((profiles[users] @ similarities).todense())


def unit_similarities(likings: csr_array, *, neighbours: int, shrinkage: float) -> csr_array:
    """Each unit's nearest others by who liked them.

    Args:
        likings: Sparse float64 (users, n), at least 0.
        neighbours: Kept of each unit.
        shrinkage: Added to the product of the lengths.

    Returns:
        Sparse float64 (n, n): row i holds the similarities of the neighbours of unit i; nothing on the diagonal.
    """
    from scipy.sparse import csr_array, vstack

    logs = likings.copy()
    logs.data = np.log1p(logs.data)
    by_unit = logs.T.tocsr()
    lengths = np.sqrt(np.asarray(logs.multiply(logs).sum(axis=0), dtype=np.float64).ravel())
    count = by_unit.shape[0]
    step = max(1, BLOCK_SCORES // max(count, 1))
    blocks = []
    for start in range(0, count, step):
        common = np.asarray((by_unit[start : start + step] @ logs).todense(), dtype=np.float64)
        common /= np.maximum(
            lengths[start : start + step, None] * lengths + shrinkage, np.finfo(np.float64).tiny
        )
        common[np.arange(len(common)), np.arange(start, start + len(common))] = 0.0
        if neighbours < count:
            least = -np.partition(-common, neighbours - 1, axis=1)[:, neighbours - 1 : neighbours]
            common[common < least] = 0.0
        blocks.append(csr_array(common))
    return csr_array(vstack(blocks, format="csr"))


def tie_order(split: Split, *, seed: int) -> Numbers:
    """All units, the more popular first and equally popular ones at random: what decides between equal scores.

    A user about whom a baseline knows nothing has equal scores everywhere, and so gets what is popular. The order of
    the catalogue decides nothing: neighbours in it are often of one kind.

    Returns:
        int64 (n,), numbers of units.
    """
    shuffled = np.random.default_rng(seed).permutation(split.unit_count)
    scores = popularity_scores(split)[shuffled]
    return shuffled[np.argsort(-scores, kind="stable")].astype(np.int64)


def rank(scorer: Scorer, users: Numbers, seen: UnitLists, order: Numbers, *, k: int) -> Numbers:
    """The k units of highest score that each user has not seen.

    Args:
        scorer: Scores all units.
        users: int64 (q,).
        seen: Units of each user that are left out, by number of the user.
        order: int64 (n,), all units; of equal scores, the earlier comes first.
        k: Units a list, at least 1.

    Returns:
        int64 (q, k), best first, filled with -1 where a user has seen nearly everything.
    """
    lists = np.full((len(users), k), NOTHING, dtype=np.int64)
    step = max(1, BLOCK_SCORES // len(order))
    for start in range(0, len(users), step):
        block = users[start : start + step]
        scores = np.array(scorer(block), dtype=np.float64)
        for row, user in enumerate(block.tolist()):
            scores[row, seen.of(user)] = -np.inf
            best = _best(scores[row][order], k)
            lists[start + row, : len(best)] = order[best]
    return lists


def _best(scores: Values, k: int) -> Numbers:
    """Places of the k highest finite scores, the earlier first among equals."""
    k = min(k, int(np.isfinite(scores).sum()))
    if k == 0:
        return np.zeros(0, dtype=np.int64)
    least = np.partition(scores, len(scores) - k)[len(scores) - k]
    places = np.flatnonzero(scores >= least)
    return places[np.argsort(-scores[places], kind="stable")][:k]
