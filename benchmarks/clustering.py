"""Clusters against HDBSCAN, EVoC and k-means that is told the number of classes; time and memory by size.

DATA holds ``catalog/`` (pictures named PRODUCT_VIEW.jpg) and ``catalog.csv`` (columns ``file``, ``category``). All
methods get the same vectors: the bundled encoder's of the catalogue, and the pixels of scikit-learn's digits. HDBSCAN
sees 50 principal components. AMI and ARI count every noise item as a cluster of its own; "noise one cluster" and
"noise left out" are the other two ways. As one cluster, noise of one per cent joins n^2 / 20,000 pairs of strangers,
while clusters of 50 have 25 n pairs: at a million items that alone halves the ARI. EVoC takes part where it is
installed.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import keep

Fit = Callable[[np.ndarray], np.ndarray]
HDBSCAN_DIMENSIONS = 50
HDBSCAN_SIZES = (2, 3, 5, 10)
DIMENSIONS = 128
CLUSTER_SIZE = 50
MEASURES = (
    "seconds",
    "CPU seconds",
    "vectors MB",
    "peak MB",
    "clusters",
    "noise",
    "ARI",
    "ARI, noise one cluster",
    "ARI, noise left out",
)


def main() -> None:
    """Compare quality on DATA, or measure time and memory at sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--scale", type=int, nargs="+", metavar="N")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--clusters", type=int, help="so many at every size (default: N / 50)")
    parser.add_argument("--no-stability", action="store_true")
    options = parser.parse_args()
    if options.one:
        _measure_one(options.one, options.clusters, stable=not options.no_stability)
    elif options.scale:
        _scale(options.scale, options.clusters, stable=not options.no_stability)
    elif options.data:
        _quality(options.data)
    else:
        parser.error("expected DATA, or --scale N ...")


def _quality(data: Path) -> None:
    rows = []
    for name, vectors, truths in _sets(data):
        for method, fit, knows in _methods():
            for of, truth in truths.items():
                if knows:
                    found = fit(vectors, len(set(truth)))
                elif of == next(iter(truths)):
                    found = fit(vectors)
                rows.append(_row(name, of, method, found, truth, vectors))
                print(rows[-1], flush=True)
    keep(f"clustering-{data.resolve().name}", rows)


def _sets(data: Path) -> Iterator[tuple[str, np.ndarray, dict[str, list[Any]]]]:
    from sklearn.datasets import load_digits

    import lookalike
    from lookalike.vectors.metrics import normalise

    pictures = sorted((data / "catalog").glob("*.jpg"))
    with (data / "catalog.csv").open(encoding="utf-8", newline="") as file:
        category = {Path(row["file"]).name: row["category"] for row in csv.DictReader(file)}
    truths = {
        "product": [path.stem.rpartition("_")[0] for path in pictures],
        "category": [category[path.name] for path in pictures],
    }
    yield "catalogue", lookalike.embed(pictures), truths
    digits = load_digits()
    yield "digits", normalise(digits.data), {"digit": digits.target.tolist()}


def _methods() -> Iterator[tuple[str, Callable[..., np.ndarray], bool]]:
    """Name, function, and whether it is told the number of classes."""
    from sklearn.cluster import HDBSCAN, KMeans
    from sklearn.decomposition import PCA

    from lookalike.tasks.cluster import cluster

    yield "lookalike", lambda x: cluster(x).labels, False
    yield "lookalike coarse", lambda x: cluster(x, granularity="coarse").labels, False
    yield "lookalike fine", lambda x: cluster(x, granularity="fine").labels, False
    yield "lookalike k-means, true k", lambda x, k: cluster(x, k, stability=False).labels, True
    yield (
        "scikit-learn k-means, true k",
        lambda x, k: KMeans(k, n_init=4, random_state=0).fit_predict(x),
        True,
    )

    def hdbscan(size: int) -> Fit:
        def fit(x: np.ndarray) -> np.ndarray:
            flat = PCA(min(HDBSCAN_DIMENSIONS, x.shape[1]), random_state=0).fit_transform(x)
            return HDBSCAN(min_cluster_size=size, copy=True).fit_predict(flat)

        return fit

    for size in HDBSCAN_SIZES:
        yield f"HDBSCAN, min_cluster_size {size}", hdbscan(size), False
    try:
        import evoc
    except ImportError:
        return
    yield "EVoC", lambda x: evoc.EVoC(random_state=0).fit_predict(x), False
    yield "EVoC, base_min_cluster_size 3", lambda x: _evoc(evoc, x), False


def _evoc(library: Any, x: np.ndarray) -> np.ndarray:
    return library.EVoC(base_min_cluster_size=3, random_state=0).fit_predict(x)


def _row(
    name: str, of: str, method: str, labels: np.ndarray, truth: list[Any], x: np.ndarray
) -> dict[str, Any]:
    from lookalike.evaluate.clustering import agreement, evaluate_clustering

    report = evaluate_clustering(np.asarray(labels, dtype=np.int64), truth, x)
    return {
        "vectors": name,
        "truth": of,
        "method": method,
        "clusters": report.clusters,
        "noise": 1 - report.coverage,
        "AMI": report.singletons.ami,
        "AMI, noise one cluster": agreement(np.asarray(labels, dtype=np.int64), truth).ami,
        "AMI, noise left out": report.dropped.ami if report.dropped else 0.0,
        "ARI": report.singletons.ari,
        "NMI": report.singletons.nmi,
        "purity": report.singletons.purity,
        "silhouette": report.silhouette,
    }


def _scale(sizes: list[int], clusters: int | None, *, stable: bool) -> None:
    """Each size in a process of its own, so that its peak memory is its own."""
    rows: list[dict[str, Any]] = []
    for n in sizes:
        command = [sys.executable, "-m", "benchmarks", "clustering", "--one", str(n)]
        command += [] if clusters is None else ["--clusters", str(clusters)]
        command += [] if stable else ["--no-stability"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        values = dict(zip(MEASURES, map(float, done.stdout.split()), strict=True))
        growth: float | str = ""
        if rows:
            last = rows[-1]
            more = values["CPU seconds"] / last["CPU seconds"]
            growth = float(np.log(more) / np.log(n / last["vectors"]))
        rows.append({"vectors": n, **values, "growth exponent (CPU)": growth})
        print(rows[-1], flush=True)
    if clusters is None:
        keep("clustering-scale", rows, dimensions=DIMENSIONS, cluster_size=CLUSTER_SIZE, stability=stable)
    else:
        keep("clustering-few", rows, dimensions=DIMENSIONS, clusters=clusters, stability=stable)


def _measure_one(n: int, clusters: int | None, *, stable: bool) -> None:
    """Print, in this order, what ``MEASURES`` names."""
    import resource

    from sklearn.metrics import adjusted_rand_score

    from lookalike.tasks.cluster import cluster
    from lookalike.tasks.cluster_stability import apart
    from lookalike.vectors.metrics import normalise

    rng = np.random.default_rng(0)
    centres = rng.standard_normal((clusters or max(2, n // CLUSTER_SIZE), DIMENSIONS), dtype=np.float32)
    truth = rng.integers(len(centres), size=n)
    vectors = rng.standard_normal((n, DIMENSIONS), dtype=np.float32)
    for first in range(0, n, 65_536):
        block = slice(first, first + 65_536)
        vectors[block] = normalise(vectors[block] + centres[truth[block]])
    start, worked = time.perf_counter(), time.process_time()
    found = cluster(vectors, stability=stable)
    seconds, cpu = time.perf_counter() - start, time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    kept = np.delete(np.arange(n), found.noise)
    agreements = (
        adjusted_rand_score(truth, apart(found.labels)),
        adjusted_rand_score(truth, found.labels),
        adjusted_rand_score(truth[kept], found.labels[kept]),
    )
    print(seconds, cpu, vectors.nbytes / 1e6, peak, len(found), len(found.noise) / n, *agreements)
