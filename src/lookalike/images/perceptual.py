"""What two pictures are compared by, pixel by pixel: small planes of luminance and of colour.

Every picture is squeezed into squares of fixed sizes, whatever its shape. A crop of a picture is then a rectangle
of its square, so that two scales and two shifts describe every way from one picture to the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import PIL.Image

from lookalike.images.decode import decode
from lookalike.types import Image

COARSE = 32
"""Side of the plane in which one picture is looked for in another."""

FINE = 128
"""Side of the plane in which the two are laid on each other and compared."""

CHROMA = 32
"""Side of the colour planes; JPEG halves them too, and edits of colour are global."""

Plane = npt.NDArray[np.uint8]


class Planes(NamedTuple):
    """Pictures as planes.

    Args:
        luminance: uint8 (n, 128, 128), Rec. 601 luma.
        chroma: uint8 (n, 32, 32, 2), blue and red difference, 128 where there is no colour.
    """

    luminance: Plane
    chroma: Plane


def coarse_plane(image: Image) -> Plane:
    """The luminance of an image, uint8 (32, 32).

    Args:
        image: uint8 (h, w, 3), upright RGB.
    """
    return _resized(PIL.Image.fromarray(image).convert("L"), COARSE)


def read_coarse(pictures: Sequence[bytes]) -> Plane:
    """Coarse luminance of encoded pictures, such as thumbnails.

    Args:
        pictures: Encoded images.

    Returns:
        uint8 (n, 32, 32).

    Raises:
        ImageError: If one cannot be decoded.
    """
    planes = np.empty((len(pictures), COARSE, COARSE), dtype=np.uint8)
    for plane, data in zip(planes, pictures, strict=True):
        plane[:] = coarse_plane(decode(data).pixels)
    return planes


def planes_of(images: Sequence[Image]) -> Planes:
    """Fine luminance and colour of images.

    Args:
        images: uint8 (h, w, 3) each, upright RGB.
    """
    luminance = np.empty((len(images), FINE, FINE), dtype=np.uint8)
    chroma = np.empty((len(images), CHROMA, CHROMA, 2), dtype=np.uint8)
    for number, image in enumerate(images):
        light, blue, red = PIL.Image.fromarray(image).convert("YCbCr").split()
        luminance[number] = _resized(light, FINE)
        chroma[number] = np.stack([_resized(blue, CHROMA), _resized(red, CHROMA)], axis=2)
    return Planes(luminance, chroma)


def read_planes(pictures: Sequence[bytes]) -> Planes:
    """Fine luminance and colour of encoded pictures, such as thumbnails.

    Args:
        pictures: Encoded images.

    Raises:
        ImageError: If one cannot be decoded.
    """
    return planes_of([decode(data).pixels for data in pictures])


def _resized(plane: PIL.Image.Image, side: int) -> Plane:
    # a box averages whole pixels: the same picture at two sizes gives the same plane
    return np.asarray(plane.resize((side, side), PIL.Image.Resampling.BOX))
