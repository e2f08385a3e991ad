"""Edits against other pictures, pixel by pixel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from lookalike.images.edits import EDITS, edited
from lookalike.images.perceptual import Planes, coarse_plane, planes_of
from lookalike.tasks.duplicates import residuals_of_edits
from lookalike.tasks.registration import Poses, locate
from lookalike.tasks.verification import similarity, verify
from lookalike.types import Image

LINE = 0.2


def picture(path: Path) -> Image:
    return np.asarray(PIL.Image.open(path).convert("RGB"))


def residual(first: Image, second: Image) -> float:
    poses = locate(coarse_plane(first)[None], coarse_plane(second))
    return float(verify(planes_of([first]), planes_of([second]), poses).residual[0])


@pytest.fixture(scope="module")
def views(sample: Path) -> list[Image]:
    return [picture(path) for path in sorted((sample / "catalog").glob("*.jpg"))[:90:3]]


@pytest.mark.parametrize("edit", EDITS)
def test_nearly_all_edits_of_each_kind_leave_little_residual(views: list[Image], edit: str) -> None:
    residuals = [residual(view, edited(view, seed=n)[edit]) for n, view in enumerate(views)]
    assert np.mean(np.array(residuals) < LINE) >= 0.9
    assert np.median(residuals) < 0.1


def test_other_views_and_other_things_leave_much(sample: Path) -> None:
    paths = sorted((sample / "catalog").glob("*.jpg"))[:60]
    images = [picture(path) for path in paths]
    others = [residual(images[n], images[n + 1]) for n in range(len(images) - 1)]
    assert np.mean(np.array(others) > LINE) >= 0.95
    assert min(others) > 0.1
    assert np.median(others) > 0.8


def test_what_lies_below_the_most_that_counts_is_known_exactly_and_what_lies_above_stays_above(
    views: list[Image],
) -> None:
    images = [*views[:12], *(edited(view)["crop"] for view in views[:6])]
    first, second = (half.ravel() for half in np.triu_indices(len(images), 1))
    coarse, planes = np.stack([coarse_plane(image) for image in images]), planes_of(images)
    poses = Poses(
        *map(
            np.concatenate,
            zip(
                *(locate(coarse[a : a + 1], coarse[b]) for a, b in zip(first, second, strict=True)),
                strict=True,
            ),
        )
    )
    sides = [Planes(planes.luminance[half], planes.chroma[half]) for half in (first, second)]
    whole = verify(*sides, poses).residual
    short = verify(*sides, poses, most=0.6).residual
    below = whole <= 0.6
    assert 5 < below.sum() < len(whole) / 2
    np.testing.assert_allclose(short[below], whole[below], atol=1e-5)
    assert (short[~below] > 0.6).all()
    assert (short <= whole + 1e-5).all()


def test_a_thing_in_another_colour_is_no_edit() -> None:
    red = np.full((200, 200, 3), 255, np.uint8)
    random = np.random.default_rng(0)
    red[50:150, 60:140] = np.array([200, 40, 30]) + random.integers(-20, 20, (100, 80, 1))
    blue = red[:, :, ::-1].copy()
    assert residual(red, red) == pytest.approx(0, abs=0.01)
    assert residual(red, blue) > LINE


def test_a_detail_is_no_edit_of_the_whole(views: list[Image]) -> None:
    view = views[0]
    height, width = view.shape[:2]
    detail = view[height // 4 : -height // 4, width // 4 : -width // 4]
    assert residual(view, np.ascontiguousarray(detail)) > LINE


def test_edits_of_a_collection_are_measured_one_by_one(views: list[Image]) -> None:
    residuals = residuals_of_edits(views[:3])
    assert len(residuals) == 3 * len(EDITS)
    assert residuals_of_edits([]).shape == (0,)
    assert np.array_equal(residuals_of_edits(views[:3]), residuals)


def test_similarity_runs_from_0_to_1() -> None:
    assert similarity(np.array([0.0, 0.2, 5.0, np.inf])).tolist() == pytest.approx([1, 0.8, 0, 0])
