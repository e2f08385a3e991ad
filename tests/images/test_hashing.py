"""Content hashes."""

from __future__ import annotations

import hashlib

import numpy as np

from lookalike.images.hashing import content_hash


def test_bytes_hash_as_sha256() -> None:
    assert content_hash(b"abc") == hashlib.sha256(b"abc").hexdigest()


def test_pixels_hash_with_their_shape() -> None:
    wide, tall = np.zeros((2, 3, 3), np.uint8), np.zeros((3, 2, 3), np.uint8)
    assert content_hash(wide) != content_hash(tall)
    assert content_hash(wide) == content_hash(wide.copy())
    assert content_hash(wide) != content_hash(bytes(18))


def test_a_view_hashes_as_its_copy() -> None:
    pixels = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    assert content_hash(pixels[:, ::-1]) == content_hash(pixels[:, ::-1].copy())
    assert content_hash(pixels[:, ::-1]) != content_hash(pixels)
