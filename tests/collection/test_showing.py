"""Items page by page, and their pictures as a browser takes them."""

from __future__ import annotations

import io
import itertools
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

import lookalike
from lookalike import Collection
from lookalike.errors import FilterError, InputError, UnknownItem
from lookalike.images.decode import decode
from lookalike.images.hashing import content_hash


def pages(shop: Collection, where: str | None, limit: int) -> list[list[str]]:
    found, after = [], -1
    for _ in range(1000):
        page = shop.page(where=where, after=after, limit=limit)
        found.append([item.id for item in page.items])
        if page.next is None:
            return found
        after = page.next
    raise AssertionError("the pages have no end")


def encoded(pixels: np.ndarray, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    PIL.Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("where", [None, "in_stock", "price > 1e9"])
def test_pages_show_every_item_once_in_the_order_in_which_they_came(
    shop: Collection, where: str | None
) -> None:
    found = pages(shop, where, 50)
    expected = [item.id for item in shop]
    if where is not None:
        rows = shop._searcher.select(where).tolist()
        expected = [item.id for item in shop if item.row in rows]
    assert list(itertools.chain(*found)) == expected
    assert all(len(page) == 50 for page in found[:-1])


def test_a_full_last_page_has_no_next_one(shop: Collection) -> None:
    assert [len(page) for page in pages(shop, None, 110)] == [110, 110, 110]


def test_what_is_removed_meanwhile_moves_nothing(shop: Collection) -> None:
    first = shop.page(limit=10)
    shop.remove([first.items[0].id, first.items[-1].id])
    assert first.next is not None
    second = shop.page(after=first.next, limit=10)
    ids = [item.id for item in shop]
    assert [item.id for item in second.items] == ids[8:18]


def test_wrong_pages_are_refused(shop: Collection) -> None:
    with pytest.raises(InputError, match="limit = 501"):
        shop.page(limit=501)
    with pytest.raises(FilterError):
        shop.page(where="price <")


def test_stored_bytes_come_as_they_are_where_browsers_show_them(shop: Collection) -> None:
    item = next(iter(shop))
    picture = shop.picture(item.id)
    assert picture.data == Path(item.uri).read_bytes()
    assert (picture.type, picture.read_from) == ("image/jpeg", "original")
    assert picture.version == shop.picture_version(item.id) == item.sha256


def test_a_size_bounds_the_longer_side_and_has_a_version_of_its_own(shop: Collection) -> None:
    item = next(iter(shop))
    picture = shop.picture(item.id, size=100)
    assert picture.type == "image/webp"
    assert max(decode(picture.data).pixels.shape) == 100
    assert picture.version == shop.picture_version(item.id, size=100)
    assert len({picture.version, shop.picture_version(item.id), shop.picture_version(item.id, size=64)}) == 3
    for size in (63, 2049):
        with pytest.raises(InputError, match=f"size = {size}"):
            shop.picture(item.id, size=size)


def test_what_browsers_do_not_show_is_made_into_what_they_do(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pixels = np.repeat(np.repeat(rng.integers(0, 255, (6, 8, 3), np.uint8), 20, 0), 20, 1)
    folder = tmp_path / "pictures"
    folder.mkdir()
    for kind, name in (("TIFF", "a.tif"), ("BMP", "b.bmp"), ("PPM", "c.ppm"), ("PNG", "d.png")):
        (folder / name).write_bytes(encoded(pixels, kind))
    with lookalike.create(tmp_path / "c.lookalike") as made:
        made.add(folder, progress=False)
        for name in ("a.tif", "b.bmp", "c.ppm"):
            picture = made.picture(f"pictures/{name}")
            assert picture.type == "image/jpeg"
            shown = decode(picture.data).pixels
            assert shown.shape == pixels.shape
            assert np.abs(shown.astype(int) - pixels).mean() < 12
        assert made.picture("pictures/d.png").type == "image/png"


def test_a_picture_that_was_taken_sideways_is_upright(tmp_path: Path) -> None:
    pixels = np.zeros((40, 80, 3), np.uint8)
    exif = PIL.Image.Exif()
    exif[0x0112] = 6  # turn clockwise to look at it
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "a.jpg").write_bytes(encoded(pixels, "JPEG", exif=exif))
    with lookalike.create(tmp_path / "c.lookalike") as made:
        made.add(tmp_path / "p", progress=False)
        assert decode(made.picture("p/a.jpg", size=64).data).pixels.shape == (64, 32, 3)


def test_a_lost_original_is_answered_by_the_thumbnail_which_says_so(pictures: Path, tmp_path: Path) -> None:
    with lookalike.create(tmp_path / "c.lookalike") as made:
        made.add(pictures, progress=False)
        first, second = (item for item in itertools.islice(made, 2))
        Path(first.uri).unlink()
        Path(second.uri).write_bytes(b"<html><script>alert(1)</script></html>")
        for item in (first, second):
            picture = made.picture(item.id)
            assert (picture.read_from, picture.type) == ("thumbnail", "image/webp")
            assert picture.data == made.thumbnail(item.id)
            assert picture.version != made.picture_version(item.id)


def test_a_file_that_changed_since_is_shown_under_a_version_of_its_own(
    pictures: Path, tmp_path: Path
) -> None:
    with lookalike.create(tmp_path / "c.lookalike") as made:
        made.add(pictures, progress=False)
        first, second = (item for item in itertools.islice(made, 2))
        data = Path(second.uri).read_bytes()
        Path(first.uri).write_bytes(data)
        assert made.picture(first.id).version == content_hash(data) != made.picture_version(first.id)


def test_an_unknown_id_is_refused_with_the_closest(shop: Collection) -> None:
    for ask in (shop.picture, shop.picture_version):
        with pytest.raises(UnknownItem, match="basketball_0"):
            ask("catalog/BlendSwapCC0-basketball_9.jpg")
