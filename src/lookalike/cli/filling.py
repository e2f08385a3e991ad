"""``lookalike index`` and ``lookalike embed``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from lookalike.cli.grammar import DONE, SOME_FAILED
from lookalike.cli.output import print_json
from lookalike.collection.embedding import embed_to_file
from lookalike.collection.opening import open_or_create
from lookalike.errors import InputError
from lookalike.ingest.ledger import Ledger
from lookalike.store.sharing import require_shared
from lookalike.types import Failure

SHOWN_FAILURES = 10


def index(options: argparse.Namespace) -> int:
    """Bring a collection up to date."""
    if options.on is not None:  # before there is a new, empty collection
        require_shared(options.to, users="workers", alone="index it")
    with open_or_create(
        options.to,
        encoder=options.encoder,
        layer=options.layer,
        pooling=options.pooling,
        resize=options.resize,
    ) as collection:
        ledger = collection.add(
            *options.sources,
            attributes=options.attributes,
            key=options.key,
            prefix=options.prefix,
            every=_every(options.every),
            prune=options.prune,
            workers=options.workers,
            on=options.on,
            gpus=options.gpus,
            progress=not options.json,
        )
        items, path = len(collection), str(collection.path)
    if options.json:
        print_json(ledger.to_dict() | {"collection": path, "items": items})
    else:
        _print_ledger(ledger, path, items)
    return SOME_FAILED if ledger.failed else DONE


def _every(text: str | None) -> str | int | None:
    return int(text) if text is not None and text.isdigit() else text


def _print_ledger(ledger: Ledger, collection: str, items: int) -> None:
    print(
        f"{ledger.inputs} images: {ledger.added} added, {ledger.updated} updated, "
        f"{ledger.unchanged} unchanged, {ledger.failed} failed"
        + (f"; {ledger.pruned} pruned" if ledger.pruned else "")
    )
    print(f"{collection} holds {items} items")
    if ledger.unmatched_attributes:
        print(
            f"{ledger.unmatched_attributes} rows of the attributes table belong to no image", file=sys.stderr
        )
    _print_failures(ledger.failures)
    if ledger.report:
        print(f"all failures: {ledger.report}", file=sys.stderr)


def _print_failures(failures: Sequence[Failure]) -> None:
    for uri, reason in failures[:SHOWN_FAILURES]:
        print(f"  failed: {uri}: {reason}", file=sys.stderr)
    if len(failures) > SHOWN_FAILURES:
        print(f"  ... and {len(failures) - SHOWN_FAILURES} more", file=sys.stderr)


def embed(options: argparse.Namespace) -> int:
    """Write vectors of images to a file."""
    target = Path(options.output)
    if target.suffix not in (".npy", ".parquet"):
        raise InputError(f"cannot write {target.name!r}: expected a name that ends in .npy or .parquet")
    wanted = {
        n: getattr(options, n) for n in ("encoder", "layer", "pooling", "resize") if getattr(options, n)
    }
    done = embed_to_file(
        options.sources, target, every=_every(options.every), workers=options.workers, **wanted
    )
    if options.json:
        print_json(asdict(done))
    else:
        print(f"{done.images} vectors of {done.dimensions} dimensions: {', '.join(done.files)}")
        _print_failures(done.failures)
    return SOME_FAILED if done.failures else DONE
