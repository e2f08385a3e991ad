"""How cost grows with a collection: time, memory and bytes of every step, at several sizes.

Vectors are synthetic (seeded, clusters on a manifold) in clusters of 50, so that their number grows as a catalogue's
does; ``--clusters 2000`` keeps it. Items have 1,280 dimensions, searched as 256 of int8, thumbnails of 4 kB and two
attributes. For sizes that these would not fit: ``--compact`` makes items of 128 dimensions, as reduced before they were
stored, searched as int8, with thumbnails of 64 bytes and one attribute, of which ten million take 20 GB of disk while
they are compacted; ``--vectors`` makes no items, only vectors of 64 dimensions as int8 and the graph that links them.

Building and searching are processes of their own at every size, on one thread where it can be chosen. The exponent is
that of a power of n between one size and the next: of CPU seconds, which do not depend on what else the machine does,
or of bytes. Memory is what is private to the process; files that are mapped into it are left out. Needs Linux.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.growth_steps import COMPACT, FULL, PARTS, VECTORS, Shape, fill, measure
from benchmarks.report import keep

__all__ = ["fill", "main"]  # other benchmarks fill collections as this one does

SIZES = (10_000, 100_000, 1_000_000)

TIMED = (
    "store",
    "compact",
    "reduce",
    "index",
    "vectors",
    "link",
    "tune",
    "save",
    "open",
    "search",
    "look",
    "cluster",
)
"""Steps whose time is measured. What each does: :mod:`benchmarks.growth_steps`."""

WEIGHED = ("record on disk", "vectors on disk", "graph on disk", "memory when searched")


def main() -> None:
    """Measure every size and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=list(SIZES), metavar="N")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--compact", dest="shape", action="store_const", const=COMPACT, help="small items")
    what.add_argument("--vectors", dest="shape", action="store_const", const=VECTORS, help="no items at all")
    parser.add_argument("--clusters", type=int, help="so many at every size (default: N / 50)")
    parser.add_argument("--cluster-most", type=int, metavar="N", help="do not cluster more than so many")
    parser.add_argument(
        "--state", type=Path, help="folder that keeps figures as they come; what it has is not measured again"
    )
    parser.add_argument("--part", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    shape = options.shape or FULL
    if options.part:
        part, place = options.part
        (n,) = options.sizes
        measure(part, shape, n, options.clusters, Path(place), options.state)
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that scratch files are deleted
    with tempfile.TemporaryDirectory() as scratch:
        state = options.state or Path(scratch)
        state.mkdir(parents=True, exist_ok=True)
        for n in sorted(options.sizes):
            most = 0 if shape is VECTORS else options.cluster_most or math.inf
            parts = [part for part in PARTS if part != "cluster" or n <= most]
            _measured(parts, shape, n, options.clusters, _file(state, shape, n, options.clusters))
        files = [_file(state, shape, n, options.clusters) for n in sorted(options.sizes)]
        found = [json.loads(file.read_text()) for file in files]
    clusters = options.clusters or "one for 50 items"
    keep(_name(shape, options.clusters), list(_rows(found)), **shape.describe(), clusters=clusters)


def _name(shape: Shape, clusters: int | None) -> str:
    return f"{shape.name}-in-{clusters}" if clusters else shape.name


def _file(state: Path, shape: Shape, n: int, clusters: int | None) -> Path:
    return state / f"{_name(shape, clusters)}-{n}.json"


def _measured(parts: list[str], shape: Shape, n: int, clusters: int | None, file: Path) -> None:
    """Measure one size, each part in a process of its own."""
    if file.exists():
        return
    command = [sys.executable, "-m", "benchmarks", "growth", str(n), "--state", str(file)]
    command += {FULL: [], COMPACT: ["--compact"], VECTORS: ["--vectors"]}[shape]
    command += ["--clusters", str(clusters)] if clusters else []
    with tempfile.TemporaryDirectory() as scratch:
        for part in parts:
            place = str(Path(scratch) / "growth.lookalike")
            environment = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}
            subprocess.run([*command, "--part", part, place], check=True, env=environment)


def _rows(found: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The table: every step at every size, then what it takes to keep."""
    for step in TIMED:
        for before, now in _pairs(found, step):
            each = 1 if step in ("search", "look") else now["n"]
            same = before is not None and before.get("engine") == now.get("engine")
            yield {
                "step": step,
                "n": now["n"],
                "CPU s": now["cpu"],
                "wall s": now["wall"],
                "CPU microseconds each": round(1e6 * now["cpu"] / each, 1),
                "bytes each": "",
                "exponent": _exponent(before, now, "cpu") if same else "",
                "peak MB": round(now["peak"] / 1e6),
                "recall@10": now.get("recall", ""),
                "distances": round(now["distances"]) if "distances" in now else "",
            }
    for what in WEIGHED:
        for before, now in _pairs(found, what):
            yield {
                "step": what,
                "n": now["n"],
                "bytes each": round(now["bytes"] / now["n"], 1),
                "exponent": _exponent(before, now, "bytes"),
            }


def _pairs(found: list[dict[str, Any]], step: str) -> Iterator[tuple[dict[str, Any] | None, dict[str, Any]]]:
    """What was measured of a step at one size and at the next."""
    there = [{"n": size["n"], **size[step]} for size in found if step in size]
    yield from zip([None, *there], there, strict=False)


def _exponent(before: dict[str, Any] | None, now: dict[str, Any], what: str) -> float | str:
    if before is None or not before[what] or not now[what]:
        return ""
    return round(math.log(now[what] / before[what]) / math.log(now["n"] / before["n"]), 2)
