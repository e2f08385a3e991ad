"""How much of the exact answer an index finds, and how fast, on the user's own data."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.types import Embeddings, Rows
from lookalike.vectors.metrics import normalise

TIE = 1e-5
"""Scores this close are equal: among copies of one image, any of them is a right answer."""

JITTER = 0.3


class Searchable(Protocol):
    """What is measured: a gallery."""

    def __len__(self) -> int: ...

    def search(
        self, queries: Embeddings, k: int, rows: Rows | None = None, recall: float | None = None
    ) -> tuple[Rows, npt.NDArray[np.float32]]:
        """Rows int64 (q, k) and scores float32 (q, k), padded with -1 and -inf; recall 1 is exact."""

    def sample(self, n: int, *, seed: int = 0) -> tuple[Rows, Embeddings]:
        """At most n random rows with their embeddings."""

    def kind(self) -> str:
        """Name of the index."""


@dataclass(frozen=True, slots=True)
class IndexReport:
    """An index against the exact search of the same vectors.

    Args:
        index: Kind of the index.
        items: Number of items searched.
        queries: Number of queries asked, one at a time.
        k: Neighbours asked for.
        recall: Mean share of the exact k nearest that the index found, in [0, 1].
        worst_recall: The least share of any query.
        p50_ms, p95_ms: Latency of the index, milliseconds.
        exact_p50_ms, exact_p95_ms: Latency of the exact search, milliseconds.
    """

    index: str
    items: int
    queries: int
    k: int
    recall: float
    worst_recall: float
    p50_ms: float
    p95_ms: float
    exact_p50_ms: float
    exact_p95_ms: float


def evaluate_index(
    gallery: Searchable,
    *,
    k: int = 10,
    queries: int = 200,
    recall: float | None = None,
    seed: int = 0,
) -> IndexReport:
    """Measure recall@k and latency of a gallery's index, on queries sampled around its own items.

    A query is an item moved towards another random one (by 0.3), since an item itself is easier to find than
    a picture that the collection has not seen. A neighbour counts as found if its score reaches the exact
    k-th score, so that copies of one image may stand for each other.

    Args:
        gallery: What to measure.
        k: Neighbours to ask for, at least 1.
        queries: Number of queries, at least 1.
        recall: The recall to ask the index for; None: its default.
        seed: Of the sample.

    Raises:
        InputError: If k or queries is less than 1, or the gallery is empty.
    """
    if k < 1 or queries < 1:
        raise InputError(f"k = {k} and queries = {queries}: expected both to be at least 1")
    if not len(gallery):
        raise InputError("the collection is empty, so there is nothing to measure: add images first")
    asked = sample_queries(gallery, queries, seed=seed)
    exact, exact_ms = _timed(lambda query: gallery.search(query, k, recall=1.0)[1], asked)
    found, found_ms = _timed(lambda query: gallery.search(query, k, recall=recall)[1], asked)
    shares = np.array([_share(truth[0], answer[0]) for truth, answer in zip(exact, found, strict=True)])
    return IndexReport(
        index=gallery.kind(),
        items=len(gallery),
        queries=len(asked),
        k=k,
        recall=float(shares.mean()),
        worst_recall=float(shares.min()),
        p50_ms=_quantile(found_ms, 0.5),
        p95_ms=_quantile(found_ms, 0.95),
        exact_p50_ms=_quantile(exact_ms, 0.5),
        exact_p95_ms=_quantile(exact_ms, 0.95),
    )


def sample_queries(gallery: Searchable, queries: int, *, seed: int = 0) -> Embeddings:
    """Queries around a gallery's items, float32 (q, d), L2-normalised; repeats items when there are few."""
    _, items = gallery.sample(queries, seed=seed)
    rng = np.random.default_rng(seed)
    base = items[np.arange(queries) % len(items)]
    return normalise(base + JITTER * items[rng.integers(len(items), size=queries)])


def _timed(
    search: Callable[[Embeddings], npt.NDArray[np.float32]], queries: Embeddings
) -> tuple[list[npt.NDArray[np.float32]], list[float]]:
    search(queries[:1])  # the first call loads what later ones find loaded
    answers, milliseconds = [], []
    for query in queries:
        start = time.perf_counter()
        answers.append(search(query[None]))
        milliseconds.append(1000 * (time.perf_counter() - start))
    return answers, milliseconds


def _share(truth: npt.NDArray[np.float32], answer: npt.NDArray[np.float32]) -> float:
    exist = int(np.isfinite(truth).sum())
    return float(np.count_nonzero(answer >= truth[exist - 1] - TIE) / exist) if exist else 1.0


def _quantile(values: list[float], q: float) -> float:
    return float(np.quantile(values, q))
