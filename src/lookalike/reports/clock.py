"""Times as people read them; all of them UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

STEPS = (
    *(1, 2, 5, 10, 15, 30),
    *(60 * minutes for minutes in (1, 2, 5, 10, 15, 30)),
    *(3600 * hours for hours in (1, 2, 3, 6, 12)),
    *(86_400 * days for days in (1, 2, 7, 14, 30, 90, 180, 365)),
)
"""Seconds between two marks of an axis."""

DAY = 86_400


def moment(time: datetime) -> str:
    """A date with a time to the second: ``2024-06-11 09:00:02``."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def stay(start: datetime, end: datetime) -> str:
    """An interval without its date: ``09:00:02 to 09:00:10``; with dates where it spans two days."""
    first, last = start.astimezone(UTC), end.astimezone(UTC)
    if first.date() != last.date():
        return f"{moment(first)} to {moment(last)}"
    return f"{first:%H:%M:%S} to {last:%H:%M:%S}"


def span(first: datetime, last: datetime) -> str:
    """An interval with its date: ``2024-06-11, 09:00:02 to 09:00:10``."""
    same = first.astimezone(UTC).date() == last.astimezone(UTC).date()
    return f"{first.astimezone(UTC):%Y-%m-%d}, {stay(first, last)}" if same else stay(first, last)


def lasting(seconds: float) -> str:
    """A duration: ``0.4 s``, ``12 s``, ``3 min 20 s``, ``2 h 5 min``, ``3 d 4 h``."""
    if seconds < 0:
        return f"-{lasting(-seconds)}"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for unit, name, part, part_name in ((DAY, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= unit:
            rest = whole % unit // part
            return f"{whole // unit} {name}" + (f" {rest} {part_name}" if rest else "")
    return f"{whole} s"


def ticks(first: datetime, last: datetime, *, most: int = 9) -> list[tuple[datetime, str]]:
    """Round times within an interval, with what an axis calls them.

    Args:
        first, last: The interval.
        most: At most so many.
    """
    start, end = first.astimezone(UTC), last.astimezone(UTC)
    seconds = (end - start).total_seconds()
    fitting = (step for step in STEPS if seconds / step <= most - 1)
    step = next(fitting, STEPS[-1] * (1 + int(seconds / STEPS[-1] / (most - 1))))
    day = start.replace(hour=0, minute=0, second=0, microsecond=0)
    number = -int(-(start - day).total_seconds() // step)
    found = []
    while (at := day + timedelta(seconds=number * step)) <= end:
        found.append((at, _mark(at, step)))
        number += 1
    return found


def _mark(time: datetime, step: int) -> str:
    if step >= DAY:
        return f"{time:%Y-%m-%d}"
    return f"{time:%H:%M:%S}" if step < 60 else f"{time:%H:%M}"
