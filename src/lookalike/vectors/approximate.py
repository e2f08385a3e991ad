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
from lookalike.vectors.neighbours import TIE, Mask, Neighbours, Positions, VectorSource, exact_range

DEFAULT_RECALL = 0.99
TUNING_QUERIES = 100
TUNING_JITTER = 0.3
FULL = 0.9995

DEPTHS = (10, 100)
"""Numbers of neighbours at which recall is measured. Asking k under a filter that keeps a share f of the vectors
goes as deep as asking k / f of all."""


def faiss() -> Any:
    """The library, imported when first needed; untyped, since its stubs lag behind it."""
    return import_module("faiss")


@dataclass(frozen=True, slots=True)
class Effort:
    """How much work reaches which recall, as measured on the vectors themselves.

    Args:
        levels: Ascending; what they count is the engine's (candidates, lists).
        recalls: For each of the depths measured, the recall at each level, in [0, 1].
    """

    levels: tuple[int, ...]
    recalls: tuple[tuple[float, ...], ...] = ()

    def choose(self, recall: float | None, depth: float) -> int:
        """The work that reaches a recall at a depth, between and beyond those measured by power law.

        Args:
            recall: To be reached; None: 0.99.
            depth: Neighbours asked for, over the share of vectors that are allowed.

        Returns:
            At most the greatest level times the depth over the greatest depth measured.
        """
        target = DEFAULT_RECALL if recall is None else recall
        needed = [self._least(row, target) for row in self.recalls] or [self.levels[-1]]
        depths = DEPTHS[: len(needed)]
        if depth <= depths[0]:
            return needed[0]
        if depth >= depths[-1]:
            return math.ceil(needed[-1] * depth / depths[-1])
        return math.ceil(math.exp(np.interp(math.log(depth), np.log(depths), np.log(needed))))

    def _least(self, recalls: tuple[float, ...], target: float) -> int:
        # Measured on a hundred queries, so aim half-way to 1: other queries must reach the target as well.
        for level, reached in zip(self.levels, recalls, strict=True):
            if reached >= (1 + target) / 2:
                return level
        return self.levels[-1]

    def describe(self) -> dict[str, dict[str, float]]:
        """Measured recall by depth and level."""
        levels = [str(level) for level in self.levels]
        return {
            f"recall@{depth}": dict(zip(levels, row, strict=True))
            for depth, row in zip(DEPTHS, self.recalls, strict=False)
        }

    @classmethod
    def restored(cls, levels: Sequence[int], recalls: Sequence[Sequence[float]]) -> Effort:
        """What was saved as JSON."""
        return cls(tuple(levels), tuple(tuple(row) for row in recalls))


def measure_effort(
    levels: tuple[int, ...],
    source: VectorSource,
    n: int,
    search: Callable[[Embeddings, int, int], Neighbours],
    *,
    seed: int = 0,
) -> Effort:
    """Measure the recall of each level at each depth, with queries from outside.

    A query is a sampled vector moved towards another, since a vector that is itself indexed shows the way
    to its neighbours; the sampled one is left out of the answer.

    Args:
        levels: Ascending levels to try; those above the first with full recall are not tried.
        source: The vectors.
        n: Number of vectors indexed.
        search: ``search(queries, k, level)`` of the index.
        seed: Of the sample.
    """
    if n < 2:
        return Effort(levels, ((1.0,) * len(levels),))
    rng = np.random.default_rng(seed)
    own = np.sort(rng.choice(n, size=min(TUNING_QUERIES, n), replace=False)).astype(np.int64)
    sampled = normalise(source.take(own))
    queries = normalise(sampled + TUNING_JITTER * sampled[rng.permutation(len(own))])
    measured = [depth for depth in DEPTHS if depth * 10 < n] or [min(DEPTHS[0], n - 1)]
    truth = exact_range(source, queries, measured[-1] + 1, 0, n)
    table = []
    for depth in measured:
        bars = np.empty(len(own), dtype=np.float32)
        for i, (scores, positions) in enumerate(zip(truth.scores, truth.positions, strict=True)):
            bars[i] = scores[positions != own[i]][depth - 1]
        row: list[float] = []
        for level in levels:
            if row and row[-1] >= FULL:
                row.append(row[-1])
                continue
            found = search(queries, depth + 1, level)
            # an equal score counts as found: among copies no position is truer than another
            good = (found.scores >= bars[:, None] - np.float32(TIE)) & (found.positions != own[:, None])
            row.append(float(np.minimum(good.sum(axis=1), depth).mean() / depth))
        table.append(tuple(row))
    return Effort(levels, tuple(table))


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


def incomplete(found: Positions, k: int, existing: int) -> npt.NDArray[np.int64]:
    """Rows of an answer that hold fewer neighbours than exist."""
    return np.flatnonzero((found >= 0).sum(axis=1) < min(k, existing))
