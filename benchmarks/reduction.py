"""Customer photo -> product with smaller vectors: methods, dimensions and precisions against 1,280 float32 numbers.

DATA holds ``catalog/`` and ``customer/`` (pictures); a picture's product is the part of its name before the last
underscore. Reducers, scales and thresholds are learned on the catalogue alone, as a collection learns them. mAP
counts catalogue pictures, R@1 products. ``mAP against full`` is the paired difference to the full float32 vectors, in
points, with its 95 % interval over products. Last, what ``dims="auto"`` chooses on the catalogue, by its own table.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import lookalike
from benchmarks.report import keep
from benchmarks.retrieval import product_of
from lookalike.errors import InputError
from lookalike.evaluate.bootstrap import paired_test
from lookalike.evaluate.reduction import choose_dims, size_table
from lookalike.evaluate.retrieval import average_precision, by_group, recall_at_k
from lookalike.types import Embeddings
from lookalike.vectors.metrics import cosine
from lookalike.vectors.neighbours import Neighbours
from lookalike.vectors.quantise import Binary, CodedVectors, Int8, Precision, fit_quantiser, search_binary
from lookalike.vectors.reduction import Method, Reducer, fit_reducer

METHODS: tuple[Method, ...] = ("pca", "svd", "whiten", "random")
DIMENSIONS = (32, 64, 128, 256, 384, 640)
PRECISIONS: tuple[Precision, ...] = ("f32", "f16", "i8", "binary")
SHORTLIST = 200
"""Catalogue pictures that bits propose and int8 ranks; mAP needs more of them than a page of hits."""


def main() -> None:
    """Measure every size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    photos, pictures = sorted((data / "customer").glob("*.jpg")), sorted((data / "catalog").glob("*.jpg"))
    products, views = [product_of(path) for path in photos], [product_of(path) for path in pictures]
    queries, gallery = lookalike.embed(photos), lookalike.embed(pictures)
    bench = _Bench(products, views, average_precision(cosine(queries, gallery), _relevant(products, views)))
    rows = [bench.measure("none", 1.0, queries, gallery, precision) for precision in PRECISIONS]
    chosen = {}
    for method in METHODS:
        reducer = fit_reducer(gallery, method=method)
        for m in DIMENSIONS:
            short = reducer.truncated(m)
            variance = float(short.explained.sum())
            asked, kept = short.transform(queries), short.transform(gallery)
            rows += [bench.measure(method, variance, asked, kept, precision) for precision in PRECISIONS]
        chosen[method] = _auto(reducer, gallery)
    keep(f"reduction-{data.resolve().name}", rows, queries=len(queries), gallery=len(gallery), auto=chosen)
    for method, said in chosen.items():
        print(f"auto, {method}, i8: {said}")


class _Bench:
    """What every size is compared with.

    Args:
        products, views: The product of each query and of each gallery picture.
        full: Average precision of each query with the full float32 vectors.
    """

    def __init__(self, products: list[str], views: list[str], full: np.ndarray) -> None:
        self.products, self.views, self.full = products, views, full
        self.relevant = _relevant(products, views)

    def measure(
        self, method: str, variance: float, queries: Embeddings, gallery: Embeddings, precision: Precision
    ) -> dict[str, object]:
        """One row."""
        d = gallery.shape[1]
        quantiser = fit_quantiser(precision, gallery)
        width = quantiser.width(d)
        if isinstance(quantiser, Binary):
            int8 = Int8.fit(gallery)
            source = CodedVectors(int8.encode(gallery), int8, d)
            codes, width = quantiser.encode(gallery), width + d
            found = search_binary(quantiser, codes, queries, SHORTLIST, source, shortlist=SHORTLIST)
            scores = _ranked(found, len(gallery))
        else:
            scores = cosine(queries, quantiser.decode(quantiser.encode(gallery)))
        precisions = average_precision(scores, self.relevant)
        grouped = by_group(scores, self.relevant, self.views)
        difference = paired_test(precisions, self.full, clusters=self.products, resamples=2000)
        row = {
            "method": method,
            "dims": d,
            "precision": precision if precision != "binary" else "binary + i8",
            "bytes": width,
            "variance": round(variance, 3),
            "mAP": round(float(precisions.mean()), 4),
            "R@1": round(recall_at_k(grouped.scores, grouped.relevant, 1), 4),
            "mAP against full, points": f"{100 * difference.difference:+.2f} "
            f"({100 * difference.low:+.2f} to {100 * difference.high:+.2f})",
        }
        print(row, flush=True)
        return row


def _relevant(products: list[str], views: list[str]) -> np.ndarray:
    return np.array(products)[:, None] == np.array(views)[None]


def _ranked(found: Neighbours, n: int) -> np.ndarray:
    """Scores (q, n) of a shortlist; what is not on it ranks behind, by position."""
    scores = np.full((len(found.positions), n), -2, dtype=np.float32)
    np.put_along_axis(scores, found.positions, found.scores, axis=1)
    return scores


def _auto(reducer: Reducer, gallery: Embeddings) -> str:
    """What ``dims="auto"`` chooses, by the neighbours within the catalogue."""
    own = np.sort(np.random.default_rng(0).choice(len(gallery), min(300, len(gallery)), replace=False))
    rows = size_table(reducer, gallery[own], gallery, own=own, precisions=["i8"])
    try:
        row = choose_dims(rows, "i8")
    except InputError as error:
        return str(error)
    return f"{row.dimensions} dimensions keep {row.kept:.3f} ({row.kept_low:.3f} to {row.kept_high:.3f}) of the top 10"
