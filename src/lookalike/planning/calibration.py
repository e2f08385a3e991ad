"""Measuring what the pieces of the work cost on this machine."""

from __future__ import annotations

import math
import os
import platform
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from lookalike.collection import Collection, create, embed, sample_path
from lookalike.encoders.base import Encoder
from lookalike.encoders.registry import load_encoder
from lookalike.errors import InputError
from lookalike.planning.measured import GraphCost, Measured, growth
from lookalike.planning.observed_service import ObservedService
from lookalike.types import Embeddings
from lookalike.vectors.hnsw import HNSW
from lookalike.vectors.metrics import normalise
from lookalike.vectors.neighbours import ArrayVectors

GRAPHS = ((256, 10_000), (256, 40_000), (1280, 10_000), (1280, 40_000))
"""Dimensions and numbers of vectors of the graphs that are measured."""

CLUSTERS, MANIFOLD = 2000, 64
"""Of synthetic vectors: how many clusters, and dimensions of the manifold that they lie near."""

QUERIES = 300
PICTURES = 200
SLOW_SHARE, SLOW_FACTOR = 0.05, 2.0
"""Stragglers cannot be measured on one machine: what clusters of rented machines are usually planned with."""

Report = Callable[[str], None]


def calibrate(
    pictures: Path | None = None, encoders: Sequence[str] = ("efficientnet-lite0",), *, report: Report = print
) -> Measured:
    """Measure this machine; takes a minute or two and should have it alone.

    Args:
        pictures: A folder of pictures like those that will be indexed; the packaged sample by default.
        encoders: Names of the encoders to measure.
        report: Called with a line about each step.

    Raises:
        InputError: If there are no pictures.
    """
    folder = pictures or Path(sample_path()) / "catalog"
    index_seconds, embed_seconds, dimensions = {}, {}, {}
    for name in encoders:
        encoder = load_encoder(name)
        with tempfile.TemporaryDirectory() as scratch:
            place = Path(scratch) / "calibration.lookalike"
            with create(place, encoder=encoder) as shop:
                report(f"indexing pictures with {name}")
                index_seconds[name], record_bytes = _indexing(shop, folder)
                report(f"embedding pictures with {name}")
                pictures_asked = _queries(shop)
                embed_seconds[name] = _embedding(encoder, pictures_asked)
            report("searching by upload through the service")
            answered = _answering(place, pictures_asked)
            dimensions[name] = encoder.spec.dimensions
    report("building and searching graphs of synthetic vectors")
    search, build = _graphs()
    return Measured(
        machine=f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
        when=datetime.now(UTC).date().isoformat(),
        index_seconds=index_seconds,
        embed_seconds=embed_seconds,
        dimensions=dimensions,
        request_seconds=max(answered.core_seconds - embed_seconds[encoders[-1]], 0.1 * answered.core_seconds),
        search=search,
        build=build,
        spread=answered.spread,
        slow_share=SLOW_SHARE,
        slow_factor=SLOW_FACTOR,
        record_bytes=record_bytes,
        process_bytes=answered.resident_bytes,
    )


def _indexing(shop: Collection, folder: Path) -> tuple[float, float]:
    """Core seconds of indexing one picture, and bytes of an item in the record without its vector."""
    before = _cpu()
    ledger = shop.add(folder, progress=False)
    seconds = _cpu() - before
    if not ledger.added:
        raise InputError(f"no picture under {folder} could be indexed: give a folder of pictures like yours")
    each = shop.info()["bytes"]["record"] / len(shop) - 2 * shop.encoder.spec.dimensions
    return seconds / ledger.added, each


@dataclass(frozen=True, slots=True)
class _Answered:
    """What searching by upload took, one request at a time."""

    core_seconds: float
    spread: float
    resident_bytes: float


def _queries(shop: Collection) -> list[bytes]:
    """Pictures as clients upload them: the thumbnails of items, which are of all the pictures there are."""
    ids = [item.id for item, _ in zip(shop, range(PICTURES), strict=False)]
    return [shop.thumbnail(id) for id in ids]


def _embedding(encoder: Encoder, pictures: Sequence[bytes]) -> float:
    """Core seconds from a query picture's bytes to its vector."""
    embed(pictures[:4], encoder=encoder)
    before = _cpu()
    for picture in pictures:
        embed([picture], encoder=encoder)
    return (_cpu() - before) / len(pictures)


def _answering(place: Path, pictures: Sequence[bytes]) -> _Answered:
    with ObservedService(place) as service:
        for picture in pictures[:10]:
            service.search(picture)
        before = service.cpu_seconds()
        took = [service.search(picture) for picture in pictures]
        used = service.cpu_seconds() - before
        logarithms = np.log(took)
        # half of the distance between the 16th and the 84th percentile: what a few hiccups do not decide
        low, high = np.percentile(logarithms, [16, 84])
        return _Answered(used / len(pictures), max(float(high - low) / 2, 0.01), service.resident_bytes())


def _graphs() -> tuple[GraphCost, GraphCost]:
    """Costs of searching and of building, fitted to graphs of several sizes."""
    searching, building = [], []
    for dimensions, n in GRAPHS:
        vectors = ArrayVectors(synthetic_vectors(n, dimensions).astype(np.float16))
        before = _cpu()
        graph = HNSW.build(vectors, half=True)
        building.append((dimensions, (_cpu() - before) / growth(n)))
        queries = synthetic_vectors(QUERIES, dimensions, first=n)
        before = _cpu()
        for query in queries:
            graph.search(query[None], 10)
        searching.append((dimensions, (_cpu() - before) / QUERIES / math.log(n)))
    return _fit(searching), _fit(building)


def _fit(points: Sequence[tuple[int, float]]) -> GraphCost:
    """A line through cost against dimensions, neither part of it below nothing."""
    from scipy.optimize import nnls

    design = np.array([[1.0, dimensions] for dimensions, _ in points])
    costs = np.array([cost for _, cost in points])
    # every point counts by its relative error: the cheap ones are as true as the dear ones
    (base, slope), _ = nnls(design / costs[:, None], np.ones(len(points)))
    return GraphCost(float(base), float(slope))


def synthetic_vectors(n: int, dimensions: int, *, first: int = 0) -> Embeddings:
    """Vectors that lie as embeddings of pictures do: clusters on a manifold, and noise around it.

    Args:
        n: How many.
        dimensions: Length of a vector.
        first: Number of the first one; vector i lies in cluster i modulo 2,000, whatever batch it comes in.

    Returns:
        float32 (n, dimensions), L2-normalised.
    """
    shape = np.random.default_rng(0)
    basis = shape.standard_normal((MANIFOLD, dimensions)).astype(np.float32)
    centres = shape.standard_normal((CLUSTERS, MANIFOLD)).astype(np.float32)
    random = np.random.default_rng([2, first])
    latent = centres[(first + np.arange(n)) % CLUSTERS]
    latent = latent + 0.6 * random.standard_normal((n, MANIFOLD)).astype(np.float32)
    noise = 0.5 * random.standard_normal((n, dimensions)).astype(np.float32)
    return normalise(np.maximum(latent @ basis / math.sqrt(MANIFOLD) + noise + 0.5, 0))


def _cpu() -> float:
    """Core seconds that this process has used, all its threads together."""
    return time.process_time()
