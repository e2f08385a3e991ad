"""The command that copies a collection."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict

from lookalike.cli.grammar import DONE
from lookalike.cli.output import human_bytes, print_json, print_table
from lookalike.collection import copying
from lookalike.errors import StoreError

COUNTS = (
    "items",
    "interactions",
    "fitted",
    "originals",
    "cameras",
    "tracklets",
    "identities",
    "corrections",
    "enrolled",
    "searches",
)
"""What is shown where there is any."""


def copy(options: argparse.Namespace) -> int:
    """Copy a collection, and say what went over and what could not."""
    try:
        done = copying.copy(
            options.source, options.destination, restart=options.restart, progress=not options.json
        )
    except KeyboardInterrupt:
        raise StoreError(
            "interrupted; the unfinished copy was deleted, and the same command begins anew"
        ) from None
    if options.json:
        print_json(asdict(done))
        return DONE
    rows = [(name, f"{count:,}") for name in COUNTS if (count := getattr(done, name)) or name == "items"]
    rate = done.items / done.seconds
    rows += [
        ("bytes", human_bytes(done.bytes)),
        ("took", f"{done.seconds:.1f} s, {rate:,.0f} items/s"),
        ("digest", done.digest),
    ]
    print_table(f"{done.source} -> {done.destination}, compared: the same", ["", ""], rows)
    for each in done.left_out:
        print(f"left out: {each}", file=sys.stderr)
    return DONE
