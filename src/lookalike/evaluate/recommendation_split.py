"""Interactions cut at one moment: what was known then, and what users did next.

Cutting every user's history at the same moment is the one division that keeps the future out of training: leaving out
each user's last interaction lets models learn from what other users did later (Ji, Sun, Zhang and Li 2023,
https://doi.org/10.1145/3569930).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.tasks.recommend.examples import summed
from lookalike.tasks.recommend.taste import SECONDS_A_DAY, decayed

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Numbers = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """Interactions as columns.

    Args:
        users: int64 (n,), numbers of users, from 0.
        units: int64 (n,), numbers of units of the catalogue, from 0.
        times: float64 (n,), seconds since 1970, UTC.
        weights: float64 (n,), how much each is liked, before any decay; below 0 disliked.
        wanted: bool (n,), which are relevant when they come after the split, such as purchases.
    """

    users: Numbers
    units: Numbers
    times: Values
    weights: Values
    wanted: npt.NDArray[np.bool_]

    def __post_init__(self) -> None:
        lengths = {len(column) for column in (self.users, self.units, self.times, self.weights, self.wanted)}
        if len(lengths) != 1:
            raise InputError(
                f"the columns of the events have {sorted(lengths)} rows: expected as many in each"
            )

    def __len__(self) -> int:
        return len(self.users)

    def only(self, chosen: npt.NDArray[np.bool_] | Numbers) -> Events:
        """Some of them, by a mask or by their places."""
        return Events(
            self.users[chosen],
            self.units[chosen],
            self.times[chosen],
            self.weights[chosen],
            self.wanted[chosen],
        )


@dataclass(frozen=True, slots=True, eq=False)
class UnitLists:
    """A set of units for each user.

    Args:
        starts: int64 (users + 1,), where each user's units begin.
        units: int64 (total,), ascending within a user, each once.
    """

    starts: Numbers
    units: Numbers

    def of(self, user: int) -> Numbers:
        """The units of one user, ascending."""
        return self.units[self.starts[user] : self.starts[user + 1]]

    def counts(self) -> Numbers:
        """int64 (users,), how many units each user has."""
        return np.diff(self.starts)

    def take(self, users: Numbers) -> UnitLists:
        """The lists of these users, in this order."""
        counts = self.counts()[users]
        starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        places = np.arange(starts[-1]) + np.repeat(self.starts[users] - starts[:-1], counts)
        return UnitLists(starts, self.units[places])


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Interactions cut at one moment.

    Args:
        time: The moment, seconds since 1970, UTC.
        user_count, unit_count: How many users and units there are.
        train: Events before the moment, by user and then by time.
        starts: int64 (user_count + 1,), where each user's events begin in ``train``.
        seen: Units that each user had interacted with before the moment.
        relevant: Units that each user wanted from the moment on and had not interacted with before.
        warm: int64 (w,), users with relevant units and a past, ascending: those that strategies are measured on.
        cold: int64 (c,), users with relevant units and no past, ascending.
    """

    time: float
    user_count: int
    unit_count: int
    train: Events
    starts: Numbers
    seen: UnitLists
    relevant: UnitLists
    warm: Numbers
    cold: Numbers

    def profile(self, user: int, half_life: float | None) -> tuple[Numbers, Values]:
        """What a user had done by the moment of the split.

        Args:
            user: Number of the user.
            half_life: Days after which an event counts half; None: events do not fade.

        Returns:
            Units int64 (n,), ascending, and their weights float64 (n,), each the sum of its events', above 0 liked and
            below 0 disliked.
        """
        mine = slice(int(self.starts[user]), int(self.starts[user + 1]))
        ages = (self.time - self.train.times[mine]) / SECONDS_A_DAY
        return summed(self.train.units[mine], decayed(self.train.weights[mine], ages, half_life))

    def likings(self, half_life: float | None) -> csr_array:
        """What every user liked by the moment of the split, without dislikes.

        Args:
            half_life: Days after which an event counts half; None: events do not fade.

        Returns:
            Sparse float64 (user_count, unit_count): the sum of the user's events of positive weight.
        """
        from scipy.sparse import coo_array

        liked = self.train.only(self.train.weights > 0)
        ages = (self.time - liked.times) / SECONDS_A_DAY
        values = decayed(liked.weights, ages, half_life)
        shape = (self.user_count, self.unit_count)
        return coo_array((values, (liked.users, liked.units)), shape=shape).tocsr()

    def unit_users(self) -> Numbers:
        """int64 (unit_count,), how many users had interacted with each unit before the moment."""
        return np.bincount(self.seen.units, minlength=self.unit_count).astype(np.int64)

    def unit_events(self) -> Numbers:
        """int64 (unit_count,), how many events each unit had before the moment."""
        return np.bincount(self.train.units, minlength=self.unit_count).astype(np.int64)


def split_at(events: Events, time: float, *, user_count: int, unit_count: int) -> Split:
    """Cut interactions at one moment, the same for every user.

    Args:
        events: All interactions, in any order.
        time: Events before it are known, events at or after it are what is to be foreseen; seconds since 1970, UTC.
        user_count, unit_count: How many users and units there are; units nobody touched included.

    Raises:
        InputError: If nothing lies before the moment, or nobody wanted anything new after it.
    """
    before = events.times < time
    if not before.any() or before.all():
        raise InputError(
            f"the split at {_text(time)} leaves {int(before.sum()):,} of {len(events):,} interactions before it: they "
            f"{_span(events)}. Choose a moment inside"
        )
    known = events.only(before)
    train = known.only(np.lexsort((known.times, known.users)))
    starts = np.searchsorted(train.users, np.arange(user_count + 1)).astype(np.int64)
    seen = np.unique(train.users * unit_count + train.units)
    later = events.only(~before & events.wanted)
    wanted = np.setdiff1d(later.users * unit_count + later.units, seen)
    relevant = _lists(wanted, user_count, unit_count)
    asking = np.flatnonzero(relevant.counts())
    if not len(asking):
        raise InputError(
            f"from {_text(time)} on nobody did a wanted event with a unit that was new to them: choose an earlier "
            "split, or other events"
        )
    with_past = np.diff(starts)[asking] > 0
    return Split(
        time,
        user_count,
        unit_count,
        train,
        starts,
        _lists(seen, user_count, unit_count),
        relevant,
        asking[with_past],
        asking[~with_past],
    )


def _lists(keys: Numbers, user_count: int, unit_count: int) -> UnitLists:
    """From sorted ``user * unit_count + unit``."""
    users, units = np.divmod(keys, unit_count)
    starts = np.searchsorted(users, np.arange(user_count + 1)).astype(np.int64)
    return UnitLists(starts, units)


def _span(events: Events) -> str:
    if not len(events):
        return "are none that name a unit of the collection"
    return f"run from {_text(events.times.min())} to {_text(events.times.max())}"


def _text(time: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(float(time), UTC).isoformat()
