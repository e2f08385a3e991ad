"""What was learned from all interactions of a collection, kept with it and brought up to date."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.collection.units import UNKNOWN, Units
from lookalike.errors import InputError, NotFitted
from lookalike.store.base import Fitted, Store
from lookalike.tasks.recommend.catalogue import Catalogue
from lookalike.tasks.recommend.learning import Events, adopted, learn_together
from lookalike.tasks.recommend.taste import HALF_LIFE
from lookalike.tasks.recommend.together import Together
from lookalike.types import Rows

KIND = "recommender"

FEWEST_EVENTS, FEWEST_USERS = 200, 20
"""Below these a collection learns nothing by itself: a few people's company is chance."""

GROWN = 2.0
"""Factor by which interactions grow until what was learned is learned anew."""

LOOKED = 30.0
"""Seconds after which it is looked again whether interactions have grown so."""


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """What goes together, in the numbers of some units.

    Args:
        together: The model, one number a unit.
        half_life: Days after which an event counts half, chosen by what foretells best; None: nothing decays.
        provenance: Settings, how they were chosen, and how much it was learned from.
        version: Of what is kept.
    """

    together: Together
    half_life: float | None
    provenance: Mapping[str, Any]
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
    """Learns, keeps and gives what was learned of one collection."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[int, Units, Learned]] = {}
        self._looked: dict[str, float] = {}

    def half_life(self, group_by: str | None) -> float | None:
        """Days after which an event counts half: what was learned last, or the default."""
        for fitted in self._store.fitted(KIND):
            if fitted.name == _name(group_by):
                days: float | None = fitted.provenance["half_life_days"]
                return days
        return HALF_LIFE

    def current(self, units: Units, catalogue: Catalogue) -> Learned | None:
        """What was learned, in the numbers of these units; learned first if it is time to; None if there is too little.

        Args:
            units: Of the collection as it is now.
            catalogue: All of them.
        """
        name = _name(units.group_by)
        with self._lock:
            fitted = next((each for each in self._store.fitted(KIND) if each.name == name), None)
            if self._due(name, fitted):
                learned = self._learn(units, catalogue, seed=0)
                if learned is not None:
                    return learned
            if fitted is None:
                return None
            kept = self._kept.get(name)
            if kept is not None and kept[0] == fitted.version and kept[1] is units:
                return kept[2]
            loaded = _load(self._store, name)
            if loaded is None:
                return None
            rows, of, learned = loaded
            learned = replace(learned, together=_renumbered(learned, rows, of, units, catalogue))
            self._kept[name] = (fitted.version, units, learned)
            return learned

    def learn(self, units: Units, catalogue: Catalogue, seed: int) -> Learned:
        """Learn anew from all interactions, and keep it.

        Raises:
            InputError: If too few interactions name what is in the collection.
        """
        with self._lock:
            learned = self._learn(units, catalogue, seed)
        if learned is None:
            what = "an item" if units.group_by is None else f"an item or a {units.group_by}"
            raise InputError(
                f"none of the collection's {self._store.interaction_counts().interactions:,} interactions names "
                f"{what}, so there is nothing to learn from: record or import interactions, add the items that "
                "they name, or group by the attribute that they name"
            )
        return learned

    def _due(self, name: str, fitted: Fitted | None) -> bool:
        """Whether interactions have grown enough; looked at every LOOKED seconds, since counting takes time."""
        now = time.monotonic()
        if now - self._looked.get(name, -np.inf) < LOOKED:
            return False
        self._looked[name] = now
        counts = self._store.interaction_counts()
        if fitted is None:
            return counts.interactions >= FEWEST_EVENTS and counts.users >= FEWEST_USERS
        return bool(counts.interactions >= GROWN * fitted.provenance["interactions"])

    def _learn(self, units: Units, catalogue: Catalogue, seed: int) -> Learned | None:
        """Learn and keep; None where no interaction names a unit."""
        forgotten = self._store.forgotten_users()
        events, interactions = self._events(units)
        if not len(events.user):
            return None
        together, provenance = learn_together(events, catalogue, seed=seed)
        provenance = {
            **provenance,
            "group_by": units.group_by,
            "interactions": interactions,
            "unknown": interactions - len(events.user),
            "seed": seed,
        }
        if (
            self._store.forgotten_users() != forgotten
        ):  # somebody it was learned from is not to be known any more
            return self._learn(units, catalogue, seed)
        fitted = self._store.put_fitted(
            KIND,
            _name(units.group_by),
            _payload(together, units),
            fingerprint=self._store.space().fingerprint,
            provenance=provenance,
        )
        learned = Learned(together, provenance["half_life_days"], provenance, fitted.version)
        self._kept[fitted.name] = (fitted.version, units, learned)
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


def _payload(together: Together, units: Units) -> bytes:
    """The model, and which rows each of its units stands for."""
    file = io.BytesIO()
    arrays = {name: np.asarray(array) for name, array in together.to_arrays().items()}
    np.savez_compressed(file, rows=units.rows, of=units.of_position, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def _load(store: Store, name: str) -> tuple[Rows, npt.NDArray[np.int64], Learned] | None:
    """The rows that it was learned of, the unit of each, and what was learned."""
    try:
        fitted, payload = store.fitted_payload(KIND, name)
    except NotFitted:
        return None
    with np.load(io.BytesIO(payload), allow_pickle=False) as archive:
        arrays = {key: archive[key] for key in archive.files}
    rows, of = arrays.pop("rows"), arrays.pop("of")
    learned = Learned(
        Together.from_arrays(arrays),
        fitted.provenance["half_life_days"],
        fitted.provenance,
        fitted.version,
    )
    return rows, of, learned


def _renumbered(
    learned: Learned, rows: Rows, of: npt.NDArray[np.int64], units: Units, catalogue: Catalogue
) -> Together:
    """The model in the numbers of today's units; what is gone is left out, what is new is adopted."""
    today = units.of_rows(rows)
    number = np.full(learned.together.units, UNKNOWN, dtype=np.int64)
    here = np.flatnonzero(today != UNKNOWN)[::-1]
    number[of[here]] = today[here]  # of several rows the first that is left decides
    same = learned.together.renumbered(number, len(units))
    new = np.setdiff1d(np.arange(len(units)), number)
    return adopted(same, new, catalogue, temperature=learned.provenance["temperature"])
