"""Units of little support take part through their look-alikes."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.errors import InputError
from lookalike.tasks.recommend.together import Together
from lookalike.tasks.recommend.together_adoption import choose_temperature
from lookalike.tasks.recommend.together_fit import fit_together

TASTES, PER_TASTE, USERS = 8, 20, 600
UNITS = TASTES * PER_TASTE


def small() -> Together:
    """Unit 0 speaks for 1 by 1.0 and for 2 by 0.5; 1 and 2 have 60 and 20 supporters, 3 five, 4 none."""
    support = np.array([100.0, 60.0, 20.0, 5.0, 0.0])
    indptr = np.array([0, 2, 2, 2, 2, 2])
    return Together(
        indptr, np.array([1, 2], np.int32), np.array([1.0, 0.5], np.float32), support, 2, 1.0, 100, 200
    )


def score(model: Together, unit: int, candidate: int) -> float:
    candidates, scores = model.affinity(np.array([unit]), np.ones(1))
    return float(scores[candidates == candidate].sum())


def test_a_unit_without_support_gets_the_mean_of_its_lookalikes() -> None:
    model = small().adopt(np.array([4]), np.array([[1, 2]]), np.array([[0.8, 0.8]], np.float32), kappa=20)
    # trust: 60 / 80 and 20 / 40
    assert score(model, 0, 4) == pytest.approx((0.75 * 1.0 + 0.5 * 0.5) / 1.25)
    assert score(model, 0, 1) == 1.0


def test_the_nearer_lookalike_counts_more() -> None:
    cosines = np.array([[0.6, 0.8]], np.float32)
    warm = small().adopt(np.array([4]), np.array([[1, 2]]), cosines, kappa=20, temperature=0.1)
    weights = np.array([0.75, 0.5 * np.exp(2)])
    assert score(warm, 0, 4) == pytest.approx(weights @ [1.0, 0.5] / weights.sum(), rel=1e-5)


def test_what_is_lent_fades_with_own_support() -> None:
    one = np.array([[1]]), np.array([[0.9]], np.float32)
    assert score(small().adopt(np.array([3]), *one, kappa=20), 0, 3) == pytest.approx(20 / 25)
    assert score(small().adopt(np.array([2]), *one, kappa=20), 0, 2) == pytest.approx(0.5 + 20 / 40)


def test_units_beyond_the_last_are_new() -> None:
    model = small().adopt(np.array([6]), np.array([[1]]), np.array([[0.9]], np.float32))
    assert model.units == 7
    assert model.support[5:].tolist() == [0, 0]
    assert score(model, 0, 6) == pytest.approx(1.0)
    assert small().units == 5


def test_who_likes_a_new_unit_is_answered_through_its_lookalikes() -> None:
    model = small().adopt(np.array([5]), np.array([[0]]), np.array([[0.9]], np.float32))
    assert score(model, 5, 1) == pytest.approx(1.0)


def test_lookalikes_nobody_knows_lend_nothing() -> None:
    model = small().adopt(np.array([4, 5]), np.array([[5, -1], [-1, -1]]), np.zeros((2, 2), np.float32))
    assert score(model, 0, 4) == 0.0


def test_a_unit_is_no_lookalike_of_its_own() -> None:
    both = [[2, 1]], [[1.0, 0.5]]
    with_itself = small().adopt(np.array([2]), np.array(both[0]), np.array(both[1], np.float32))
    without = small().adopt(np.array([2]), np.array([[1]]), np.array([[0.5]], np.float32))
    assert score(with_itself, 0, 2) == pytest.approx(score(without, 0, 2))


def test_adopting_again_replaces_and_adds() -> None:
    first = small().adopt(np.array([4, 3]), np.array([[1], [1]]), np.ones((2, 1), np.float32))
    model = first.adopt(np.array([5, 4]), np.array([[1, -1], [2, -1]]), np.ones((2, 2), np.float32))
    assert [score(model, 0, unit) for unit in (3, 4, 5)] == pytest.approx([20 / 25, 0.5, 1.0])


def tastes(seed: int = 0) -> tuple[Together, np.ndarray, np.ndarray, np.ndarray]:
    """A model that a fifth of the units was hidden from, cosines of looks, which are hidden, and each one's taste."""
    random = np.random.default_rng(seed)
    taste = np.arange(UNITS) % TASTES
    looks = random.standard_normal((TASTES, 16))[taste] + 0.8 * random.standard_normal((UNITS, 16))
    looks /= np.linalg.norm(looks, axis=1, keepdims=True)
    hidden = random.permutation(UNITS) < UNITS // 5
    user = random.integers(0, USERS, 12_000)
    unit = random.integers(0, PER_TASTE, 12_000) * TASTES + user % TASTES
    model = fit_together(user, unit, (~hidden[unit]).astype(float), units=UNITS)
    return model, looks @ looks.T, hidden, taste


def test_new_units_are_found_by_those_whose_taste_they_are() -> None:
    model, cosines, hidden, taste = tastes()
    new, known = np.flatnonzero(hidden), np.flatnonzero(~hidden)
    nearest = known[np.argsort(-cosines[np.ix_(new, known)], axis=1)[:, :10]]
    model = model.adopt(new, nearest, np.take_along_axis(cosines[new], nearest, 1).astype(np.float32))
    right = []
    for own in range(TASTES):
        profile = known[taste[known] == own][:3]
        candidates, scores = model.affinity(profile, np.ones(3))
        values = np.zeros(UNITS)
        values[candidates] = scores
        wanted = int((taste[new] == own).sum())
        right.append(float((taste[new[np.argsort(-values[new])[:wanted]]] == own).mean()))
    assert np.mean(right) >= 0.9


def test_the_temperature_is_chosen_by_what_foretells_best() -> None:
    model, cosines, hidden, _ = tastes()
    known = np.flatnonzero(~hidden)
    np.fill_diagonal(cosines, -1.0)
    nearest = known[np.argsort(-cosines[np.ix_(known, known)], axis=1)[:, :40]]
    of_each = np.take_along_axis(cosines[known], nearest, 1)
    chosen, scores = choose_temperature(model, known, nearest, of_each)
    assert scores[chosen] == max(scores.values())
    assert scores[chosen] > scores[0.5] + 0.05  # 40 look-alikes are more than a taste has
    blunt, _ = choose_temperature(model, known, nearest, np.sqrt(np.maximum(of_each, 0.0)) / 10)
    assert blunt < chosen


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"units": np.array([1, 1])}, "different whole numbers"),
        ({"units": np.array([-1, 1])}, "different whole numbers"),
        ({"lookalikes": np.array([[1], [9]])}, "from -1 to 4"),
        ({"lookalikes": np.array([[1.0], [2.0]])}, "whole numbers"),
        ({"lookalikes": np.array([[1]])}, "do not fit"),
        ({"cosines": np.array([[np.nan], [0.5]])}, "finite"),
        ({"kappa": 0.0}, "kappa = 0"),
        ({"temperature": 0.0}, "temperature = 0"),
    ],
)
def test_wrong_arguments_are_named(change: dict[str, object], message: str) -> None:
    arguments: dict[str, object] = {
        "units": np.array([3, 4]),
        "lookalikes": np.array([[1], [2]]),
        "cosines": np.full((2, 1), 0.5),
    }
    with pytest.raises(InputError, match=message):
        small().adopt(**(arguments | change))  # type: ignore[arg-type]
