"""How cost grows with a collection: storing, reducing, indexing, searching, clustering and compacting at several sizes.

Every size runs in a process of its own, so that its peak memory is its own. Vectors are synthetic (seeded, clusters on
a manifold), 1,280-d, searched as 256-d int8 as a collection of that size would be; items carry a thumbnail of 4 kB and
two attributes. The exponent is that of a power of n between one size and the next, of CPU seconds, which do not depend
on what else the machine does.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import lookalike
from benchmarks.report import keep
from lookalike.planning.calibration import synthetic_vectors
from lookalike.types import Record

SIZES = (10_000, 100_000, 1_000_000)
BATCH = 1000
QUERIES = 200
DIMENSIONS, SEARCHED = 1280, 256
THUMBNAIL_BYTES = 4096
STEPS = ("store", "reduce", "index", "search", "cluster", "compact")


def main() -> None:
    """Run every size in a process of its own and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=list(SIZES), metavar="N")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(_measure(options.sizes[0])))
        return
    found = [_in_process(n) for n in sorted(options.sizes)]
    rows = []
    for before, now in zip([None, *found], found, strict=False):
        for step in STEPS:
            cpu = now[step]["cpu"]
            row: dict[str, Any] = {"step": step, "n": now["n"], **now[step]}
            row["CPU microseconds each"] = round(1e6 * cpu / (1 if step == "search" else now["n"]), 2)
            row["exponent"] = ""
            if before is not None and before[step]["cpu"] > 0:
                row["exponent"] = round(
                    math.log(cpu / before[step]["cpu"]) / math.log(now["n"] / before["n"]), 2
                )
            rows.append(row)
    rows.sort(key=lambda row: (STEPS.index(row["step"]), row["n"]))
    sizes = [{key: each[key] for key in ("n", "record bytes each", "derived bytes each")} for each in found]
    keep("growth", rows, dimensions=DIMENSIONS, searched=f"{SEARCHED} x int8", bytes=sizes)
    print(json.dumps(sizes, indent=1))


def _in_process(n: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks", "growth", str(n), "--one"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _measure(n: int) -> dict[str, Any]:
    found: dict[str, Any] = {"n": n}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "growth.lookalike"
        with lookalike.create(folder) as collection:
            found["store"] = _timed(lambda: fill(collection, n))
            found["reduce"] = _timed(lambda: collection.reduce(SEARCHED, precision="i8", progress=False))
            found["index"] = _timed(lambda: (collection._gallery.build(), collection._gallery.save()))
            queries = synthetic_vectors(QUERIES, DIMENSIONS, first=n)
            found["search"] = _timed(lambda: [collection.search(query, k=10) for query in queries])
            for name in ("wall s", "cpu"):
                found["search"][name] = found["search"][name] / QUERIES
            found["cluster"] = _timed(lambda: collection.cluster(stability=False))
            found["compact"] = _timed(collection.compact)
            sizes = collection.info()["bytes"]
    found["record bytes each"] = round(sizes["record"] / n)
    found["derived bytes each"] = round(sizes["derived"] / n)
    return found


def _timed(step: Callable[[], object]) -> dict[str, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    step()
    return {
        "wall s": round(time.perf_counter() - wall, 4),
        "cpu": round(time.process_time() - cpu, 4),
        "peak MB so far": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def fill(collection: lookalike.Collection, n: int) -> None:
    """Put n synthetic items into a collection."""
    fingerprint = collection.info()["fingerprint"]
    random = np.random.default_rng(1)
    for first in range(0, n, BATCH):
        vectors = synthetic_vectors(min(BATCH, n - first), DIMENSIONS, first=first)
        shares = random.random(len(vectors))
        collection._store.put(
            [
                Record(
                    id=f"growth/{first + at}",
                    uri=f"/growth/{first + at}",
                    source="growth",
                    stamp=None,
                    sha256=f"{first + at:064x}",
                    width=640,
                    height=480,
                    embedding=vector,
                    thumbnail=random.bytes(THUMBNAIL_BYTES),
                    attributes={"share": shares[at], "kind": f"kind {(first + at) % 50}"},
                )
                for at, vector in enumerate(vectors)
            ],
            fingerprint,
        )
