"""Learning: settings that are chosen are kept, and new units take part through their look-alikes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lookalike.tasks.recommend.catalogue import ArrayCatalogue
from lookalike.tasks.recommend.learning import LOOKALIKES, Events, adopted, learn_together
from lookalike.vectors.metrics import normalise

DAY = 86_400.0
KINDS, EACH = 6, 20


@pytest.fixture(scope="module")
def catalogue() -> ArrayCatalogue:
    random = np.random.default_rng(0)
    return ArrayCatalogue(
        normalise(
            np.repeat(np.eye(KINDS, 24), EACH, axis=0) + 0.1 * random.standard_normal((KINDS * EACH, 24))
        )
    )


@pytest.fixture(scope="module")
def events() -> Events:
    """200 users who each like two kinds; the last two units of each kind are met by nobody."""
    random = np.random.default_rng(1)
    user = np.repeat(np.arange(200), 12)
    first = np.repeat(random.integers(KINDS, size=200), 12)
    kind = np.where(random.random(len(user)) < 0.5, first, (first + 2) % KINDS)
    unit = kind * EACH + random.integers(EACH - 2, size=len(user))
    time = random.random(len(user)) * 60 * DAY
    return Events(user, unit, np.full(len(user), 3.0), time, np.ones(len(user), dtype=bool))


def test_what_was_chosen_and_learned_is_told_as_json(events: Events, catalogue: ArrayCatalogue) -> None:
    together, told = learn_together(events, catalogue, seed=0)
    again, same = learn_together(events, catalogue, seed=0)
    assert json.loads(json.dumps(told)) == json.loads(json.dumps(same))
    np.testing.assert_array_equal(together.data, again.data)
    assert told["users"] == 200
    assert told["events"] == len(events.user)
    assert told["chosen_by_measure"]
    best = max(told["measured"], key=lambda row: row["ndcg"])
    chosen = [
        r for r in told["measured"] if (r["ridge"], r["half_life"]) == (told["ridge"], told["half_life_days"])
    ]
    assert chosen[0]["ndcg"] >= 0.95 * best["ndcg"]


def test_a_unit_that_nobody_met_is_spoken_for_through_its_look_alikes(
    events: Events, catalogue: ArrayCatalogue
) -> None:
    together, _ = learn_together(events, catalogue)
    new = EACH - 1  # of kind 0
    company = 2 * EACH + np.arange(5)
    candidates, scores = together.affinity(company, np.ones(5))
    of = dict(zip(candidates.tolist(), scores.tolist(), strict=True))
    stranger = 3 * EACH + EACH - 1  # new as well, of a kind that nobody likes together with that one
    assert of[new] > 0
    assert of[new] > of.get(stranger, 0.0)


def test_nothing_is_adopted_where_nothing_is_known(catalogue: ArrayCatalogue) -> None:
    nothing = Events.joined([])
    together, told = learn_together(nothing, catalogue)
    assert together.adoption is None
    assert told["events"] == 0
    assert not told["chosen_by_measure"]
    assert adopted(together, np.arange(3), catalogue, temperature=0.1) is together


def test_a_unit_is_not_its_own_look_alike(events: Events, catalogue: ArrayCatalogue) -> None:
    together, _ = learn_together(events, catalogue)
    assert together.adoption is not None
    assert together.adoption.lookalikes.shape[1] == LOOKALIKES
    lent = together.adoption.lent > 0
    assert not (together.adoption.lookalikes == together.adoption.units[:, None])[lent].any()
