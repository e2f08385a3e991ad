"""``lookalike cluster``."""

from __future__ import annotations

import argparse
import sys

import lookalike
from lookalike.cli.grammar import DONE, UsageError
from lookalike.cli.output import print_json, print_table
from lookalike.collection.clustering_result import Groups

SHOWN = 50
"""Clusters that are printed; all of them are in the JSON document."""

SETTINGS = {
    "k": "-k",
    "where": "--where",
    "method": "--method",
    "granularity": "--granularity",
    "min_size": "--min-size",
    "attribute": "--attribute",
    "seed": "--seed",
    "on": "--on",
}


def cluster(options: argparse.Namespace) -> int:
    """Group the items of a collection, or show the groups that it has."""
    wanted = {name: getattr(options, name) for name in SETTINGS if getattr(options, name) is not None}
    if options.saved and (wanted or options.no_stability):
        given = [SETTINGS[name] for name in wanted] + ["--no-stability"] * options.no_stability
        raise UsageError(
            f"lookalike cluster: --saved shows the clusters found before, so {', '.join(given)} cannot go with it"
        )
    with lookalike.open(options.collection) as collection:
        if options.saved:
            groups = collection.clusters()
        else:
            groups = collection.cluster(stability=not options.no_stability, **wanted)
        written = groups.save_html(options.html) if options.html else None
    if options.json:
        print_json(groups.to_dict() | ({"html": str(written)} if written else {}))
        return DONE
    _print(groups)
    if written:
        print(f"report: {written}", file=sys.stderr)
    return DONE


def _print(groups: Groups) -> None:
    order = sorted(groups.sizes, key=lambda label: (-groups.sizes[label], label))
    if order:
        print_table(
            f"{len(order):,} clusters of {len(groups.labels):,} items",
            ["cluster", "name", "items", "medoid", "cohesion"],
            [
                (
                    label,
                    groups.names[label],
                    f"{groups.sizes[label]:,}",
                    groups.medoids.get(label, ""),
                    f"{groups.cohesion[label]:.3f}",
                )
                for label in order[:SHOWN]
            ],
            right=["cluster", "items", "cohesion"],
        )
    if len(order) > SHOWN:
        print(f"... and {len(order) - SHOWN:,} smaller ones")
    stability = "" if groups.stability is None else f", stability {groups.stability:.3f}"
    print(
        f"{len(groups.noise):,} items in no cluster; silhouette {groups.silhouette:.3f}{stability}\n"
        f"{groups.method}: {groups.reason}"
    )
