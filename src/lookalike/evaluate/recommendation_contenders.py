"""Everything that an evaluation of recommendation compares: our strategies, and what they have to beat."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lookalike.errors import InputError
from lookalike.evaluate.recommendation import NOTHING
from lookalike.evaluate.recommendation_baselines import (
    Scorer,
    decayed_average,
    item_knn,
    last_item,
    popularity,
    random_order,
    rank,
    tie_order,
)
from lookalike.evaluate.recommendation_split import Numbers, Split
from lookalike.tasks.recommend.catalogue import ArrayCatalogue, Catalogue
from lookalike.tasks.recommend.examples import Examples
from lookalike.tasks.recommend.recommender import recommend
from lookalike.tasks.recommend.taste import STRATEGIES, Taste
from lookalike.tasks.recommend.together import Together
from lookalike.types import Embeddings

INTERESTS = "interests"
"""Our strategy as users get it: the one that the others are compared with."""

LOOKS_ALONE = "interests_looks_alone"
"""The same without what other people did."""

OURS: Mapping[str, Taste] = {
    INTERESTS: Taste(),
    LOOKS_ALONE: Taste(together=False),
    **{name: Taste(strategy=name) for name in STRATEGIES if name != INTERESTS},
}
"""Rows that the recommender itself answers, by name."""

BASELINES = (
    "item_knn_decayed",
    "item_knn",
    "decayed_average",
    "last_item",
    "popularity_recent",
    "popularity",
    "random",
)
NAMES = (*OURS, *BASELINES)

FOR_ANYBODY = frozenset({"popularity_recent", "popularity", "random"})
"""Baselines that have something to say to a user without a past."""

Step = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Contender:
    """One row of the comparison.

    Args:
        name: Of the row.
        lists: Users int64 (q,) to their lists int64 (q, k), best first, filled with -1; nothing they had seen.
        for_anybody: Whether it has something to say to a user without a past.
        asks: Whether the recommender itself is asked, user by user, each a step of ``Field.step``.
    """

    name: str
    lists: Callable[[Numbers], Numbers]
    for_anybody: bool
    asks: bool


@dataclass(frozen=True, slots=True)
class Field:
    """What all contenders are told.

    Args:
        split: What was known; its ``relevant`` is for the measures alone.
        vectors: float32 (n, d) of the units, L2-normalised rows.
        k: Units a list, at least 1.
        half_life: Days after which an event counts half, for the strategies and for the baselines that decay.
        together: What goes together, learned from the interactions before the split; None: nothing was learned.
        seeds: int64 (user_count,), of what is drawn at random for each user.
        seed: Of what decides between units of equal score.
        step: Called after every list that takes time to make.
    """

    split: Split
    vectors: Embeddings
    k: int
    half_life: float | None
    together: Together | None
    seeds: Numbers
    seed: int
    step: Step

    def __post_init__(self) -> None:
        if isinstance(self.k, bool) or not isinstance(self.k, int) or self.k < 1:
            raise InputError(f"k is {self.k!r}: expected a whole number of at least 1, the length of a list")
        if len(self.vectors) != self.split.unit_count or len(self.seeds) != self.split.user_count:
            raise InputError(
                f"{len(self.vectors)} vectors and {len(self.seeds)} seeds for {self.split.unit_count} units and "
                f"{self.split.user_count} users: expected one each"
            )


def contenders(
    field: Field, names: Sequence[str] | None = None, *, tastes: Mapping[str, Taste] | None = None
) -> list[Contender]:
    """The rows to compare.

    Args:
        field: What they are told.
        names: Some of ``NAMES``; None: all.
        tastes: Further settings of the recommender, by the names of their rows.

    Raises:
        InputError: If a name is not known or given twice, or there is none.
    """
    chosen, added = NAMES if names is None else names, dict(tastes or {})
    check_names(chosen, added)
    ours = {name: OURS[name] for name in chosen if name in OURS} | added
    catalogue = ArrayCatalogue(field.vectors)
    order = tie_order(field.split, seed=field.seed)
    rows = []
    for name in [*chosen, *added]:
        if name in ours:
            lists = _asking(field, catalogue, ours[name])
            rows.append(Contender(name, lists, for_anybody=ours[name].strategy == INTERESTS, asks=True))
        else:
            lists = _ranking(field, name, order)
            rows.append(Contender(name, lists, for_anybody=name in FOR_ANYBODY, asks=False))
    return rows


def check_names(names: Sequence[str], added: Mapping[str, Taste]) -> None:
    """Make sure that names are known and each row has one of its own.

    Raises:
        InputError: If not, or there is none.
    """
    if isinstance(names, str):
        raise InputError(f"strategies {names!r}: expected a list of some of {', '.join(NAMES)}")
    every = [*names, *added]
    unknown = [name for name in names if name not in NAMES]
    twice = sorted({name for name in every if every.count(name) > 1})
    if unknown or not every:
        what = ", ".join(map(repr, unknown))
        raise InputError(
            f"strategies {what or 'are none'}: expected some of {', '.join(NAMES)}, or None for all of them"
        )
    if twice:
        raise InputError(f"strategies {', '.join(twice)} are given twice: give each row a name of its own")


def _asking(field: Field, catalogue: Catalogue, taste: Taste) -> Callable[[Numbers], Numbers]:
    """Lists of the recommender itself, one user at a time, as it is used."""
    support = None if field.together is None else field.together.support

    def lists(users: Numbers) -> Numbers:
        found = np.full((len(users), field.k), NOTHING, dtype=np.int64)
        for row, user in enumerate(users.tolist()):
            units, weights = field.split.profile(user, field.half_life)
            answer = recommend(
                Examples(units, field.vectors[units], weights),
                catalogue,
                k=field.k,
                taste=taste,
                exclude=field.split.seen.of(user),
                together=field.together,
                popularity=support,
                seed=int(field.seeds[user]),
            )
            found[row, : len(answer.units)] = answer.units
            field.step()
        return found

    return lists


def _ranking(field: Field, name: str, order: Numbers) -> Callable[[Numbers], Numbers]:
    """Lists of a baseline."""

    def lists(users: Numbers) -> Numbers:
        scorer = _scorer(field, name)
        return rank(scorer, users, field.split.seen, order, k=field.k)

    return lists


def _scorer(field: Field, name: str) -> Scorer:
    split, vectors, half_life = field.split, field.vectors, field.half_life
    made: dict[str, Callable[[], Scorer]] = {
        "item_knn_decayed": lambda: item_knn(split, half_life=half_life),
        "item_knn": lambda: item_knn(split),
        "decayed_average": lambda: decayed_average(split, vectors, half_life=half_life),
        "last_item": lambda: last_item(split, vectors),
        "popularity_recent": lambda: popularity(split, half_life=half_life),
        "popularity": lambda: popularity(split),
        "random": lambda: random_order(split, field.seeds),
    }
    return made[name]()
