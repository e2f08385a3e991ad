"""What a person likes, read from their interactions and from examples given by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.collection.queries import Query, QueryReader
from lookalike.collection.units import UNKNOWN, Units
from lookalike.errors import InputError
from lookalike.store.gallery import Gallery
from lookalike.tasks.recommend.examples import OUTSIDE, Examples, summed
from lookalike.tasks.recommend.taste import SECONDS_A_DAY, decayed
from lookalike.types import Embeddings, Interaction

LIKED, DISLIKED = 3.0, -3.0
"""Weights of examples given by hand: those of a like and a dislike today, unless a shop set others."""


@dataclass(frozen=True, slots=True, eq=False)
class Liking:
    """Examples, and what they are called.

    Args:
        examples: As a recommendation takes them.
        names: One an example.
        last: The last interaction with each; None for examples given by hand.
        met: int64, units that the person has met, whatever they thought of them.
        refused: int64, units that they do not want to see again.
        events: Interactions that it was made of.
        unknown: Interactions that name nothing in the collection.
    """

    examples: Examples
    names: tuple[str, ...]
    last: tuple[Interaction | None, ...]
    met: npt.NDArray[np.int64]
    refused: npt.NDArray[np.int64]
    events: int = 0
    unknown: int = 0


def liking_of_user(
    interactions: Sequence[Interaction],
    units: Units,
    weights: Mapping[str, float],
    *,
    half_life: float | None,
    at: datetime | None,
) -> Liking:
    """What a user's interactions say.

    Args:
        interactions: Of one user, by time.
        units: What they can name.
        weights: Of the events.
        half_life: Days after which one counts half; None: time takes nothing away.
        at: What comes later is not known; None: now, and a clock that is ahead counts as now.

    Raises:
        InputError: If an event has no weight.
    """
    past = list(interactions) if at is None else [each for each in interactions if each.time <= at]
    now = datetime.now(UTC) if at is None else at
    unknown_events = sorted({each.event for each in past} - set(weights))
    if unknown_events:
        raise InputError(
            f"event {unknown_events[0]!r} has no weight: set one with set_event_weights, such as "
            f"{{{unknown_events[0]!r}: 1.0}}; known are {', '.join(sorted(weights))}"
        )
    found = units.find([each.item for each in past])
    here = np.flatnonzero(found != UNKNOWN)
    of_events = np.array(
        [weights[past[at].event] * past[at].weight for at in here.tolist()], dtype=np.float64
    )
    ages = np.array([(now - past[place].time).total_seconds() / SECONDS_A_DAY for place in here.tolist()])
    met, total = summed(found[here], decayed(of_events, ages, half_life))
    last: dict[int, Interaction] = {}
    for place, unit in zip(here.tolist(), found[here].tolist(), strict=True):
        last[unit] = past[place]
    refused = np.unique(found[here][of_events < 0])
    return Liking(
        examples=Examples(met, units.vectors(met), total),
        names=tuple(last[unit].item for unit in met.tolist()),
        last=tuple(last[unit] for unit in met.tolist()),
        met=met,
        refused=refused,
        events=len(here),
        unknown=len(past) - len(here),
    )


def liking_of_examples(
    like: Sequence[Query],
    dislike: Sequence[Query],
    units: Units,
    reader: QueryReader,
    gallery: Gallery,
) -> Liking:
    """What examples given by hand say.

    A text is a value of the grouping attribute, else an item's id, else a path; an item means its group where items are
    grouped.

    Raises:
        InputError: If one is nothing of the kind, or the same thing is liked and disliked.
        ImageError: If a picture cannot be read.
    """
    inside: dict[int, _Given] = {}
    outside: list[_Given] = []
    for query, weight in [*((q, LIKED) for q in like), *((q, DISLIKED) for q in dislike)]:
        unit = int(units.find([query])[0]) if isinstance(query, str) else UNKNOWN
        if unit == UNKNOWN:
            given = _outside(query, weight, units, reader, gallery)
            if any(each.weight != weight and each.same(given) for each in outside):
                raise InputError(f"{given.name!r} is liked and disliked: give it once")
            outside.append(given)
        elif unit in inside and inside[unit].weight != weight:
            raise InputError(f"{query!r} is liked and disliked: give it once")
        else:
            inside.setdefault(unit, _Given(str(query), weight, None))
    numbers = np.array(list(inside), dtype=np.int64)
    every = [*inside.values(), *outside]
    vectors = [*units.vectors(numbers), *(each.vector for each in outside)] if every else []
    signed = np.array([each.weight for each in every], dtype=np.float64)
    return Liking(
        examples=Examples(
            np.concatenate([numbers, np.full(len(outside), OUTSIDE)]),
            np.array(vectors, dtype=np.float32).reshape(len(every), -1 if every else gallery.dimensions),
            signed,
        ),
        names=tuple(each.name for each in every),
        last=(None,) * len(every),
        met=np.sort(numbers),
        refused=np.sort(numbers[signed[: len(numbers)] < 0]),
    )


class _Given(NamedTuple):
    """An example given by hand; its vector if it is not in the collection."""

    name: str
    weight: float
    vector: Embeddings | None

    def same(self, other: _Given) -> bool:
        """Whether both are the same picture."""
        return (
            self.vector is not None and other.vector is not None and np.array_equal(self.vector, other.vector)
        )


def _outside(query: Query, weight: float, units: Units, reader: QueryReader, gallery: Gallery) -> _Given:
    example = reader.read(query)
    if example.embedding is None:
        grouped = (
            "nothing is grouped without group_by"
            if units.group_by is None
            else f"grouped by {units.group_by}"
        )
        raise InputError(
            f"{example.name!r} is no item, no value of the grouping attribute and no picture ({grouped}): expected an "
            "id, a file, pixels or a vector"
        )
    return _Given(example.name, weight, gallery.project(example.embedding[None])[0])


def joined(user: Liking, hand: Liking) -> Liking:
    """Both; what was said by hand about a unit takes the place of what the user's interactions say of it."""
    if not len(hand.examples):
        return user
    said = hand.examples.units[hand.examples.units != OUTSIDE]
    kept = np.flatnonzero(~np.isin(user.examples.units, said))
    first, second = user.examples, hand.examples
    examples = Examples(
        np.concatenate([first.units[kept], second.units]),
        np.concatenate([first.vectors[kept], second.vectors]) if len(first) else second.vectors,
        np.concatenate([first.weights[kept], second.weights]),
    )
    return Liking(
        examples=examples,
        names=(*(user.names[place] for place in kept.tolist()), *hand.names),
        last=(*(user.last[place] for place in kept.tolist()), *hand.last),
        met=np.union1d(user.met, hand.met),
        refused=np.union1d(user.refused, hand.refused),
        events=user.events,
        unknown=user.unknown,
    )
