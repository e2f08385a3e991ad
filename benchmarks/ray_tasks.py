"""What is embarrassingly parallel in labelling, grouping and finding copies, on Ray against this process.

Both run on this machine, Ray with a worker for each core, so a ratio near 1 says that what Ray adds (starting tasks,
sending vectors there and answers back) is little; how much faster several machines are cannot be measured on one. The
vectors and pictures are synthetic. Every answer is compared: it is the same.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import lookalike
from benchmarks.duplicates import SyntheticPictures, synthetic
from benchmarks.report import keep
from lookalike.ingest.ray_blocks import blocks_on
from lookalike.vectors.blocks import MapBlocks, in_process
from lookalike.vectors.graph import nearest_others
from lookalike.vectors.neighbours import ArrayVectors, Exact

BLOCK = 1024
LABELLED = 20_000
COPIES_AMONG = 20_000
"""Items whose neighbours are looked for by comparing with all."""


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(prog="benchmarks ray_tasks", description=__doc__)
    parser.add_argument("--items", type=int, default=100_000, metavar="N")
    options = parser.parse_args()
    os.environ["PYTHONPATH"] = os.pathsep.join(
        [str(Path.cwd()), os.environ.get("PYTHONPATH", "")]
    )  # of workers
    with blocks_on("ray") as on_ray:
        list(on_ray(lambda _, block: block, None, range(2 * (os.cpu_count() or 1))))  # workers have started
        rows = [
            _compared("classify predict (20,000 voters)", options.items, *_labels(options.items), on_ray),
            _compared("cluster: neighbours", options.items, *_neighbours(options.items), on_ray),
            _compared("duplicates: candidates and comparison", COPIES_AMONG, *_copies(COPIES_AMONG), on_ray),
            _migration(),
        ]
    keep(
        "ray_tasks",
        rows,
        note="one machine: Ray with a worker for each core against this process",
        load=[round(each, 1) for each in os.getloadavg()],
    )


def _compared(
    what: str,
    items: int,
    run: Callable[[MapBlocks], Any],
    same: Callable[[Any, Any], bool],
    on_ray: MapBlocks,
) -> dict[str, Any]:
    start = time.perf_counter()
    here = run(in_process)
    between = time.perf_counter()
    there = run(on_ray)
    end = time.perf_counter()
    return _row(what, items, between - start, end - between, equal=same(here, there))


def _row(what: str, items: int, here: float, there: float, *, equal: bool) -> dict[str, Any]:
    return {
        "what": what,
        "items": items,
        "this process, s": round(here, 1),
        "Ray, s": round(there, 1),
        "ratio": round(there / here, 2),
        "same answer": equal,
    }


def _labels(n: int) -> tuple[Callable[[MapBlocks], Any], Callable[[Any, Any], bool]]:
    """Votes of the nearest of so many examples; the linear classifiers take no time worth sending anywhere."""
    from lookalike.collection.labelling import _labelled
    from lookalike.tasks.classify import train

    vectors, _ = synthetic(n + LABELLED, 256)
    names = [str(code) for code in (np.abs(vectors[n:, :8]).argmax(axis=1)).tolist()]
    classifier = train(
        vectors[n:], names, method="neighbours", rows=np.arange(LABELLED), fingerprint="synthetic"
    )

    def run(map_blocks: MapBlocks) -> list[Any]:
        blocks = (
            (np.arange(first, min(first + BLOCK, n)), vectors[first : min(first + BLOCK, n)])
            for first in range(0, n, BLOCK)
        )
        return [(labels, sure) for _, labels, sure in map_blocks(_labelled, classifier, blocks)]

    return run, lambda here, there: bool(here == there)


def _neighbours(n: int) -> tuple[Callable[[MapBlocks], Any], Callable[[Any, Any], bool]]:
    vectors, _ = synthetic(n, 100)

    def same(here: Any, there: Any) -> bool:
        return all(np.array_equal(mine, theirs) for mine, theirs in zip(here, there, strict=True))

    return lambda map_blocks: nearest_others(vectors, 10, map_blocks), same


def _copies(n: int) -> tuple[Callable[[MapBlocks], Any], Callable[[Any, Any], bool]]:
    from lookalike.tasks.duplicates import near_duplicates

    vectors, origin = synthetic(n, 256)
    index = _Comparing(vectors)

    def blocks() -> Iterator[tuple[Any, Any]]:
        for first in range(0, n, BLOCK):
            rows = np.arange(first, min(first + BLOCK, n))
            yield rows, vectors[rows]

    def run(map_blocks: MapBlocks) -> Any:
        return near_duplicates(
            blocks(),
            index,
            SyntheticPictures(origin),
            edits=np.empty(0, np.float32),
            map_blocks=map_blocks,
        )

    def same(here: Any, there: Any) -> bool:
        found = [
            [(group.members.tolist(), group.residual) for group in each.groups] for each in (here, there)
        ]
        return found[0] == found[1] and here.threshold == there.threshold

    return run, same


class _Comparing:
    """The nearest by comparing with all vectors; pickled, it is the vectors."""

    def __init__(self, vectors: np.ndarray) -> None:
        self._vectors = vectors
        self._exact = Exact(ArrayVectors(vectors), resident=True)

    def __call__(self, embeddings: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        return self._exact.search(embeddings, k)

    def __reduce__(self) -> tuple[Any, ...]:
        return _Comparing, (self._vectors,)


def _migration() -> dict[str, Any]:
    """The packaged sample, embedded anew by another network."""
    seconds, found = [], []
    with tempfile.TemporaryDirectory() as folder:
        for on in (None, "ray"):
            with lookalike.create(Path(folder) / f"{on}.lookalike") as shop:
                shop.add(lookalike.sample_path() / "catalog", progress=False)
                start = time.perf_counter()
                items = shop.migrate("efficientnet-lite2", on=on, progress=False).items
                seconds.append(time.perf_counter() - start)
                found.append(np.load(shop.export(Path(folder) / f"{on}.npy").files[0]))
    return _row("migrate", items, *seconds, equal=np.array_equal(*found))
