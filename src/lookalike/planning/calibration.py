"""Measuring what the pieces of the work cost on this machine."""

from __future__ import annotations

import asyncio
import math
import os
import platform
import tempfile
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np

from lookalike.collection import Collection, create, embed, sample_path
from lookalike.encoders.base import Encoder
from lookalike.encoders.registry import load_encoder
from lookalike.errors import InputError, LookalikeError
from lookalike.planning.load import Tally, closed_loop, open_loop, searches
from lookalike.planning.measured import GraphCost, Measured, read_measured, steps
from lookalike.planning.observed_service import NAME, ObservedService
from lookalike.planning.queueing import Stage, simulate
from lookalike.types import Embeddings
from lookalike.vectors.hnsw import HNSW
from lookalike.vectors.metrics import normalise
from lookalike.vectors.neighbours import ArrayVectors
from lookalike.vectors.threads import one_thread_each

GRAPHS, GRAPH_VECTORS = (64, 128, 256, 1280), 60_000
"""Dimensions of the graphs that are measured, and how many vectors each has. Larger ones are measured by
``python -m benchmarks growth``: a million vectors take minutes."""

CLUSTERS, CLUSTER_SIZE, MANIFOLD = 2000, 50, 64
"""Of synthetic vectors: how many clusters, or how many vectors in each, and dimensions of the manifold that they lie
near. The growth beyond was measured in clusters of this size."""

QUERIES, TURNS = 300, 3
"""For searching a graph; of several turns the quickest counts."""

PICTURES = 200

BUSY_CLIENTS = 4
"""Clients a core that keep a service busy: then what it answers is what the cores can do."""

BUSY_SECONDS = 5.0
"""How long a service is kept busy, which tells what it can answer."""

ARRIVING_LOAD, ARRIVING_SECONDS, ROUNDS = 0.5, 15.0, 3
"""Share of that at which requests arrive at random then, how long, and how often."""

FITTING_TURNS = 3

SPREADS = (0.05, 1.5)
"""Between which the spread of service times is looked for."""

SLOW_SHARE, SLOW_FACTOR = 0.05, 2.0
"""Stragglers cannot be measured on one machine: what clusters of rented machines are usually planned with."""

Report = Callable[[str], None]


def calibrate(
    pictures: Path | None = None, encoders: Sequence[str] = ("efficientnet-lite0",), *, report: Report = print
) -> Measured:
    """Measure this machine; takes two to three minutes and should have it alone.

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
    """What searching by upload takes: core seconds of a request beside others, and how much they vary."""

    core_seconds: float
    spread: float
    resident_bytes: float


def _queries(shop: Collection) -> list[bytes]:
    """Pictures as clients upload them: files that were indexed."""
    return [shop.picture(item.id).data for item, _ in zip(shop, range(PICTURES), strict=False)]


def _embedding(encoder: Encoder, pictures: Sequence[bytes]) -> float:
    """Core seconds from a query picture's bytes to its vector."""
    embed(pictures[:4], encoder=encoder)
    before = _cpu()
    for picture in pictures:
        embed([picture], encoder=encoder)
    return (_cpu() - before) / len(pictures)


def _answering(place: Path, pictures: Sequence[bytes]) -> _Answered:
    """Of a service on all cores, as the queues tell it in which requests wait that arrive at random.

    What its process counts as its time on the cores would be too little and too much: requests hold each other up in
    the interpreter and in a batch, caches grow cold between them, and threads with nothing to do spin.
    """
    cores = os.cpu_count() or 1
    seen = []
    with ObservedService(place) as service:
        requests = searches(pictures, *service.address, NAME)
        busy = partial(closed_loop, service.address, requests, BUSY_CLIENTS * cores)
        _answers(busy(BUSY_SECONDS / 4))
        rate = ARRIVING_LOAD * len(_answers(busy(BUSY_SECONDS))) / BUSY_SECONDS
        for seed in range(ROUNDS):
            arriving = _answers(open_loop(service.address, requests, rate, ARRIVING_SECONDS, seed=seed))
            seen.append(np.percentile(arriving, [50, 95]))
        # medians: one round in which the machine did something else does not count
        p50, p95 = np.median(seen, axis=0).tolist()
        seconds, spread = _service_time(cores, rate, p50, p95)
        return _Answered(seconds, spread, service.resident_bytes())


def _service_time(cores: int, rate: float, p50: float, p95: float) -> tuple[float, float]:
    """Mean and spread of the service time with which simulated queues are as long as those that were seen.

    Of every spread the mean is found that gives the median, and of these the spread that gives the tail.
    """
    most = 0.95 * cores / rate
    seconds = min(p50, most)
    low, high = SPREADS
    while high - low > 0.02:
        spread = (low + high) / 2
        for _ in range(FITTING_TURNS):
            found = simulate([Stage("answering", seconds, cores, spread=spread)], rate)
            seconds = min(seconds * p50 / found.p50, most)
        if found.p95 < p95:
            low = spread
        else:
            high = spread
    return seconds, spread


def _answers(loading: Coroutine[None, None, Tally]) -> list[float]:
    """Latencies, seconds, of a service that must not refuse."""
    tally = asyncio.run(loading)
    failed = len(tally.refused) + len(tally.other) + tally.unsent
    if failed or not tally.served:
        raise LookalikeError(
            f"the service answered {len(tally.served)} of {len(tally.served) + failed} searches: it must have the "
            "machine alone while it is measured"
        )
    return tally.served


@one_thread_each()  # of linear algebra: others spin while they wait for work, and would be counted
def _graphs() -> tuple[GraphCost, GraphCost]:
    """Costs of searching and of building, of graphs of several dimensions; how they grow is the packaged costs'."""
    searching, building = [], []
    n = GRAPH_VECTORS
    clusters = max(1, n // CLUSTER_SIZE)
    for dimensions in GRAPHS:
        vectors = ArrayVectors(synthetic_vectors(n, dimensions, clusters=clusters).astype(np.float16))
        before = _cpu()
        graph = HNSW.build(vectors, half=True)
        building.append((_cpu() - before) / steps(n))
        queries = synthetic_vectors(QUERIES, dimensions, first=n, clusters=clusters)
        taken = []
        for _ in range(TURNS):
            before = _cpu()
            for query in queries:
                graph.search(query[None], 10)
            taken.append((_cpu() - before) / QUERIES / math.log(n))
        searching.append(min(taken))
    known = read_measured()
    return (
        GraphCost(GRAPHS, tuple(searching), known.search.growth),
        GraphCost(GRAPHS, tuple(building), known.build.growth),
    )


def synthetic_vectors(n: int, dimensions: int, *, first: int = 0, clusters: int = CLUSTERS) -> Embeddings:
    """Vectors that lie as embeddings of pictures do: clusters on a manifold, and noise around it.

    Args:
        n: How many.
        dimensions: Length of a vector.
        first: Number of the first one; vector i lies in cluster i modulo ``clusters``, whatever batch it comes in.
        clusters: How many.

    Returns:
        float32 (n, dimensions), L2-normalised.
    """
    shape = np.random.default_rng(0)
    basis = shape.standard_normal((MANIFOLD, dimensions)).astype(np.float32)
    centres = shape.standard_normal((clusters, MANIFOLD)).astype(np.float32)
    random = np.random.default_rng([2, first])
    latent = centres[(first + np.arange(n)) % clusters]
    latent = latent + 0.6 * random.standard_normal((n, MANIFOLD)).astype(np.float32)
    noise = 0.5 * random.standard_normal((n, dimensions)).astype(np.float32)
    return normalise(np.maximum(latent @ basis / math.sqrt(MANIFOLD) + noise + 0.5, 0))


def _cpu() -> float:
    """Core seconds that this process has used, all its threads together."""
    return time.process_time()
