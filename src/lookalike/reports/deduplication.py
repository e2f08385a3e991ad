"""Copies of one picture side by side, the one to keep marked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lookalike.reports.page import Section, Tile, grid, page, paragraph, table

MOST_GROUPS = 500
"""Groups that a page shows; the weakest ones, which need a look, come first."""

MOST_COPIES = 24
"""Copies of one group that are shown."""


def report(answer: Mapping[str, Any], thumbnails: Callable[[Sequence[str]], Mapping[str, bytes]]) -> str:
    """The report as an HTML page.

    Args:
        answer: ``Duplicates.to_dict()``.
        thumbnails: Reads WebP bytes by id; ids that are gone are left out.
    """
    shown = sorted(answer["details"], key=lambda group: (group["similarity"], group["ids"][0]))[:MOST_GROUPS]
    sections = [Section("What was found", _summary(answer, len(shown)))]
    sections += [
        Section(
            _title(number, group),
            paragraph(f"Keep {group['ids'][0]}: {group['reason']}.") + _tiles(group, thumbnails),
        )
        for number, group in enumerate(shown, start=1)
    ]
    copies = answer["others"]
    lead = (
        f"{len(answer['groups']):,} groups among {answer['items']:,} items; {copies:,} are copies of a better one."
        if answer["groups"]
        else f"No copies among {answer['items']:,} items."
    )
    return page("Duplicates", lead, sections, answer["provenance"])


def _summary(answer: Mapping[str, Any], shown: int) -> str:
    kinds = [group["kind"] for group in answer["details"]]
    rows: list[tuple[str, object]] = [
        ("items searched", answer["items"]),
        ("groups with the same bytes", kinds.count("exact")),
        ("groups of edits", kinds.count("near")),
        ("items that delete-others would remove", answer["others"]),
    ]
    if answer["threshold"] is not None:
        rows += [
            ("least similarity of two copies", answer["threshold"]),
            ("expected share of near pairs that are copies", answer["precision"]),
            ("share of edits of these pictures that would be found", answer["recall"]),
        ]
    note = ""
    if shown < len(answer["groups"]):
        note = paragraph(f"The {shown} weakest of {len(answer['groups']):,} groups are shown.")
    return table(["", "value"], rows, right=["value"]) + note


def _title(number: int, group: Mapping[str, Any]) -> str:
    what = "the same bytes" if group["kind"] == "exact" else f"weakest pair {group['similarity']:.3f}"
    return f"{number}. {len(group['ids'])} copies, {what}"


def _tiles(group: Mapping[str, Any], thumbnails: Callable[[Sequence[str]], Mapping[str, bytes]]) -> str:
    ids = group["ids"][:MOST_COPIES]
    pictures = thumbnails(ids)
    tiles = [
        Tile(pictures[id], id, badge="keep" if number == 0 else "")
        for number, id in enumerate(ids)
        if id in pictures
    ]
    left = len(group["ids"]) - len(ids)
    return grid(tiles) + (paragraph(f"and {left} more") if left else "")
