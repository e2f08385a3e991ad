"""Groups in which every pair holds."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lookalike.tasks.duplicate_groups import complete_groups, components, spanning_forest, uncompared


def rows(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


def test_a_chain_is_split_where_strangers_would_be_joined() -> None:
    first, second = rows(1, 2, 1), rows(2, 3, 3)
    (group,) = complete_groups(first, second, np.array([0.05, 0.1, 0.9]), 0.2)
    assert group.members.tolist() == [1, 2]
    assert group.residual == 0.05


def test_a_pair_that_was_not_compared_does_not_hold() -> None:
    (group,) = complete_groups(rows(1, 3), rows(2, 2), np.array([0.1, 0.05]), 0.2)
    assert group.members.tolist() == [2, 3]


def test_the_weakest_pair_is_the_groups_residual() -> None:
    first, second = rows(4, 4, 9, 7), rows(7, 9, 7, 20)
    groups = complete_groups(first, second, np.array([0.1, 0.15, 0.02, 0.3]), 0.2)
    assert [(group.members.tolist(), group.residual) for group in groups] == [([4, 7, 9], 0.15)]


def test_nothing_gives_no_groups() -> None:
    assert complete_groups(rows(), rows(), np.empty(0), 0.2) == []
    assert components(rows(), rows()) == []


def test_components_and_what_was_not_compared_in_them() -> None:
    first, second = rows(5, 9, 2), rows(1, 5, 3)
    assert [part.tolist() for part in components(first, second)] == [[1, 5, 9], [2, 3]]
    missing = uncompared(rows(1, 5, 9), rows(5, 9), rows(1, 5))
    assert [part.tolist() for part in missing] == [[1], [9]]


def test_joins_are_those_of_the_spanning_forest() -> None:
    first, second = rows(1, 1, 2, 7, 7), rows(2, 3, 3, 9, 30)
    joins = spanning_forest(first, second, np.array([0.0, 0.2, 0.1, 0.5, np.inf]), 99)
    assert np.allclose(joins.residuals, [0.0, 0.1, 0.5])
    assert list(zip(joins.first, joins.second, strict=True)) == [(1, 2), (2, 3), (7, 9)]
    assert joins.items == 99
    assert len(spanning_forest(rows(1), rows(2), np.array([np.inf]), 2).residuals) == 0


PAIRS = st.dictionaries(
    st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda p: p[0] < p[1]),
    st.floats(0, 1),
    max_size=45,
)


@given(PAIRS, st.randoms())
def test_groups_are_complete_apart_and_independent_of_order(
    pairs: dict[tuple[int, int], float], random: object
) -> None:
    def grouped(order: list[tuple[int, int]], swap: bool) -> list[list[int]]:
        first, second = rows(*(p[swap] for p in order)), rows(*(p[not swap] for p in order))
        values = np.array([pairs[p] for p in order])
        return [g.members.tolist() for g in complete_groups(first, second, values, 0.5)]

    groups = grouped(sorted(pairs), False)
    members = [row for group in groups for row in group]
    assert len(set(members)) == len(members)
    assert all(pairs[pair] <= 0.5 for group in groups for pair in combinations(group, 2))
    shuffled = list(pairs)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert grouped(shuffled, True) == groups
    left = [row for row in range(10) if row not in members]
    assert not any(pairs.get(pair, 1) <= 0.5 for pair in combinations(left, 2))
