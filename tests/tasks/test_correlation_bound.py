"""A bound on what looking for one picture in another would find."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.images.edits import edited
from lookalike.images.perceptual import COARSE, coarse_plane
from lookalike.tasks.correlation_bound import may_be_found, middle_spectra
from lookalike.tasks.registration import Plane, locate


def smooth(random: np.random.Generator, n: int, tiles: int) -> Plane:
    """Random pictures of so many tiles a side: the fewer, the more of their power is in low frequencies."""
    side = COARSE // tiles
    return (
        random.integers(0, 256, (n, tiles, tiles), dtype=np.uint8).repeat(side, axis=1).repeat(side, axis=2)
    )


def scores(planes: Plane, wanted: np.ndarray) -> np.ndarray:
    return np.stack([locate(planes[row], plane).score for row, plane in zip(wanted, planes, strict=True)])


@pytest.fixture(scope="module")
def views(sample: Path) -> Plane:
    """Views of products, each followed by its edits."""
    planes = []
    for path in sorted((sample / "catalog").glob("*.jpg"))[:20]:
        view = np.asarray(PIL.Image.open(path).convert("RGB"))
        planes += [coarse_plane(each) for each in (view, *edited(view).values())]
    return np.stack(planes)


@pytest.mark.parametrize("least", [0.5, 0.8, 0.95])
def test_no_picture_that_would_be_found_is_left_out(views: Plane, least: float) -> None:
    wanted = np.random.default_rng(0).integers(0, len(views), (len(views), 12))
    wanted[:, 0] = np.arange(len(views)) // 7 * 7  # the original of each
    possible = may_be_found(middle_spectra(views), wanted, views, least)
    found = scores(views, wanted) >= least
    assert found.sum() > 100
    assert not (found & ~possible).any()


def test_most_other_pictures_are_left_out(views: Plane) -> None:
    wanted = np.random.default_rng(1).integers(0, len(views), (len(views), 12))
    possible = may_be_found(middle_spectra(views), wanted, views, 0.8)
    found = scores(views, wanted) >= 0.8
    assert (possible & ~found).sum() < 0.35 * (~found).sum()


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    tiles=st.sampled_from([2, 4, 8, 16, 32]),
    least=st.floats(0.1, 0.99),
)
def test_the_bound_holds_for_pictures_of_any_roughness(seed: int, tiles: int, least: float) -> None:
    random = np.random.default_rng(seed)
    planes = smooth(random, 6, tiles)
    planes[1] = planes[0, :, ::-1]
    planes[2] = np.clip(planes[0] * 0.5 + random.integers(0, 60, planes[0].shape), 0, 255)
    wanted = np.tile(np.arange(6), (6, 1))
    possible = may_be_found(middle_spectra(planes), wanted, planes, least)
    assert not ((scores(planes, wanted) >= least) & ~possible).any()


def test_pictures_without_content_are_found_nowhere() -> None:
    planes = np.stack([np.full((COARSE, COARSE), level, np.uint8) for level in (0, 128, 255)])
    wanted = np.tile(np.arange(3), (3, 1))
    assert not may_be_found(middle_spectra(planes), wanted, planes, 0.8).any()
