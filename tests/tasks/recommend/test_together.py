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


@pytest.mark.parametrize(
    ("units", "weights", "message"),
    [
        ([0, UNITS], [1.0, 1.0], "unit"),
        ([0], [1.0, 1.0], "a weight for each"),
        ([0, 1], [1.0, np.nan], "not a finite number"),
    ],
)
def test_a_wrong_profile_is_refused(
    model: Together, units: list[int], weights: list[float], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        model.affinity(np.array(units), np.array(weights))


def test_unknown_candidates_are_refused(model: Together) -> None:
    with pytest.raises(InputError, match="candidates"):
        model.among(np.array([0]), np.array([UNITS]))
