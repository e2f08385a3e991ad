"""Better copies measure better."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageEnhance
import PIL.ImageFilter
import pytest

from lookalike.errors import ImageError
from lookalike.images.quality import measure_quality


@pytest.fixture(scope="module")
def photos(sample: Path) -> list[PIL.Image.Image]:
    return [PIL.Image.open(path).convert("RGB") for path in sorted((sample / "customer").glob("*.jpg"))[:8]]


def jpeg(picture: PIL.Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return file.getvalue()


def test_stronger_compression_shows(photos: list[PIL.Image.Image]) -> None:
    for photo in photos:
        low, high = measure_quality(jpeg(photo, 20)), measure_quality(jpeg(photo, 92))
        assert low.artefacts > high.artefacts
        assert low.bytes < high.bytes


def test_a_blurred_copy_is_less_sharp_and_a_darker_one_is_not(photos: list[PIL.Image.Image]) -> None:
    for photo in photos:
        sharp = measure_quality(np.asarray(photo)).sharpness
        assert (
            measure_quality(np.asarray(photo.filter(PIL.ImageFilter.GaussianBlur(2)))).sharpness < sharp / 2
        )
        dark = PIL.ImageEnhance.Brightness(photo).enhance(0.7)
        assert measure_quality(np.asarray(dark)).sharpness == pytest.approx(sharp, rel=0.1)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 2), (8, 8)])
def test_the_smallest_images_have_measures_too(shape: tuple[int, int]) -> None:
    quality = measure_quality(np.zeros((*shape, 3), np.uint8))
    assert quality == (0, 0, 0)


def test_what_is_no_image_is_refused() -> None:
    with pytest.raises(ImageError):
        measure_quality(b"no picture")
