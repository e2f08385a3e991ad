"""Planes of pictures, and edits."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from lookalike.errors import ImageError
from lookalike.images.edits import CROPPED, EDITS, edited
from lookalike.images.perceptual import coarse_plane, planes_of, read_coarse, read_planes


@pytest.fixture(scope="module")
def data(sample: Path) -> bytes:
    return sorted((sample / "customer").glob("*.jpg"))[0].read_bytes()


def test_encoded_and_decoded_pictures_have_the_same_planes(data: bytes) -> None:
    image = np.asarray(PIL.Image.open(io.BytesIO(data)).convert("RGB"))
    assert np.abs(read_coarse([data])[0].astype(int) - coarse_plane(image)).max() <= 2
    read, made = read_planes([data, data]), planes_of([image])
    assert read.luminance.shape == (2, 128, 128)
    assert read.chroma.shape == (2, 32, 32, 2)
    assert np.abs(read.luminance[1].astype(int) - made.luminance[0]).max() <= 8
    assert np.abs(read.chroma[1].astype(int) - made.chroma[0]).max() <= 8


def test_grey_has_no_colour_and_size_does_not_matter() -> None:
    small, large = (np.full((side, 2 * side, 3), 77, np.uint8) for side in (5, 700))
    for planes in (planes_of([small]), planes_of([large])):
        assert (planes.luminance == 77).all()
        assert (planes.chroma == 128).all()


def test_nothing_is_read_from_nothing() -> None:
    assert read_coarse([]).shape == (0, 32, 32)
    assert read_planes([]).luminance.shape == (0, 128, 128)


def test_a_damaged_picture_is_refused() -> None:
    with pytest.raises(ImageError):
        read_coarse([b"RIFFxxxxWEBP"])


def test_every_edit_changes_the_picture_and_repeats() -> None:
    image = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)
    first, again = edited(image, seed=3), edited(image, seed=3)
    assert list(first) == list(EDITS)
    for name, edit in first.items():
        assert edit.dtype == np.uint8
        assert edit.shape != image.shape or (edit != image).any()
        assert np.array_equal(edit, again[name])
    assert first["resize"].shape == (60, 80, 3)
    assert first["crop"].shape == (round(120 * (1 - CROPPED)), round(160 * (1 - CROPPED)), 3)
    assert np.array_equal(first["mirror"], image[:, ::-1])
