"""``lookalike build-index``."""

from __future__ import annotations

import argparse
from dataclasses import asdict

import lookalike
from lookalike.cli.grammar import DONE, UsageError
from lookalike.cli.output import human_bytes, print_json


def build_index(options: argparse.Namespace) -> int:
    """Build and keep it, or delete it."""
    if options.off and (options.on is not None or options.shards is not None):
        raise UsageError(
            "lookalike build-index: --off deletes the index, which takes neither --on nor --shards"
        )
    with lookalike.open(options.collection) as collection:
        if options.off:
            return _off(collection.drop_index(), as_json=options.json)
        built = collection.build_index(options.on, shards=options.shards, progress=not options.json)
    if options.json:
        print_json(asdict(built))
        return DONE
    shards = "one graph" if built.shards == 1 else f"{built.shards} graphs"
    print(
        f"{built.rows:,} items of {built.dimensions} x {built.precision} in {shards}, {human_bytes(built.bytes)}, "
        f"in {built.seconds:.1f} s; machines that open the collection load it"
    )
    return DONE


def _off(dropped: bool, *, as_json: bool) -> int:
    if as_json:
        print_json({"dropped": dropped})
    else:
        print("the index is gone from the collection" if dropped else "there was none")
    return DONE
