"""Searching a Milvus server and this machine's own index: time and recall on the same vectors.

    python -m benchmarks milvus_search milvus://127.0.0.1:19530/bench --items 50000 --dimensions 256

The collection is made, filled with clustered vectors from a seed, measured and deleted.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.report import keep
from benchmarks.search import clustered
from lookalike.store.base import Space
from lookalike.store.filters import parse
from lookalike.store.gallery import Gallery
from lookalike.store.milvus_store import MilvusStore
from lookalike.types import Embeddings, Record, Rows

QUERIES = 200
BATCH = 1_000
HANDED_OVER_SECONDS = 40.0
"""After which a server searches the index that it built."""

CONDITIONS = (None, "price < 500", "price < 200", "price < 100", "price < 50")
"""Filters that keep all, a half, a fifth, a tenth and a twentieth."""


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
        "p50 ms": round(float(np.median(taken)) * 1e3, 2),
        "p99 ms": round(float(np.quantile(taken, 0.99)) * 1e3, 2),
        "recall@10": round(shared / (10 * len(queries)), 4),
    }


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--items", type=int, default=50_000)
    parser.add_argument("--dimensions", type=int, default=256)
    given = parser.parse_args()
    vectors = clustered(given.items + QUERIES, given.dimensions, seed=0)
    vectors, queries = vectors[: given.items], vectors[given.items :]
    space = Space(1, "{}", "benchmark", given.dimensions, "f16")
    with (
        tempfile.TemporaryDirectory() as folder,
        MilvusStore.create(given.url, space, cache=Path(folder)) as store,
    ):
        try:
            report: dict[str, object] = {}
            rows: list[dict[str, object]] = []
            report["put, items a second"] = round(given.items / _fill(store, vectors))
            with (
                Gallery(store, Path(folder, "exact"), index="exact") as exact,
                Gallery(store, Path(folder, "local"), index="hnsw") as local,
                store.gallery() as server,
            ):
                started = time.perf_counter()
                server.save()
                report["brought and indexed, items a second"] = round(
                    given.items / (time.perf_counter() - started)
                )
                time.sleep(HANDED_OVER_SECONDS)
                for condition in CONDITIONS:
                    allowed = None if condition is None else store.select(parse(condition))
                    share = 1.0 if allowed is None else len(allowed) / given.items
                    truth, _ = exact.search(queries, 10, allowed)
                    for name, gallery in (("Milvus", server), ("local HNSW", local)):
                        rows.append(
                            {"searched by": name, "share allowed": round(share, 3)}
                            | _measured(gallery, queries, truth, allowed)
                        )
            keep("milvus_search", rows, items=given.items, dimensions=given.dimensions, **report)
        finally:
            store.place.destroy()


if __name__ == "__main__":
    main()
