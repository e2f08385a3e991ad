"""What `lookalike plan` predicts against what is measured, at sizes that fit on this machine.

The machine is calibrated first, with every second photo of a folder. Then the others are indexed, a service on the
loopback is searched by upload: by clients that ask again at once, which is its capacity, and at a third and at two
thirds of the predicted one (Poisson arrivals, load generator on the same machine). A collection of synthetic vectors,
more of them than were calibrated with, is stored, indexed and searched. Predicted over measured should lie between 0.8
and 1.2.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

import lookalike
from benchmarks.growth import fill
from benchmarks.report import keep
from benchmarks.serving import served
from lookalike.planning.calibration import QUERIES, calibrate, synthetic_vectors
from lookalike.planning.load import closed_loop, open_loop, searches
from lookalike.planning.measured import Measured
from lookalike.planning.queueing import Stage, simulate
from lookalike.vectors.threads import one_thread_each

ENCODER = "efficientnet-lite0"
VECTORS = 100_000
LOADS = (1 / 3, 2 / 3)
ROUNDS = 3
PERCENTILES = (50, 95, 99)
BUSY_CLIENTS = 12


def main() -> None:
    """Calibrate, predict, measure and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path, help="folder of JPEG photos like those of a shop's customers")
    parser.add_argument("--seconds", type=float, default=40.0, help="of each load in each round")
    parser.add_argument("--vectors", type=int, default=VECTORS)
    options = parser.parse_args()
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as scratch:
        known, others = halves(options.photos, Path(scratch))
        costs = calibrate(known)
        shop = Path(scratch) / "shop.lookalike"
        rows += indexing(costs, others, shop)
        rows += answering(costs, others, shop, options.seconds)
        rows += storing(costs, Path(scratch) / "synthetic.lookalike", options.vectors)
    keep("planning", rows, calibrated=costs.to_dict())


def halves(photos: Path, scratch: Path) -> tuple[Path, Path]:
    """The photos of a folder in two folders."""
    folders = scratch / "known", scratch / "others"
    for folder in folders:
        folder.mkdir()
    for at, path in enumerate(sorted(photos.iterdir())):
        if path.suffix.lower() in (".jpg", ".jpeg"):
            shutil.copy(path, folders[at % 2])
    return folders


def compared(what: str, unit: str, predicted: float, measured: float) -> dict[str, object]:
    """One line of the table."""
    return {
        "what": what,
        "unit": unit,
        "predicted": round(predicted, 4),
        "measured": round(measured, 4),
        "predicted / measured": round(predicted / measured, 2),
    }


def indexing(costs: Measured, photos: Path, place: Path) -> list[dict[str, object]]:
    """Core seconds of indexing a folder."""
    with lookalike.create(place) as collection:
        before = time.process_time()
        added = collection.add(photos, progress=False).added
        used = time.process_time() - before
        size = collection.info()["bytes"]["record"] / len(collection)
    dimensions = costs.dimensions[ENCODER]
    return [
        compared(f"index {added} photos", "core seconds", added * costs.index_seconds[ENCODER], used),
        compared("an item in the record", "bytes", costs.record_bytes + 2 * dimensions, size),
    ]


def answering(costs: Measured, photos: Path, place: Path, seconds: float) -> list[dict[str, object]]:
    """Latencies of searches by upload, at parts of the capacity that the costs predict."""
    cores = os.cpu_count() or 1
    with lookalike.open(place) as collection:
        search = costs.search.seconds(len(collection), costs.dimensions[ENCODER])
    work = costs.embed_seconds[ENCODER] + costs.request_seconds + search
    stage = Stage("answering", work, cores, spread=costs.spread)
    pictures = sorted(path for path in photos.iterdir() if path.suffix.lower() in (".jpg", ".jpeg"))[:100]
    rates = [load * cores / work for load in LOADS]
    # a process of its own loads the service: this one has much to collect, and would hold its clients up
    with served(str(place)) as service, ProcessPoolExecutor(1, get_context("spawn")) as clients:
        capacity, seen = clients.submit(loaded, service, pictures, rates, seconds).result()
    rows = [compared("capacity", "searches a second", cores / work, capacity)]
    for rate, measured in zip(rates, seen, strict=True):
        simulated = simulate([stage], rate)
        predicted = (simulated.p50, simulated.p95, simulated.p99)
        for percent, expected, took in zip(PERCENTILES, predicted, measured, strict=True):
            what = f"search by upload, {rate:.0f} a second, p{percent}"
            rows.append(compared(what, "ms", 1e3 * expected, 1e3 * took))
    return rows


def loaded(
    service: tuple[str, int, str], pictures: list[Path], rates: list[float], seconds: float
) -> tuple[float, list[list[float]]]:
    """Searches a second that a service answers at most, and for each rate the percentiles of latency, seconds."""
    host, port, name = service
    asked = searches([path.read_bytes() for path in pictures], host, port, name)
    asyncio.run(closed_loop((host, port), asked, BUSY_CLIENTS, 3.0))
    busy = asyncio.run(closed_loop((host, port), asked, BUSY_CLIENTS, seconds / 2))
    seen: dict[float, list[np.ndarray]] = {rate: [] for rate in rates}
    for seed in range(ROUNDS):
        for rate, found in seen.items():
            tally = asyncio.run(open_loop((host, port), asked, rate, seconds, seed=seed))
            found.append(np.percentile(tally.served, PERCENTILES))
    # medians: bursts of arrivals and what else the machine does make tails differ by half from round to round
    return 2 * len(busy.served) / seconds, [np.median(found, axis=0).tolist() for found in seen.values()]


@one_thread_each()  # of linear algebra, as a service has it
def storing(costs: Measured, place: Path, n: int) -> list[dict[str, object]]:
    """Building an index of synthetic vectors, and what it takes on disk."""
    with lookalike.create(place) as collection:
        fill(collection, n)
        before = time.process_time()
        collection._gallery.build()
        used = time.process_time() - before
        collection._gallery.save()
        state, _ = collection._gallery.built(index=False)
        queries = synthetic_vectors(QUERIES, collection.encoder.spec.dimensions, first=n)
        before = time.process_time()
        for query in queries:
            state.search(query[None], 10, None, None)
        searching = (time.process_time() - before) / QUERIES
    dimensions = costs.dimensions[ENCODER]
    return [
        compared(f"index {n} vectors", "core seconds", costs.build.total(n, dimensions), used),
        compared(f"search {n} vectors", "ms", 1e3 * costs.search.seconds(n, dimensions), 1e3 * searching),
    ]


if __name__ == "__main__":
    main()
