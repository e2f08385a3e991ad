from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.errors import InputError
from lookalike.evaluate.recommendation_split import Events, Split, split_at

DAY = 86_400.0

Row = tuple[int, int, float, float, bool]


def events(rows: list[Row]) -> Events:
    """(user, unit, day, weight, wanted) as columns."""
    users, units, days, weights, wanted = zip(*rows, strict=True)
    return Events(
        np.array(users, dtype=np.int64),
        np.array(units, dtype=np.int64),
        np.array(days, dtype=np.float64) * DAY,
        np.array(weights, dtype=np.float64),
        np.array(wanted, dtype=bool),
    )


def test_the_past_is_known_and_the_future_is_asked_for() -> None:
    split = split_at(
        events(
            [
                (1, 0, 3.0, 1, False),
                (1, 2, 1.0, 5, True),
                (0, 1, 9.0, -3, False),
                (1, 1, 10.0, 5, True),  # at the moment itself: the future
                (1, 2, 11.0, 5, True),  # bought again: no news
                (1, 3, 11.0, 1, False),  # only looked at
                (0, 3, 12.0, 3, True),
                (2, 0, 12.0, 3, True),  # a user without a past
                (3, 1, 2.0, 3, True),  # a user without a future
            ]
        ),
        10 * DAY,
        user_count=5,
        unit_count=4,
    )
    assert split.warm.tolist() == [0, 1]
    assert split.cold.tolist() == [2]
    assert [split.relevant.of(user).tolist() for user in range(5)] == [[3], [1], [0], [], []]
    assert [split.seen.of(user).tolist() for user in range(5)] == [[1], [0, 2], [], [1], []]
    assert split.train.units.tolist() == [1, 2, 0, 1]
    assert (np.diff(split.train.times[1:3]) > 0).all()
    assert split.unit_users().tolist() == [1, 2, 1, 0]
    assert split.unit_events().tolist() == [1, 2, 1, 0]


def test_weights_halve_after_a_half_life_and_add_up() -> None:
    split = split_at(
        events(
            [
                (0, 3, 0.0, 4, False),
                (0, 3, 10.0, 1, False),
                (0, 1, 15.0, -3, False),
                (1, 2, 5.0, 1, False),
                (0, 2, 20.0, 1, True),
            ]
        ),
        20 * DAY,
        user_count=2,
        unit_count=4,
    )
    units, weights = split.profile(0, 10.0)
    assert units.tolist() == [1, 3]
    assert weights == pytest.approx([-3 * 0.5**0.5, 4 * 0.25 + 0.5])
    assert split.profile(0, None)[1].tolist() == [-3, 5]
    assert split.likings(10.0).toarray()[0] == pytest.approx([0, 0, 0, 1.5])  # dislikes are not in it
    with pytest.raises(InputError, match="half-life"):
        split.profile(0, 0.0)


@st.composite
def histories(draw: st.DrawFn) -> list[Row]:
    row = st.tuples(
        st.integers(0, 4),
        st.integers(0, 5),
        st.integers(0, 20),
        st.sampled_from([-3.0, 1.0, 5.0]),
        st.booleans(),
    )
    return [(u, i, float(d), w, ok) for u, i, d, w, ok in draw(st.lists(row, min_size=1, max_size=40))]


@settings(deadline=None)
@given(histories())
def test_the_split_is_what_sets_say_it_is(rows: list[Row]) -> None:
    seen = {user: {i for u, i, d, *_ in rows if u == user and d < 10} for user in range(5)}
    relevant = {
        user: {i for u, i, d, _, wanted in rows if u == user and d >= 10 and wanted} - seen[user]
        for user in range(5)
    }
    try:
        split = split_at(events(rows), 10 * DAY, user_count=5, unit_count=6)
    except InputError:
        nothing_before = not any(seen.values())
        nothing_after = not any(d >= 10 for _, _, d, *_ in rows)
        assert nothing_before or nothing_after or not any(relevant.values())
        return
    for user in range(5):
        assert split.seen.of(user).tolist() == sorted(seen[user])
        assert split.relevant.of(user).tolist() == sorted(relevant[user])
    assert set(split.warm.tolist()) == {u for u in range(5) if relevant[u] and seen[u]}
    assert set(split.cold.tolist()) == {u for u in range(5) if relevant[u] and not seen[u]}
    taken = split.relevant.take(np.array([4, 0, 2]))
    assert [taken.of(n).tolist() for n in range(3)] == [sorted(relevant[u]) for u in (4, 0, 2)]


def small(time: float) -> Split:
    rows: list[Row] = [(0, 0, 1.0, 1, False), (0, 1, 3.0, 1, True)]
    return split_at(events(rows), time * DAY, user_count=1, unit_count=2)


@pytest.mark.parametrize("time", [1.0, 9.0])
def test_a_split_outside_the_interactions_is_refused_with_their_span(time: float) -> None:
    with pytest.raises(InputError, match=r"1970-01-02.*1970-01-04"):
        small(time)


def test_a_split_after_which_nothing_new_is_wanted_is_refused() -> None:
    rows: list[Row] = [(0, 0, 1.0, 1, False), (0, 0, 3.0, 5, True), (0, 1, 3.0, 1, False)]
    with pytest.raises(InputError, match="new to them"):
        split_at(events(rows), 2 * DAY, user_count=1, unit_count=2)


def test_columns_of_different_lengths_are_refused() -> None:
    column = np.zeros(2)
    with pytest.raises(InputError, match="as many in each"):
        Events(np.zeros(3, np.int64), np.zeros(2, np.int64), column, column, np.zeros(2, bool))
