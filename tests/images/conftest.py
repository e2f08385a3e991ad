"""Pictures and folders of them for the tests of this floor."""

from __future__ import annotations

from pathlib import Path

import pytest
from painting import encode_as, make_picture

from lookalike.types import Image


@pytest.fixture
def picture() -> Image:
    return make_picture()


@pytest.fixture
def jpeg(picture: Image) -> bytes:
    return encode_as("JPEG", picture, quality=92)


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    """``catalog/`` with three pictures, one of them in ``sub/``, and things that are no pictures."""
    folder = tmp_path / "shop" / "catalog"
    (folder / "sub").mkdir(parents=True)
    for seed, name in enumerate(["b.JPG", "a.jpg", "sub/chair_0.jpg"]):
        (folder / name).write_bytes(encode_as("JPEG", make_picture(seed=seed)))
    (folder / "prices.csv").write_text("id,price\n")
    (folder / ".hidden.jpg").write_bytes(b"")
    (folder / ".cache").mkdir()
    (folder / ".cache" / "x.jpg").write_bytes(b"")
    return folder
