from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lookalike.errors import InputError
from lookalike.vectors.metrics import cosine, cosine_pairs, inner, normalise


@given(arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(1, 9)), elements=st.floats(-1e300, 1e300)))
def test_normalised_rows_have_length_one_whatever_their_magnitude(raw: np.ndarray) -> None:
    raw[:, 0] += np.where(np.abs(raw).max(axis=1) == 0, 1.0, 0.0)
    unit = normalise(raw)
    assert unit.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(unit.astype(np.float64), axis=1), 1, atol=1e-6)


def test_a_single_vector_keeps_its_shape() -> None:
    np.testing.assert_allclose(normalise(np.array([3.0, 4.0])), [0.6, 0.8], rtol=1e-6)


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
def test_rows_without_direction_are_refused_by_number(bad: float) -> None:
    raw = np.ones((4, 3))
    raw[2] = 0
    raw[2, 1] = bad
    with pytest.raises(InputError, match="row 2 of 4"):
        normalise(raw)


@pytest.mark.parametrize("raw", [np.float64(1), np.ones((1, 2, 3)), np.ones((2, 0)), np.array(["a", "b"])])
def test_what_is_no_matrix_is_refused(raw: np.ndarray) -> None:
    with pytest.raises(InputError, match="expected numbers of shape"):
        normalise(raw)


def test_no_rows_stay_no_rows() -> None:
    assert normalise(np.empty((0, 4))).shape == (0, 4)


@pytest.mark.parametrize("q", [1, 3, 20])
def test_cosine_equals_the_definition(q: int) -> None:
    rng = np.random.default_rng(q)
    queries, gallery = (
        normalise(rng.standard_normal((q, 16))),
        rng.standard_normal((50, 16)).astype(np.float32),
    )
    expected = queries.astype(np.float64) @ (gallery / np.linalg.norm(gallery, axis=1, keepdims=True)).T
    np.testing.assert_allclose(cosine(queries, gallery), expected, atol=1e-6)
    np.testing.assert_allclose(inner(queries, gallery), queries @ gallery.T, rtol=1e-4, atol=1e-5)
    paired = cosine_pairs(queries, np.broadcast_to(gallery, (q, 50, 16)))
    np.testing.assert_allclose(paired, expected, atol=1e-6)


def test_a_vector_kept_in_half_precision_is_its_own_best_match() -> None:
    unit = normalise(np.random.default_rng(0).standard_normal((30, 64)))
    half = unit.astype(np.float16)
    own = np.diag(cosine(normalise(half), half))
    assert (own <= 1).all()
    np.testing.assert_allclose(own, 1, atol=1e-6)


def test_equal_vectors_score_bitwise_equal_wherever_they_stand() -> None:
    rng = np.random.default_rng(0)
    gallery = rng.standard_normal((997, 63)).astype(np.float32)
    gallery[::7] = gallery[0]
    scores = cosine_pairs(normalise(rng.standard_normal((1, 63))), gallery[None])[0]
    assert len(set(scores[::7].tolist())) == 1
