"""``lookalike interactions``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import lookalike
from lookalike.cli.filling import SHOWN_FAILURES
from lookalike.cli.grammar import DONE, SOME_FAILED
from lookalike.cli.output import print_json, print_table
from lookalike.errors import InputError
from lookalike.ingest.interaction_ledger import InteractionLedger
from lookalike.ingest.interactions import parse_time
from lookalike.types import Interaction


def import_file(options: argparse.Namespace) -> int:
    """Keep the interactions of a table."""
    columns = dict(_pair(text.partition("="), "a column", "user=customer_id") for text in options.column)
    with lookalike.open(options.collection) as collection:
        ledger = collection.add_interactions(
            options.file,
            columns=columns,
            event=options.event,
            group_by=options.group_by,
            progress=not options.json,
        )
    if options.json:
        print_json(ledger.to_dict())
    else:
        _print_ledger(ledger, options.group_by)
    return SOME_FAILED if ledger.failed else DONE


def record(options: argparse.Namespace) -> int:
    """Keep one interaction."""
    time = None if options.time is None else parse_time(options.time)
    with lookalike.open(options.collection) as collection:
        new = collection.record(options.user, options.item, options.event, time=time, weight=options.weight)
    if options.json:
        print_json({"new": new})
    else:
        print("recorded" if new else "was there already")
    return DONE


def list_user(options: argparse.Namespace) -> int:
    """What one user did."""
    with lookalike.open(options.collection) as collection:
        found = collection.interactions(options.user)
    if options.json:
        print_json({"user": options.user, "interactions": [_document(each) for each in found]})
    elif found:
        rows = [[each.time.isoformat(), each.event, each.item, f"{each.weight:g}"] for each in found]
        print_table(options.user, ["time", "event", "item", "weight"], rows, right=["weight"])
    else:
        print(f"nothing is known of {options.user}")
    return DONE


def forget(options: argparse.Namespace) -> int:
    """Remove all interactions of a user."""
    with lookalike.open(options.collection) as collection:
        gone = collection.forget_user(options.user)
        if options.compact:
            collection.compact()
    if options.json:
        print_json({"user": options.user, "forgotten": gone, "compacted": options.compact})
        return DONE
    print(f"{gone} interactions forgotten")
    if gone and not options.compact:
        print(f"free space still holds them until `lookalike compact {options.collection}`", file=sys.stderr)
    return DONE


def export(options: argparse.Namespace) -> int:
    """Write interactions to a table."""
    with lookalike.open(options.collection) as collection:
        done = collection.export_interactions(options.output, user=options.user)
    if options.json:
        print_json(asdict(done))
    else:
        print(f"{done.interactions} interactions: {done.file}")
    return DONE


def weights(options: argparse.Namespace) -> int:
    """Show what events weigh, or set it."""
    pairs = dict(_pair(text.rpartition("="), "a weight", "share=2") for text in options.weights)
    wanted = {event: _weight(event, text) for event, text in pairs.items()}
    with lookalike.open(options.collection) as collection:
        if wanted:
            collection.set_event_weights(wanted)
        known = collection.event_weights
    if options.json:
        print_json({"weights": known})
    else:
        rows = [[event, f"{weight:g}"] for event, weight in known.items()]
        print_table("events", ["event", "weight"], rows, right=["weight"])
    return DONE


def info(options: argparse.Namespace) -> int:
    """How many interactions there are, of what."""
    with lookalike.open(options.collection) as collection:
        counts = collection.interaction_counts()
    times = {
        name: time and time.isoformat() for name, time in (("first", counts.first), ("last", counts.last))
    }
    if options.json:
        print_json(asdict(counts) | times)
        return DONE
    print(f"{counts.interactions} interactions of {counts.users} users with {counts.items} items")
    if counts.interactions:
        print(f"from {times['first']} to {times['last']}")
        print_table("", ["event", "interactions"], list(counts.events.items()), right=["interactions"])
    return DONE


def _pair(parts: tuple[str, str, str], what: str, example: str) -> tuple[str, str]:
    """Both sides of what was divided at an equals sign."""
    name, separator, value = parts
    if not separator or not name:
        raise InputError(f"{what} is {''.join(parts)!r}: expected a form such as {example}")
    return name, value


def _weight(event: str, text: str) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        raise InputError(f"the weight of {event!r} is {text!r}: expected a number, as in {event}=2") from None


def _document(interaction: Interaction) -> dict[str, Any]:
    document = asdict(interaction)
    del document["user"]
    return document | {"time": interaction.time.isoformat()}


def _print_ledger(ledger: InteractionLedger, group_by: str | None) -> None:
    print(f"{ledger.inputs} interactions: {ledger.added} added, {ledger.known} known, {ledger.failed} failed")
    if ledger.unmatched_items:
        what = "no item's id" if group_by is None else f"neither an item's id nor a value of {group_by}"
        print(f"{ledger.unmatched_items} of the names given to items are {what}", file=sys.stderr)
    _print_failures([(where, reason) for where, reason in ledger.failures], ledger.failed)


def _print_failures(failures: Sequence[tuple[str, str]], failed: int) -> None:
    for where, reason in failures[:SHOWN_FAILURES]:
        print(f"  failed: {where}: {reason}", file=sys.stderr)
    if failed > SHOWN_FAILURES:
        print(f"  ... and {failed - SHOWN_FAILURES} more", file=sys.stderr)
