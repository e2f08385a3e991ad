from __future__ import annotations

import base64
import io
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lookalike.reports import map as map_module
from lookalike.reports.colouring import colouring
from lookalike.reports.map import Points, map_page, spread
from lookalike.reports.map_picture import map_picture

BROWSER = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")


def webp(colour: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (120, 80), colour).save(file, "WEBP", lossless=True)
    return file.getvalue()


def points(n: int = 30, pictures: int = 30) -> Points:
    rng = np.random.default_rng(0)
    return Points(
        [f"shop/item {number}.jpg" for number in range(n)],
        rng.standard_normal((n, 2)).astype(np.float32),
        {
            "kind": ["chair" if number % 3 else "lamp" for number in range(n)],
            "price": [None if number == 0 else number / 2 for number in range(n)],
            "tags": [["a", "b"] for _ in range(n)],
        },
        {number: webp(("red", "lime", "blue")[number % 3]) for number in range(pictures)},
    )


def page_of(given: Points, by: str | None = "kind") -> str:
    colours = None if by is None else colouring(given.attributes[by])
    return map_page("Map of a shop", "lead", given, colours, colour_name=by or "", provenance={"seed": 0})


def data_of(page: str) -> dict:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def array(text: str, kind: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype=kind)


def test_the_page_holds_every_point() -> None:
    given = points()
    data = data_of(page_of(given))
    assert data["ids"] == given.ids
    assert np.array_equal(array(data["xy"], "<f4").reshape(-1, 2), given.positions)
    names = data["legend"]["names"]
    assert [names[code] for code in array(data["codes"], "<u2")] == given.attributes["kind"]
    kind, price, tags = data["columns"]
    assert [kind["values"][code] for code in array(kind["codes"], "<u4")] == given.attributes["kind"]
    assert np.isnan(array(price["numbers"], "<f8")[0]) and array(price["numbers"], "<f8")[3] == 1.5
    assert tags["values"] == ["a, b"]


def test_a_sheet_holds_each_picture_in_its_place() -> None:
    pictures = data_of(page_of(points()))["pictures"]
    sheet = Image.open(io.BytesIO(base64.b64decode(pictures["sheets"][0].partition(",")[2])))
    tile = pictures["tile"]
    for place, point in enumerate(array(pictures["points"], "<u4")):
        middle = (place % 16 * tile + tile // 2, place // 16 * tile + tile // 2)
        strongest = int(np.argmax(sheet.getpixel(middle)))
        assert strongest == point % 3


def test_numbers_have_a_scale_and_missing_ones_are_grey() -> None:
    data = data_of(page_of(points(), by="price"))
    codes = array(data["codes"], "<u2")
    assert codes[0] == len(data["palette"]) - 1
    assert "1 without a number" in data["legend"]["scale"]["note"]
    assert (np.diff(codes[1:].astype(int)) >= 0).all()


def test_no_text_of_a_user_becomes_a_part_of_the_page() -> None:
    bad = "</script><script>alert(1)</script>"
    given = Points([bad], np.zeros((1, 2), dtype=np.float32), {bad: [bad]}, {})
    page = map_page(bad, bad, given, colouring([bad]), colour_name=bad, provenance={bad: bad})
    assert page.count("<script") == 2 and "alert(1)<" not in page
    assert data_of(page)["ids"] == [bad]


def test_nothing_is_loaded_from_elsewhere() -> None:
    page = page_of(points())
    assert "default-src 'none'" in page
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", page)
    assert "http" not in re.sub(r"data:image/\S+", "", page).replace("http-equiv", "")


def test_the_page_says_which_pictures_it_lacks() -> None:
    assert "All 30 items, each with its picture." in page_of(points())
    assert "All 30 items; pictures of 7 of them" in page_of(points(pictures=7))
    assert data_of(page_of(points(pictures=0)))["pictures"] is None


def test_attributes_that_take_too_much_are_left_out_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(map_module, "MOST_ATTRIBUTE_BYTES", 700)
    given = points()._replace(
        attributes={"short": ["x"] * 30, "long": [f"{number}" * 40 for number in range(30)]}
    )
    page = page_of(given, by=None)
    assert [column["name"] for column in data_of(page)["columns"]] == ["short"]
    assert "Left out for their size: long." in page


@pytest.mark.parametrize("n", [0, 1, 2])
def test_tiny_maps_have_a_page_and_a_picture(n: int) -> None:
    given = points(n, n)
    assert len(data_of(page_of(given))["ids"]) == n
    assert map_picture(given.positions, colouring(given.attributes["kind"]), title="t")


@pytest.mark.skipif(BROWSER is None, reason="needs a Chromium browser to run the page")
@pytest.mark.parametrize("by", ["kind", "price", None])
def test_the_page_runs_in_a_browser(tmp_path: Path, by: str | None) -> None:
    file = tmp_path / "map.html"
    # the script's last act is to size the canvas; an error before it would leave the attribute out
    file.write_text(page_of(points(), by=by), encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    command = [str(BROWSER), *options, "--no-first-run", "--dump-dom", "--timeout=5000", file.as_uri()]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    canvas = re.search(r'<canvas id="points"[^>]*>', dom)
    assert canvas is not None and "width=" in canvas[0]
    assert dom.count('aria-pressed="true"><i') == (2 if by == "kind" else 0)
    assert ('class="scale"' in dom) == (by == "price")


def test_spread_points_cover_the_map() -> None:
    rng = np.random.default_rng(0)
    crowded = np.vstack([rng.normal(0, 0.1, (5000, 2)), rng.uniform(-10, 10, (200, 2))]).astype(np.float32)
    chosen = spread(crowded, 100)
    assert len(set(chosen.tolist())) == 100
    assert (chosen >= 5000).mean() > 0.5  # a random hundred would nearly all be of the crowd
    assert spread(crowded, 10_000).shape == (5200,)
    assert spread(crowded[:0], 5).shape == (0,)


def coloured_pixels(png: bytes) -> int:
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)
    return int((np.ptp(pixels, axis=2) > 40).sum())


def test_the_picture_shows_points_in_colours_and_pictures() -> None:
    given = points(60, 0)
    bare = map_picture(given.positions, None, title="Map")
    kinds = map_picture(given.positions, colouring(given.attributes["kind"]), title="Map", legend="kind")
    prices = map_picture(given.positions, colouring(given.attributes["price"]), title="Map", legend="price")
    assert min(map(coloured_pixels, (bare, kinds, prices))) > 1000
    with_pictures = map_picture(
        given.positions, None, title="Map", thumbnails={3: webp("red"), 5: webp("blue")}
    )
    assert coloured_pixels(with_pictures) > coloured_pixels(bare) + 1000
    assert map_picture(given.positions, None, title="Map") == bare
