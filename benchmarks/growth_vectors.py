"""What is measured of a growing index by itself: vectors as a collection derives them, without the record."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from benchmarks.growth_steps import BATCH, QUERIES, WARMING, Catalogue, Clock, K, private_bytes, recall
from lookalike.store.derived import DerivedFolder
from lookalike.store.gallery_state import State
from lookalike.store.searched import Layout
from lookalike.store.sidecar import Manifest, Sidecar, append, begin
from lookalike.store.table import Table
from lookalike.types import Embeddings, Rows
from lookalike.vectors.hnsw import EF_CONSTRUCTION, HNSW
from lookalike.vectors.quantise import Int8
from lookalike.vectors.sharded import load_graphs

SAMPLE = 50_000
"""Vectors that the scales of the codes are learned from, as ``Collection.reduce`` does."""


def build(catalogue: Catalogue, dimensions: int, n: int, place: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Write int8 vectors, link them, write the graph."""
    folder = DerivedFolder(place)
    sample = np.concatenate([catalogue.vectors(first, BATCH) for first in range(0, min(n, SAMPLE), BATCH)])
    scales = tuple(Int8.fit(sample).scales.tolist())
    writing = Clock()

    def batches() -> Iterator[tuple[Rows, Embeddings]]:
        for first in range(0, n, BATCH):
            writing.__exit__(None, None, None)  # what makes the vectors is not measured
            vectors = catalogue.vectors(first, min(BATCH, n - first))
            writing.__enter__()
            yield 1 + np.arange(first, first + len(vectors)), vectors

    with folder.lock(), writing:
        manifest = append(folder, begin(folder, Manifest("", 1, 1, 1, dimensions, "i8", scales)), batches())
    yield "vectors", writing.read()
    table = Table(dimensions, Sidecar(folder, manifest))
    with Clock() as indexing:
        graph = HNSW(table, half=False, scales=scales)
        graph.grow(table, n, shared=False)
    yield "link", indexing.read()
    with Clock() as tuning:
        graph.tune()
    yield "tune", tuning.read()
    with folder.lock(), Clock() as saving:
        folder.write_file("index", graph.save, {})
    yield "save", saving.read()
    for what, pattern in (("vectors on disk", "vectors*"), ("graph on disk", "index*")):
        yield what, {"bytes": sum(path.stat().st_size for path in place.glob(pattern))}


def search(catalogue: Catalogue, n: int, place: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Load vectors and graph up to the first answer, then search them; look for one as often as when it is linked."""
    queries, before = catalogue.vectors(n, QUERIES), private_bytes()
    with Clock() as opening:
        state = _opened(DerivedFolder(place))
        state.search(queries[:1], K, None, None)
    yield "open", opening.read()
    for query in catalogue.vectors(n + QUERIES, WARMING):
        state.search(query[None], K, None, None)
    yield "memory when searched", {"bytes": private_bytes() - before}
    with Clock() as searching:
        for query in queries:
            state.search(query[None], K, None, None)
    found = state.search(queries, K, None, None)[0]
    exact = state.search(queries, K, None, 1.0)[0]
    yield "search", {**searching.read(QUERIES), "recall": recall(found, exact)}
    graph = state.index
    if isinstance(graph, HNSW):
        many = catalogue.vectors(n + QUERIES + WARMING, BATCH)
        counted: Any = faiss.cvar
        counted.hnsw_stats.reset()
        with Clock() as looking:
            graph.at_level(many, K, EF_CONSTRUCTION)
        yield "look", {**looking.read(BATCH), "distances": counted.hnsw_stats.ndis / BATCH}


def _opened(folder: DerivedFolder) -> State:
    side, graph = Sidecar.open(folder), folder.find_file("index")
    if side is None or graph is None:
        raise RuntimeError(f"there are no vectors with a graph in {folder.path}: they are built before")
    table, scales = Table(side.dimensions, side), side.manifest.scales
    index = load_graphs(graph[0], graph[1]["saved"], table, half=False, scales=scales)
    return State(1, 1, Layout(1, side.dimensions, "i8", scales), table, index)
