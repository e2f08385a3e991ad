"""Pictures of people or things that are asked for or enrolled, and how somebody who asks is called."""

from __future__ import annotations

import getpass
import hashlib
import os
from os import PathLike, fspath
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.images.decode import Limits, decode
from lookalike.images.fetch import fetch
from lookalike.types import Crop, Image

Picture: TypeAlias = str | PathLike[str] | bytes | npt.NDArray[np.uint8]
"""A path or URL, image bytes, or uint8 (h, w, 3) pixels, upright RGB."""


def pixels_of(picture: Picture, *, limits: Limits, crop: Crop | None = None) -> tuple[Image, str]:
    """A picture, and the digest of what was given.

    Args:
        picture: It should show the person or thing from head to foot and little else.
        limits: Largest image accepted.
        crop: The region to look at.

    Returns:
        uint8 (h, w, 3), and SHA-256 in hexadecimal, of the file's bytes or the pixels.

    Raises:
        InputError: If it is no picture.
        ImageError: If it cannot be read.
    """
    if isinstance(picture, str | PathLike):
        picture = fetch(fspath(picture), limits=limits)
    if isinstance(picture, np.ndarray):
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or not picture.size:
            raise InputError(
                f"pixels {picture.dtype} {picture.shape} are no image: expected uint8 (h, w, 3) RGB"
            )
        digest = hashlib.sha256(np.ascontiguousarray(picture).tobytes()).hexdigest()
        if crop is not None:
            left, top, right, bottom = crop.pixels(picture.shape[1], picture.shape[0])
            picture = picture[top:bottom, left:right]
        return np.ascontiguousarray(picture), digest
    if not isinstance(picture, bytes | bytearray):
        raise InputError(
            f"{type(picture).__name__} is no picture: expected a path, image bytes or uint8 (h, w, 3) pixels"
        )
    data = bytes(picture)
    return decode(data, crop=crop, limits=limits).pixels, hashlib.sha256(data).hexdigest()


def digest_of_words(kind: str, text: str) -> str:
    """SHA-256 of a name or an id that was asked for: the log tells that two were the same, not what they were."""
    return hashlib.sha256(f"{kind}:{text}".encode()).hexdigest()


def account(who: str) -> str:
    """Who asks: as told, or the account of the operating system."""
    if who:
        return who
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # an account without a name, as containers have them
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "unknown account"
