from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lookalike.encoders.pooling import choose_pooling, pool, poolings_for
from lookalike.encoders.spec import Pooling
from lookalike.errors import InputError

MAPS = arrays.arrays(
    np.float32,
    st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 6)),
    elements=st.floats(0.0, 8.0, width=32),
)


@given(MAPS)
def test_gap_is_the_mean_and_max_the_largest_over_places(features: np.ndarray) -> None:
    assert np.allclose(pool(features, "gap"), features.astype(np.float64).mean(axis=(0, 1)), rtol=1e-6)
    assert np.array_equal(pool(features, "max"), features.max(axis=(0, 1)))


@given(MAPS)
def test_gem_lies_between_the_mean_and_the_largest(features: np.ndarray) -> None:
    mean, gem, most = (pool(features, name) for name in ("gap", "gem", "max"))
    assert (gem >= mean - 1e-4).all()
    assert (gem <= np.maximum(most, 1e-6) + 1e-4).all()


def test_gem_is_the_cubic_mean() -> None:
    features = np.array([[[1.0, -4.0]], [[3.0, 2.0]]], np.float32)
    expected = [((1 + 27) / 2) ** (1 / 3), ((1e-18 + 8) / 2) ** (1 / 3)]
    assert np.allclose(pool(features, "gem"), expected)


@given(MAPS)
def test_memory_layout_does_not_move_a_bit(features: np.ndarray) -> None:
    channels_first = np.ascontiguousarray(features.transpose(2, 0, 1)).transpose(1, 2, 0)
    for pooling in poolings_for(3):
        assert np.array_equal(pool(features, pooling), pool(channels_first, pooling))


def test_tokens_without_a_place_are_left_out() -> None:
    tokens = np.array([[100.0, 100.0], [1.0, 2.0], [3.0, 6.0]], np.float32)
    assert pool(tokens, "cls").tolist() == [100.0, 100.0]
    assert pool(tokens, "tokens-mean", prefix=1).tolist() == [2.0, 4.0]
    assert pool(tokens, "max", prefix=1).tolist() == [3.0, 6.0]
    assert np.allclose(pool(tokens, "tokens-mean"), tokens.mean(axis=0))


def test_a_vector_is_taken_as_it_is_and_copied() -> None:
    vector = np.array([1.0, -2.0], np.float32)
    pooled = pool(vector, "none")
    vector[:] = 0
    assert pooled.tolist() == [1.0, -2.0]


@pytest.mark.parametrize(
    ("pooling", "shape"), [("cls", (2, 2, 3)), ("gap", (4, 3)), ("none", (4, 3)), ("gem", (3,))]
)
def test_a_pooling_that_does_not_fit_is_refused_with_those_that_do(
    pooling: Pooling, shape: tuple[int, ...]
) -> None:
    valid = poolings_for(len(shape))
    with pytest.raises(InputError, match=", ".join(valid)):
        pool(np.zeros(shape, np.float32), pooling)
    with pytest.raises(InputError, match=", ".join(valid)):
        choose_pooling(pooling, rank=len(shape), layer="x")


def test_the_default_pooling_follows_the_kind_of_output() -> None:
    assert choose_pooling(None, rank=3, layer="x") == "gap"
    assert choose_pooling(None, rank=2, layer="x") == "cls"
    assert choose_pooling(None, rank=2, layer="x", prefix=0) == "tokens-mean"
    assert choose_pooling(None, rank=1, layer="x") == "none"
    with pytest.raises(InputError, match="'cls'"):
        choose_pooling("cls", rank=2, layer="x", prefix=0)
