"""How much to penalise and how fast to forget, chosen by foretelling the last part of the interactions from the first.

One global split in time, as the evaluation makes it, but inside the interactions that may be learned from.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.tasks.recommend.taste import HALF_LIFE, SECONDS_A_DAY
from lookalike.tasks.recommend.together import Floats, Together
from lookalike.tasks.recommend.together_fit import (
    LEAST_LIKING,
    MOST_LIKED,
    NEIGHBOURS,
    RIDGE,
    checked_events,
    fit_several,
    matrix_of_likes,
)
from lookalike.types import Rows
from lookalike.vectors.threads import one_thread_each

if TYPE_CHECKING:
    from scipy.sparse import csr_array

RIDGES = (0.5, 1.0, 2.0, 4.0, 8.0)
HALF_LIVES: tuple[float | None, ...] = (7.0, 14.0, 30.0, 60.0, None)
"""Days to choose from; None: nothing is forgotten."""

HELD_OUT = 0.2
"""Share of the likes, the latest, that are foretold."""

LEAST_USERS = 30
"""With fewer of whom something can be foretold, chance would choose."""

MOST_USERS = 2000
K = 20
BLOCK = 256
"""Users whose scores are held at a time."""


class Measured(NamedTuple):
    """How well one choice foretold.

    Args:
        ridge: Of :func:`..together_fit.fit_together`.
        half_life: Days; None: nothing is forgotten.
        recall, ndcg: At 20, means over the users, in [0, 1].
    """

    ridge: float
    half_life: float | None
    recall: float
    ndcg: float


@dataclass(frozen=True, slots=True)
class Validation:
    """What was chosen, and why.

    Args:
        ridge, half_life: The choice; the defaults when there was too little to choose by.
        validated: Whether it was chosen by measures.
        users: Of whom something was foretold.
        cut: Seconds since 1970: learned from what is earlier; None when there are no likes.
        table: Measures of every choice; empty when there was too little to choose by.
    """

    ridge: float
    half_life: float | None
    validated: bool
    users: int
    cut: float | None
    table: tuple[Measured, ...]


class _Events(NamedTuple):
    """Checked events; users numbered from 0."""

    user: Rows
    unit: Rows
    weight: Floats
    time: Floats
    liked: npt.NDArray[np.bool_]


class _Task(NamedTuple):
    """Users, what they did before the cut, and what they liked after it.

    Args:
        rows: int64 (e,), whose of the sampled users each earlier event is.
        units: int64 (e,).
        weights: float64 (e,), of any sign.
        ages: float64 (e,), days before the cut.
        wanted: Units of each user that are to be foretold, int64 ascending.
    """

    rows: Rows
    units: Rows
    weights: Floats
    ages: Floats
    wanted: list[Rows]


@one_thread_each()
def validate_together(
    user: Rows,
    unit: Rows,
    weight: Floats,
    time: Floats,
    liked: npt.NDArray[np.bool_],
    *,
    units: int,
    neighbours: int = NEIGHBOURS,
    ridges: Sequence[float] = RIDGES,
    half_lives: Sequence[float | None] = HALF_LIVES,
    most_users: int = MOST_USERS,
    seed: int = 0,
) -> Validation:
    """Choose the penalty of the model and the half-life of profiles.

    The model is fitted on the events before the time that a fifth of the likes lies behind; of users with events on
    both sides, what they liked after it, and had not met before, is looked for among the 20 best of all units that they
    had not met.

    Args:
        user: int64 (e,), any numbers of at least 0.
        unit: int64 (e,), 0 to units - 1.
        weight: float64 (e,), what each event weighs, without any decay.
        time: float64 (e,), seconds.
        liked: bool (e,), which events are worth foretelling: likes and purchases rather than views.
        units: How many there are.
        neighbours: As in :func:`..together_fit.fit_together`.
        ridges: Penalties to choose from.
        half_lives: Days to choose from; None: nothing is forgotten.
        most_users: Of more a sample is measured.
        seed: Of the sample.

    Returns:
        The choice with its measures: of those whose nDCG@20 is not clearly below the greatest (by one standard error)
        the one whose penalty is nearest to the default; the defaults, ``validated`` false, when fewer than 30 users can
        be measured.

    Raises:
        InputError: If an argument is wrong.
    """
    events = _checked(user, unit, weight, time, liked, units=units)
    finite = [value for value in (*ridges, *half_lives) if value is not None]
    if not ridges or not half_lives or not all(np.isfinite(value) and value > 0 for value in finite):
        raise InputError(
            f"ridges {list(ridges)} and half_lives {list(half_lives)}: expected at least one of each, all > 0; None is "
            "a half-life without end"
        )
    if most_users < 1:
        raise InputError(f"most_users = {most_users}: expected at least 1")
    if not events.liked.any():
        return Validation(RIDGE, HALF_LIFE, False, 0, None, ())
    cut = float(np.quantile(events.time[events.liked], 1 - HELD_OUT))
    task = _task(events, cut, units, most_users, seed)
    if len(task.wanted) < LEAST_USERS:
        return Validation(RIDGE, HALF_LIFE, False, len(task.wanted), cut, ())
    table, gains = [], []
    for ridge, model in zip(ridges, _models(events, cut, units, neighbours, ridges), strict=True):
        for half_life in half_lives:
            recall, gain = _measured(model, task, half_life)
            table.append(Measured(float(ridge), half_life, float(recall.mean()), float(gain.mean())))
            gains.append(gain)
    chosen = _choice(table, gains)
    return Validation(chosen.ridge, chosen.half_life, True, len(task.wanted), cut, tuple(table))


def _checked(
    user: Rows, unit: Rows, weight: Floats, time: Floats, liked: npt.NDArray[np.bool_], *, units: int
) -> _Events:
    user, unit, weight = checked_events(user, unit, weight, units=units)
    time, liked = np.asarray(time, dtype=np.float64), np.asarray(liked)
    if time.shape != user.shape or liked.shape != user.shape or not np.isfinite(time).all():
        raise InputError(
            f"time {time.shape} and liked {liked.shape} do not fit {len(user)} events: expected a finite number of "
            "seconds and a bool for each"
        )
    if liked.dtype != bool:
        raise InputError(f"liked is {liked.dtype}: expected bool, whether each event is worth foretelling")
    return _Events(np.unique(user, return_inverse=True)[1], unit, weight, time, liked & (weight > 0))


def _models(
    events: _Events, cut: float, units: int, neighbours: int, ridges: Sequence[float]
) -> list[Together]:
    """Models of the events before the cut, with the penalties that all events would have.

    A penalty is worth a number of likes, however many there are: as a multiple of the mean it is greater when there are
    fewer.
    """
    before = events.time < cut
    most = {"units": units, "most_liked": MOST_LIKED}
    part = matrix_of_likes(events.user[before], events.unit[before], events.weight[before], **most)
    whole = matrix_of_likes(events.user, events.unit, events.weight, **most)
    scale = (whole.squares.sum() / np.count_nonzero(whole.squares)) / (
        part.squares.sum() / np.count_nonzero(part.squares)
    )
    return fit_several(
        events.user[before],
        events.unit[before],
        events.weight[before],
        units=units,
        neighbours=neighbours,
        ridges=[scale * ridge for ridge in ridges],
    )


def _task(events: _Events, cut: float, units: int, most_users: int, seed: int) -> _Task:
    """What is to be foretold of a sample of the users."""
    pair, before = events.user * units + events.unit, events.time < cut
    new = np.setdiff1d(pair[events.liked & ~before], pair[before])
    who = np.intersect1d(new // units, events.user[before & (events.weight >= LEAST_LIKING)])
    if len(who) > most_users:
        who = np.sort(np.random.default_rng(seed).permutation(who)[:most_users])
    new = new[np.isin(new // units, who)]
    wanted = np.split(new % units, np.searchsorted(new // units, who[1:])) if len(who) else []
    own = before & np.isin(events.user, who)
    ages = (cut - events.time[own]) / SECONDS_A_DAY
    return _Task(np.searchsorted(who, events.user[own]), events.unit[own], events.weight[own], ages, wanted)


def _choice(table: Sequence[Measured], gains: Sequence[Floats]) -> Measured:
    """The choice nearest to the default penalty of those that are not clearly worse than the best.

    Not clearly worse: by no more than the standard error of the difference, user by user. Of several with that penalty,
    the best.
    """
    best = max(range(len(table)), key=lambda choice: table[choice].ndcg)
    good = []
    for measured, gain in zip(table, gains, strict=True):
        behind = gains[best] - gain
        if behind.mean() <= behind.std() / math.sqrt(len(behind)):
            good.append(measured)
    return min(good, key=lambda measured: (abs(math.log(measured.ridge / RIDGE)), -measured.ndcg))


def _measured(model: Together, task: _Task, half_life: float | None) -> tuple[Floats, Floats]:
    """recall@20 and nDCG@20 of each user."""
    discounts = 1 / np.log2(np.arange(K) + 2)
    recalls, gains = [], []
    for wanted, best in zip(task.wanted, _best(model, task, half_life), strict=True):
        hits = np.isin(best, wanted)
        recalls.append(hits.sum() / len(wanted))
        gains.append(discounts[: len(best)][hits].sum() / discounts[: min(K, len(wanted))].sum())
    return np.array(recalls), np.array(gains)


def _best(model: Together, task: _Task, half_life: float | None) -> Iterator[Rows]:
    """The best units of each user that they had not met, at most 20; of equal ones the first."""
    profiles = _profiles(model, task, half_life)
    matrix = _matrix(model)
    order = np.argsort(task.rows, kind="stable")
    bounds = np.searchsorted(task.rows[order], np.arange(len(task.wanted) + 1))
    met = np.zeros(model.units, dtype=bool)
    for first in range(0, len(task.wanted), BLOCK):
        block = profiles[first : first + BLOCK] @ matrix
        for place in range(block.shape[0]):
            own = task.units[order[bounds[first + place] : bounds[first + place + 1]]]
            met[own] = True
            row = slice(block.indptr[place], block.indptr[place + 1])
            fresh = ~met[block.indices[row]]
            met[own] = False
            units, scores = block.indices[row][fresh], block.data[row][fresh]
            if len(units) > K:
                good = scores >= np.partition(scores, len(scores) - K)[len(scores) - K]
                units, scores = units[good], scores[good]
            yield units[np.lexsort((units, -scores))][:K].astype(np.int64)


def _profiles(model: Together, task: _Task, half_life: float | None) -> csr_array:
    """Liking of each user for each unit at the cut, float64 CSR."""
    from scipy.sparse import csr_array

    liking = np.maximum(task.weights, 0.0)
    if half_life is not None:
        liking = liking * 0.5 ** (task.ages / half_life)
    return csr_array((liking, (task.rows, task.units)), shape=(len(task.wanted), model.units))


def _matrix(model: Together) -> csr_array:
    from scipy.sparse import csr_array

    values = model.data.astype(np.float64)
    return csr_array((values, model.indices, model.indptr), shape=(model.units, model.units))
