"""The model of what goes together: what it answers, and how it is kept."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from lookalike.errors import InputError
from lookalike.tasks.recommend.together import Together

UNITS = 40


def dense(model: Together) -> npt.NDArray[np.float64]:
    """B as a matrix."""
    matrix = np.zeros((model.units, model.units))
    for unit in range(model.units):
        row = slice(model.indptr[unit], model.indptr[unit + 1])
        matrix[unit, model.indices[row]] = model.data[row]
    return matrix


@pytest.fixture
def model() -> Together:
    """A random matrix with an empty diagonal, a tenth of it negative."""
    random = np.random.default_rng(3)
    matrix = random.random((UNITS, UNITS)) - 0.1
    matrix *= (random.random((UNITS, UNITS)) < 0.2) & ~np.eye(UNITS, dtype=bool)
    rows, columns = np.nonzero(matrix)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=UNITS))])
    data = matrix[rows, columns].astype(np.float32)
    support = random.integers(0, 100, UNITS).astype(np.float64)
    return Together(indptr, columns.astype(np.int32), data, support, 8, 2.0, 500, 9000)


@pytest.fixture
def adopted(model: Together) -> Together:
    """The same, with two of its units and two new ones lent scores."""
    lookalikes = np.array([[1, 2, 3], [4, 5, -1], [6, 7, 8], [40, 9, 10]])
    cosines = np.array([[0.9, 0.8, 0.7], [0.6, 0.6, 0.0], [0.9, 0.5, 0.4], [0.9, 0.8, 0.8]], dtype=np.float32)
    return model.adopt(np.array([20, 3, 40, 41]), lookalikes, cosines)


def test_affinity_is_the_profile_times_the_matrix(model: Together) -> None:
    units, weights = np.array([4, 9, 4, 30]), np.array([1.0, 0.5, 2.0, -1.0])
    expected = np.zeros(UNITS)
    for unit, weight in zip(units, weights, strict=True):
        expected += weight * dense(model)[unit]
    candidates, scores = model.affinity(units, weights)
    assert candidates.tolist() == np.flatnonzero(expected).tolist()
    np.testing.assert_allclose(scores, expected[candidates], rtol=1e-6)
    assert scores.dtype == np.float32


def test_an_empty_profile_has_no_candidates(model: Together) -> None:
    candidates, scores = model.affinity(np.empty(0, dtype=np.int64), np.empty(0))
    assert len(candidates) == len(scores) == 0


@pytest.mark.parametrize("which", ["model", "adopted"])
def test_contributions_sum_to_the_score(which: str, request: pytest.FixtureRequest) -> None:
    model: Together = request.getfixturevalue(which)
    units = np.array([3, 20, 11, 12, 3, model.units - 1])
    weights = np.array([1.0, 2.0, 0.5, -0.3, 1.0, 4.0])
    scores = dict(zip(*(part.tolist() for part in model.affinity(units, weights)), strict=True))
    assert len(scores) > 10
    for candidate in range(model.units):
        shares = model.contributions(units, weights, candidate)
        assert shares.shape == (6,)
        assert shares.sum() == pytest.approx(scores.get(candidate, 0.0), abs=1e-6)


def test_a_contribution_is_what_the_unit_alone_would_give(adopted: Together) -> None:
    units, weights = np.array([20, 11, 40]), np.array([2.0, 0.5, 1.0])
    for candidate in (3, 7, 20, 41):
        alone = []
        for unit, weight in zip(units, weights, strict=True):
            candidates, scores = adopted.affinity(np.array([unit]), np.array([weight]))
            alone.append(float(scores[candidates == candidate].sum()))
        np.testing.assert_allclose(adopted.contributions(units, weights, candidate), alone, atol=1e-6)


@pytest.mark.parametrize("which", ["model", "adopted"])
def test_a_profile_times_what_speaks_among_some_is_their_affinity(
    which: str, request: pytest.FixtureRequest
) -> None:
    model: Together = request.getfixturevalue(which)
    units, weights = np.array([3, 20, 11, 3]), np.array([1.0, 2.0, -0.5, 1.0])
    candidates = np.array([40, 3, 20, 7, 30, 7, 41]) % model.units
    scores = np.zeros(model.units)
    found, values = model.affinity(units, weights)
    scores[found] = values
    among = model.among(units, candidates)
    assert among.shape == (4, 7)
    np.testing.assert_allclose(weights @ among, scores[candidates], atol=1e-6)
    with_a_photo = model.among(np.array([-1, 3, -1]), candidates)
    assert with_a_photo.tolist() == [[0.0] * 7, among[0].tolist(), [0.0] * 7]
    assert model.among(units[:0], candidates).shape == (0, 7)
    assert model.among(units, candidates[:0]).shape == (4, 0)


def test_related_units_are_the_best_of_what_goes_with_it(model: Together) -> None:
    row = dense(model)[7]
    units, scores = model.related(7, 4)
    assert units.tolist() == np.argsort(-row, kind="stable")[:4].tolist()
    np.testing.assert_allclose(scores, row[units], rtol=1e-6)
    assert len(model.related(7, 100)[0]) == np.count_nonzero(row > 0)


def test_a_unit_is_not_related_to_itself(adopted: Together) -> None:
    for unit in (20, 40):  # lent the scores of look-alikes that speak for it
        assert unit not in adopted.related(unit, 100)[0].tolist()


@pytest.mark.parametrize("which", ["model", "adopted"])
def test_arrays_give_the_model_back(which: str, request: pytest.FixtureRequest) -> None:
    model: Together = request.getfixturevalue(which)
    again = Together.from_arrays(model.to_arrays())
    assert (again.neighbours, again.ridge, again.users, again.events) == (8, 2.0, 500, 9000)
    assert again.support.tolist() == model.support.tolist()
    for profile in ([5, 20], [model.units - 1]):
        before = model.affinity(np.array(profile), np.ones(len(profile)))
        after = again.affinity(np.array(profile), np.ones(len(profile)))
        assert [part.tolist() for part in after] == [part.tolist() for part in before]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("indptr", np.zeros(UNITS + 1, dtype=np.int64)),
        ("indices", np.full(3, 2, dtype=np.int32)),
        ("support", np.ones(UNITS)),
        ("fitted", np.array([1, 2])),
        ("adopted", np.array([3, 20, 40])),
        ("adopted_lookalikes", np.full((4, 3), 90)),
    ],
)
def test_arrays_that_do_not_fit_are_refused(
    adopted: Together, name: str, value: npt.NDArray[np.generic]
) -> None:
    with pytest.raises(InputError, match="fit it again"):
        Together.from_arrays({**adopted.to_arrays(), name: value})


def test_a_missing_array_is_named(model: Together) -> None:
    arrays = model.to_arrays()
    del arrays["data"]
    with pytest.raises(InputError, match="data"):
        Together.from_arrays(arrays)


@pytest.mark.parametrize(
    ("units", "weights", "message"),
    [
        ([UNITS], [1.0], "expected 0 to 39"),
        ([-1], [1.0], "expected 0 to 39"),
        ([1, 2], [1.0], "a weight for each"),
        ([1.5], [1.0], "whole numbers"),
        ([1], [float("nan")], "finite"),
    ],
)
def test_a_wrong_profile_is_refused(
    model: Together, units: list[float], weights: list[float], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        model.affinity(np.array(units), np.array(weights))
    with pytest.raises(InputError, match=message):
        model.contributions(np.array(units), np.array(weights), 0)


def test_unknown_candidates_and_empty_answers_are_refused(model: Together) -> None:
    with pytest.raises(InputError, match="candidates 40 to 40: expected 0 to 39"):
        model.contributions(np.array([1]), np.ones(1), UNITS)
    with pytest.raises(InputError, match="k = 0"):
        model.related(1, 0)


@pytest.mark.parametrize("which", ["model", "adopted"])
def test_other_numbers_say_the_same(which: str, request: pytest.FixtureRequest) -> None:
    model: Together = request.getfixturevalue(which)
    number = np.random.default_rng(5).permutation(model.units + 3)[: model.units]
    same = model.renumbered(number, model.units + 3)
    units, weights = np.array([4, 9, 20, 3]), np.array([1.0, 0.5, 2.0, -1.0])
    before, scores = model.affinity(units, weights)
    after, again = same.affinity(number[units], weights)
    expected = np.zeros(model.units + 3)
    expected[number[before]] = scores
    found = np.zeros(model.units + 3)
    found[after] = again
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_array_equal(same.support[number], model.support)


def test_units_that_are_left_out_say_nothing_and_are_not_said(adopted: Together) -> None:
    number = np.arange(adopted.units)
    number[[1, 20, 9]] = -1
    left = adopted.renumbered(number, adopted.units)
    assert left.support[[1, 20, 9]].sum() == 0
    for unit in range(adopted.units):
        candidates, _ = left.affinity(np.array([unit]), np.ones(1))
        assert not set(candidates.tolist()) & {1, 20, 9}
        if unit in (1, 20, 9):
            assert not len(candidates)


def test_units_that_become_one_add_up(model: Together) -> None:
    number = np.arange(UNITS)
    number[7] = 6
    merged = model.renumbered(number, UNITS)
    assert merged.support[6] == model.support[6] + model.support[7]
    expected = dense(model)[6] + dense(model)[7]
    expected[6] += expected[7]
    expected[7] = 0
    candidates, scores = merged.affinity(np.array([6]), np.ones(1))
    found = np.zeros(UNITS)
    found[candidates] = scores
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_wrong_numbers_are_refused(model: Together) -> None:
    for number in (np.arange(3), np.full(UNITS, UNITS), np.full(UNITS, -2)):
        with pytest.raises(InputError, match=f"from -1 to {UNITS - 1}"):
            model.renumbered(number, UNITS)
