"""What is measured of a growing collection at one size: filled, made searchable, searched, clustered."""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from unittest.mock import patch

import numpy as np

import lookalike
from lookalike.collection.facade import Collection
from lookalike.encoders.registry import load_encoder
from lookalike.store.base import Space
from lookalike.store.gallery import Gallery
from lookalike.store.sqlite import SqliteStore
from lookalike.types import Embeddings, Record, Rows
from lookalike.vectors.hnsw import HNSW
from lookalike.vectors.metrics import normalise

BATCH = 1000
QUERIES, WARMING = 200, 50
K = 10
CLUSTER_SIZE = 50
CLUSTERS, MANIFOLD = 2000, 64
REMOVED_SHARE = 0.01
"""Of the items, before the record is compacted."""

PARTS = ("build", "search", "cluster")
"""What is done in a process of its own."""


@dataclass(frozen=True)
class Shape:
    """What items are like.

    Args:
        name: Of the table.
        dimensions: Of the vectors in the record.
        searched: Dimensions of the int8 vectors that are searched.
        thumbnail_bytes: Of each thumbnail.
        attributes: How many; the second one is another number for each item.
    """

    name: str
    dimensions: int
    searched: int
    thumbnail_bytes: int
    attributes: int

    def describe(self) -> dict[str, Any]:
        """For the table."""
        facts = asdict(self)
        return {"table": facts.pop("name"), **facts, "searched": f"{self.searched} x int8"}


FULL = Shape("growth", 1280, 256, 4096, 2)
COMPACT = Shape("growth-compact", 128, 128, 64, 1)
VECTORS = Shape("growth-vectors", 64, 64, 0, 0)
"""No items: vectors and graph alone."""


class Catalogue:
    """Vectors that lie as embeddings of pictures do: clusters on a manifold, and noise around it.

    Args:
        dimensions: Length of a vector.
        clusters: How many; vector i lies in cluster i modulo this, whatever batch it comes in.
    """

    def __init__(self, dimensions: int, clusters: int) -> None:
        shape = np.random.default_rng(0)
        self._basis = shape.standard_normal((MANIFOLD, dimensions)).astype(np.float32)
        self._centres = shape.standard_normal((clusters, MANIFOLD)).astype(np.float32)

    def vectors(self, first: int, n: int) -> Embeddings:
        """n vectors from number ``first`` on, float32 (n, d), L2-normalised."""
        random = np.random.default_rng([2, first])
        latent = self._centres[(first + np.arange(n)) % len(self._centres)]
        latent = latent + 0.6 * random.standard_normal((n, MANIFOLD)).astype(np.float32)
        noise = 0.5 * random.standard_normal((n, self._basis.shape[1])).astype(np.float32)
        return normalise(np.maximum(latent @ self._basis / math.sqrt(MANIFOLD) + noise + 0.5, 0))


class Clock:
    """Adds up the time of the blocks that it is put around, and the most private memory among them."""

    def __init__(self) -> None:
        self.wall = self.cpu = 0.0
        self.peak = 0

    def __enter__(self) -> Self:
        self._done = threading.Event()
        self._watch = threading.Thread(target=self._look, daemon=True)
        self.peak = max(self.peak, private_bytes())
        self._watch.start()
        self._started = time.perf_counter(), time.process_time()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        wall, cpu = self._started
        self.wall += time.perf_counter() - wall
        self.cpu += time.process_time() - cpu
        self.peak = max(self.peak, private_bytes())
        self._done.set()
        self._watch.join()

    def _look(self) -> None:
        while not self._done.wait(0.2):
            self.peak = max(self.peak, private_bytes())

    def read(self, times: int = 1) -> dict[str, float]:
        """Seconds of one of so many times, and bytes."""
        return {"wall": round(self.wall / times, 6), "cpu": round(self.cpu / times, 6), "peak": self.peak}


def private_bytes() -> int:
    """Memory of this process that is no file's."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("the system does not say what memory is private: this benchmark needs Linux")


def measure(part: str, shape: Shape, n: int, clusters: int | None, place: Path, file: Path) -> None:
    """Measure one part of one size.

    Args:
        part: One of ``PARTS``; the later ones need the collection that the first one leaves.
        shape: Of the items.
        n: How many.
        clusters: Of the synthetic vectors; None: one for 50 of them.
        place: Of the collection.
        file: Where figures are kept after each step.
    """
    catalogue = Catalogue(shape.dimensions, clusters or max(2, n // CLUSTER_SIZE))
    found: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {"n": n}
    steps: dict[str, Callable[[], Iterator[tuple[str, dict[str, Any]]]]] = {
        "build": lambda: _build(shape, catalogue, n, place),
        "search": lambda: _search(catalogue, n, place),
        "cluster": lambda: _cluster(place),
    }
    if shape is VECTORS:
        from benchmarks import growth_vectors

        steps = {
            "build": lambda: growth_vectors.build(catalogue, shape.dimensions, n, place),
            "search": lambda: growth_vectors.search(catalogue, n, place),
        }
    for step, figures in steps[part]():
        found[step] = figures
        file.write_text(json.dumps(found, indent=1) + "\n")
        print(n, step, figures, flush=True)


def _build(shape: Shape, catalogue: Catalogue, n: int, place: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Put items into a record, compact it, reduce its vectors and build the index."""
    spec = load_encoder().spec
    space = Space(1, spec.to_json(), spec.fingerprint, shape.dimensions, "f16")
    with Collection(SqliteStore.create(place, space), place) as collection:
        storing = Clock()
        for batch in records(shape, catalogue, n):
            with storing:
                collection._store.put(batch, spec.fingerprint)
        yield "store", storing.read()

        step = round(1 / REMOVED_SHARE)
        for first in range(0, n, step * BATCH):
            collection.remove([f"growth/{at}" for at in range(first, min(first + step * BATCH, n), step)])
        with Clock() as compacting:
            collection._store.compact()
        yield "compact", compacting.read()
        yield "record on disk", {"bytes": sum(path.stat().st_size for path in place.glob("collection.db*"))}

        # what reduces also builds, which is a step of its own here
        with Clock() as reducing, patch.object(Gallery, "save"):
            collection.reduce(shape.searched, precision="i8", progress=False)
        with Clock() as indexing:
            gallery = collection._gallery
            gallery.build()
            if gallery.kind() == "exact":  # so few that none is built: what a graph would take
                state, _ = gallery.built(index=False)
                HNSW.build(state.table, half=state.layout.half, scales=state.layout.scales)
            gallery.save()
        yield "reduce", reducing.read()
        yield "index", {**indexing.read(), "kind": gallery.kind()}
        derived = [path for path in (place / "derived").rglob("*") if path.is_file()]
        for what, pattern in (("vectors on disk", "vectors*"), ("graph on disk", "index*")):
            yield what, {"bytes": sum(path.stat().st_size for path in derived if path.match(pattern))}


def _search(catalogue: Catalogue, n: int, place: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Open a collection up to its first answer, then search it."""
    queries = catalogue.vectors(n, QUERIES)
    before = private_bytes()
    with lookalike.open(place) as collection:
        with Clock() as opening:
            collection.search(queries[0], k=K)
        yield "open", {**opening.read(), "engine": collection._gallery.kind()}
        for query in catalogue.vectors(n + QUERIES, WARMING):
            collection.search(query, k=K)
        yield "memory when searched", {"bytes": private_bytes() - before}
        with Clock() as searching:
            for query in queries:
                collection.search(query, k=K)
        gallery = collection._gallery
        projected = gallery.project(queries)
        rows, _ = gallery.search(projected, K)
        exact, _ = gallery.search(projected, K, recall=1.0)
        figures = {"engine": gallery.kind(), "recall": recall(rows, exact)}
        yield "search", {**searching.read(QUERIES), **figures}


def recall(found: Rows, exact: Rows) -> float:
    """Share of the true neighbours that were found; both int64 (q, k)."""
    shares = [len(np.intersect1d(ours, truth)) / K for ours, truth in zip(found, exact, strict=True)]
    return round(float(np.mean(shares)), 4)


def _cluster(place: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Cluster all items."""
    with lookalike.open(place) as collection:
        with Clock() as clustering:
            groups = collection.cluster(stability=False)
        yield "cluster", {**clustering.read(), "groups": len(groups)}


def fill(collection: Collection, n: int) -> None:
    """Put n synthetic items into a collection: 1,280 dimensions in 2,000 clusters, thumbnails of 4 kB."""
    fingerprint = collection._store.space().fingerprint
    for batch in records(FULL, Catalogue(FULL.dimensions, CLUSTERS), n):
        collection._store.put(batch, fingerprint)


def records(shape: Shape, catalogue: Catalogue, n: int) -> Iterator[list[Record]]:
    """Synthetic items in batches."""
    random = np.random.default_rng(1)
    for first in range(0, n, BATCH):
        vectors = catalogue.vectors(first, min(BATCH, n - first))
        yield [_record(shape, first + at, vector, random) for at, vector in enumerate(vectors)]


def _record(shape: Shape, number: int, vector: Embeddings, random: np.random.Generator) -> Record:
    attributes: dict[str, Any] = {"kind": f"kind {number % 50}"}
    if shape.attributes > 1:
        attributes["share"] = float(random.random())
    return Record(
        id=f"growth/{number}",
        uri=f"/growth/{number}",
        source="growth",
        stamp=None,
        sha256=f"{number:064x}",
        width=640,
        height=480,
        embedding=vector,
        thumbnail=random.bytes(shape.thumbnail_bytes),
        attributes=attributes,
    )
