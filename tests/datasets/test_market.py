from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from lookalike.datasets import market
from lookalike.errors import InputError


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 16)).save(path)


def test_market_1501_says_person_and_camera_in_the_names(tmp_path: Path) -> None:
    for name in ("query/0002_c1s1_000451_03.jpg", "query/-1_c2s1_000001_00.jpg"):
        picture(tmp_path / name)
    for name in ("0002_c3s2_000100_01.jpg", "-1_c1s1_000401_03.jpg", "0000_c6s3_077392_02.jpg"):
        picture(tmp_path / "bounding_box_test" / name)
    assert market.found_in(tmp_path)
    found = market.read(tmp_path)
    assert [(c.person, c.camera) for c in found.queries] == [("0002", "c1")]
    assert sorted((c.person, c.camera) for c in found.gallery) == [
        ("-1", "c1"),
        ("0000", "c6"),
        ("0002", "c3"),
    ]


def test_lists_beside_the_crops_say_what_is_query_and_gallery(tmp_path: Path) -> None:
    for name in ("0001_hall_000010.jpg", "0001_door_000020.jpg"):
        picture(tmp_path / name)
    (tmp_path / "query.txt").write_text("0001_hall_000010.jpg\n")
    (tmp_path / "gallery.txt").write_text("0001_door_000020.jpg\n\n")
    found = market.read(tmp_path)
    assert (found.queries[0].camera, found.gallery[0].camera) == ("hall", "door")


def test_what_is_missing_or_cannot_be_understood_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no crops for re-identification"):
        market.read(tmp_path)
    (tmp_path / "query.txt").write_text("gone.jpg\n")
    (tmp_path / "gallery.txt").write_text("")
    with pytest.raises(InputError, match=r"1 of 1 crops .*gone\.jpg"):
        market.read(tmp_path)
    picture(tmp_path / "gone.jpg")
    with pytest.raises(InputError, match="does not say who it shows"):
        market.read(tmp_path)
