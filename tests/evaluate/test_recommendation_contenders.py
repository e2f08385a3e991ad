from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lookalike.errors import InputError
from lookalike.evaluate.recommendation import NOTHING
from lookalike.evaluate.recommendation_contenders import (
    NAMES,
    Field,
    contenders,
)
from lookalike.evaluate.recommendation_split import Events, Split, split_at
from lookalike.tasks.recommend.catalogue import ArrayCatalogue
from lookalike.tasks.recommend.learning import Events as Lessons
from lookalike.tasks.recommend.learning import learn_together
from lookalike.tasks.recommend.taste import Taste
from lookalike.types import Embeddings
from lookalike.vectors.metrics import normalise

USERS, UNITS, K = 40, 60, 10
MOMENT = 70 * 86_400.0


def drawn(seed: int = 0) -> tuple[Events, Embeddings]:
    """Users with a favourite look each; 100 days."""
    rng = np.random.default_rng(seed)
    looks = rng.standard_normal((6, 8))
    of_unit = rng.integers(0, 6, UNITS)
    vectors = normalise(looks[of_unit] + 0.4 * rng.standard_normal((UNITS, 8)))
    users = rng.integers(0, USERS, 1500)
    liked = of_unit[None] == (users % 6)[:, None]
    odds = np.where(liked, 6.0, 1.0)
    units = np.array([rng.choice(UNITS, p=row / row.sum()) for row in odds])
    weights = rng.choice([1.0, 3.0, 5.0, -3.0], 1500, p=[0.6, 0.2, 0.1, 0.1])
    return Events(users, units, rng.uniform(0, 100, 1500) * 86_400, weights, weights >= 3), vectors


def field(split: Split, vectors: Embeddings) -> Field:
    train = split.train
    lessons = Lessons(train.users, train.units, train.weights, train.times, train.wanted)
    together, _ = learn_together(lessons, ArrayCatalogue(vectors))
    return Field(split, vectors, K, 30.0, together, np.arange(USERS), 0, lambda: None)


@pytest.fixture(scope="module")
def known() -> tuple[Split, Field]:
    events, vectors = drawn()
    split = split_at(events, MOMENT, user_count=USERS, unit_count=UNITS)
    return split, field(split, vectors)


@pytest.mark.parametrize("name", NAMES)
def test_no_row_sees_the_future_or_repeats_the_past(name: str, known: tuple[Split, Field]) -> None:
    split, told = known
    before = contenders(told, [name])[0].lists(split.warm)
    for row, user in zip(before, split.warm.tolist(), strict=True):
        listed = row[row != NOTHING].tolist()
        assert len(set(listed)) == len(listed)
        assert not set(listed) & set(split.seen.of(user).tolist())
    events, vectors = drawn()
    rng = np.random.default_rng(1)
    later = np.flatnonzero(events.times >= MOMENT)
    units = events.units.copy()
    units[later] = rng.permutation(units[later])
    weights = events.weights.copy()
    weights[later] = rng.permutation(weights[later]) * 7
    other = split_at(
        replace(events, units=units, weights=weights), MOMENT, user_count=USERS, unit_count=UNITS
    )
    assert split.relevant.units.tolist() != other.relevant.units.tolist()
    after = contenders(field(other, vectors), [name])[0].lists(split.warm)
    assert (before == after).all()


def test_a_row_of_the_recommender_answers_everybody_it_can(known: tuple[Split, Field]) -> None:
    split, told = known
    rows = contenders(told)
    assert [row.name for row in rows] == list(NAMES)
    for row in rows:
        full = (row.lists(split.warm) != NOTHING).all(axis=1)
        assert full.all() or row.name == "context"  # which needs a disliked example


def test_looks_that_users_follow_are_found_by_those_that_look(known: tuple[Split, Field]) -> None:
    split, told = known
    found = {}
    for row in contenders(told, ["interests", "decayed_average", "random"]):
        hits = [
            len(set(units.tolist()) & set(split.relevant.of(user).tolist()))
            for units, user in zip(row.lists(split.warm), split.warm.tolist(), strict=True)
        ]
        found[row.name] = sum(hits)
    assert found["interests"] > 1.3 * found["random"]
    assert found["decayed_average"] > 1.3 * found["random"]


def test_further_settings_are_rows_of_their_own(known: tuple[Split, Field]) -> None:
    split, told = known
    plain, varied = contenders(told, ["interests"], tastes={"varied": Taste(diversity=0.8)})
    assert (plain.name, varied.name) == ("interests", "varied")
    assert varied.for_anybody
    assert (plain.lists(split.warm) != varied.lists(split.warm)).any()


@pytest.mark.parametrize(
    ("names", "tastes", "message"),
    [
        (["interest"], {}, "'interest'.*interests"),
        ("interests", {}, "expected a list"),
        ([], {}, "None for all"),
        (["random", "random"], {}, "random are given twice"),
        (["random"], {"random": Taste()}, "given twice"),
    ],
)
def test_names_that_mean_nothing_or_two_things_are_refused(
    names: list[str], tastes: dict[str, Taste], message: str, known: tuple[Split, Field]
) -> None:
    with pytest.raises(InputError, match=message):
        contenders(known[1], names, tastes=tastes)
