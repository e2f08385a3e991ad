from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.errors import InputError
from lookalike.images.mosaic import CELLS, STEP, hide, mosaic


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@settings(max_examples=60, deadline=None)
@given(height=st.integers(1, 90), width=st.integers(1, 90), cells=st.integers(1, 30))
def test_no_more_colours_are_left_than_cells(height: int, width: int, cells: int) -> None:
    made = mosaic(noise(height, width), cells)
    assert made.shape == (height, width, 3)
    side = max(height, width) / cells
    most = max(1, round(height / side)) * max(1, round(width / side))
    assert len(np.unique(made.reshape(-1, 3), axis=0)) <= most
    assert max(len(np.unique(made.reshape(-1, 3), axis=0)), 1) <= cells * cells


def test_a_cell_has_the_mean_colour_of_what_it_covers_to_the_step() -> None:
    image = noise(60, 30)
    made = mosaic(image, 6)
    mean = image[:10, :10].mean(axis=(0, 1))
    assert (np.abs(made[0, 0].astype(float) - mean) <= STEP / 2).all()
    assert (made[:10, :10] == made[0, 0]).all()


def test_two_people_who_differ_only_in_detail_look_the_same() -> None:
    one, other = np.full((120, 40, 3), 128, np.uint8), np.full((120, 40, 3), 128, np.uint8)
    one[2:18:4, 10:30] = 0  # eyes, mouth: stripes of the head, as dark on average
    one[4:20:4, 10:30] = 255
    other[2:18, 10:30:4] = 0
    other[2:18, 12:30:4] = 255
    hide(one, (0, 0, 40, 120))
    hide(other, (0, 0, 40, 120))
    assert (one == other).all()


def test_only_the_box_is_hidden_and_what_lies_outside_of_the_picture_is_left_out() -> None:
    image = noise(50, 50)
    before = image.copy()
    hide(image, (30, -10, 70, 20))
    assert (image[20:] == before[20:]).all() and (image[:, :30] == before[:, :30]).all()
    assert len(np.unique(image[:20, 30:].reshape(-1, 3), axis=0)) <= CELLS * CELLS
    hide(image, (60, 60, 80, 80))
    assert (image[20:] == before[20:]).all()


def test_a_mosaic_without_cells_is_refused() -> None:
    with pytest.raises(InputError, match="at least 1"):
        mosaic(noise(4, 4), 0)
