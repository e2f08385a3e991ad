"""EXIF orientation: found in the metadata, applied to pixels.

Read here and not by Pillow because only one number is wanted: broken metadata elsewhere in the block must
neither warn nor fail, and JPEG does not go through Pillow at all. Orientation that is given only in XMP is
ignored, as browsers do.
"""

from __future__ import annotations

import struct

import numpy as np

from lookalike.types import Image

UPRIGHT = 1
"""EXIF's number for an image that needs no turning."""

_ORIENTATION_TAG = 0x0112
_INTEGER_TYPES = {1: "B", 3: "H", 4: "I", 16: "Q"}


def exif_orientation(exif: bytes) -> int:
    """The orientation, 1 to 8, that an EXIF block states; 1 when it states none or is damaged.

    Args:
        exif: The block, with or without its leading ``Exif\\0\\0``.
    """
    orientation = first_directory(exif.removeprefix(b"Exif\0\0")).get(_ORIENTATION_TAG, UPRIGHT)
    return orientation if 1 <= orientation <= 8 else UPRIGHT


def first_directory(tiff: bytes) -> dict[int, int]:
    """The single integers of the first directory of a TIFF structure (which EXIF is too): tag to value.

    Classic TIFF and BigTIFF, either byte order; damaged entries are left out.
    Source: TIFF Revision 6.0, Adobe 1992, section 2.
    """
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return {}
    try:
        (version,) = struct.unpack_from(order + "H", tiff, 2)
        if version == 43:
            (start,) = struct.unpack_from(order + "Q", tiff, 8)
            (entries,) = struct.unpack_from(order + "Q", tiff, start)
            first, step, number, inline = start + 8, 20, "Q", 12
        else:
            (start,) = struct.unpack_from(order + "I", tiff, 4)
            (entries,) = struct.unpack_from(order + "H", tiff, start)
            first, step, number, inline = start + 2, 12, "I", 8
        values = {}
        for at in range(first, first + step * min(entries, 4096), step):
            tag, kind, count = struct.unpack_from(order + "HH" + number, tiff, at)
            if count == 1 and kind in _INTEGER_TYPES:
                (values[tag],) = struct.unpack_from(order + _INTEGER_TYPES[kind], tiff, at + inline)
    except (struct.error, OverflowError):
        return {}
    return values


def turned(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Width and height after applying an orientation."""
    return (size[1], size[0]) if orientation >= 5 else size


def upright(pixels: Image, orientation: int) -> Image:
    """Apply an EXIF orientation; a view of the pixels.

    Args:
        pixels: uint8 (h, w, 3) as stored.
        orientation: 1 to 8, as EXIF 2.3 (CIPA DC-008) numbers them.

    Returns:
        uint8 (h, w, 3), or (w, h, 3) for the orientations that swap the axes.
    """
    if orientation >= 5:
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.asarray(pixels)
