"""Commands that describe a collection and care for it."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict

import lookalike
from lookalike.cli.grammar import DONE, ERROR
from lookalike.cli.output import human_bytes, print_json, print_table
from lookalike.encoders.registry import DEFAULT_ENCODER
from lookalike.errors import InputError

UNSHOWN = ("measured", "derived", "version")
"""Of the index's description: too long for a table, or said elsewhere in it."""


def info(options: argparse.Namespace) -> int:
    """What a collection is."""
    with lookalike.open(options.collection) as collection:
        facts = collection.info()
    if options.json:
        print_json(facts)
        return DONE
    index, size = facts["index"], facts["bytes"]
    reducer = index.pop("reducer", None)
    rows = [
        ("items", f"{facts['items']:,}"),
        ("encoder", f"{facts['encoder']}, layer {facts['layer']}, {facts['pooling']}, {facts['resize']}"),
        ("fingerprint", facts["fingerprint"]),
        ("vectors", f"{facts['dimensions']} x {facts['precision']}"),
        (
            "searched as",
            f"{reducer['dimensions']} x {reducer['precision']} ({reducer['method']})"
            if reducer
            else "full vectors",
        ),
        ("index", ", ".join(f"{n} {v}" for n, v in index.items() if n not in UNSHOWN)),
        ("fitted", "\n".join(f"{each['kind']} {each['name']}" for each in facts["fitted"]) or "nothing yet"),
        ("on disk", f"{human_bytes(size['record'])} record, {human_bytes(size['derived'])} derived"),
        ("sources", "\n".join(f"{name}  {uri}" for name, uri in facts["sources"].items())),
        ("attributes", "\n".join(f"{name}: {kind}" for name, kind in facts["attributes"].items())),
    ]
    print_table(facts["path"], ["", ""], rows)
    return DONE


def verify(options: argparse.Namespace) -> int:
    """Check every checksum and the index."""
    with lookalike.open(options.collection) as collection:
        damage = collection.verify()
        items = len(collection)
    if options.json:
        print_json({"items": items, "sound": not damage, "damage": [asdict(d) for d in damage]})
    elif damage:
        for entry in damage:
            print(f"{entry.where}: {entry.what}")
    else:
        print(f"{items} items: every checksum is right, and the index agrees with the record")
    return ERROR if damage else DONE


def compact(options: argparse.Namespace) -> int:
    """Give back space and erase for good."""
    with lookalike.open(options.collection) as collection:
        before = sum(collection.info()["bytes"].values())
        collection.compact()
        after = sum(collection.info()["bytes"].values())
    if options.json:
        print_json({"bytes_before": before, "bytes_after": after})
    else:
        print(f"{human_bytes(before)} before, {human_bytes(after)} after")
    return DONE


def export(options: argparse.Namespace) -> int:
    """Write all items to a file."""
    with lookalike.open(options.collection) as collection:
        done = collection.export(options.output)
    if options.json:
        print_json(asdict(done))
    else:
        print(f"{done.items} items: {', '.join(done.files)}")
    return DONE


def remove(options: argparse.Namespace) -> int:
    """Remove items by id or filter."""
    if bool(options.ids) == (options.where is not None):
        raise InputError("remove needs either ids or --where EXPR")
    with lookalike.open(options.collection) as collection:
        removed = collection.remove(options.ids, where=options.where)
        left = len(collection)
    if options.json:
        print_json({"removed": removed, "items": left})
    else:
        print(f"{removed} removed, {left} left; `lookalike compact` erases what remains of them on disk")
    return DONE


def migrate(options: argparse.Namespace) -> int:
    """Re-embed with another encoder."""
    wanted = {
        n: getattr(options, n) for n in ("encoder", "layer", "pooling", "resize") if getattr(options, n)
    }
    if not wanted:
        raise InputError("migrate needs the encoder to change to: --encoder NAME (see `lookalike encoders`)")
    with lookalike.open(options.collection) as collection:
        done = collection.migrate(
            **wanted,
            from_thumbnails=options.from_thumbnails,
            workers=options.workers,
            on=options.on,
            gpus=options.gpus,
            progress=not options.json,
        )
    if options.json:
        print_json(asdict(done))
    else:
        print(f"{done.items} items embedded, {done.old_fingerprint} -> {done.new_fingerprint}")
        if done.from_thumbnails:
            print(f"{done.from_thumbnails} of them from their thumbnails", file=sys.stderr)
    return DONE


def encoders(options: argparse.Namespace) -> int:
    """List encoders."""
    known = lookalike.list_encoders()
    if options.json:
        print_json({"encoders": [asdict(entry) for entry in known]})
        return DONE
    for entry in known:
        print_table(
            entry.name + (" (default)" if entry.name == DEFAULT_ENCODER else ""),
            ["", ""],
            [
                ("dimensions", entry.dimensions or "the network's own"),
                ("input", f"{entry.height}x{entry.width}" if entry.height else "the network's own"),
                (
                    "layers",
                    ", ".join(f"{layer.name} ({layer.dimensions})" for layer in entry.layers)
                    or "any by name",
                ),
                ("text", "yes" if entry.has_text else "no"),
                ("needs", f"pip install 'lookalike[{entry.extra}]'" if entry.extra else "nothing"),
                ("licence", entry.licence),
                ("provenance", entry.provenance),
            ],
        )
    return DONE
