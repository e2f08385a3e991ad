"""Copying collections between engines: items a second and peak memory by size, each copy in a process of its own.

Vectors are synthetic, 1,280-d, kept in f16, with a thumbnail of 4 kB and two attributes; folders on the local disk. The
comparison at the end is part of the time. S3 is not measured: a server on loopback would measure itself.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import lookalike
from benchmarks.growth import fill
from benchmarks.report import keep
from lookalike.collection.copying import copy

SIZES = (5_000, 20_000)
LEGS = (
    ("a.lookalike", "b.lookalike"),
    ("a.lookalike", "c.lance"),
    ("c.lance", "d.lance"),
    ("c.lance", "e.lookalike"),
)
ENGINE = {".lookalike": "SQLite", ".lance": "Lance"}


def main() -> None:
    """Copy every way at every size and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=list(SIZES), metavar="N")
    parser.add_argument("--one", nargs=2, metavar=("FROM", "TO"), help=argparse.SUPPRESS)
    parser.add_argument("--fill", nargs=2, metavar=("PATH", "N"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.fill:
        print(json.dumps(_filled(options.fill[0], int(options.fill[1]))))
        return
    if options.one:
        print(json.dumps(_measured(*options.one)))
        return
    rows = [row for n in sorted(options.sizes) for row in _of_size(n)]
    keep("copying", rows, dimensions=1280, precision="f16", thumbnail_bytes=4096)


def _of_size(n: int) -> list[dict[str, Any]]:
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        _in_process("--fill", str(folder / LEGS[0][0]), str(n))
        digests = set()
        for before, after in LEGS:
            found = _in_process("--one", str(folder / before), str(folder / after))
            digests.add(found.pop("digest"))
            rows.append(
                {"from": ENGINE[Path(before).suffix], "to": ENGINE[Path(after).suffix], "items": n, **found}
            )
        assert len(digests) == 1, "every copy holds the same items"
    return rows


def _in_process(*arguments: str) -> dict[str, Any]:
    """Run a step where its peak memory is its own, with replicas beside the collections."""
    command = [sys.executable, "-c", "from benchmarks.copying import main; main()", *arguments]
    environment = {**os.environ, "LOOKALIKE_CACHE": str(Path(arguments[1]).parent / "cache")}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _filled(path: str, n: int) -> dict[str, Any]:
    with lookalike.create(path) as collection:
        fill(collection, n)
    return {"items": n}


def _measured(before: str, after: str) -> dict[str, Any]:
    cpu, idle = time.process_time(), _peak()
    done = copy(before, after, progress=False)
    return {
        "items/s": round(done.items / done.seconds),
        "CPU microseconds each": round(1e6 * (time.process_time() - cpu) / done.items),
        "MB before": round(idle),
        "peak MB": round(_peak()),
        "digest": done.digest,
    }


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
