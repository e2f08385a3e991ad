"""Latency and recall of the search in process: one query at a time, by vector, with and without filters.

The vectors are synthetic (seeded): clusters on a low-dimensional manifold, as embeddings of pictures are; queries are
perturbed members. Recall is against the exact search over the same vectors. The exact search is the peer.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import lookalike
from benchmarks.report import keep
from lookalike.types import Record
from lookalike.vectors.metrics import normalise

BATCH = 1000
FILTERS = (None, "share < 0.5", "share < 0.1", "share < 0.02", "share < 0.001")


def clustered(n: int, dimensions: int, seed: int) -> np.ndarray:
    """float32 (n, d), L2-normalised: n / 50 clusters in a space of 64 latent dimensions, plus noise."""
    random = np.random.default_rng(seed)
    basis = random.standard_normal((64, dimensions)).astype(np.float32)
    centres = random.standard_normal((max(1, n // 50), 64)).astype(np.float32)
    latent = centres[random.integers(len(centres), size=n)] + 0.6 * random.standard_normal((n, 64)).astype(
        np.float32
    )
    noise = 0.5 * random.standard_normal((n, dimensions)).astype(np.float32)
    return normalise(np.maximum(latent @ basis / 8 + noise + 0.5, 0))


def main() -> None:
    """Fill a collection, then time queries of each kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=60_000)
    parser.add_argument("--queries", type=int, default=300)
    options = parser.parse_args()
    vectors = clustered(options.items, 1280, seed=0)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "bench.lookalike"
        _fill(folder, vectors)
        with lookalike.open(folder) as collection:
            start = time.perf_counter()
            collection.search(vectors[0], k=10)
            opened = time.perf_counter() - start
            rows = [_measure(collection, vectors, where, options.queries) for where in FILTERS]
            index = collection.info()["index"]
    keep("search", rows, items=options.items, dimensions=1280, first_query_s=round(opened, 2), index=index)
    print(f"first query after opening: {opened:.2f} s; index {index}")


def _fill(folder: Path, vectors: np.ndarray) -> None:
    random = np.random.default_rng(1)
    shares = random.random(len(vectors))
    with lookalike.create(folder) as collection:
        fingerprint = collection.info()["fingerprint"]
        for first in range(0, len(vectors), BATCH):
            records = [
                Record(
                    f"bench/{n}",
                    f"/bench/{n}",
                    "bench",
                    None,
                    f"{n:064x}",
                    1,
                    1,
                    vectors[n],
                    b"",
                    (),
                    {"share": shares[n]},
                )
                for n in range(first, min(first + BATCH, len(vectors)))
            ]
            collection._store.put(records, fingerprint)
        collection._gallery.build()
        collection._gallery.save()


def _measure(
    collection: lookalike.Collection, vectors: np.ndarray, where: str | None, queries: int
) -> dict[str, object]:
    random = np.random.default_rng(2)
    picks = random.integers(len(vectors), size=queries)
    asked = normalise(vectors[picks] + 0.3 * vectors[random.permutation(picks)])
    gallery = collection._gallery
    rows = collection._searcher.select(where) if where else None

    def anew() -> np.ndarray | None:
        """The rows as an array of their own, so that nothing remembers the filter."""
        return None if rows is None else rows.copy()

    truth = [set(gallery.search(q[None], 10, rows=anew(), recall=1.0)[0][0].tolist()) for q in asked]
    found = [set(gallery.search(q[None], 10, rows=anew())[0][0].tolist()) for q in asked]
    recall = statistics.mean(len(t & f) / len(t) for t, f in zip(truth, found, strict=True))
    collection.search(asked[0], k=10, where=where)
    return {
        "filter keeps": "all" if where is None else f"{float(where.split()[-1]):.1%}",
        "index, new filter, p50 ms": _p50(lambda q: gallery.search(q[None], 10, rows=anew()), asked),
        "exact, new filter, p50 ms": _p50(
            lambda q: gallery.search(q[None], 10, rows=anew(), recall=1.0), asked
        ),
        "recall@10": round(recall, 4),
        "Collection.search, known filter, p50 ms": _p50(
            lambda q: collection.search(q, k=10, where=where), asked
        ),
    }


def _p50(call: Callable[[np.ndarray], object], queries: np.ndarray) -> float:
    times = []
    for query in queries:
        start = time.perf_counter()
        call(query)
        times.append(time.perf_counter() - start)
    return round(1000 * statistics.median(times), 2)
