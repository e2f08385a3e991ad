"""An index built once and loaded by other machines, and what searching several graphs costs against one.

CPU seconds of this process; vectors are synthetic, in clusters, and queries are others of the same
clusters. Loading is what a machine without derived files does when it opens the collection: reading the vectors of the
record, the graphs, and putting the two together.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import keep
from lookalike.store import published_index
from lookalike.store.base import Space
from lookalike.store.gallery import Gallery
from lookalike.store.index_building import Builders, publish_shards
from lookalike.store.sqlite import SqliteStore
from lookalike.types import Embeddings, Record
from lookalike.vectors.blocks import in_process
from lookalike.vectors.metrics import normalise

DIMENSIONS, CLUSTERS, SPREAD = 256, 2_000, 0.5
LATENT = 48
"""Directions in which the vectors of a cluster differ: embeddings have far fewer than numbers."""

QUERIES, K = 500, 10
FINGERPRINT = "0123456789abcdef"
SHARDS = (1, 2, 4)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(prog="benchmarks index_building", description=__doc__)
    parser.add_argument("--items", type=int, default=50_000, metavar="N")
    options = parser.parse_args()
    vectors = _vectors(options.items + QUERIES)
    with tempfile.TemporaryDirectory(prefix="lookalike-") as folder:
        space = Space(1, "{}", FINGERPRINT, DIMENSIONS, "f16")
        with SqliteStore.create(Path(folder) / "c", space) as store:
            _fill(store, vectors[: options.items])
            rows = [_measured(store, Path(folder), vectors[options.items :], shards) for shards in SHARDS]
    keep(
        "index_building",
        rows,
        note=f"{options.items:,} x {DIMENSIONS} float16, CPU seconds of all threads; {QUERIES} queries one by one",
        load=[round(each, 1) for each in os.getloadavg()],
    )


def _vectors(n: int) -> Embeddings:
    rng = np.random.default_rng(0)
    mixing = rng.standard_normal((LATENT, DIMENSIONS)).astype(np.float32)
    centres = rng.standard_normal((CLUSTERS, LATENT)).astype(np.float32)
    members = centres[rng.integers(CLUSTERS, size=n)]
    return normalise((members + SPREAD * rng.standard_normal((n, LATENT)).astype(np.float32)) @ mixing)


def _fill(store: SqliteStore, vectors: Embeddings) -> None:
    for first in range(0, len(vectors), 1024):
        store.put(
            [_record(first + n, vector) for n, vector in enumerate(vectors[first : first + 1024])],
            FINGERPRINT,
        )


def _record(n: int, vector: Embeddings) -> Record:
    return Record(
        id=f"item/{n}",
        uri=f"/item/{n}",
        source="item",
        stamp=None,
        sha256=hashlib.sha256(str(n).encode()).hexdigest(),
        width=1,
        height=1,
        embedding=vector,
        thumbnail=b"",
        labels=(),
        attributes={},
    )


def _measured(store: SqliteStore, folder: Path, queries: Embeddings, shards: int) -> dict[str, Any]:
    published_index.remove(store)  # else the builder loads it
    gallery = Gallery(store, folder / f"builder-{shards}")
    start = time.process_time()
    made = publish_shards(store, gallery, Builders(in_process), shards, lambda *_: None)
    built = time.process_time()
    fresh = Gallery(store, folder / f"fresh-{shards}")
    loaded = time.process_time()
    assert fresh.kind() == "hnsw"
    truth, _ = fresh.search(queries, K, recall=1.0)
    begin = time.process_time()
    found = np.concatenate([fresh.search(query[None], K)[0] for query in queries])
    searched = time.process_time()
    fresh.close()
    gallery.close()
    hits = [len(set(a) & set(b)) for a, b in zip(found.tolist(), truth.tolist(), strict=True)]
    return {
        "shards": shards,
        "build, publish, tune": round(built - start, 1),
        "load on a fresh machine": round(loaded - built, 1),
        "bytes an item": round(made.bytes / made.rows),
        "search, ms": round(1000 * (searched - begin) / len(queries), 2),
        f"recall@{K}": round(float(np.sum(hits)) / (K * len(queries)), 4),
    }
