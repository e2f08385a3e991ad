"""Tones of edits, undone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.tasks.tones import level_tones, match_tones


def test_tones_of_a_monotone_change_are_undone() -> None:
    source = np.random.default_rng(0).integers(0, 200, (2, 4000)).astype(np.float32)
    darker = np.stack([source[0] * 0.5 + 10, (source[1] / 255) ** 2 * 255]).astype(np.float32)
    assert np.abs(match_tones(source, darker) - darker).max() < 1e-2


@given(st.lists(st.integers(0, 255), min_size=4, max_size=60), st.integers(0, 2**32 - 1))
def test_matched_tones_keep_order_and_the_mean_of_the_target(levels: list[int], seed: int) -> None:
    source = np.array([levels], dtype=np.float32)
    target = np.random.default_rng(seed).uniform(0, 255, source.shape).astype(np.float32)
    matched = match_tones(source, target)
    order = np.argsort(source[0], kind="stable")
    assert (np.diff(matched[0][order]) >= -1e-3).all()
    assert matched.mean() == pytest.approx(target.mean(), abs=1e-2)


def test_the_richer_picture_takes_the_tones_of_the_clipped_one_whichever_comes_first() -> None:
    rich = np.random.default_rng(0).integers(0, 256, (1, 64, 64)).astype(np.float32)
    clipped = np.minimum(rich * 1.6, 255)
    for first, second in ((rich, clipped), (clipped, rich)):
        levelled = level_tones(first, second, first, second)
        assert np.abs(levelled[0] - levelled[1]).max() < 2
        assert any(np.array_equal(each, clipped) for each in levelled)


def test_a_tone_that_was_not_seen_lies_between_those_that_were() -> None:
    seen = np.repeat(np.array([[[10.0, 200.0]]], np.float32), 2, axis=1)
    whole = np.array([[[10.0, 105.0], [200.0, 10.0]]], np.float32)
    first, second = level_tones(whole, whole, seen, seen / 2)
    assert np.array_equal(second, whole)
    assert first[0].tolist() == [[5.0, 52.5], [100.0, 5.0]]
