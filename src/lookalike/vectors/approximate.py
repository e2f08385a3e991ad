"""What the approximate engines share: effort chosen from a measured recall, filters and threads of FAISS."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.types import Embeddings
from lookalike.vectors.metrics import normalise
from lookalike.vectors.neighbours import Mask, Neighbours, Positions, VectorSource, exact_range

DEFAULT_RECALL = 0.99
TUNING_QUERIES = 100
TUNING_K = 10


def faiss() -> Any:
    """The library, imported when first needed; untyped, since its stubs lag behind it."""
    return import_module("faiss")


@dataclass(frozen=True, slots=True)
class Effort:
    """How much work reaches which recall, as measured on the vectors themselves.

    Args:
        levels: Ascending; what they count is the engine's (candidates, lists).
        recalls: Measured recall@10 at each level, in [0, 1]; empty before it was measured.
    """

    levels: tuple[int, ...]
    recalls: tuple[float, ...] = ()

    def choose(self, recall: float | None) -> int:
        """The least level whose measured recall reaches ``recall`` (default 0.99), else the greatest."""
        target = DEFAULT_RECALL if recall is None else recall
        for level, reached in zip(self.levels, self.recalls, strict=False):
            if reached >= target:
                return level
        return self.levels[-1]

    def describe(self) -> dict[str, float]:
        """Measured recall@10 by level."""
        return dict(zip(map(str, self.levels), self.recalls, strict=False))


def measure_effort(
    levels: Sequence[int],
    source: VectorSource,
    n: int,
    search: Callable[[Embeddings, int, int], Neighbours],
    *,
    seed: int = 0,
) -> Effort:
    """Measure recall@10 of each level on sampled vectors, each left out of its own answer.

    Args:
        levels: Ascending levels to try; those after the first with full recall are left out.
        source: The vectors.
        n: Number of vectors indexed.
        search: ``search(queries, k, level)`` of the index.
        seed: Of the sample.
    """
    if n < 2:
        return Effort((levels[0],), (1.0,))
    rng = np.random.default_rng(seed)
    own = np.sort(rng.choice(n, size=min(TUNING_QUERIES, n), replace=False)).astype(np.int64)
    queries = normalise(source.take(own))
    k = min(TUNING_K, n - 1)
    truth = exact_range(source, queries, k + 1, 0, n)
    bars = np.empty(len(own), dtype=np.float32)
    for i, (scores, positions) in enumerate(zip(truth.scores, truth.positions, strict=True)):
        bars[i] = scores[positions != own[i]][k - 1]
    tried: list[int] = []
    reached: list[float] = []
    for level in levels:
        found = search(queries, k + 1, level)
        # an equal score counts as found: among duplicates no position is truer than another
        good = (found.scores >= bars[:, None]) & (found.positions != own[:, None])
        tried.append(level)
        reached.append(float(np.minimum(good.sum(axis=1), k).mean() / k))
        if reached[-1] >= 1.0:
            break
    return Effort(tuple(tried), tuple(reached))


class Selector:
    """A filter in the form that FAISS takes; keeps the bits alive as long as the selector lives.

    Args:
        allowed: bool (n,).
    """

    def __init__(self, allowed: Mask) -> None:
        library = faiss()
        self._bits = np.packbits(allowed, bitorder="little")
        self.native: Any = library.IDSelectorBitmap(len(self._bits), library.swig_ptr(self._bits))


def use_threads(queries: int) -> None:
    """Tell FAISS how many threads the calling thread's next search takes.

    One for a single query, since forking costs more than it saves and a server has many callers; all cores
    for a batch. OpenMP keeps this number per calling thread.
    """
    faiss().omp_set_num_threads(1 if queries < 8 else os.cpu_count() or 1)


def widened(effort: int, n: int, allowed: int) -> int:
    """Effort under a filter that keeps ``allowed`` of ``n``.

    The power was measured: with 60,000 vectors of 1,280 dimensions it keeps recall@10 at 0.99 for filters
    that keep from a half to a fiftieth.
    """
    return max(effort, round(effort * math.pow(n / max(1, allowed), 0.75)))


def incomplete(found: Positions, k: int, existing: int) -> npt.NDArray[np.int64]:
    """Rows of an answer that hold fewer neighbours than exist."""
    return np.flatnonzero((found >= 0).sum(axis=1) < min(k, existing))
