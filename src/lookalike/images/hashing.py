"""What makes two inputs the same picture to a collection."""

from __future__ import annotations

import hashlib

import numpy as np

from lookalike.types import Image


def content_hash(data: bytes | Image) -> str:
    """SHA-256 of encoded bytes, or of pixels with their shape, hexadecimal.

    Args:
        data: An encoded image, or uint8 (h, w, 3) pixels. The two kinds never share a hash space on purpose:
            a frame of a video is known by its pixels, a file by its bytes.
    """
    if isinstance(data, bytes):
        return hashlib.sha256(data).hexdigest()
    digest = hashlib.sha256(f"{data.dtype.str} {data.shape}".encode())
    digest.update(np.ascontiguousarray(data).data)
    return digest.hexdigest()
