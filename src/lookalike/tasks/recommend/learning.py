"""Learning from everyone's interactions: settings chosen by what they foretell, new units helped by look-alikes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.tasks.recommend.catalogue import ENOUGH, Catalogue, Units
from lookalike.tasks.recommend.together import Together
from lookalike.tasks.recommend.together_adoption import KAPPA, TEMPERATURE, choose_temperature
from lookalike.tasks.recommend.together_fit import fit_together
from lookalike.tasks.recommend.together_validation import validate_together

LOOKALIKES = 10
"""Visual neighbours that a unit of little support is lent from."""

SUPPORTED = 2 * KAPPA
"""Supporters from which on a unit speaks for itself: look-alikes would add a third at most."""

MOST_ADOPTED = 20_000
"""Units that are adopted, the newest: each takes a search."""

BLOCK = 256
"""Units whose neighbours are looked for at a time."""

SAMPLE = 2000
"""Units that the temperature is chosen on."""


class Events(NamedTuple):
    """Interactions as columns, of units that exist.

    Args:
        user: int64 (e,), any numbers of at least 0.
        unit: int64 (e,).
        weight: float64 (e,), not decayed.
        time: float64 (e,), seconds since 1970 UTC.
        liked: bool (e,), which are worth foretelling: more than a view.
    """

    user: npt.NDArray[np.int64]
    unit: npt.NDArray[np.int64]
    weight: npt.NDArray[np.float64]
    time: npt.NDArray[np.float64]
    liked: npt.NDArray[np.bool_]

    @classmethod
    def joined(cls, parts: Sequence[Events]) -> Events:
        """All of them, one after another."""
        nobody = cls(
            np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), np.empty(0), np.empty(0, np.bool_)
        )
        user, unit, weight, time, liked = (
            np.concatenate(columns) for columns in zip(nobody, *parts, strict=True)
        )
        return cls(user, unit, weight, time, liked)


def learn_together(events: Events, catalogue: Catalogue, *, seed: int = 0) -> tuple[Together, dict[str, Any]]:
    """Learn what goes together.

    The penalty of the model and the half-life of profiles are those that foretell the last fifth of the likes best from
    what came before (:mod:`.together_validation`); then the model is fitted on everything, and units that few people
    liked are lent what their look-alikes are known for.

    Args:
        events: From all users.
        catalogue: All units.
        seed: Of the samples that settings are chosen on.

    Returns:
        The model, and how it came to be, as JSON.
    """
    units = len(catalogue)
    liked = events.liked if events.liked.any() else events.weight > 0  # of a shop that knows views alone
    chosen = validate_together(
        events.user, events.unit, events.weight, events.time, liked, units=units, seed=seed
    )
    together = fit_together(events.user, events.unit, events.weight, units=units, ridge=chosen.ridge)
    temperature, agreement = _temperature(together, catalogue, seed)
    weak = np.flatnonzero(together.support < SUPPORTED)[-MOST_ADOPTED:]
    together = adopted(together, weak, catalogue, temperature=temperature)
    return together, {
        "users": together.users,
        "events": together.events,
        "units": units,
        "adopted": len(weak),
        "neighbours": together.neighbours,
        "ridge": chosen.ridge,
        "half_life_days": chosen.half_life,
        "chosen_by_measure": chosen.validated,
        "measured_users": chosen.users,
        "measured": [row._asdict() for row in chosen.table],
        "temperature": temperature,
        "temperatures": {str(each): value for each, value in agreement.items()},
    }


def adopted(together: Together, units: Units, catalogue: Catalogue, *, temperature: float) -> Together:
    """The model with units that take part through their look-alikes.

    Args:
        together: The model.
        units: int64 (m,), the units to adopt.
        catalogue: All units, of which look-alikes that have support are taken.
        temperature: How much nearer look-alikes count more, as :func:`learn_together` chose it.
    """
    if not len(units) or not together.support.any():
        return together
    near, cosines = _lookalikes(units, catalogue)
    return together.adopt(units, near, cosines, temperature=temperature)


def _lookalikes(units: Units, catalogue: Catalogue) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Visual neighbours int64 (m, LOOKALIKES) and their cosines; -1 for the unit itself."""
    near = np.full((len(units), LOOKALIKES), -1, dtype=np.int64)
    cosines = np.zeros((len(units), LOOKALIKES), dtype=np.float32)
    count = min(LOOKALIKES + 1, len(catalogue))
    for start in range(0, len(units), BLOCK):
        block = units[start : start + BLOCK]
        found, scores = catalogue.nearest(catalogue.vectors(block), count, recall=ENOUGH)
        for at, (unit, row, score) in enumerate(zip(block.tolist(), found, scores, strict=True), start=start):
            kept = np.flatnonzero((row >= 0) & (row != unit))[:LOOKALIKES]
            near[at, : len(kept)], cosines[at, : len(kept)] = row[kept], score[kept]
    return near, cosines


def _temperature(together: Together, catalogue: Catalogue, seed: int) -> tuple[float, dict[float, float]]:
    """How much nearer look-alikes count more, chosen on a sample of well supported units."""
    strong = np.flatnonzero(together.support >= SUPPORTED)
    if not len(strong):
        return TEMPERATURE, {}
    sample = np.sort(np.random.default_rng(seed).permutation(strong)[:SAMPLE])
    near, cosines = _lookalikes(sample, catalogue)
    return choose_temperature(together, sample, near, cosines, seed=seed)
