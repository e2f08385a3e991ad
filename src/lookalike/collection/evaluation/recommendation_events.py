"""Interactions from wherever they are, as the numbers that an evaluation works on."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from lookalike.collection.evaluation.pictures import label_text
from lookalike.collection.units import UNKNOWN, Units
from lookalike.errors import InputError
from lookalike.evaluate.recommendation_split import Events
from lookalike.ingest.interactions import read_interactions
from lookalike.store.base import Store
from lookalike.store.interactions import InteractionColumns, columns_of
from lookalike.types import Interaction

Interactions: TypeAlias = "str | PathLike[str] | InteractionColumns | Iterable[Interaction] | None"
"""A table's path, columns, interactions, or None for those that the collection keeps."""

WANTED = ("like", "cart", "purchase")
"""Events that say that a unit was wanted, where nothing else is asked for."""

BATCH = 65_536
SHOWN = 3


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """Interactions as numbers.

    Args:
        events: Those that name a unit of the collection; repeated ones once.
        users: Names of the users, by their numbers.
        seeds: int64, a number of each user that is the same whatever comes before them, from which random lists are
            drawn.
        read: Interactions that were read.
        repeated: Of these, how many had the same user, item, event and time as an earlier one.
        unknown: How many name nothing that the collection has.
        kinds: How many there are of each event.
        weights: Of the events that occur.
    """

    events: Events
    users: list[str]
    seeds: npt.NDArray[np.int64]
    read: int
    repeated: int
    unknown: int
    kinds: Mapping[str, int]
    weights: Mapping[str, float]


def gather(
    store: Store,
    interactions: Interactions,
    units: Units,
    *,
    wanted: Sequence[str],
    weights: Mapping[str, float] | None,
    columns: Mapping[str, str] | None,
) -> Gathered:
    """Read interactions and look up what they name.

    Args:
        store: The record: of the interactions too, where none are given.
        interactions: Where they are.
        units: What they can name.
        wanted: Events that count as relevant after the split.
        weights: Of events, beside those that the collection keeps.
        columns: Names of a table's columns.

    Raises:
        InputError: If an event has no weight, no wanted event occurs, or no interaction names a unit.
    """
    table = _Table()
    for batch in _batches(store, interactions, columns):
        table.add(batch)
    if not len(table):
        raise InputError("there are no interactions: record or import some, or name a table of them")
    weighing = store.event_weights() | dict(weights or {})
    table.check_events(wanted, weighing)
    found = units.find(table.items)
    if (found == UNKNOWN).all():
        raise InputError(_no_unit(len(table), table.items, store, units))
    return table.gathered(found, wanted, weighing)


def parse_time(time: datetime | str) -> datetime:
    """A moment; text as ISO 8601, without a zone it is UTC, a day alone begins at midnight.

    Raises:
        InputError: If it is none.
    """
    if isinstance(time, str):
        try:
            time = datetime.fromisoformat(time.strip())
        except ValueError:
            raise InputError(
                f"split {time!r} is no moment: expected ISO 8601, such as 2026-03-10 or 2026-03-10T12:00:00Z"
            ) from None
    if not isinstance(time, datetime):
        raise InputError(f"split {time!r} is no moment: expected a datetime or text in ISO 8601")
    return time.replace(tzinfo=UTC) if time.utcoffset() is None else time.astimezone(UTC)


class _Table:
    """Columns that grow batch by batch, with numbers that mean the same in all of them."""

    def __init__(self) -> None:
        self._users: dict[str, int] = {}
        self._items: dict[str, int] = {}
        self._events: dict[str, int] = {}
        self._parts: list[tuple[npt.NDArray[Any], ...]] = []

    def __len__(self) -> int:
        return sum(len(part[0]) for part in self._parts)

    @property
    def items(self) -> list[str]:
        """What the interactions name, by number."""
        return list(self._items)

    def add(self, batch: InteractionColumns) -> None:
        """Take a batch, which has numbers of its own."""
        self._parts.append(
            (
                _numbers(self._users, batch.users)[batch.user],
                _numbers(self._items, batch.items)[batch.item],
                _numbers(self._events, batch.events)[batch.event],
                batch.time,
                batch.weight,
            )
        )

    def check_events(self, wanted: Sequence[str], weighing: Mapping[str, float]) -> None:
        """Make sure that every event has a weight and some are wanted.

        Raises:
            InputError: If not.
        """
        without = sorted(set(self._events) - set(weighing))
        if without:
            raise InputError(
                f"events {', '.join(map(repr, without))} have no weight: say how much they tell about a taste, as in "
                f"event_weights={{{without[0]!r}: 1.0}} (--weight {without[0]}=1), below 0 for a dislike"
            )
        if isinstance(wanted, str) or not set(wanted) & set(self._events):
            raise InputError(
                f"events {wanted!r} are what shall be foreseen, but none of them is among the interactions: choose "
                f"from {', '.join(sorted(self._events))}"
            )

    def gathered(
        self, found: npt.NDArray[np.int64], wanted: Sequence[str], weighing: Mapping[str, float]
    ) -> Gathered:
        """Everything that was taken; ``found`` is the unit of each item."""
        user, item, event, time, weight = (
            np.concatenate(column) for column in zip(*self._parts, strict=True)
        )
        known = np.flatnonzero(found[item] != UNKNOWN)
        kept = known[_first_of_equal(user[known], item[known], event[known], time[known])]
        names = list(self._events)
        of_event = np.array([weighing[name] for name in names])
        is_wanted = np.array([name in wanted for name in names])
        counts = np.bincount(event[kept], minlength=len(names)).tolist()
        return Gathered(
            Events(
                user[kept],
                found[item[kept]],
                time[kept],
                of_event[event[kept]] * weight[kept],
                is_wanted[event[kept]],
            ),
            list(self._users),
            np.array([zlib.crc32(name.encode()) for name in self._users], dtype=np.int64),
            len(self),
            len(known) - len(kept),
            len(user) - len(known),
            dict(zip(names, counts, strict=True)),
            {name: weighing[name] for name in names},
        )


def _numbers(known: dict[str, int], names: Sequence[str]) -> npt.NDArray[np.int64]:
    """The number of each name; new names get the next ones."""
    return np.array([known.setdefault(name, len(known)) for name in names], dtype=np.int64)


def _no_unit(read: int, names: Sequence[str], store: Store, units: Units) -> str:
    rows = units.rows[:SHOWN].tolist()
    if units.group_by is None:
        what, remedy = "an item's id", "say what they name with group_by (--group-by)"
        there = [item.id for item in store.items(rows)]
    else:
        what, remedy = f"a value of {units.group_by!r}", "choose another attribute"
        there = [text for value in store.column(units.group_by, rows) if (text := label_text(value))]
    return (
        f"none of the {read:,} interactions names {what}: they name {', '.join(names[:SHOWN])}, where the collection "
        f"has {', '.join(dict.fromkeys(there)) or 'none'}; {remedy}"
    )


def _first_of_equal(*columns: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Places of the rows that are equal to no earlier one, ascending."""
    order = np.lexsort(columns)  # stable: of equal rows the first one stays first
    new = np.ones(len(order), dtype=bool)
    new[1:] = np.any([np.diff(column[order]) != 0 for column in columns], axis=0)
    return np.sort(order[new])


def _batches(
    store: Store, interactions: Interactions, columns: Mapping[str, str] | None
) -> Iterator[InteractionColumns]:
    if columns is not None and not isinstance(interactions, str | PathLike):
        raise InputError("columns name those of a table: expected interactions to be a path")
    if interactions is None:
        yield from store.stream_interactions()
    elif isinstance(interactions, InteractionColumns):
        yield interactions
    elif isinstance(interactions, str | PathLike):
        for batch in read_interactions(Path(interactions), columns=columns):
            yield columns_of(batch)
    else:
        part: list[Interaction] = []
        for each in interactions:
            part.append(each)
            if len(part) == BATCH:
                yield columns_of(part)
                part = []
        if part:
            yield columns_of(part)
