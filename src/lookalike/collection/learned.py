"""What was learned from all interactions of a collection, kept with it and brought up to date."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from lookalike.collection.saved_recommender import load, payload
from lookalike.collection.units import UNKNOWN, Units
from lookalike.errors import CollectionBusy, InputError
from lookalike.store.base import Fitted, Store
from lookalike.store.interactions import RECOMMENDER
from lookalike.tasks.recommend.catalogue import Catalogue
from lookalike.tasks.recommend.learning import Events, learn_together
from lookalike.tasks.recommend.taste import HALF_LIFE
from lookalike.tasks.recommend.together import Together

FEWEST_EVENTS, FEWEST_USERS = 200, 20
"""Below these a collection learns nothing by itself: a few people's company is chance."""

GROWN = 2.0
"""Factor by which interactions grow until what was learned is learned anew."""

LOOKED, FEW_TO_COUNT = 30.0, 10_000
"""Seconds after which it is looked again whether interactions have grown so; so few are counted with every event."""

ATTEMPTS = 3
"""How often it is learned anew when users are forgotten meanwhile."""


class _Look(NamedTuple):
    """The last time that interactions were counted: when, of which versions, how many."""

    at: float
    state: tuple[int, int | None]
    interactions: int


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """What goes together, in the numbers of some units.

    Args:
        together: The model, one number a unit.
        half_life: Days after which an event counts half, chosen by what foretells best; None: nothing decays.
        provenance: Settings, how they were chosen, and how much it was learned from.
        version: Of what is kept.
    """

    together: Together = field(repr=False)
    half_life: float | None
    provenance: Mapping[str, Any] = field(repr=False)
    version: int

    def summary(self) -> dict[str, Any]:
        """What an answer says of it."""
        return {
            "version": self.version,
            **{name: self.provenance[name] for name in ("users", "events", "ridge", "half_life_days")},
        }

    def to_dict(self) -> dict[str, Any]:
        """All that is known of it, as plain types, for JSON."""
        return {"version": self.version, **self.provenance}


class Learning:
    """Learns, keeps and gives what was learned of one collection.

    One thread learns at a time; the others are answered with what was learned before.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._busy = threading.Lock()
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[int, Units, Learned]] = {}
        self._looked: dict[str, _Look] = {}

    def half_life(self, group_by: str | None) -> float | None:
        """Days after which an event counts half: what was learned last, or the default."""
        fitted = self._fitted(_name(group_by))
        if fitted is None:
            return HALF_LIFE
        days: float | None = fitted.provenance["half_life_days"]
        return days

    def current(self, units: Units, catalogue: Catalogue) -> Learned | None:
        """What was learned, in the numbers of these units; learned first if it is time to; None if there is too little.

        Args:
            units: Of the collection as it is now.
            catalogue: All of them.
        """
        name = _name(units.group_by)
        fitted = self._fitted(name)
        if self._busy.acquire(blocking=False):
            try:
                learned = self._learn(units, catalogue, seed=0) if self._due(name, fitted) else None
            finally:
                self._busy.release()
            if learned is not None:
                return learned
        if fitted is None:
            return None
        with self._lock:
            kept = self._kept.get(name)
            if kept is not None and kept[0] == fitted.version and kept[1] is units:
                return kept[2]
        saved = load(self._store, name)
        if saved is None:
            return None
        together = saved.for_units(units, catalogue)
        learned = Learned(together, saved.provenance["half_life_days"], saved.provenance, saved.version)
        with self._lock:
            self._kept[name] = (saved.version, units, learned)
        return learned

    def learn(self, units: Units, catalogue: Catalogue, seed: int) -> Learned:
        """Learn anew from all interactions, and keep it.

        Raises:
            InputError: If no interaction names what is in the collection.
        """
        with self._busy:
            learned = self._learn(units, catalogue, seed)
        if learned is None:
            what = "an item" if units.group_by is None else f"an item or a {units.group_by}"
            raise InputError(
                f"none of the collection's {self._store.interaction_counts().interactions:,} interactions names "
                f"{what}, so there is nothing to learn from: record or import interactions, add the items that "
                "they name, or group by the attribute that they name"
            )
        return learned

    def _fitted(self, name: str) -> Fitted | None:
        return next((each for each in self._store.fitted(RECOMMENDER) if each.name == name), None)

    def _due(self, name: str, fitted: Fitted | None) -> bool:
        """Whether interactions have grown enough; counting many takes time, so it is not done with every event."""
        state = (self._store.interaction_version(), None if fitted is None else fitted.version)
        before, now = self._looked.get(name), time.monotonic()
        if before is not None:
            soon = now - before.at < LOOKED and (fitted is not None or before.interactions > FEW_TO_COUNT)
            if before.state == state or (soon and before.state[1] == state[1]):
                return False
        counts = self._store.interaction_counts()
        self._looked[name] = _Look(now, state, counts.interactions)
        if fitted is None:
            return counts.interactions >= FEWEST_EVENTS and counts.users >= FEWEST_USERS
        return bool(counts.interactions >= GROWN * fitted.provenance["interactions"])

    def _learn(self, units: Units, catalogue: Catalogue, seed: int) -> Learned | None:
        """Learn and keep; None where no interaction names a unit."""
        for attempt in range(ATTEMPTS):
            forgotten = self._store.forgotten_users()
            events, interactions = self._events(units)
            if not len(events.user):
                return None
            together, told = learn_together(events, catalogue, seed=seed)
            provenance = {
                **told,
                "group_by": units.group_by,
                "interactions": interactions,
                "unknown": interactions - len(events.user),
                "seed": seed,
            }
            try:
                fitted = self._store.put_fitted(
                    RECOMMENDER,
                    _name(units.group_by),
                    payload(together, units),
                    fingerprint=self._store.space().fingerprint,
                    provenance=provenance,
                    forgotten=forgotten,
                )
            except CollectionBusy:  # somebody it was learned from is not to be known any more
                if attempt == ATTEMPTS - 1:
                    raise
                continue
            learned = Learned(together, provenance["half_life_days"], provenance, fitted.version)
            with self._lock:
                self._kept[fitted.name] = (fitted.version, units, learned)
            return learned
        return None

    def _events(self, units: Units) -> tuple[Events, int]:
        """The interactions that name a unit, and how many there are in all."""
        weights = self._store.event_weights()
        parts: list[Events] = []
        users = interactions = 0
        for batch in self._store.stream_interactions():
            interactions += len(batch)
            found = units.find(batch.items)[batch.item]
            here = found != UNKNOWN
            of_event = np.array([weights.get(event, 0.0) for event in batch.events])[batch.event]
            parts.append(
                Events(
                    user=users + batch.user[here],
                    unit=found[here],
                    weight=(of_event * batch.weight)[here],
                    time=batch.time[here],
                    liked=of_event[here] > weights["view"],
                )
            )
            users += len(batch.users)
        return Events.joined(parts), interactions


def _name(group_by: str | None) -> str:
    return "items" if group_by is None else f"by {group_by}"
