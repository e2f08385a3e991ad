"""Whether intervals of an evaluation hold what they say, and what an evaluation costs.

DATA holds ``catalog/`` and ``customer/`` (pictures), several photos of each product, whose name is the part of a
file's name before the last underscore. Coverage: the products of DATA are the population; samples of 40 of them, with
all their photos, are drawn from it, and it is counted how often the 95 % interval of mAP and recall@1 holds the
population's value when photos are resampled one by one, and when the photos of a product are resampled together.
Cost: seconds and peak memory of measuring 1,000 queries against synthetic galleries.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np

import lookalike
from benchmarks.report import keep
from lookalike.evaluate.bootstrap import IntervalMethod, bootstrap_interval
from lookalike.evaluate.labelled import LabelledTask, cosines, measure
from lookalike.vectors.metrics import normalise

TRIALS = 1000
PRODUCTS = 40
SIZES = (10_000, 60_000)
QUERIES, DIMENSIONS, EACH = 1000, 1280, 5
NOISE = np.float32(3.5)


def main() -> None:
    """Measure both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    values, products = _measured(data)
    rows: list[dict[str, Any]] = [
        _coverage(name, values[name], products, together=together, method=method)
        for name in ("mAP", "recall@1")
        for method in ("bca", "percentile")
        for together in (False, True)
    ]
    keep(f"evaluation-coverage-{data.resolve().name}", rows, trials=TRIALS, products=PRODUCTS, level=0.95)
    keep("evaluation-cost", [_cost(size) for size in SIZES], queries=QUERIES, dimensions=DIMENSIONS)


def _measured(data: Path) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Measures of each photo, and its product."""
    asked, answers = (sorted((data / part).glob("*.jpg")) for part in ("customer", "catalog"))
    labels, items = ([path.stem.rpartition("_")[0] for path in paths] for paths in (asked, answers))
    task = LabelledTask(labels, items, np.full(len(asked), -1))
    measured = measure(task, cosines(lookalike.embed(asked), lookalike.embed(answers)), ks=(1,))
    return measured.values, np.unique(labels, return_inverse=True)[1]


def _coverage(
    name: str, values: np.ndarray, products: np.ndarray, *, together: bool, method: IntervalMethod
) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    truth, held, width = values.mean(), 0, 0.0
    photos = [np.flatnonzero(products == product) for product in range(products.max() + 1)]
    for trial in range(TRIALS):
        drawn = rng.integers(0, len(photos), PRODUCTS)
        sample = np.concatenate([values[photos[product]] for product in drawn])
        clusters = np.repeat(np.arange(PRODUCTS), [len(photos[product]) for product in drawn])
        interval = bootstrap_interval(
            sample, clusters=clusters if together else None, seed=trial, resamples=1000, method=method
        )
        held += interval.low <= truth <= interval.high
        width += (interval.high - interval.low) / TRIALS
    row = {
        "measure": name,
        "method": method,
        "resampled": "products" if together else "photos",
        "coverage": held / TRIALS,
        "width": width,
    }
    print(row, flush=True)
    return row


def _cost(size: int) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    centres = rng.normal(0, 1, (size // EACH, DIMENSIONS)).astype(np.float32)
    noise = NOISE * rng.normal(0, 1, (size, DIMENSIONS)).astype(np.float32)
    gallery = normalise(np.repeat(centres, EACH, axis=0) + noise)
    labels = np.repeat(np.arange(size // EACH), EACH)
    queries = rng.choice(size, QUERIES, replace=False)
    task = LabelledTask(labels[queries].tolist(), labels.tolist(), queries)
    tracemalloc.start()
    start = time.perf_counter()
    measured = measure(task, cosines(gallery[queries], gallery))
    seconds = time.perf_counter() - start
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    row = {
        "items": size,
        "seconds": seconds,
        "peak MB beside the vectors": peak / 1e6,
        "mAP": float(np.nanmean(measured.values["mAP"])),
    }
    print(row, flush=True)
    return row
