"""What was learned from all interactions of a collection, kept with it and brought up to date.

Who only looks (``save=False``) may not change the collection: what is learned for them is kept by this process alone,
until something is saved or a user is forgotten.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from lookalike.collection.saved_recommender import SavedRecommender, load, payload
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


class _State(NamedTuple):
    """What an unsaved model goes with; with any other state it is not used any more."""

    fingerprint: str
    forgotten: int
    saved: int | None
    """Version of what is saved."""


class _Own(NamedTuple):
    """A model that this process alone keeps, in which state, and which one it is."""

    model: SavedRecommender
    state: _State
    number: int


class _Basis(NamedTuple):
    """What answers go by: what is saved, or what this process learned since."""

    provenance: Mapping[str, Any]
    stamp: tuple[int | None, int]
    """Version of what is saved, and number of what is not."""
    own: SavedRecommender | None


class _Look(NamedTuple):
    """The last time that interactions were counted: when, of which version, beside what, how many."""

    at: float
    interaction_version: int
    stamp: tuple[int | None, int] | None
    interactions: int


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """What goes together, in the numbers of some units.

    Args:
        together: The model, one number a unit.
        half_life: Days after which an event counts half, chosen by what foretells best; None: nothing decays.
        provenance: Settings, how they were chosen, and how much it was learned from.
        version: Of what is kept; None: it is not saved.
    """

    together: Together = field(repr=False)
    half_life: float | None
    provenance: Mapping[str, Any] = field(repr=False)
    version: int | None

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
        self._kept: dict[str, tuple[tuple[int | None, int], Units, Learned]] = {}
        self._own: dict[str, _Own] = {}
        self._numbers = 0
        self._looked: dict[tuple[str, bool], _Look] = {}

    def half_life(self, group_by: str | None) -> float | None:
        """Days after which an event counts half: what was learned last, or the default."""
        basis = self._basis(_name(group_by))
        if basis is None:
            return HALF_LIFE
        days: float | None = basis.provenance["half_life_days"]
        return days

    def current(self, units: Units, catalogue: Catalogue, *, save: bool = True) -> Learned | None:
        """What was learned, in the numbers of these units; learned first if it is time to; None if there is too little.

        Args:
            units: Of the collection as it is now.
            catalogue: All of them.
            save: Keep with the collection what is learned; without, and where the collection was opened for reading
                only, this process alone keeps it.
        """
        name = _name(units.group_by)
        save = save and not self._store.readonly
        if self._busy.acquire(blocking=False):
            try:
                due = self._due(name, save)
                learned = self._learn(units, catalogue, seed=0, save=save) if due else None
            finally:
                self._busy.release()
            if learned is not None:
                return learned
        basis = self._basis(name)
        if basis is None:
            return None
        with self._lock:
            kept = self._kept.get(name)
            if kept is not None and kept[0] == basis.stamp and kept[1] is units:
                return kept[2]
        model = basis.own or load(self._store, name)
        if model is None:
            return None
        together = model.for_units(units, catalogue)
        learned = Learned(together, model.provenance["half_life_days"], model.provenance, model.version)
        with self._lock:
            stamp = basis.stamp if basis.own is not None else (model.version, 0)
            self._kept[name] = (stamp, units, learned)
        return learned

    def learn(self, units: Units, catalogue: Catalogue, seed: int) -> Learned:
        """Learn anew from all interactions, and keep it.

        Raises:
            InputError: If no interaction names what is in the collection.
        """
        with self._busy:
            learned = self._learn(units, catalogue, seed, save=True)
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

    def _state(self, name: str) -> _State:
        fitted = self._fitted(name)
        return _State(
            self._store.space().fingerprint,
            self._store.forgotten_users(),
            None if fitted is None else fitted.version,
        )

    def _basis(self, name: str, *, saved: bool = False) -> _Basis | None:
        """What answers go by; ``saved``: only what is saved. An unsaved model whose time is over is dropped."""
        fitted = self._fitted(name)
        with self._lock:
            own = self._own.get(name)
        if own is not None and own.state != self._state(name):
            with self._lock:
                self._own.pop(name, None)
                self._kept.pop(name, None)
            own = None
        version = None if fitted is None else fitted.version
        if own is not None and not saved:
            return _Basis(own.model.provenance, (version, own.number), own.model)
        return None if fitted is None else _Basis(fitted.provenance, (version, 0), None)

    def _due(self, name: str, save: bool) -> bool:
        """Whether interactions have grown enough; counting many takes time, so it is not done with every event."""
        basis = self._basis(name, saved=save)
        stamp = None if basis is None else basis.stamp
        version = self._store.interaction_version()
        before, now = self._looked.get((name, save)), time.monotonic()
        if before is not None and before.stamp == stamp:
            soon = now - before.at < LOOKED and (basis is not None or before.interactions > FEW_TO_COUNT)
            if soon or before.interaction_version == version:
                return False
        counts = self._store.interaction_counts()
        self._looked[name, save] = _Look(now, version, stamp, counts.interactions)
        if basis is None:
            return counts.interactions >= FEWEST_EVENTS and counts.users >= FEWEST_USERS
        return bool(counts.interactions >= GROWN * basis.provenance["interactions"])

    def _learn(self, units: Units, catalogue: Catalogue, seed: int, *, save: bool) -> Learned | None:
        """Learn and keep; None where no interaction names a unit."""
        name = _name(units.group_by)
        for attempt in range(ATTEMPTS):
            state = self._state(name)
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
                return (self._save if save else self._keep)(name, units, together, provenance, state)
            except CollectionBusy:  # somebody it was learned from is not to be known any more
                if attempt == ATTEMPTS - 1:
                    raise
        return None

    def _save(
        self, name: str, units: Units, together: Together, provenance: Mapping[str, Any], state: _State
    ) -> Learned:
        fitted = self._store.put_fitted(
            RECOMMENDER,
            name,
            payload(together, units),
            fingerprint=self._store.space().fingerprint,
            provenance=provenance,
            forgotten=state.forgotten,
        )
        learned = Learned(together, provenance["half_life_days"], provenance, fitted.version)
        with self._lock:
            self._own.pop(name, None)
            self._kept[name] = ((fitted.version, 0), units, learned)
        return learned

    def _keep(
        self, name: str, units: Units, together: Together, provenance: Mapping[str, Any], state: _State
    ) -> Learned:
        """Keep it here alone."""
        if self._store.forgotten_users() != state.forgotten:
            raise CollectionBusy(f"users of {self._store.uri} are forgotten again and again: ask again later")
        model = SavedRecommender.unsaved(together, units, provenance)
        learned = Learned(together, provenance["half_life_days"], provenance, None)
        with self._lock:
            self._numbers += 1
            self._own[name] = _Own(model, state, self._numbers)
            self._kept[name] = ((state.saved, self._numbers), units, learned)
        return learned

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
