"""Searching a Milvus server and this machine's own index: time and recall on the same vectors.

    python -m benchmarks.milvus_search milvus://127.0.0.1:19530/bench --items 50000 --dimensions 256

The collection is made, filled with clustered vectors from a seed, measured and deleted.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np

from lookalike.store.base import Space
from lookalike.store.filters import parse
from lookalike.store.gallery import Gallery
from lookalike.store.milvus_store import MilvusStore
from lookalike.types import Embeddings, Record, Rows

QUERIES = 200
BATCH = 1_000


def _vectors(count: int, dimensions: int, seed: int) -> Embeddings:
    """Clustered unit vectors, as embeddings of pictures are."""
    centres = np.random.default_rng(0).normal(size=(500, dimensions))
    rng = np.random.default_rng(seed)
    found = centres[rng.integers(500, size=count)] + 0.7 * rng.normal(size=(count, dimensions))
    unit: Embeddings = (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)
    return unit


def _fill(store: MilvusStore, vectors: Embeddings) -> float:
    started = time.perf_counter()
    for first in range(0, len(vectors), BATCH):
        batch = vectors[first : first + BATCH]
        store.put([_record(first + n, vector) for n, vector in enumerate(batch)], "benchmark")
    return time.perf_counter() - started


def _record(number: int, vector: Embeddings) -> Record:
    return Record(
        id=f"i{number}", uri=f"/i{number}", source="s", stamp=None, sha256=f"{number:064}", width=1, height=1,
        embedding=vector, thumbnail=b"", labels=(), attributes={"price": number % 1000},
    )  # fmt: skip


def _measured(gallery: Gallery, queries: Embeddings, truth: Rows, rows: Rows | None) -> dict[str, float]:
    gallery.search(queries[:1], 10, rows)
    taken, shared = [], 0
    for query, expected in zip(queries, truth, strict=True):
        started = time.perf_counter()
        found, _ = gallery.search(query[None], 10, rows)
        taken.append(time.perf_counter() - started)
        shared += len(np.intersect1d(found[0], expected))
    return {
        "p50_ms": round(float(np.median(taken)) * 1e3, 2),
        "p99_ms": round(float(np.quantile(taken, 0.99)) * 1e3, 2),
        "recall_at_10": round(shared / (10 * len(queries)), 4),
    }


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--items", type=int, default=50_000)
    parser.add_argument("--dimensions", type=int, default=256)
    given = parser.parse_args()
    vectors = _vectors(given.items, given.dimensions, 1)
    queries = _vectors(QUERIES, given.dimensions, 2)
    space = Space(1, "{}", "benchmark", given.dimensions, "f16")
    with (
        tempfile.TemporaryDirectory() as folder,
        MilvusStore.create(given.url, space, cache=Path(folder)) as store,
    ):
        try:
            report: dict[str, object] = {"items": given.items, "dimensions": given.dimensions}
            report["put_items_per_s"] = round(given.items / _fill(store, vectors))
            allowed = store.select(parse("price < 100"))
            with (
                Gallery(store, Path(folder, "exact"), index="exact") as exact,
                Gallery(store, Path(folder, "local"), index="hnsw") as local,
                store.gallery() as server,
            ):
                started = time.perf_counter()
                server.save()
                report["bring_items_per_s"] = round(given.items / (time.perf_counter() - started))
                for name, rows in (("all", None), ("a tenth", allowed)):
                    truth, _ = exact.search(queries, 10, rows)
                    report[f"milvus, {name}"] = _measured(server, queries, truth, rows)
                    report[f"local hnsw, {name}"] = _measured(local, queries, truth, rows)
            print(json.dumps(report, indent=1))
        finally:
            store.place.destroy()


if __name__ == "__main__":
    main()
