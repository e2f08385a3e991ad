"""Bytes to upright RGB pixels: the one door through which every encoded image comes in.

Content decides the format, never a name. Limits are checked on the header, before pixels are allocated.
JPEG goes to libjpeg-turbo (:mod:`lookalike.images.jpeg`), everything else to Pillow
(:mod:`lookalike.images.rasters`). Colour profiles are not applied; the numbers are taken as sRGB.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lookalike.errors import ImageError, InputError
from lookalike.images.signatures import describe, image_format
from lookalike.types import Crop, Image


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest image that is decoded; larger ones are refused with the reason.

    Args:
        pixels: Width times height that the header declares, at most. 50 megapixels are 150 MB of RGB.
        bytes: Length of the encoded image, at most.

    Raises:
        InputError: If one of them is less than 1.
    """

    pixels: int = 50_000_000
    bytes: int = 200_000_000

    def __post_init__(self) -> None:
        if self.pixels < 1 or self.bytes < 1:
            raise InputError(
                f"limits of {self.pixels} pixels and {self.bytes} bytes admit no image: expected >= 1"
            )

    def check_pixels(self, width: int, height: int) -> None:
        """Refuse an image whose header declares too many pixels, or none.

        Raises:
            ImageError: With the numbers.
        """
        if width < 1 or height < 1:
            raise ImageError(f"declares {width} x {height} pixels, which is no image")
        if width * height > self.pixels:
            raise ImageError(
                f"{width} x {height} = {width * height / 1e6:.1f} megapixels, more than the limit of "
                f"{self.pixels / 1e6:.1f}: make it smaller or raise the limit"
            )

    def check_bytes(self, size: int) -> None:
        """Refuse an encoded image that is too long.

        Raises:
            ImageError: With the numbers.
        """
        if size > self.bytes:
            raise ImageError(
                f"{size / 1e6:.1f} MB, more than the limit of {self.bytes / 1e6:.1f} MB for one image: "
                "make it smaller or raise the limit"
            )


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded image.

    Args:
        pixels: uint8 (h, w, 3), upright RGB, of the crop when one was asked for; may be smaller than
            ``height`` x ``width`` because a JPEG was decoded at a reduced scale.
        width, height: Of the whole upright image, pixels.
        format: ``JPEG``, ``PNG``, ``WEBP``, ``GIF``, ``TIFF``, ``BMP``, ``AVIF`` or ``PPM``.
    """

    pixels: Image
    width: int
    height: int
    format: str


def decode(
    data: bytes,
    *,
    min_side: int | None = None,
    crop: Crop | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Decoded:
    """Decode one image; safe on any thread.

    EXIF orientation is applied, transparency is laid over white, the first frame of an animation counts.

    Args:
        data: The encoded image.
        min_side: Both sides of the returned picture (of the crop, if any) may be reduced down to this many
            pixels, where the format allows it cheaply; None keeps full size. Nothing is ever enlarged.
        crop: A region of the whole upright image.
        limits: What is refused.

    Returns:
        The pixels, and the size of the whole image.

    Raises:
        ImageError: If the data is no image of a known format, is damaged or cut off, or exceeds a limit.
        InputError: If ``min_side`` is less than 1 or nothing of the crop lies inside the image.

    Example:
        >>> decode(Path("photo.jpg").read_bytes(), min_side=224).pixels.shape
        (300, 400, 3)
    """
    if min_side is not None and min_side < 1:
        raise InputError(f"min_side is {min_side}: expected at least 1 pixel, or None for full size")
    limits.check_bytes(len(data))
    name = image_format(data)
    if name is None:
        raise ImageError(describe(data))
    if name == "JPEG":
        from lookalike.images.jpeg import decode_jpeg

        pixels, width, height = decode_jpeg(data, min_side, crop, limits)
    else:
        from lookalike.images.rasters import decode_raster

        pixels = decode_raster(data, name, limits)
        height, width = pixels.shape[:2]
        if crop is not None:
            left, top, right, bottom = crop.pixels(width, height)
            pixels = pixels[top:bottom, left:right]
    return Decoded(np.ascontiguousarray(pixels), width, height, name)
