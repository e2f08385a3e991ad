"""Latency of a recommendation and of recording an event, by size; memory of importing and profiling.

Items are synthetic (seeded), five views of each product; users visit products of a few clusters. What is timed is the
whole call, from the user's interactions in the record to items with attributes and reasons.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

import lookalike
from benchmarks.report import keep
from benchmarks.search import clustered
from lookalike.types import Interaction, Record

BATCH = 1000
VIEWS = 5
EVENTS = ("view", "view", "view", "like", "cart", "purchase", "dislike")
START = datetime(2026, 1, 1, tzinfo=UTC)


def main() -> None:
    """Fill a collection, import interactions, then time calls of each kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--events", type=int, default=200, help="of each user")
    parser.add_argument("--calls", type=int, default=200)
    options = parser.parse_args()
    rows = []
    for items in options.items:
        with tempfile.TemporaryDirectory() as scratch:
            rows += _size(Path(scratch) / "bench.lookalike", items, options)
    keep("recommending", rows, users=options.users, events_each=options.events, calls=options.calls)


def _size(folder: Path, items: int, options: argparse.Namespace) -> list[dict[str, object]]:
    with lookalike.create(folder) as collection:
        kinds = _fill(collection, items)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.perf_counter()
        ledger = collection.add_interactions(_visits(kinds, options), progress=False)
        imported = time.perf_counter() - start
        start = time.perf_counter()
        collection.fit_recommender(group_by="product")
        fitted = time.perf_counter() - start
        start = time.perf_counter()
        profiled = sum(1 for _ in zip(collection.profiles(group_by="product"), range(1000), strict=False))
        profiling = (time.perf_counter() - start) / profiled
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        about = {"items": items, "interactions": ledger.added}
        rows: list[dict[str, object]] = [
            {**about, "what": "import, seconds", "p50": round(imported, 1)},
            {**about, "what": "learn, seconds", "p50": round(fitted, 1)},
            {**about, "what": "profile of a user, ms", "p50": round(1e3 * profiling, 2)},
            {**about, "what": "peak memory above that of filling, MB", "p50": round(grown)},
        ]
        for what, call in _calls(collection).items():
            rows.append({**about, "what": what, **_timed(call, options)})
            print(rows[-1], flush=True)
    return rows


def _calls(collection: lookalike.Collection) -> dict[str, Callable[[int], object]]:
    return {
        "recommend(user), ms": lambda n: collection.recommend(user=f"u{n}", group_by="product"),
        "the same, in_stock, ms": lambda n: collection.recommend(
            user=f"u{n}", group_by="product", where="in_stock"
        ),
        "the same, looks alone, ms": lambda n: collection.recommend(
            user=f"u{n}", group_by="product", together=False
        ),
        "also_like(product), ms": lambda n: collection.also_like(f"p{n}", group_by="product"),
        "record(event), ms": lambda n: collection.record(f"u{n}", f"p{n}", "view"),
        "best_score, ms": lambda n: collection.recommend(
            user=f"u{n}", group_by="product", strategy="best_score"
        ),
    }


def _timed(call: Callable[[int], object], options: argparse.Namespace) -> dict[str, float]:
    for n in range(5):
        call(n)
    times = []
    for n in range(5, 5 + options.calls):
        start = time.perf_counter()
        call(n)
        times.append(1e3 * (time.perf_counter() - start))
    times.sort()
    return {"p50": round(statistics.median(times), 2), "p95": round(times[int(0.95 * len(times))], 2)}


def _fill(collection: lookalike.Collection, items: int) -> np.ndarray:
    """Put synthetic items into the record; the kind of each product, int64 (p,)."""
    products = items // VIEWS
    centres = clustered(products, 1280, seed=0)
    random = np.random.default_rng(1)
    fingerprint = collection.info()["fingerprint"]
    store = collection._store  # the benchmark's items have no pictures to be indexed from
    for first in range(0, items, BATCH):
        of = np.arange(first, min(first + BATCH, items)) // VIEWS
        vectors = np.maximum(
            centres[of] + 0.02 * random.standard_normal((len(of), 1280)).astype(np.float32), 0
        )
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        store.put(
            [_record(first + n, int(p), v) for n, (p, v) in enumerate(zip(of, vectors, strict=True))],
            fingerprint,
        )
    collection._gallery.build()
    collection._gallery.save()
    return np.argmax(centres[:, :64], axis=1)


def _record(number: int, product: int, vector: np.ndarray) -> Record:
    return Record(
        id=f"catalog/{number}.jpg",
        uri=f"file:///catalog/{number}.jpg",
        source="catalog",
        stamp=None,
        sha256=f"{number:064x}",
        width=384,
        height=384,
        embedding=vector,
        thumbnail=b"",
        attributes={"product": f"p{product}", "in_stock": product % 5 != 0, "price": float(product % 997)},
    )


def _visits(kinds: np.ndarray, options: argparse.Namespace) -> Iterator[Interaction]:
    """Users with two or three tastes each, whose visits drift from one to the next."""
    random = np.random.default_rng(2)
    of_kind = [np.flatnonzero(kinds == kind) for kind in range(64)]
    of_kind = [members for members in of_kind if len(members)]
    for user in range(options.users):
        tastes = random.integers(len(of_kind), size=random.integers(2, 4))
        chosen = np.sort(random.integers(len(tastes), size=options.events))
        days = np.sort(random.random(options.events)) * 90
        events = random.integers(len(EVENTS), size=options.events)
        for taste, day, event in zip(chosen.tolist(), days.tolist(), events.tolist(), strict=True):
            members = of_kind[tastes[taste]]
            product = int(members[int(len(members) * random.random() ** 2)])
            yield Interaction(f"u{user}", f"p{product}", EVENTS[event], START + timedelta(days=day))
