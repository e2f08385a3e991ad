"""Pictures for the tests of this floor, made from numbers."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import PIL.Image

from lookalike.types import Image


def make_picture(width: int = 64, height: int = 48, seed: int = 0) -> Image:
    """A smooth colour picture whose four corners differ: every turn and mirror of it shows."""
    rng = np.random.default_rng(seed)
    small = rng.integers(40, 216, (4, 5, 3), dtype=np.uint8)
    picture = PIL.Image.fromarray(small).resize((width, height), PIL.Image.Resampling.BICUBIC)
    pixels = np.array(picture)
    h, w = max(1, height // 3), max(1, width // 3)
    pixels[:h, :w] = (220, 30, 30)
    pixels[:h, -w:] = (30, 200, 40)
    pixels[-h:, :w] = (40, 50, 220)
    return pixels


def encode_as(format: str, picture: Image | PIL.Image.Image, **options: Any) -> bytes:
    """A picture in a file's format."""
    image = PIL.Image.fromarray(picture) if isinstance(picture, np.ndarray) else picture
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def difference(a: Image, b: Image) -> float:
    """Mean absolute difference of two pictures of one size."""
    assert a.shape == b.shape
    return float(np.abs(a.astype(int) - b.astype(int)).mean())
