"""``lookalike duplicates``."""

from __future__ import annotations

import argparse
import sys

import lookalike
from lookalike.cli.grammar import DONE, UsageError
from lookalike.cli.output import print_json, print_table
from lookalike.collection.duplicate_result import Duplicates

SHOWN = 50
"""Groups that are printed; all of them are in the JSON document."""


def duplicates(options: argparse.Namespace) -> int:
    """Find copies, and remove them when asked."""
    if options.yes and not options.delete_others:
        raise UsageError("lookalike duplicates: --yes confirms --delete-others, which was not given")
    if options.exact and (options.precision is not None or options.threshold is not None):
        raise UsageError("lookalike duplicates: --exact needs neither --precision nor --threshold")
    if options.exact and options.on is not None:
        raise UsageError(
            "lookalike duplicates: --exact compares checksums, which is done here: leave --on out"
        )
    with lookalike.open(options.collection) as collection:
        found = collection.duplicates(
            where=options.where,
            kind="exact" if options.exact else "near",
            precision=0.99 if options.precision is None else options.precision,
            threshold=options.threshold,
            on=options.on,
            progress=not options.json,
        )
        written = found.save_html(options.html) if options.html else None
        if options.delete_others and not options.yes:
            raise UsageError(
                f"lookalike duplicates: --delete-others would remove {len(found.others):,} of {found.items:,} items "
                f"from the collection, all but the best of each of {len(found):,} groups (their files would stay): "
                "add --yes to do it"
            )
        removed = collection.delete_others(found) if options.delete_others else None
    if options.json:
        document = found.to_dict() | ({"html": str(written)} if written else {})
        print_json(document | ({} if removed is None else {"removed": removed}))
        return DONE
    _print(found)
    if removed is not None:
        print(
            f"{len(removed):,} items removed; their files are where they were, and indexing them again adds them"
        )
    if written:
        print(f"report: {written}", file=sys.stderr)
    return DONE


def _print(found: Duplicates) -> None:
    rows = [
        (number, group.kind, f"{group.similarity:.3f}", "\n".join(group.ids), group.reason)
        for number, group in enumerate(found.details[:SHOWN], start=1)
    ]
    if rows:
        print_table(
            "copies, the best of each group first",
            ["", "kind", "similarity", "ids", "why the first is kept"],
            rows,
            right=["", "similarity"],
        )
    if len(found) > SHOWN:
        print(f"... and {len(found) - SHOWN:,} more groups: see --json or --html")
    print(f"{len(found):,} groups among {found.items:,} items, {len(found.others):,} copies of a better one")
    if found.threshold is not None:
        trust = "" if found.precision is None else f"; expected precision {found.precision:.3f}"
        recall = (
            "" if found.recall is None else f"; {found.recall:.0%} of edits of these pictures would be found"
        )
        print(f"threshold {found.threshold:.3f}{trust}{recall}", file=sys.stderr)
