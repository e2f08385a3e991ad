from __future__ import annotations

import numpy as np

from lookalike.vectors.half import BLOCK, widened


def test_every_half_number_widens_exactly() -> None:
    every = np.arange(2**16, dtype=np.uint16).view(np.float16)
    finite = every[np.isfinite(every)]
    for numbers in (every, finite):
        with np.errstate(invalid="ignore"):
            expected = numbers.astype(np.float32)
        same = widened(numbers)
        assert same.dtype == np.float32
        np.testing.assert_array_equal(same, expected)
        np.testing.assert_array_equal(np.signbit(same), np.signbit(expected))


def test_shapes_strides_and_lengths_beyond_a_block_are_kept() -> None:
    numbers = np.random.default_rng(0).standard_normal((3, BLOCK // 2 + 7)).astype(np.float16)
    for each in (numbers, numbers[:, ::2], numbers.T, numbers[:0], numbers[1, 1]):
        np.testing.assert_array_equal(widened(np.asarray(each)), np.asarray(each).astype(np.float32))


def test_what_is_single_already_is_not_copied() -> None:
    numbers = np.ones((2, 3), dtype=np.float32)
    assert widened(numbers) is numbers
    np.testing.assert_array_equal(widened(np.arange(3)), np.arange(3, dtype=np.float32))
