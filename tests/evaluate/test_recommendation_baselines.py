from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.evaluate.recommendation_baselines import (
    Scorer,
    decayed_average,
    item_knn,
    last_item,
    popularity,
    random_order,
    rank,
    tie_order,
    unit_similarities,
)
from lookalike.evaluate.recommendation_split import Events, Split, UnitLists, split_at
from lookalike.types import Embeddings
from lookalike.vectors.metrics import normalise

DAY = 86_400.0
SPLIT = 100.0

# two looks, three units each: 0 1 2 and 3 4 5; unit 6 looks like neither
LOOKS: Embeddings = normalise(
    [[1, 0.05, 0], [1, 0.1, 0], [1, 0.15, 0], [0.05, 1, 0], [0.1, 1, 0], [0.15, 1, 0], [0.1, 0.1, 1]]
)


def history(*rows: tuple[int, int, float] | tuple[int, int, float, float]) -> Split:
    """(user, unit, days before the split[, weight]); user 0 wants unit 6 later, so that there is a future."""
    full = [(*row, 1.0)[:4] for row in rows] + [(0, 6, -1.0, 1.0)]
    users, units, ago, weights = zip(*full, strict=True)
    return split_at(
        Events(
            np.array(users, dtype=np.int64),
            np.array(units, dtype=np.int64),
            (SPLIT - np.array(ago)) * DAY,
            np.array(weights, dtype=np.float64),
            np.ones(len(full), dtype=bool),
        ),
        SPLIT * DAY,
        user_count=max(users) + 1,
        unit_count=7,
    )


def lists(split: Split, scorer: Scorer, *, k: int, users: Sequence[int] = (0,)) -> list[list[int]]:
    order = tie_order(split, seed=0)
    return rank(scorer, np.array(users, dtype=np.int64), split.seen, order, k=k).tolist()


def test_popularity_counts_weights_and_recent_popularity_counts_recent_ones() -> None:
    split = history((1, 4, 90.0, 5), (2, 4, 90.0, 5), (3, 2, 1.0, 5), (2, 5, 1.0, -9), (0, 0, 1.0))
    assert lists(split, popularity(split), k=2) == [[4, 2]]
    assert lists(split, popularity(split, half_life=10.0), k=2) == [[2, 4]]


def test_the_last_liked_unit_decides_not_an_earlier_or_a_disliked_one() -> None:
    split = history((0, 0, 50.0, 5), (0, 3, 2.0), (0, 1, 1.0, -3))
    assert set(lists(split, last_item(split, LOOKS), k=2)[0]) == {4, 5}


def test_the_average_follows_most_of_a_history_and_the_half_life_its_end() -> None:
    split = history((0, 0, 40.0), (0, 1, 40.0), (0, 3, 1.0))
    assert lists(split, decayed_average(split, LOOKS, half_life=None), k=1) == [[2]]
    assert set(lists(split, decayed_average(split, LOOKS, half_life=5.0), k=2)[0]) == {4, 5}


def test_neighbours_by_company_find_what_looks_cannot() -> None:
    others = [(user, unit, 20.0) for user in (1, 2, 3) for unit in (0, 6)]
    split = history((0, 0, 5.0), *others)
    assert lists(split, item_knn(split, shrinkage=1.0), k=1) == [[6]]


def test_a_decayed_profile_asks_the_neighbours_of_what_came_last() -> None:
    others = [(user, unit, 20.0) for user in (1, 2) for unit in (0, 6)]
    others += [(user, unit, 20.0) for user in (3, 4) for unit in (3, 5)]
    split = history((0, 0, 60.0, 5), (0, 3, 1.0), *others)
    assert lists(split, item_knn(split), k=1) == [[6]]
    assert lists(split, item_knn(split, half_life=7.0), k=1) == [[5]]


def test_similarities_are_shrunk_cosines_and_only_the_nearest_are_kept() -> None:
    split = history((0, 0, 1.0, 5), (0, 1, 1.0), (1, 0, 1.0), (1, 1, 1.0), (1, 2, 1.0, 5), (2, 2, 1.0))
    logs = np.log1p(split.likings(None).toarray())
    full = unit_similarities(split.likings(None), neighbours=7, shrinkage=2.0).toarray()
    lengths = np.linalg.norm(logs, axis=0)
    expected = logs.T @ logs / (lengths[:, None] * lengths + 2.0)
    np.fill_diagonal(expected, 0)
    assert full == pytest.approx(expected)
    nearest = unit_similarities(split.likings(None), neighbours=1, shrinkage=2.0).toarray()
    assert (np.count_nonzero(nearest, axis=1) <= 1).all()
    assert nearest[0, 1] == full[0].max()


def test_a_user_about_whom_nothing_is_known_gets_what_is_popular() -> None:
    split = history((1, 4, 3.0, 5), (2, 2, 3.0, 3), (0, 0, 1.0, -3))
    for scorer in (last_item(split, LOOKS), decayed_average(split, LOOKS, half_life=9.0), item_knn(split)):
        assert lists(split, scorer, k=2) == [[4, 2]]


def test_random_lists_are_the_users_own_and_the_same_again() -> None:
    split = history((0, 0, 1.0), (1, 0, 1.0), (2, 0, 1.0))
    seeds = np.array([7, 8, 9])
    first = lists(split, random_order(split, seeds), k=6, users=(0, 1, 2))
    assert len({tuple(row) for row in first}) > 1
    assert lists(split, random_order(split, seeds), k=6, users=(2, 0)) == [first[2], first[0]]
    assert lists(split, random_order(split, seeds + 9), k=6, users=(0, 1, 2)) != first


def test_lists_end_where_a_user_has_seen_the_rest() -> None:
    split = history(*((0, unit, 1.0) for unit in range(5)))
    found = lists(split, popularity(split), k=4)[0]
    assert sorted(found[:2]) == [5, 6]
    assert found[2:] == [-1, -1]


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(1, 15))
def test_ranking_equals_a_full_sort(seed: int, units: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 4, (3, units)).astype(np.float64)  # many ties
    seen = [np.flatnonzero(rng.random(units) < 0.3) for _ in range(3)]
    starts = np.cumsum([0, *map(len, seen)]).astype(np.int64)
    order = rng.permutation(units)
    found = rank(
        lambda users: scores[users], np.arange(3), UnitLists(starts, np.concatenate(seen)), order, k=k
    )
    place = {unit: n for n, unit in enumerate(order.tolist())}
    for user in range(3):
        allowed = set(range(units)) - set(seen[user].tolist())
        expected = sorted(allowed, key=lambda unit: (-scores[user, unit], place[unit]))[:k]
        assert found[user].tolist() == expected + [-1] * (k - len(expected))
