"""The command that lays out a collection."""

from __future__ import annotations

import argparse
import sys

import lookalike
from lookalike.cli.grammar import DONE
from lookalike.cli.output import print_json, print_table

UNSHOWN = ("k", "sample")
"""Of the quality: how it was measured, which the JSON says."""


def map(options: argparse.Namespace) -> int:
    """Lay out, or bring the saved map up to date; write what was asked for."""
    with lookalike.open(options.collection) as collection:
        made = collection.map(
            colour_by=options.colour_by,
            where=options.where,
            seed=options.seed,
            anew=options.new,
            progress=not options.json,
        )
        written = {}
        if options.html:
            written["html"] = str(made.save_html(options.html))
        if options.png:
            written["png"] = str(made.save_png(options.png))
    if options.json:
        print_json(made.to_dict() | written)
        return DONE
    about = made.provenance
    rows = [
        ("items shown", f"{len(made):,} of {about['items']:,}"),
        ("laid out", f"{about['laid_out']:,} by {about['method']}, seed {about['seed']}"),
        ("placed since", f"{about['placed']:,} beside their neighbours"),
        *(
            (name.replace("_", " "), f"{value:g}")
            for name, value in made.quality.items()
            if name not in UNSHOWN
        ),
    ]
    print_table(f"map of {about['collection']}", ["", ""], rows)
    for name, path in written.items():
        print(f"{name}: {path}", file=sys.stderr)
    if not written:
        print("--html FILE writes it as an interactive page, --png FILE as a picture", file=sys.stderr)
    return DONE
