"""Edits that leave a picture the same picture: what a search for near-duplicates has to see through.

Applied to a collection's own pictures they show which edits it would find there.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import PIL.Image
import PIL.ImageEnhance
import PIL.ImageOps

from lookalike.types import Image

CROPPED = 0.10
"""Share of the width and of the height that a crop takes away."""

JPEG_QUALITY = 30

Edit = Callable[[PIL.Image.Image, np.random.Generator], PIL.Image.Image]


def _resize(picture: PIL.Image.Image, _: np.random.Generator) -> PIL.Image.Image:
    smaller = (max(1, picture.width // 2), max(1, picture.height // 2))
    return picture.resize(smaller, PIL.Image.Resampling.BICUBIC)


def _crop(picture: PIL.Image.Image, random: np.random.Generator) -> PIL.Image.Image:
    width, height = (max(1, round((1 - CROPPED) * side)) for side in picture.size)
    left = int(random.integers(picture.width - width + 1))
    top = int(random.integers(picture.height - height + 1))
    return picture.crop((left, top, left + width, top + height))


def _recompress(picture: PIL.Image.Image, _: np.random.Generator) -> PIL.Image.Image:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=JPEG_QUALITY)
    return PIL.Image.open(file).convert("RGB")


def _mirror(picture: PIL.Image.Image, _: np.random.Generator) -> PIL.Image.Image:
    return PIL.ImageOps.mirror(picture)


def _brightness(picture: PIL.Image.Image, random: np.random.Generator) -> PIL.Image.Image:
    return PIL.ImageEnhance.Brightness(picture).enhance(float(random.choice((0.75, 1.25))))


def _colour(picture: PIL.Image.Image, random: np.random.Generator) -> PIL.Image.Image:
    return PIL.ImageEnhance.Color(picture).enhance(float(random.choice((0.6, 1.4))))


EDITS: Final[Mapping[str, Edit]] = {
    "resize": _resize,
    "crop": _crop,
    "recompress": _recompress,
    "mirror": _mirror,
    "brightness": _brightness,
    "colour": _colour,
}


def edited(image: Image, *, seed: int = 0) -> dict[str, Image]:
    """An image after each edit: half the size, 10 % cropped off, JPEG quality 30, mirrored, brighter or darker, and
    more or less saturated.

    Args:
        image: uint8 (h, w, 3), upright RGB.
        seed: Chooses the place of the crop and the directions of brightness and saturation.
    """
    random = np.random.default_rng(seed)
    picture = PIL.Image.fromarray(image)
    return {name: np.asarray(edit(picture, random)) for name, edit in EDITS.items()}
