"""Penalty and half-life are chosen by what foretells the latest likes."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.errors import InputError
from lookalike.tasks.recommend.together_fit import RIDGE, fit_together, matrix_of_likes
from lookalike.tasks.recommend.together_validation import HALF_LIFE, HALF_LIVES, RIDGES, validate_together

USERS, TASTES, PER_TASTE = 150, 10, 60
UNITS = TASTES * PER_TASTE
DAYS = 100


def shop(*, drifting: bool, seed: int = 0) -> dict[str, np.ndarray]:
    """Events over 100 days. A user has one taste at a time: always the same, or another every ten days;
    a third of the events is noise."""
    random = np.random.default_rng(seed)
    count = USERS * 60
    user, time = random.integers(0, USERS, count), np.sort(random.random(count)) * DAYS
    taste = (user * 7 + (time // 10).astype(int) * (3 if drifting else 0)) % TASTES
    taste = np.where(random.random(count) < 1 / 3, random.integers(0, TASTES, count), taste)
    unit = random.integers(0, PER_TASTE, count) * TASTES + taste
    return {
        "user": user,
        "unit": unit,
        "weight": np.where(random.random(count) < 0.4, 3.0, 1.0),
        "time": time * 86400,
        "liked": random.random(count) < 0.5,
    }


def test_drifting_tastes_are_forgotten_and_lasting_ones_are_not() -> None:
    drifting = validate_together(**shop(drifting=True), units=UNITS)
    lasting = validate_together(**shop(drifting=False), units=UNITS)
    assert drifting.validated and lasting.validated
    assert drifting.half_life == 7.0
    assert lasting.half_life is None or lasting.half_life >= 30
    measures = {(m.ridge, m.half_life): m.ndcg for m in drifting.table}
    assert measures[drifting.ridge, 7.0] > 1.2 * measures[drifting.ridge, None]


def test_all_choices_are_in_the_table_and_the_chosen_is_nearly_the_best() -> None:
    found = validate_together(**shop(drifting=False), units=UNITS)
    assert [(m.ridge, m.half_life) for m in found.table] == [(r, h) for r in RIDGES for h in HALF_LIVES]
    measures = {(m.ridge, m.half_life): m.ndcg for m in found.table}
    assert measures[found.ridge, found.half_life] >= 0.95 * max(measures.values())
    assert all(0 <= m.recall <= 1 and 0 <= m.ndcg <= 1 for m in found.table)


def test_the_measures_are_those_of_a_plain_evaluation() -> None:
    events = shop(drifting=True)
    found = validate_together(**events, units=UNITS, ridges=(2.0,), half_lives=(14.0,))
    cut = np.quantile(events["time"][events["liked"]], 0.8)
    assert found.cut == cut
    before = events["time"] < cut
    past = events["user"][before], events["unit"][before], events["weight"][before]
    part = matrix_of_likes(*past, units=UNITS, most_liked=500).squares
    whole = matrix_of_likes(
        events["user"], events["unit"], events["weight"], units=UNITS, most_liked=500
    ).squares
    model = fit_together(*past, units=UNITS, ridge=2.0 * whole.mean() / part.mean())
    recalls, gains = [], []
    for user in range(USERS):
        own = events["user"] == user
        met = set(events["unit"][own & before].tolist())
        wanted = set(events["unit"][own & ~before & events["liked"]].tolist()) - met
        if not met or not wanted:
            continue
        ages = (cut - events["time"][own & before]) / 86400
        weights = events["weight"][own & before] * 0.5 ** (ages / 14)
        units, scores = model.affinity(events["unit"][own & before], weights)
        ranked = [u for _, u in sorted(zip(-scores, units.tolist(), strict=True)) if u not in met][:20]
        hits = [u in wanted for u in ranked]
        recalls.append(sum(hits) / len(wanted))
        ideal = sum(1 / np.log2(place + 2) for place in range(min(20, len(wanted))))
        gains.append(sum(1 / np.log2(place + 2) for place, hit in enumerate(hits) if hit) / ideal)
    assert found.users == len(recalls) > 100
    assert found.table[0].recall == pytest.approx(np.mean(recalls), abs=2e-3)
    assert found.table[0].ndcg == pytest.approx(np.mean(gains), abs=2e-3)


def test_of_many_users_a_sample_is_measured_the_same_each_time() -> None:
    events = shop(drifting=False)
    first, again, other = (
        validate_together(**events, units=UNITS, most_users=50, seed=seed) for seed in (1, 1, 2)
    )
    assert first.users == other.users == 50
    assert first == again
    assert first.table != other.table


def test_too_few_users_leave_the_defaults() -> None:
    events = shop(drifting=False)
    some = events["user"] < 20
    found = validate_together(**{name: values[some] for name, values in events.items()}, units=UNITS)
    assert (found.ridge, found.half_life, found.validated, found.table) == (RIDGE, HALF_LIFE, False, ())
    assert 0 < found.users <= 20


@pytest.mark.parametrize("what", ["nothing", "no likes", "one moment", "faint"])
def test_what_cannot_be_split_leaves_the_defaults(what: str) -> None:
    events = shop(drifting=False)
    if what == "nothing":
        events = {name: values[:0] for name, values in events.items()}
    elif what == "no likes":
        events["liked"] = np.zeros_like(events["liked"])
    elif what == "faint":
        events["weight"] = np.full_like(events["weight"], 1e-12)
    else:
        events["time"] = np.zeros_like(events["time"])
    found = validate_together(**events, units=UNITS)
    assert (found.ridge, found.half_life, found.validated, found.users) == (RIDGE, HALF_LIFE, False, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"time": np.zeros(3)}, "do not fit"),
        ({"time": np.full(USERS * 60, np.nan)}, "do not fit"),
        ({"liked": np.ones(USERS * 60)}, "expected bool"),
        ({"ridges": ()}, "at least one of each"),
        ({"half_lives": (0.0,)}, "all > 0"),
        ({"ridges": (-1.0,)}, "all > 0"),
        ({"most_users": 0}, "most_users = 0"),
    ],
)
def test_wrong_arguments_are_named(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        validate_together(**{**shop(drifting=False), "units": UNITS, **change})  # type: ignore[arg-type]
