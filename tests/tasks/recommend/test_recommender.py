from __future__ import annotations

import numpy as np
import pytest

from lookalike.errors import InputError
from lookalike.tasks.recommend import formulas
from lookalike.tasks.recommend.catalogue import ArrayCatalogue, spread_of
from lookalike.tasks.recommend.examples import OUTSIDE, Examples
from lookalike.tasks.recommend.recommender import recommend
from lookalike.tasks.recommend.taste import STRATEGIES, Strategy, Taste
from lookalike.tasks.recommend.together_fit import fit_together
from lookalike.vectors.metrics import normalise

NOBODY = np.empty(0, dtype=np.int64)
KINDS, EACH = 8, 25


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    """Eight kinds of 25 units that look alike."""
    random = np.random.default_rng(0)
    centres = np.repeat(np.eye(KINDS, 32), EACH, axis=0)
    return normalise(centres + 0.12 * random.standard_normal((KINDS * EACH, 32)))


def examples(vectors: np.ndarray, weights: dict[int, float]) -> Examples:
    units = np.array(sorted(weights), dtype=np.int64)
    return Examples(units, vectors[units], np.array([weights[unit] for unit in units.tolist()]))


def kinds(units: np.ndarray) -> list[int]:
    return (units // EACH).tolist()


QUIET = Taste(exploration=0.0)


def test_two_interests_share_the_answer_by_what_they_weigh(vectors: np.ndarray) -> None:
    liked = examples(vectors, {0: 2.0, 1: 2.0, 2: 2.0, 50: 1.0, 51: 1.0})
    answer = recommend(
        liked, ArrayCatalogue(vectors), k=8, taste=Taste(exploration=0.0, slots=1.0), exclude=liked.units
    )
    found = kinds(answer.units)
    assert set(found) == {0, 2}
    assert 4 <= found.count(0) <= 6
    assert [kinds(answer.units)[at] == 0 for at in range(8)] == [
        interest == 0 for interest in answer.interests
    ]


def test_every_answer_names_what_it_came_from(vectors: np.ndarray) -> None:
    liked = examples(vectors, {0: 1.0, 1: 1.0, 50: 1.0})
    answer = recommend(liked, ArrayCatalogue(vectors), k=6, taste=QUIET, exclude=liked.units)
    for unit, reasons in zip(answer.units.tolist(), answer.reasons, strict=True):
        strongest = reasons[0]
        assert liked.units[strongest.example] // EACH == unit // EACH
        assert strongest.similarity == pytest.approx(
            float(vectors[liked.units[strongest.example]] @ vectors[unit]), abs=1e-5
        )
        assert strongest.together == 0.0
        assert sum(reason.share for reason in reasons) <= 1 + 1e-9


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_no_strategy_returns_examples_seen_or_what_a_filter_refuses(
    vectors: np.ndarray, strategy: Strategy
) -> None:
    allowed = np.arange(len(vectors)) % 3 == 0
    liked = examples(vectors, {0: 2.0, 3: 1.0, 50: -1.0})
    seen = np.array([0, 3, 6, 9, 12, 50])
    answer = recommend(
        liked,
        ArrayCatalogue(vectors, allowed),
        k=20,
        taste=Taste(strategy=strategy, exploration=0.5),
        exclude=seen,
    )
    assert len(answer) == 20
    assert len(set(answer.units.tolist())) == 20
    assert allowed[answer.units].all()
    assert not set(answer.units.tolist()) & {0, 3, 50, 6, 9, 12}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_an_answer_is_full_whenever_enough_is_allowed(vectors: np.ndarray, strategy: Strategy) -> None:
    allowed = np.zeros(len(vectors), dtype=bool)
    allowed[150:160] = True  # nothing like what was liked
    liked = examples(vectors, {0: 1.0, 50: -1.0})
    answer = recommend(
        liked, ArrayCatalogue(vectors, allowed), k=12, taste=Taste(strategy=strategy), exclude=liked.units
    )
    assert sorted(answer.units.tolist()) == list(range(150, 160))


@pytest.mark.parametrize("strategy", ["average_vector", "best_score", "sum_scores", "discover", "context"])
def test_a_formula_answers_with_the_best_of_the_whole_catalogue(
    vectors: np.ndarray, strategy: Strategy
) -> None:
    liked = examples(vectors, {0: 3.0, 30: 2.0, 31: 1.0, 60: -1.0, 61: -2.0})
    plus, minus = vectors[[0, 30, 31]], vectors[[61, 60]]  # those that weigh most first
    others = np.setdiff1d(np.arange(len(vectors)), liked.units)
    positive, negative = plus @ vectors[others].T, minus @ vectors[others].T
    first, second = np.repeat(np.arange(3), 2), np.tile(np.arange(2), 3)
    scores = {
        "average_vector": formulas.average_vector(plus, minus) @ vectors[others].T,
        "best_score": formulas.best_score(positive, negative),
        "sum_scores": formulas.sum_scores(positive, negative),
        "discover": formulas.discover(positive[0], positive[first], negative[second]),
        "context": formulas.context(positive[first], negative[second]),
    }[strategy]
    answer = recommend(
        liked, ArrayCatalogue(vectors), k=10, taste=Taste(strategy=strategy), exclude=liked.units
    )
    np.testing.assert_allclose(answer.scores, np.sort(scores)[::-1][:10], atol=1e-5)
    of = dict(zip(others.tolist(), scores.tolist(), strict=True))
    np.testing.assert_allclose([of[unit] for unit in answer.units.tolist()], answer.scores, atol=1e-5)


def test_what_looks_like_a_dislike_falls_behind_what_does_not() -> None:
    axes = np.eye(8, dtype=np.float32)
    towards_one, towards_two = normalise(axes[0] + axes[1]), normalise(axes[0] + 1.05 * axes[2])
    every = np.stack([*axes, towards_one, towards_two])
    for weights, expected in (({0: 1.0}, [8, 9]), ({0: 1.0, 1: -1.0}, [9, 8])):
        answer = recommend(
            examples(every, weights), ArrayCatalogue(every), k=2, taste=QUIET, exclude=np.array([0, 1])
        )
        assert answer.units.tolist() == expected


def test_company_is_heard_beside_looks_and_named_as_a_reason(vectors: np.ndarray) -> None:
    random = np.random.default_rng(1)
    user = np.repeat(np.arange(200), 6)
    unit = np.concatenate(  # who likes kind 0 likes kind 5
        [np.concatenate([random.choice(25, 3, False), 125 + random.choice(25, 3, False)]) for _ in range(200)]
    )
    together = fit_together(user, unit, np.ones(len(unit)), units=len(vectors))
    liked = examples(vectors, {0: 1.0, 1: 1.0, 2: 1.0})
    alone = recommend(liked, ArrayCatalogue(vectors), k=8, taste=QUIET, exclude=liked.units)
    joined = recommend(
        liked, ArrayCatalogue(vectors), k=8, taste=QUIET, exclude=liked.units, together=together
    )
    refused = recommend(
        liked,
        ArrayCatalogue(vectors),
        k=8,
        taste=Taste(exploration=0.0, together=False),
        exclude=liked.units,
        together=together,
    )
    assert set(kinds(alone.units)) == {0}
    assert 5 in kinds(joined.units)
    at = kinds(joined.units).index(5)
    assert joined.reasons[at][0].together > 0.9
    assert refused.units.tolist() == alone.units.tolist()


def test_a_stranger_sees_what_is_popular_and_what_covers(vectors: np.ndarray) -> None:
    popularity = np.zeros(len(vectors))
    popularity[[10, 60, 110]] = 100.0
    nothing = Examples(NOBODY, vectors[:0], np.empty(0))
    answers = [
        recommend(
            nothing,
            ArrayCatalogue(vectors),
            k=12,
            taste=Taste(),
            exclude=NOBODY,
            popularity=popularity,
            seed=seed,
        )
        for seed in (1, 1, 2)
    ]
    for answer in answers:
        assert {10, 60, 110} <= set(answer.units.tolist())
        assert len(set(kinds(answer.units))) >= 6
        assert set(answer.origins) == {"exploration"}
    assert answers[0].units.tolist() == answers[1].units.tolist() != answers[2].units.tolist()


def test_the_less_is_known_the_more_is_explored(vectors: np.ndarray) -> None:
    shares = []
    for known in (1, 5, 12):
        liked = examples(vectors, dict.fromkeys(range(known), 1.0))
        answer = recommend(liked, ArrayCatalogue(vectors), k=20, taste=Taste(), exclude=liked.units)
        shares.append(answer.origins.count("exploration"))
    assert shares == [9, 5, 0]
    asked = recommend(
        examples(vectors, {0: 1.0}),
        ArrayCatalogue(vectors),
        k=20,
        taste=Taste(exploration=0.25),
        exclude=NOBODY,
    )
    assert asked.origins.count("exploration") == 5


def test_diversity_spreads_an_answer(vectors: np.ndarray) -> None:
    liked = examples(vectors, {0: 1.0, 30: 0.4})
    plain, spread = (
        recommend(
            liked,
            ArrayCatalogue(vectors),
            k=10,
            taste=Taste(exploration=0.0, diversity=diversity, slots=np.inf),
            exclude=liked.units,
        )
        for diversity in (0.0, 0.9)
    )
    assert spread_of(vectors[spread.units]) > spread_of(vectors[plain.units])


def test_a_picture_from_outside_is_an_example_and_no_answer(vectors: np.ndarray) -> None:
    liked = Examples(np.array([OUTSIDE]), vectors[[3]], np.ones(1))
    answer = recommend(liked, ArrayCatalogue(vectors), k=5, taste=QUIET, exclude=liked.units)
    assert (
        answer.units[0] == 3
    )  # the item that is the same picture is an answer: nobody said that it was seen
    assert set(kinds(answer.units)) == {0}


def test_a_formula_without_anything_to_go_by_answers_nothing(vectors: np.ndarray) -> None:
    liked = examples(vectors, {0: 1.0})
    assert (
        len(
            recommend(
                liked, ArrayCatalogue(vectors), k=5, taste=Taste(strategy="context"), exclude=liked.units
            )
        )
        == 0
    )
    disliked = examples(vectors, {0: -1.0})
    for strategy in ("average_vector", "discover"):
        answer = recommend(
            disliked, ArrayCatalogue(vectors), k=5, taste=Taste(strategy=strategy), exclude=disliked.units
        )
        assert len(answer) == 0
    far = recommend(
        disliked, ArrayCatalogue(vectors), k=5, taste=Taste(strategy="best_score"), exclude=disliked.units
    )
    assert 0 not in kinds(far.units)


def test_no_answers_are_refused(vectors: np.ndarray) -> None:
    with pytest.raises(InputError, match="k = 0"):
        recommend(examples(vectors, {0: 1.0}), ArrayCatalogue(vectors), k=0, taste=QUIET, exclude=NOBODY)
    with pytest.raises(InputError, match="does not fit 200 units"):
        ArrayCatalogue(vectors, np.ones(3, dtype=bool))
