"""Tracklets of a store as visits, ids as text, and spans of time as they are asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeAlias

from lookalike.collection.identity_result import Crops, Sightings, Visit
from lookalike.errors import InputError
from lookalike.store.base import Store
from lookalike.store.interactions import microseconds, moment
from lookalike.store.tracking import StoredTracklet

Moment: TypeAlias = datetime | str | None
Between: TypeAlias = tuple[Moment, Moment] | None
"""From and to, with their zone; either may be None."""

_IDENTITY = re.compile(r"i([1-9]\d{0,17})")
_TRACKLET = re.compile(r"t([1-9]\d{0,17})")


def identity_id(number: int) -> str:
    """The id of an identity."""
    return f"i{number}"


def tracklet_id(number: int) -> str:
    """The id of a tracklet."""
    return f"t{number}"


def identity_number(text: str) -> int | None:
    """The number of an identity's id; None if the text is none."""
    found = _IDENTITY.fullmatch(text)
    return None if found is None else int(found[1])


def tracklet_number(text: str) -> int:
    """The number of a tracklet's id.

    Raises:
        InputError: If the text is none.
    """
    found = _TRACKLET.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise InputError(f"{text!r} is no tracklet: expected an id such as t17, as visits have it")
    return int(found[1])


def span(between: Between) -> Callable[[StoredTracklet], bool]:
    """Whether a tracklet was seen at some time between two.

    Raises:
        InputError: If a time has no zone or cannot be read, or the second lies before the first.
    """
    if between is None:
        return lambda _: True
    if not isinstance(between, tuple | list) or len(between) != 2:
        raise InputError(f"between is {between!r}: expected two times, (from, to); None for an open end")
    first, last = (None if each is None else _stamp(each) for each in between)
    if first is not None and last is not None and last < first:
        raise InputError(f"between ends at {between[1]}, before it begins at {between[0]}: exchange the two")
    return lambda each: (first is None or each.end >= first) and (last is None or each.start <= last)


def _stamp(time: datetime | str) -> int:
    try:
        parsed = datetime.fromisoformat(time) if isinstance(time, str) else time
        if not isinstance(parsed, datetime) or parsed.utcoffset() is None:
            raise ValueError("it has no time zone")
        return microseconds(parsed.astimezone(UTC))
    except (ValueError, OverflowError) as error:  # some zones leave the calendar at its ends
        raise InputError(
            f"the time {str(time)!r} is not understood ({error}): expected ISO 8601 with its zone, such as "
            "2024-06-11T09:00:00Z"
        ) from None


def visit_of(
    tracklet: StoredTracklet, *, similarity: float | None = None, strength: float | None = None
) -> Visit:
    """A tracklet for people."""
    return Visit(
        tracklet=tracklet_id(tracklet.number),
        camera=tracklet.camera,
        start=moment(tracklet.start),
        end=moment(tracklet.end),
        sightings=tracklet.sightings,
        identity=None if tracklet.identity is None else identity_id(tracklet.identity),
        quality=tracklet.quality,
        category=tracklet.category,
        frame=tracklet.frame,
        box=tracklet.box,
        similarity=similarity,
        strength=strength,
    )


def crop_reader(store: Store) -> Crops:
    """Reads pictures of tracklets by id."""

    def read(ids: Sequence[str]) -> Mapping[str, bytes]:
        found = store.crops([tracklet_number(each) for each in ids])
        return {tracklet_id(number): data for number, data in found.items()}

    return read


def read_sightings(store: Store, ids: Sequence[str]) -> Iterator[Sightings]:
    """The sightings of tracklets, one tracklet after another, in the order asked; those that are gone are left out."""
    numbers = [tracklet_number(each) for each in ids]
    known = {each.number: visit_of(each) for each in store.tracklets(numbers=numbers)}
    for number, columns in store.stream_sightings(numbers):
        if number in known:
            yield Sightings(
                known[number],
                columns.frame,
                columns.time / 1e6,
                columns.box,
                columns.confidence,
                columns.seen,
            )
