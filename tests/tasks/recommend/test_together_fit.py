"""Learning what goes together, against dense regressions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from lookalike.errors import InputError
from lookalike.tasks.recommend import together_fit
from lookalike.tasks.recommend.together import Together
from lookalike.tasks.recommend.together_fit import SHRINKAGE, fit_several, fit_together, matrix_of_likes

USERS, UNITS, TASTES = 400, 60, 6
Events = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]


def events(*, count: int = 6000, seed: int = 0) -> Events:
    """Users with one taste each, of every sixth unit; a quarter of the events is noise."""
    random = np.random.default_rng(seed)
    user = random.integers(0, USERS, count)
    unit = random.integers(0, UNITS // TASTES, count) * TASTES + user % TASTES
    noise = random.random(count) < 0.25
    unit[noise] = random.integers(0, UNITS, int(noise.sum()))
    return user, unit, random.choice([1.0, 3.0, 5.0], count)


def dense(model: Together) -> npt.NDArray[np.float64]:
    """B as a matrix."""
    matrix = np.zeros((model.units, model.units))
    for unit in range(model.units):
        row = slice(model.indptr[unit], model.indptr[unit + 1])
        matrix[unit, model.indices[row]] = model.data[row]
    return matrix


def likes_of(
    user: npt.NDArray[np.int64], unit: npt.NDArray[np.int64], weight: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """log(1 + liking) as a dense matrix."""
    sums = np.zeros((USERS, UNITS))
    np.add.at(sums, (user, unit), np.maximum(weight, 0.0))
    return np.log1p(sums)


def regressed(likes: npt.NDArray[np.float64], neighbours: int, ridge: float) -> npt.NDArray[np.float64]:
    """The model by its definition, one least-squares problem a unit."""
    gram = likes.T @ likes
    squares = np.diag(gram)
    lengths = np.sqrt(squares)
    cosines = gram / (np.outer(lengths, lengths) + SHRINKAGE * (likes**2).sum() / (likes > 0).sum())
    np.fill_diagonal(cosines, -1.0)
    matrix = np.zeros_like(gram)
    for unit in range(len(gram)):
        nearest = np.argsort(-cosines[:, unit])[:neighbours]
        nearest = nearest[cosines[nearest, unit] > 0]  # no one likes both: nothing to learn
        penalty = np.diag(np.sqrt(ridge * np.sqrt(squares[nearest] * squares.mean())))
        rows = np.concatenate([likes[:, nearest], penalty])
        target = np.concatenate([likes[:, unit], np.zeros(len(nearest))])
        matrix[nearest, unit] = np.linalg.lstsq(rows, target)[0]
    return matrix


@pytest.mark.parametrize("neighbours", [5, UNITS - 1])
@pytest.mark.parametrize("ridge", [0.1, 2.0])
def test_every_column_is_the_ridge_regression_on_the_nearest_units(neighbours: int, ridge: float) -> None:
    model = fit_together(*events(), units=UNITS, neighbours=neighbours, ridge=ridge)
    expected = regressed(likes_of(*events()), neighbours, ridge)
    np.testing.assert_allclose(dense(model), expected, atol=2e-5)
    assert (model.neighbours, model.ridge, model.users, model.events) == (neighbours, ridge, USERS, 6000)


def test_units_of_a_taste_speak_for_each_other() -> None:
    matrix = dense(fit_together(*events(), units=UNITS, neighbours=20))
    same = np.arange(UNITS)[:, None] % TASTES == np.arange(UNITS) % TASTES
    apart = matrix[~same].mean()
    assert matrix[same & ~np.eye(UNITS, dtype=bool)].mean() > 10 * abs(apart)


def test_events_of_one_user_and_unit_are_summed() -> None:
    user, unit, weight = events()
    split = fit_together(np.tile(user, 2), np.tile(unit, 2), np.tile(weight / 2, 2), units=UNITS)
    np.testing.assert_allclose(dense(split), dense(fit_together(user, unit, weight, units=UNITS)), atol=1e-6)


def test_only_positive_weights_teach() -> None:
    user, unit, weight = events()
    weight[::3] = -3.0
    taught = weight > 0
    both = [
        fit_together(user, unit, weight, units=UNITS),
        fit_together(user[taught], unit[taught], weight[taught], units=UNITS),
    ]
    assert both[0].data.tolist() == both[1].data.tolist()
    assert both[0].events == taught.sum()


def test_support_counts_the_users_who_like_a_unit() -> None:
    model = fit_together(*events(), units=UNITS + 2)
    assert model.support.tolist() == [*(likes_of(*events()) > 0).sum(axis=0), 0, 0]


def test_the_numbers_of_users_do_not_matter() -> None:
    user, unit, weight = events()
    plain = fit_together(user, unit, weight, units=UNITS)
    large = fit_together(user * 1_000_003 + 2**55, unit, weight, units=UNITS)
    assert large.data.tolist() == plain.data.tolist()


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = fit_together(*events(), units=UNITS, neighbours=10)
    monkeypatch.setattr(together_fit, "GRAM_BLOCK", 100)
    monkeypatch.setattr(together_fit, "SYSTEMS_MEMORY", 7 * 4 * 10 * 10)
    monkeypatch.setattr(together_fit, "SOLVED", 3)
    parts = fit_together(*events(), units=UNITS, neighbours=10)
    assert parts.indices.tolist() == whole.indices.tolist()
    assert parts.data.tolist() == whole.data.tolist()


def test_several_penalties_are_fitted_as_each_alone() -> None:
    for model, ridge in zip(fit_several(*events(), units=UNITS, ridges=(0.5, 4.0)), (0.5, 4.0), strict=True):
        alone = fit_together(*events(), units=UNITS, ridge=ridge)
        assert (model.ridge, model.data.tolist()) == (ridge, alone.data.tolist())


def test_whoever_likes_too_much_teaches_what_they_like_most_and_did_last() -> None:
    user = np.array([7, 7, 7, 7, 7, 2])
    unit = np.array([0, 1, 2, 3, 1, 4])
    weight = np.array([5.0, 1.0, 3.0, 3.0, 1.0, 1.0])
    likes = matrix_of_likes(user, unit, weight, units=5, most_liked=2)
    assert likes.support.tolist() == [1, 0, 0, 1, 1]


def test_liking_that_has_faded_away_teaches_nothing() -> None:
    faded = matrix_of_likes(
        np.array([0, 0]), np.array([0, 1]), np.array([1e-300, 1.0]), units=2, most_liked=9
    )
    assert faded.support.tolist() == [0, 1]
    assert faded.matrix.shape == (1, 2)


@pytest.mark.parametrize("count", [0, 1])
def test_nothing_to_learn_from_is_a_model_that_knows_nothing(count: int) -> None:
    model = fit_together(np.zeros(count, np.int64), np.zeros(count, np.int64), np.ones(count), units=3)
    assert len(model.data) == 0
    assert model.events == count
    assert len(model.affinity(np.array([0, 2]), np.ones(2))[0]) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"unit": np.array([0, 9])}, "units from 0 to 2"),
        ({"user": np.array([-1, 0])}, "users of at least 0"),
        ({"user": np.array([0.5, 1.0])}, "whole numbers"),
        ({"weight": np.ones(3)}, "one number each"),
        ({"weight": np.array([1.0, np.inf])}, "not finite"),
        ({"units": 0}, "units = 0"),
        ({"neighbours": 0}, "neighbours = 0"),
        ({"most_liked": 0}, "most_liked = 0"),
        ({"ridge": 0.0}, "does not penalise"),
        ({"ridge": float("nan")}, "does not penalise"),
    ],
)
def test_wrong_arguments_are_named(change: dict[str, object], message: str) -> None:
    arguments: dict[str, object] = {
        "user": np.array([0, 1]),
        "unit": np.array([0, 1]),
        "weight": np.ones(2),
        "units": 3,
    }
    with pytest.raises(InputError, match=message):
        fit_together(**(arguments | change))  # type: ignore[arg-type]
