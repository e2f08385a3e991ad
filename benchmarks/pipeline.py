"""Customer photo -> product, step by step: the search options, one after the other, and what each costs.

DATA is as for ``retrieval``, and so are the measures. The reducers are fitted on the catalogue alone; ``discriminant``
learns from which pictures show one product. Intervals are 95 % bootstrap over products; ``gain`` is the difference of
mAP to the first row. Halves A and B are the queries of a random half of the products each: both were looked at while
the options were made, so they tell how far results agree, not how other products would do. ``passes`` of the network
and ``ms`` are those of one ``Collection.search`` with k = 12 from the file on, median over 40 photos, without the
reducer.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias, get_args

import numpy as np

import lookalike
from benchmarks.report import keep
from benchmarks.retrieval import product_of
from lookalike.collection.queries import encode_regions
from lookalike.encoders import DEFAULT_ENCODER
from lookalike.evaluate.bootstrap import bootstrap_interval, paired_test
from lookalike.evaluate.retrieval import average_precision, by_group
from lookalike.images.decode import decode
from lookalike.tasks.regions import REGIONS, Regions
from lookalike.tasks.rerank import RERANKINGS, SHORTLIST, Reranking, reordered
from lookalike.types import Embeddings
from lookalike.vectors.metrics import cosine, normalise
from lookalike.vectors.reduction import fit_reducer
from lookalike.vectors.supervised_whitening import fit_lda

Reducer: TypeAlias = Literal["none", "pca", "whiten", "discriminant"]
Map: TypeAlias = Callable[[Embeddings], Embeddings]

DIMENSIONS = 256
"""Of PCA and whitening."""

TIMED = 40
MIN_SIDE = 427
"""As :class:`lookalike.collection.queries.QueryReader` decodes for windows."""


class Step(NamedTuple):
    """One setting of the search."""

    reducer: Reducer
    regions: Regions
    rerank: Reranking


STEPS = [
    Step("none", "whole", "none"),
    *(Step("none", "whole", rerank) for rerank in RERANKINGS[1:]),
    Step("pca", "whole", "none"),
    Step("whiten", "whole", "none"),
    Step("discriminant", "whole", "none"),
    Step("none", "pooled", "none"),
    Step("discriminant", "pooled", "none"),
    *(Step("none", "windows", rerank) for rerank in RERANKINGS),
    Step("pca", "windows", "none"),
    *(Step("pca", "windows", rerank) for rerank in RERANKINGS[1:]),
    Step("discriminant", "windows", "none"),
    *(Step("discriminant", "windows", rerank) for rerank in RERANKINGS[1:]),
]


class Truth(NamedTuple):
    """Queries and gallery by product."""

    queries: np.ndarray
    gallery: np.ndarray
    half: np.ndarray


def main() -> None:
    """Measure every step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--encoder", default=DEFAULT_ENCODER)
    options = parser.parse_args()
    photos, views = (
        sorted((options.data / "customer").glob("*.jpg")),
        sorted((options.data / "catalog").glob("*.jpg")),
    )
    truth = _truth(photos, views)
    gallery = lookalike.embed(views, encoder=options.encoder)
    parts, passes = _encode(photos, options.encoder)
    milliseconds = _time(options.data / "catalog", photos, options.encoder)
    maps = {reducer: _fit(reducer, gallery, truth.gallery) for reducer in get_args(Reducer)}
    rows, plain = [], None
    for step in STEPS:
        precisions, places = _measure(step, maps[step.reducer], parts[step.regions], gallery, truth)
        plain = precisions if plain is None else plain
        rows.append(
            {
                "reducer": step.reducer,
                "regions": step.regions,
                "rerank": step.rerank,
                **_quality(precisions, places, plain, truth),
                "vectors": round(statistics.mean(len(p) for p in parts[step.regions]), 1),
                "passes": round(passes[step.regions], 1),
                "ms": milliseconds[step.regions, step.rerank],
            }
        )
        print(rows[-1], flush=True)
    keep(
        f"pipeline-{options.data.resolve().name}",
        rows,
        encoder=options.encoder,
        queries=len(photos),
        gallery=len(views),
        products=len(set(truth.gallery)),
        dimensions={name: maps[name](gallery[:1]).shape[1] for name in maps},
    )


def _truth(photos: list[Path], views: list[Path]) -> Truth:
    queries, gallery = (np.array([product_of(path) for path in paths]) for paths in (photos, views))
    products = np.unique(gallery)
    first = np.random.default_rng(0).permutation(len(products))[: len(products) // 2]
    return Truth(queries, gallery, np.isin(queries, products[first]))


def _encode(photos: list[Path], name: str) -> tuple[dict[Regions, list[np.ndarray]], dict[Regions, float]]:
    """Vectors of every photo's parts, and how often the network ran for a photo."""
    encoder = lookalike.load_encoder(name)
    parts: dict[Regions, list[np.ndarray]] = {regions: [] for regions in REGIONS}
    passes: dict[Regions, list[int]] = {regions: [] for regions in REGIONS}
    for photo in photos:
        pixels = decode(photo.read_bytes(), min_side=MIN_SIDE).pixels
        for regions in REGIONS:
            raw, count = encode_regions(encoder, pixels, regions)
            parts[regions].append(normalise(raw))
            passes[regions].append(count)
    return parts, {regions: statistics.mean(counts) for regions, counts in passes.items()}


def _fit(reducer: Reducer, gallery: Embeddings, products: np.ndarray) -> Map:
    """A linear map fitted on the catalogue."""
    if reducer == "none":
        return lambda embeddings: embeddings
    if reducer != "discriminant":
        return fit_reducer(gallery, DIMENSIONS, method=reducer).transform
    mean, matrix = fit_lda(gallery, products)
    return lambda embeddings: normalise((embeddings - mean) @ matrix)


def _measure(
    step: Step, project: Map, parts: list[Embeddings], gallery: Embeddings, truth: Truth
) -> tuple[np.ndarray, np.ndarray]:
    """Average precision of each query, and the place of its product among products."""
    searched = project(gallery)
    relevant = truth.queries[:, None] == truth.gallery[None]
    ranks = np.empty(relevant.shape, dtype=np.float32)

    def nearest(vectors: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        scores = cosine(vectors, searched)
        order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        return order, np.take_along_axis(scores, order, axis=1)

    again = partial(reordered, step.rerank, nearest=nearest, take=lambda rows: searched[rows])
    for number, part in enumerate(parts):
        queries = project(part)
        scores = cosine(queries, searched).max(axis=0)
        order = np.argsort(-scores, kind="stable")
        head = order[:SHORTLIST]
        order[:SHORTLIST] = head[again(queries, head, scores[head])]
        ranks[number, order] = -np.arange(len(order))
    products = by_group(ranks, relevant, truth.gallery.tolist())
    own = products.scores[products.relevant]
    return average_precision(ranks, relevant), (products.scores > own[:, None]).sum(axis=1)


def _quality(
    precisions: np.ndarray, places: np.ndarray, plain: np.ndarray, truth: Truth
) -> dict[str, object]:
    interval = bootstrap_interval(precisions, clusters=truth.queries)
    gain = paired_test(precisions, plain, clusters=truth.queries)
    return {
        "R@1": float(np.mean(places < 1)),
        "R@5": float(np.mean(places < 5)),
        "mAP": interval.estimate,
        "95 %": f"{interval.low:.3f} to {interval.high:.3f}",
        "gain": f"{gain.difference:+.3f} ({gain.low:+.3f} to {gain.high:+.3f})",
        "mAP half A": float(precisions[truth.half].mean()),
        "mAP half B": float(precisions[~truth.half].mean()),
    }


def _time(catalog: Path, photos: list[Path], encoder: str) -> dict[tuple[Regions, Reranking], float]:
    """Median milliseconds of a search, file to hits."""
    chosen = photos[:: max(1, len(photos) // TIMED)][:TIMED]
    times: dict[tuple[Regions, Reranking], float] = {}
    with (
        tempfile.TemporaryDirectory() as scratch,
        lookalike.create(Path(scratch) / "shop", encoder=encoder) as shop,
    ):
        shop.add(catalog, progress=False)
        for regions in REGIONS:
            for rerank in RERANKINGS:
                taken = []
                for photo in chosen:
                    start = time.perf_counter()
                    shop.search(photo, k=12, regions=regions, rerank=rerank)
                    taken.append(time.perf_counter() - start)
                times[regions, rerank] = round(1000 * statistics.median(taken), 1)
    return times
