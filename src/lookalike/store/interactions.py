"""Interactions as a store takes and gives them, and what every store promises about them.

A store keeps interactions apart from its items: an interaction names an item, or a value of a grouping
attribute, by text. Removing an item leaves the interactions that name it, which are its users' data, and
they stay until their user is forgotten.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.store.attribute_values import MAX_ID, storable_text
from lookalike.types import MOST_WEIGHT, Interaction

Codes: TypeAlias = npt.NDArray[np.int64]
Numbers: TypeAlias = npt.NDArray[np.float64]

EVENT_WEIGHTS: Mapping[str, float] = {
    "view": 1.0,
    "like": 3.0,
    "cart": 4.0,
    "purchase": 5.0,
    "dislike": -3.0,
    "hide": -3.0,
}
"""What events weigh unless the collection says otherwise; below 0 is dislike."""

SHOWN = 10
"""Unknown events that an error names."""

RECOMMENDER = "recommender"
"""Kind of what is fitted on everyone's interactions; it goes when a user is forgotten."""

STREAM_BATCH = 65_536
"""Interactions of one streamed batch, unless told otherwise."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
END = datetime(2200, 1, 1, tzinfo=UTC)
"""Times lie between the two. Seconds in a float64 hold a microsecond there, and a number in a wrong unit
falls outside."""

_MICROSECOND = timedelta(microseconds=1)
_END = (END - EPOCH) // _MICROSECOND


@dataclass(frozen=True, slots=True, eq=False)
class InteractionColumns:
    """Interactions as columns; users, items and events are numbers into lists of their names.

    Args:
        users, items, events: Names, each at least once in its column when a store gives them.
        user, item, event: int64 (n,), positions in these lists.
        time: float64 (n,), seconds since 1970 UTC; exact to the microsecond.
        weight: float64 (n,), at least 0.
    """

    users: list[str]
    user: Codes
    items: list[str]
    item: Codes
    events: list[str]
    event: Codes
    time: Numbers
    weight: Numbers

    def __len__(self) -> int:
        return len(self.user)


@dataclass(frozen=True, slots=True)
class InteractionCounts:
    """How much there is.

    Args:
        interactions, users: How many.
        items: How many different names of items, or of groups of items.
        events: How many interactions of each event, by its name.
        first, last: When the first and the last took place, UTC; None when there are none.
        version: See :meth:`InteractionRecord.interaction_version`.
    """

    interactions: int
    users: int
    items: int
    events: dict[str, int]
    first: datetime | None
    last: datetime | None
    version: int


class InteractionRecord(ABC):
    """The part of a store that keeps interactions."""

    @abstractmethod
    def interaction_version(self) -> int:
        """Counts up with every change of interactions or event weights; cheap enough to ask before every query.

        It is a number of its own: the version of the items, which indexes and filters depend on, stays.
        """

    @abstractmethod
    def put_interactions(self, batch: Sequence[Interaction] | InteractionColumns) -> int:
        """Keep interactions, all of them durably or none.

        An interaction is there already when user, item, event and time (to the microsecond) are the same;
        the first one's weight stays.

        Args:
            batch: Interactions, or many of them as columns, which is several times faster.

        Returns:
            How many were new.

        Raises:
            InputError: If a name cannot be stored, or a time or a weight is out of range.
        """

    @abstractmethod
    def interactions(self, user: str) -> list[Interaction]:
        """What one user did, by time; empty for a user that is not known.

        Raises:
            InputError: If no user can have this name.
        """

    @abstractmethod
    def stream_interactions(self, *, batch: int = STREAM_BATCH) -> Iterator[InteractionColumns]:
        """All interactions, user by user, each user's by time; a consistent snapshot.

        Args:
            batch: Most interactions of a batch. A user is never divided, so that a batch holds more only
                when it is one user's.
        """

    @abstractmethod
    def interaction_counts(self) -> InteractionCounts:
        """How much there is; looks at every interaction."""

    @abstractmethod
    def forget_user(self, user: str) -> int:
        """Remove all interactions of a user, and the user's name; how many interactions there were.

        What was fitted of kind RECOMMENDER goes in the same transaction: it was learned from this user too. What is
        left in free space, and names of items that only this user's interactions had, go with
        ``compact``: after it nothing of the user is in any file of the store.

        Raises:
            InputError: If no user can have this name.
        """

    @abstractmethod
    def forgotten_users(self) -> int:
        """How many users were forgotten so far.

        What is learned from interactions compares it before and after, so that nobody who was forgotten meanwhile is
        kept in what was learned.
        """

    @abstractmethod
    def event_weights(self) -> dict[str, float]:
        """What events weigh: the defaults of ``EVENT_WEIGHTS``, and what was set."""

    @abstractmethod
    def set_event_weights(self, weights: Mapping[str, float | None]) -> None:
        """Set what some events weigh; others stay. None takes back what was set.

        Raises:
            InputError: If a name cannot be stored, a weight is not finite, or an event that interactions have would
                be without one.
        """


def columns_of(batch: Sequence[Interaction]) -> InteractionColumns:
    """Interactions as columns, in the order given."""
    users: dict[str, int] = {}
    items: dict[str, int] = {}
    events: dict[str, int] = {}
    return InteractionColumns(
        user=np.array([users.setdefault(each.user, len(users)) for each in batch], dtype=np.int64),
        item=np.array([items.setdefault(each.item, len(items)) for each in batch], dtype=np.int64),
        event=np.array([events.setdefault(each.event, len(events)) for each in batch], dtype=np.int64),
        time=seconds([microseconds(each.time) for each in batch]),
        weight=np.array([each.weight for each in batch], dtype=np.float64),
        users=list(users),
        items=list(items),
        events=list(events),
    )


def microseconds(time: datetime) -> int:
    """A time with its zone as microseconds since 1970 UTC, exact."""
    return (time - EPOCH) // _MICROSECOND


def moment(time: int) -> datetime:
    """Microseconds since 1970 as a time in UTC, exact."""
    return EPOCH + timedelta(microseconds=time)


def seconds(time: Sequence[int] | Codes) -> Numbers:
    """Microseconds as float64 seconds."""
    return np.asarray(time, dtype=np.int64) / 1e6


def checked_microseconds(time: Numbers) -> Codes:
    """Seconds since 1970 as microseconds, int64 (n,).

    Raises:
        InputError: If one is not between 1970 and 2200.
    """
    whole = np.rint(time * 1e6)
    wrong = np.flatnonzero(~((whole >= 0) & (whole < _END)))
    if len(wrong):
        raise InputError(
            f"the time of an interaction is {time[wrong[0]]} s since 1970: expected a time from "
            f"{EPOCH.year} to {END.year}, UTC; a time in milliseconds has to be divided by 1,000"
        )
    return whole.astype(np.int64)


def checked_weights(weights: Numbers) -> Numbers:
    """Weights of interactions, if each can be one.

    Raises:
        InputError: If one is negative, not finite or too great.
    """
    wrong = np.flatnonzero(~((weights >= 0) & (weights <= MOST_WEIGHT)))
    if len(wrong):
        raise InputError(
            f"the weight of an interaction is {weights[wrong[0]]}: expected a number from 0 to {MOST_WEIGHT:,.0f}; "
            "dislike is said by the event"
        )
    return weights


def checked_name(name: str, what: str) -> str:
    """The name of a user, an item or an event, if a store can keep it.

    Raises:
        InputError: If it is empty, too long or not valid text.
    """
    if not 1 <= len(storable_text(name, f"the name of {what}")) <= MAX_ID:
        raise InputError(
            f"the name of {what} has {len(name)} characters: expected 1 to {MAX_ID}; {name[:60]!r}"
        )
    return str(name)


def unknown_events(names: Iterable[str], weights: Mapping[str, float]) -> InputError:
    """The error for events that weigh nothing, not even 0: names those that do, and the way out.

    Args:
        names: Events without a weight, at least one.
        weights: Of the known events.
    """
    listed = sorted(names)[:SHOWN]
    known = ", ".join(f"{event} {weight:g}" for event, weight in weights.items())
    return InputError(
        f"no weight is known of {'the event' if len(listed) == 1 else 'the events'} "
        f"{', '.join(map(repr, listed))}: expected one of {known}; give it a weight first with "
        f"set_event_weights({{{listed[0]!r}: 1.0}}) (lookalike interactions weights COLLECTION {listed[0]}=1)"
    )
