"""Identities keep their ids, grow, and merge: the arithmetic of it."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from lookalike.collection.constraints import Groups
from lookalike.collection.identity_numbers import changes, inherited
from lookalike.collection.online_groups import kept_together
from lookalike.store.tracking import StoredTracklet


def stored(number: int, *, camera: str = "gate", start: int | None = None) -> StoredTracklet:
    at = number * 10 if start is None else start
    return StoredTracklet(number, camera, 1, at, at + 5, 3, 1, 0.5, 1, at, (0, 0, 1, 1), "f", None)


def test_an_id_goes_where_most_of_its_tracklets_went() -> None:
    before = {1: 7, 2: 7, 3: 7, 4: 8, 5: 8, 6: 8}
    assert inherited([[1, 4], [2, 3], [5, 6], [9]], before) == [None, 7, 8, None]


def test_of_two_halves_the_one_that_comes_first_keeps_the_id() -> None:
    assert inherited([[1], [2]], {1: 3, 2: 3}) == [3, None]


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=20),
    st.lists(st.integers(0, 4), min_size=20, max_size=20),
)
def test_no_id_is_given_twice_and_what_stayed_the_same_keeps_its_own(old: list[int], new: list[int]) -> None:
    before = {at: 100 + identity for at, identity in enumerate(old)}
    groups = [[at for at in range(len(old)) if new[at] == g] for g in sorted(set(new[: len(old)]))]
    given_ids = [each for each in inherited(groups, before) if each is not None]
    assert len(given_ids) == len(set(given_ids))
    same = [[at for at, i in before.items() if i == identity] for identity in sorted(set(before.values()))]
    assert inherited(same, before) == sorted(set(before.values()))


def test_what_became_of_identities_is_told() -> None:
    before = {1: 1, 2: 1, 3: 2, 4: 3, 5: 4}
    after = {1: 1, 2: 9, 3: 1, 5: 4}
    assert changes(before, after) == [
        "1 tracklets of i1 went to i9",
        "i2 became part of i1",
        "i3 is gone: none of its tracklets is left",
    ]
    assert changes(before, before) == []


def test_online_an_identity_is_never_divided() -> None:
    tracklets = {n: stored(n) for n in range(1, 8)}
    before = {1: 1, 2: 1, 3: 1, 4: 2}
    groups = kept_together([[1, 5], [2, 3], [4, 6], [7]], before, tracklets)
    assert sorted(map(sorted, groups)) == [[1, 2, 3, 5], [4, 6], [7]]


def test_online_two_become_one_where_a_group_has_most_of_both() -> None:
    tracklets = {n: stored(n) for n in range(1, 8)}
    before = {1: 1, 2: 1, 3: 2, 4: 3, 5: 3, 6: 3}
    assert sorted(map(sorted, kept_together([[1, 2, 3, 4]], before, tracklets))) == [[1, 2, 3], [4, 5, 6]]


def test_online_nobody_is_twice_before_one_camera() -> None:
    tracklets = {
        1: stored(1),
        2: stored(2),
        3: stored(3, start=12),
        4: replace(stored(4, start=22), camera="yard"),
    }
    assert sorted(
        map(sorted, kept_together([[1, 2]], {1: 1, 2: 2}, {**tracklets, 2: stored(2, start=12)}))
    ) == [[1], [2]]
    assert sorted(map(sorted, kept_together([[1, 3]], {1: 1}, tracklets))) == [[1], [3]]
    assert sorted(map(sorted, kept_together([[2, 4]], {2: 1}, tracklets))) == [[2, 4]], "another camera"


def test_groups_of_corrections_know_what_was_said_before() -> None:
    groups = Groups()
    groups.join(1, 2)
    groups.join(3, 2)
    assert groups.members(1) == groups.members(3) == [1, 2, 3]
    assert groups.members(9) == [9]
    groups.part(1, 4)
    assert not groups.may_join(3, 4), "it was said of the whole group"
    groups.join(4, 5)
    assert not groups.may_join(5, 2)
    assert not groups.may_part(1, 3)
    assert groups.may_part(1, 9)
