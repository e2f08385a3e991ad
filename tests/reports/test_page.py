"""Reports: one file, nothing loaded from elsewhere, nothing of a user's text taken for markup."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from lookalike.errors import InputError
from lookalike.images.thumbnails import thumbnail
from lookalike.reports.figures import figure, png
from lookalike.reports.page import Section, Tile, data_uri, grid, page, paragraph, picture, table, write

NASTY = '<script>alert("1")</script>&"'


class Reader(HTMLParser):
    """Collects what a browser would see."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text += data


def whole() -> str:
    webp = thumbnail(np.full((9, 9, 3), 200, np.uint8))
    body = (
        paragraph(NASTY)
        + table([NASTY, "n"], [[NASTY, 1234567], [0.123456, None]], right=["n"])
        + picture(webp, alt=NASTY, caption=NASTY)
        + grid([Tile(webp, NASTY, NASTY, NASTY)])
    )
    return page(NASTY, NASTY, [Section(NASTY, body)], {NASTY: {NASTY: [NASTY, 1.5, True]}})


def test_texts_of_users_are_never_markup() -> None:
    seen = Reader(whole())
    assert "script" not in seen.tags
    assert seen.text.count('alert("1")') >= 11


def test_nothing_is_loaded_from_elsewhere() -> None:
    seen = Reader(whole())
    assert seen.sources
    assert all(source.startswith("data:image/") for source in seen.sources)


def test_numbers_are_written_for_people() -> None:
    assert "1,234,567" in whole()
    assert "0.1235" in whole()


def test_bytes_that_are_no_picture_are_refused() -> None:
    with pytest.raises(InputError, match="begins no picture"):
        data_uri(b"GIF89a" + bytes(20))


def test_a_page_is_written_whole_and_replaces_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "page.html"
    for text in ("one", "zwei é"):
        write(target, text)
    assert target.read_text(encoding="utf-8") == "zwei é"
    assert list(tmp_path.iterdir()) == [target]
    with pytest.raises(InputError, match="there is no folder"):
        write(tmp_path / "missing" / "page.html", "x")


def test_the_same_figure_gives_the_same_bytes_and_leaves_the_users_settings_alone() -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)

    def drawn() -> bytes:
        made = figure(3, 2)
        made.subplots().plot([0, 1], [1, 0])
        return png(made)

    assert drawn() == drawn()
    assert dict(matplotlib.rcParams) == before
