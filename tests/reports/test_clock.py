from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.reports.clock import lasting, moment, span, stay, ticks

NINE = datetime(2024, 6, 11, 9, 0, 2, tzinfo=UTC)


def test_times_are_told_in_utc() -> None:
    berlin = NINE.astimezone(timezone(timedelta(hours=2)))
    assert moment(berlin) == "2024-06-11 09:00:02"
    assert stay(berlin, berlin + timedelta(seconds=8)) == "09:00:02 to 09:00:10"
    assert span(berlin, berlin + timedelta(seconds=8)) == "2024-06-11, 09:00:02 to 09:00:10"


def test_a_stay_over_midnight_has_both_dates() -> None:
    said = stay(NINE, NINE + timedelta(hours=20))
    assert said == "2024-06-11 09:00:02 to 2024-06-12 05:00:02" == span(NINE, NINE + timedelta(hours=20))


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.6, "1 min"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
        (3600, "1 h"),
        (273_600, "3 d 4 h"),
        (-12, "-12 s"),
    ],
)
def test_durations_have_one_or_two_units(seconds: float, said: str) -> None:
    assert lasting(seconds) == said


@given(seconds=st.floats(0.5, 4e8), begin=st.integers(0, 10**6))
def test_an_axis_has_few_round_marks_inside_of_it(seconds: float, begin: int) -> None:
    first = NINE + timedelta(seconds=begin)
    last = first + timedelta(seconds=seconds)
    marks = ticks(first, last)
    assert len(marks) <= 9
    assert all(first <= time <= last for time, _ in marks)
    assert len({text for _, text in marks}) == len(marks) or seconds > 86_400
    steps = {b[0] - a[0] for a, b in pairwise(marks)}
    assert len(steps) <= 1
    if seconds >= 5:
        assert len(marks) >= 2
