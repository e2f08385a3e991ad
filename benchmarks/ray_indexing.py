"""What Ray costs on one machine: indexing the same pictures in this process and on a local Ray, into Lance.

Ray itself is started before the clock runs; its workers, which load the encoder, are part of the time. Both have the
same number of cores.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import lookalike
from benchmarks.report import keep
from lookalike.ingest.pipeline import Progress
from lookalike.ingest.ray_session import session


def main() -> None:
    """Index a folder both ways and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", metavar="DATA", help="folder of images")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), metavar="N")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["LOOKALIKE_CACHE"] = str(Path(scratch) / "cache")
        here = measured(options.data, Path(scratch) / "here.lance", None, options.workers)
        with session("ray"):
            there = measured(options.data, Path(scratch) / "there.lance", "ray", options.workers)
    for row in (here, there):
        row["times"] = round(row["seconds"] / here["seconds"], 2)
    keep("ray_indexing", [here, there], workers=options.workers)


def measured(data: str, path: Path, on: str | None, workers: int) -> dict[str, Any]:
    """One run: seconds until the first commit, and in all."""
    first: list[float] = []

    def note(_: Progress) -> None:
        if not first:
            first.append(time.perf_counter() - started)

    with lookalike.create(path) as collection:
        collection.embed([])  # loads the encoder before the clock runs
        started = time.perf_counter()
        ledger = collection.add(data, on=on, workers=workers, progress=note)
        seconds = time.perf_counter() - started
    return {
        "on": on or "this process",
        "images": ledger.added,
        "seconds": round(seconds, 1),
        "images_s": round(ledger.added / seconds, 1),
        "first_commit_s": round(first[0], 1) if first else None,
    }


if __name__ == "__main__":
    main()
