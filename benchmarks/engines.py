"""What a store does in a folder, by engine: writing, reading, bytes, a machine that was never there before, compacting.

Items as :mod:`benchmarks.growth` fills them: 1,280 dimensions kept in f16, thumbnails of 4 kB, two attributes, 1,000 at
a time. Seconds are those of the wall, the disk's part included. S3 is not measured: a server on loopback would measure
itself.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import lookalike
from benchmarks.growth_steps import CLUSTERS, FULL, Catalogue, records
from benchmarks.report import keep
from lookalike.collection.facade import Collection

ENGINES = {"SQLite": "a.lookalike", "Lance": "a.lance"}
ITEMS = 10_000
PICTURES = 50
ASKED = 1_000


def main() -> None:
    """Measure every engine and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("items", nargs="?", type=int, default=ITEMS, metavar="N")
    n = parser.parse_args().items
    found = [dict(_measured(name, n)) for name in ENGINES]
    what = dict.fromkeys(key for each in found for key in each)
    rows: list[dict[str, object]] = [
        {"what": key, **{name: each.get(key, "") for name, each in zip(ENGINES, found, strict=True)}}
        for key in what
    ]
    keep("engines", rows, items=n, dimensions=FULL.dimensions, thumbnail_bytes=FULL.thumbnail_bytes)


def _measured(engine: str, n: int) -> Iterator[tuple[str, float]]:
    catalogue = Catalogue(FULL.dimensions, CLUSTERS)
    with tempfile.TemporaryDirectory() as scratch:
        place, cache, elsewhere = (Path(scratch) / name for name in (ENGINES[engine], "here", "elsewhere"))
        os.environ["LOOKALIKE_CACHE"] = str(cache)
        with lookalike.create(place) as collection:
            spent = 0.0
            for batch in records(FULL, catalogue, n):
                began = time.perf_counter()
                collection._store.put(batch, collection.spec.fingerprint)
                spent += time.perf_counter() - began
            yield "put, items/s", round(n / spent)
            yield from _read(collection, n)
        yield "bytes an item", round(_bytes(place) / n)
        if engine != "SQLite":
            yield "bytes an item in the replica", round(_bytes(cache) / n)
            os.environ["LOOKALIKE_CACHE"] = str(elsewhere)
            began = time.perf_counter()
            with lookalike.open(place) as collection:
                len(collection)
                yield "a new machine follows, items/s", round(n / (time.perf_counter() - began))
        with lookalike.open(place) as collection:
            began = time.perf_counter()
            collection._store.compact()
            yield "compact, items/s", round(n / (time.perf_counter() - began))


def _read(collection: Collection, n: int) -> Iterator[tuple[str, float]]:
    began = time.perf_counter()
    read = sum(len(rows) for rows, _ in collection._store.stream_vectors(-1))
    yield "read all vectors, items/s", round(read / (time.perf_counter() - began))
    began = time.perf_counter()
    for number in range(0, n, n // PICTURES):
        collection.thumbnail(f"growth/{number}")
    yield "one thumbnail, ms", round(1e3 * (time.perf_counter() - began) / PICTURES, 2)
    began = time.perf_counter()
    for _ in range(ASKED):
        collection._store.version()
    yield "version(), microseconds", round(1e6 * (time.perf_counter() - began) / ASKED, 1)


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
