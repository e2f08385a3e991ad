"""Thumbnails: small, never larger than the picture, and the same picture."""

from __future__ import annotations

import numpy as np
import pytest
from painting import difference, make_picture

from lookalike.errors import InputError
from lookalike.images.decode import decode
from lookalike.images.thumbnails import SIDE, thumbnail


@pytest.mark.parametrize(
    "size, expected",
    [
        ((800, 600), (256, 192)),
        ((600, 800), (192, 256)),
        ((100, 50), (100, 50)),
        ((3000, 1), (256, 1)),
        ((1, 1), (1, 1)),
    ],
)
def test_the_longer_side_is_at_most_256_and_nothing_grows(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    decoded = decode(thumbnail(make_picture(*size)))
    assert SIDE == 256
    assert decoded.format == "WEBP"
    assert (decoded.width, decoded.height) == expected


def test_the_side_can_be_chosen() -> None:
    assert decode(thumbnail(make_picture(640, 480), side=64)).pixels.shape == (48, 64, 3)


def test_a_thumbnail_shows_the_picture() -> None:
    picture = make_picture(200, 150)
    assert difference(decode(thumbnail(picture)).pixels, picture) < 6


def test_the_same_picture_gives_the_same_bytes_even_from_a_view() -> None:
    picture = make_picture(300, 200)
    view = np.ascontiguousarray(picture[:, ::-1])[:, ::-1]
    assert not view.flags.c_contiguous
    assert thumbnail(picture) == thumbnail(view)


@pytest.mark.parametrize(
    "array", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32), np.zeros((0, 4, 3), np.uint8)]
)
def test_what_is_no_picture_is_an_input_error(array: np.ndarray) -> None:
    with pytest.raises(InputError, match="expected uint8"):
        thumbnail(array)


def test_a_side_below_one_is_an_input_error() -> None:
    with pytest.raises(InputError, match="side is 0"):
        thumbnail(make_picture(), side=0)
