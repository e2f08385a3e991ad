"""Laying pictures on each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageOps
import pytest

from lookalike.images.perceptual import coarse_plane, planes_of
from lookalike.tasks.registration import Poses, locate, overlap, refine

PIXEL = 1 / 128


@pytest.fixture(scope="module")
def chair(sample: Path) -> PIL.Image.Image:
    picture = PIL.Image.open(sorted((sample / "catalog").glob("*chair*_0.jpg"))[0]).convert("RGB")
    assert picture.width == picture.height
    return picture


def pose(first: PIL.Image.Image, second: PIL.Image.Image) -> Poses:
    images = [np.asarray(first), np.asarray(second)]
    found = locate(coarse_plane(images[0])[None], coarse_plane(images[1]))
    return refine(planes_of(images[:1]).luminance, planes_of(images[1:]).luminance, found)


@pytest.mark.parametrize("edges", [(0.0, 0.0, 0.9, 0.9), (0.1, 0.05, 1.0, 0.97), (0.12, 0.0, 1.0, 1.0)])
def test_a_crop_is_found_where_it_was_cut(chair: PIL.Image.Image, edges: tuple[float, ...]) -> None:
    side = chair.width
    left, top, right, bottom = (round(share * side) for share in edges)
    found = pose(chair, chair.crop((left, top, right, bottom)))
    assert not found.flipped[0]
    assert found.x[0] == pytest.approx([(right - left) / side, left / side], abs=PIXEL / 2)
    assert found.y[0] == pytest.approx([(bottom - top) / side, top / side], abs=PIXEL / 2)
    assert overlap(found)[0] == pytest.approx((right - left) * (bottom - top) / side**2, abs=0.02)


def test_the_pose_of_a_mirrored_darker_smaller_copy_is_the_identity(chair: PIL.Image.Image) -> None:
    dark = PIL.ImageOps.mirror(chair).resize((150, 150)).point(lambda value: value // 2 + 20)
    found = pose(chair, dark)
    assert found.flipped[0]
    assert found.x[0] == pytest.approx([1, 0], abs=PIXEL / 2)
    assert found.y[0] == pytest.approx([1, 0], abs=PIXEL / 2)


def test_a_crop_and_its_original_may_change_places(chair: PIL.Image.Image) -> None:
    side = chair.width
    part = round(0.9 * side)
    found = pose(chair.crop((0, side - part, part, side)), chair)
    assert found.x[0] == pytest.approx([side / part, 0], abs=PIXEL)
    assert found.y[0] == pytest.approx([side / part, (part - side) / part], abs=PIXEL)


def test_pictures_without_content_match_nothing() -> None:
    grey, noise = (
        np.full((32, 32), 200, np.uint8),
        np.random.default_rng(0).integers(0, 255, (32, 32), np.uint8),
    )
    assert locate(np.stack([grey, noise]), grey).score.max() < 0.1
    assert locate(grey[None], noise).score.max() < 0.1
    assert locate(noise[None], noise).score[0] > 0.99


def test_a_flat_picture_has_a_pose_all_the_same() -> None:
    flat = np.full((1, 128, 128), 90, np.uint8)
    start = Poses(
        np.ones(1, np.float32),
        np.zeros(1, bool),
        np.array([[1, 0]], np.float32),
        np.array([[1, 0]], np.float32),
    )
    found = refine(flat, flat, start)
    assert np.isfinite(found.x).all()
    assert np.isfinite(found.y).all()
