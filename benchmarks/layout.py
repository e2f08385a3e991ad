"""Maps: how much of the neighbourhoods and of the large picture a 2-D layout keeps, against peers; time by size.

DATA holds ``catalog/`` and ``customer/`` (pictures); their embeddings and scikit-learn's digits are laid out by PCA,
t-SNE (scikit-learn), UMAP and the authors' PaCMAP where those are installed (``pip install umap-learn pacmap``), and by
``lookalike.tasks.layout``. Every measure is on all points; means over three seeds. "A fifth
placed": every fifth point was left out of the layout and placed afterwards.

``--scale`` lays out synthetic clustered vectors of so many sizes in a process each: seconds, CPU seconds, peak memory
and the exponent with which the CPU time grows.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

import lookalike
from benchmarks.report import keep
from benchmarks.search import clustered
from lookalike.evaluate.layout import layout_quality
from lookalike.tasks.layout import layout, place
from lookalike.vectors.metrics import normalise

SEEDS = (0, 1, 2)
DIMENSIONS = 256
Method = Callable[[np.ndarray, int], np.ndarray]


def main() -> None:
    """Compare on real data, or measure sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--scale", type=int, nargs="+", metavar="N")
    options = parser.parse_args()
    if options.scale:
        _scale(options.scale)
    elif options.data:
        _compare(options.data)
    else:
        parser.error("expected DATA or --scale N [N ...]")


def methods() -> dict[str, Method]:
    """Name: function of (embeddings, seed) that gives positions."""
    found: dict[str, Method] = {
        "PCA": lambda x, seed: PCA(2, random_state=seed).fit_transform(x),
        "t-SNE (scikit-learn)": lambda x, seed: TSNE(random_state=seed).fit_transform(x),
    }
    if find_spec("umap"):
        found["UMAP (umap-learn)"] = _umap
    if find_spec("pacmap"):
        found["PaCMAP (pacmap)"] = _pacmap
    found["lookalike"] = lambda x, seed: layout(x, seed=seed)
    found["lookalike, a fifth placed"] = _placed
    return found


def _umap(x: np.ndarray, seed: int) -> np.ndarray:
    from umap import UMAP

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return UMAP(random_state=seed, metric="cosine").fit_transform(x)


def _pacmap(x: np.ndarray, seed: int) -> np.ndarray:
    from pacmap import PaCMAP

    return PaCMAP(random_state=seed).fit_transform(x)


def _placed(x: np.ndarray, seed: int) -> np.ndarray:
    new = np.arange(len(x)) % 5 == 4
    positions = np.empty((len(x), 2), dtype=np.float32)
    positions[~new] = layout(x[~new], seed=seed)
    positions[new] = place(x[new], x[~new], positions[~new])
    return positions


def _compare(data: Path) -> None:
    pictures = [sorted((data / folder).glob("*.jpg")) for folder in ("catalog", "customer")]
    sets = {
        "digits": normalise(load_digits().data),
        "catalog": lookalike.embed(pictures[0]),
        "catalog + customer": lookalike.embed([*pictures[0], *pictures[1]]),
    }
    rows = []
    for name, embeddings in sets.items():
        for method, function in methods().items():
            function(embeddings[:100], 0)  # what compiles itself does so before it is timed
            rows.append(_measure(name, method, function, embeddings))
            print(rows[-1], flush=True)
    keep(f"layout-{data.resolve().name}", rows, seeds=SEEDS)


def _measure(name: str, method: str, function: Method, embeddings: np.ndarray) -> dict[str, object]:
    qualities, seconds = [], []
    for seed in SEEDS:
        start = time.process_time()
        positions = function(embeddings, seed).astype(np.float32)
        seconds.append(time.process_time() - start)
        quality = layout_quality(embeddings, positions, sample=len(embeddings))
        assert quality is not None
        qualities.append(quality.to_dict())
    measures = ("trustworthiness", "continuity", "neighbours_kept", "triplets_kept")
    means = {measure: round(float(np.mean([q[measure] for q in qualities])), 4) for measure in measures}
    return {
        "set": name,
        "points": len(embeddings),
        "method": method,
        **means,
        "CPU s": round(float(np.median(seconds)), 1),
    }


def _scale(sizes: list[int]) -> None:
    rows: list[dict[str, object]] = []
    for size in sizes:
        command = [sys.executable, "-c", f"from benchmarks.layout import measure_size; measure_size({size})"]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        row = json.loads(done.stdout.splitlines()[-1])
        before = rows[-1] if rows else None
        row["growth exponent"] = (
            round(math.log(row["CPU s"] / before["CPU s"]) / math.log(size / before["points"]), 2)
            if before
            else ""
        )
        rows.append(row)
        print(row, flush=True)
    keep("layout-scale", rows, dimensions=DIMENSIONS)


def measure_size(n: int) -> None:
    """Lay out n vectors and print what it took as JSON; in a process of its own, whose memory is measured."""
    vectors = clustered(n, DIMENSIONS, seed=0)
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start, cpu = time.perf_counter(), time.process_time()
    positions = layout(vectors)
    row = {
        "points": n,
        "dimensions": DIMENSIONS,
        "wall s": round(time.perf_counter() - start, 1),
        "CPU s": round(time.process_time() - cpu, 1),
        "peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "of which vectors and their making MB": held // 1024,
    }
    quality = layout_quality(vectors, positions)
    assert quality is not None
    print(json.dumps(row | {"trustworthiness": quality.to_dict()["trustworthiness"]}))
