"""A report as one HTML file: nothing is loaded from elsewhere, every text is escaped."""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from os import PathLike
from pathlib import Path
from string import Template
from typing import NamedTuple

from lookalike.errors import InputError

_PAGE = Template((files(__package__) / "page.html").read_text(encoding="utf-8"))


class Section(NamedTuple):
    """A part of a page.

    Args:
        title: Its heading; empty for none.
        body: HTML, made by the functions of this module.
    """

    title: str
    body: str


class Tile(NamedTuple):
    """A small picture in a grid.

    Args:
        picture: WebP, PNG or JPEG bytes.
        caption: Below it.
        badge: On it, in a corner; empty for none.
        detail: Smaller, below the caption; empty for none.
    """

    picture: bytes
    caption: str
    badge: str = ""
    detail: str = ""


def page(title: str, lead: str, sections: Sequence[Section], provenance: Mapping[str, object]) -> str:
    """The whole page.

    Args:
        title: What it shows.
        lead: The answer in a sentence or two.
        sections: Its parts, in order.
        provenance: What the answer depends on; the footer.
    """
    parts = [
        f"<section>{f'<h2>{escape(each.title)}</h2>' if each.title else ''}\n{each.body}\n</section>"
        for each in sections
    ]
    footer = "  ·  ".join(f"{name}: {_text(value)}" for name, value in provenance.items())
    return _PAGE.substitute(
        title=escape(title), lead=escape(lead), sections="\n".join(parts), footer=escape(footer)
    )


def paragraph(text: str) -> str:
    """A paragraph of text."""
    return f"<p>{escape(text)}</p>\n"


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, right: Sequence[str] = ()) -> str:
    """A table; columns named in ``right`` are aligned to the right, numbers rounded to four digits."""
    classes = [' class="right"' if name in right else "" for name in columns]
    head = "".join(f"<th{of}>{escape(name)}</th>" for name, of in zip(columns, classes, strict=True))
    body = "".join(
        "<tr>"
        + "".join(f"<td{of}>{escape(_text(cell))}</td>" for cell, of in zip(row, classes, strict=True))
        + "</tr>\n"
        for row in rows
    )
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table></div>\n'


def picture(data: bytes, *, alt: str, caption: str = "", width: int | None = None) -> str:
    """A picture.

    Args:
        data: WebP, PNG or JPEG bytes.
        alt: What it shows, for those who do not see it.
        caption: Below it; empty for none.
        width: Pixels on the screen; None: its own, or the page's when that is less.
    """
    size = f' width="{width}"' if width else ""
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f'<figure><img src="{data_uri(data)}" alt="{escape(alt)}"{size}>{below}</figure>\n'


def grid(tiles: Sequence[Tile]) -> str:
    """Small pictures side by side."""
    return f'<ul class="grid">{"".join(_tile(each) for each in tiles)}</ul>\n'


def data_uri(data: bytes) -> str:
    """A picture's bytes as an address.

    Raises:
        InputError: If they are no WebP, PNG or JPEG.
    """
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        kind = "png"
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        kind = "webp"
    elif data[:2] == b"\xff\xd8":
        kind = "jpeg"
    else:
        raise InputError(f"{data[:12]!r}... begins no picture: expected WebP, PNG or JPEG bytes")
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"


def write(path: str | PathLike[str], text: str) -> None:
    """Write a page, whole or not at all.

    Raises:
        InputError: If the folder is not there.
    """
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: str | PathLike[str], data: bytes) -> None:
    """Write a file, whole or not at all.

    Raises:
        InputError: If the folder is not there.
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise InputError(f"{target} cannot be written: there is no folder {target.parent}; make it first")
    building = target.with_name(f".{target.name}.{secrets.token_hex(4)}.new")
    try:
        with building.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        building.replace(target)
    finally:
        building.unlink(missing_ok=True)


def _tile(tile: Tile) -> str:
    badge = f'<span class="badge">{escape(tile.badge)}</span>' if tile.badge else ""
    detail = f"<small>{escape(tile.detail)}</small>" if tile.detail else ""
    return (
        f'<li><img src="{data_uri(tile.picture)}" alt="{escape(tile.caption)}" loading="lazy">{badge}'
        f'<div class="caption">{escape(tile.caption)}{detail}</div></li>\n'
    )


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_text(each)}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_text(each) for each in value)
    return str(value)
