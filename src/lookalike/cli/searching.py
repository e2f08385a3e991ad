"""``lookalike search``."""

from __future__ import annotations

import argparse
import sys

import lookalike
from lookalike.cli.output import console, print_json, print_table
from lookalike.collection.contact_sheet import SAID_BY
from lookalike.collection.result import SearchResult
from lookalike.types import TAGS, Hit

CELL_PADDING = 3


def search(options: argparse.Namespace) -> int:
    """Answer one query."""
    with lookalike.open(options.collection) as collection:
        result = collection.search(
            options.query,
            k=options.k,
            where=options.where,
            minus=options.minus,
            crop=options.crop,
            group_by=options.group_by,
            diversity=options.diversity,
            min_strength=options.min_strength,
            recall=options.recall,
            regions=options.regions,
            rerank=options.rerank,
            but=options.but,
        )
        written = result.save_html(options.html) if options.html else None
    if options.json:
        print_json(result.to_dict() | ({"html": str(written)} if written else {}))
        return 0
    print_hits(result)
    if written:
        print(f"contact sheet: {written}", file=sys.stderr)
    return 0


def print_hits(result: SearchResult) -> None:
    """The answer as a table."""
    names = _attribute_names(result)
    while names and _width(result, names) > console().width:
        names.pop()
    rows = [_row(rank, hit, names) for rank, hit in enumerate(result, start=1)]
    title = f"{result.query}  ({SAID_BY[result.answered_by]})"
    print_table(title, ["", "id", "strength", "score", *names], rows, right=["", "strength", "score"])
    if not rows:
        print("nothing in the collection matches", file=sys.stderr)


def _attribute_names(result: SearchResult) -> list[str]:
    """The attribute that hits are grouped by, then the others in their order, tags last."""
    names = [name for name in (result[0].attributes if result else ()) if name != TAGS]
    group_by = result.provenance["parameters"].get("group_by")
    return [*sorted(names, key=lambda name: name != group_by), TAGS]


def _width(result: SearchResult, names: list[str]) -> int:
    """Columns of a terminal that the table takes."""
    rows = [["", "id", "strength", "score", *names], *(_row(99, hit, names) for hit in result)]
    return sum(max(map(len, column)) + CELL_PADDING for column in zip(*rows, strict=True))


def _row(rank: int, hit: Hit, names: list[str]) -> list[str]:
    strength = "" if hit.strength is None else f"{hit.strength:.3f}"
    return [
        str(rank),
        hit.id,
        strength,
        f"{hit.score:.3f}",
        *(_cell(hit.attributes.get(name)) for name in names),
    ]


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(map(str, value[:3]))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
