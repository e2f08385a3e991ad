"""Approximate neighbours of collections larger than memory: inverted lists of two-bit codes, memory-mapped.

Vectors are kept as RaBitQ codes of about d / 4 bytes in lists around trained centres; a search reads the
lists nearest to the query and compares the best candidates again with the vectors themselves.

Gao & Long, "RaBitQ: Quantizing High-Dimensional Vectors with a Theoretical Error Bound for Approximate
Nearest Neighbor Search", 2024, https://arxiv.org/abs/2405.12497; Sivic & Zisserman, "Video Google", 2003.
"""

from __future__ import annotations

import math
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np

from lookalike.errors import StoreError
from lookalike.types import Embeddings
from lookalike.vectors.approximate import (
    Effort,
    Selector,
    faiss,
    incomplete,
    measure_effort,
    use_threads,
)
from lookalike.vectors.half import widened
from lookalike.vectors.metrics import normalise
from lookalike.vectors.neighbours import (
    Index,
    Mask,
    Neighbours,
    VectorSource,
    block_rows,
    check_query,
    exact_among,
    exact_range,
    nothing,
    rescore,
)

TRAINING_PER_LIST = 40
SCAN_AT_MOST = 1000
"""So few allowed vectors are all read and compared."""

POOL_PER_K, MORE_POOL = 4, 60
"""Candidates compared again exactly: so many for each neighbour asked for, and so many more."""

WIDENING = 4
"""Factor by which more lists are read while fewer than k neighbours were found."""

QUERY_BITS = 8

CODE_BITS = 2
"""Of each value. One bit misjudges vectors that coincide with a centre, as many copies of one image do."""


class IVF(Index):
    """Inverted lists over a source's first vectors; read from a memory-mapped file once saved and loaded.

    Args:
        source: The vectors; must keep those that are indexed.
        index: A trained FAISS index over the first of them.
        effort: Which number of lists reaches which recall.
    """

    kind = "ivf"

    def __init__(self, source: VectorSource, index: Any, effort: Effort) -> None:
        self._source = source
        self._index = index
        self._effort = effort

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @classmethod
    def build(
        cls,
        source: VectorSource,
        *,
        seed: int = 0,
        threads: int | None = None,
        cancelled: threading.Event | None = None,
    ) -> IVF:
        """Train centres on a sample, add all vectors, and measure which effort reaches which recall.

        Args:
            source: The vectors.
            seed: Of the training sample.
            threads: For building; None: all cores.
            cancelled: When set, stops early; the index then covers the first vectors only.
        """
        n, d = len(source), source.dimensions
        lists = _lists(n)
        centres = faiss().IndexFlatIP(d)
        index = faiss().IndexIVFRaBitQ(centres, d, lists, faiss().METRIC_INNER_PRODUCT, True, CODE_BITS)
        index.cp.spherical, index.cp.niter, index.cp.seed = True, 10, 1 + seed
        index.cp.min_points_per_centroid = 1
        faiss().omp_set_num_threads(threads or os.cpu_count() or 1)
        built = cls(source, index, Effort(_levels(lists)))
        if n:
            rng = np.random.default_rng(seed)
            sample = np.sort(rng.choice(n, size=min(n, TRAINING_PER_LIST * lists), replace=False))
            index.train(normalise(source.take(sample.astype(np.int64))))
            built._add(source, cancelled)
            built.tune()
        return built

    def grown(
        self, source: VectorSource, *, threads: int | None = None, cancelled: threading.Event | None = None
    ) -> IVF:
        """A copy with the source's newer vectors added; the centres stay. The original stays searchable.

        Args:
            source: Its first ``len(self)`` vectors are those indexed.
            threads: For building; None: all cores.
            cancelled: When set, stops early.
        """
        library = faiss()
        library.omp_set_num_threads(threads or os.cpu_count() or 1)
        copy = IVF(source, library.deserialize_index(library.serialize_index(self._index)), self._effort)
        copy._add(source, cancelled)
        copy.tune()
        return copy

    def _add(self, source: VectorSource, cancelled: threading.Event | None) -> None:
        for block in source.blocks(len(self), len(source), block_rows(source.dimensions)):
            if cancelled is not None and cancelled.is_set():
                return
            self._index.add(np.ascontiguousarray(widened(block)))

    def tune(self) -> None:
        """Measure which effort reaches which recall."""
        n, levels = len(self), _levels(int(self._index.nlist))

        def search(queries: Embeddings, k: int, probes: int) -> Neighbours:
            return self._lists(queries, k, probes, None)

        self._effort = measure_effort(levels, self._source, n, search)

    def search(
        self, queries: Embeddings, k: int, allowed: Mask | None = None, recall: float | None = None
    ) -> Neighbours:
        """See :meth:`Index.search`."""
        n = len(self)
        check_query(queries, k, allowed, recall, dimensions=self._source.dimensions, n=n)
        existing = n if allowed is None else int(np.count_nonzero(allowed))
        if existing == 0 or len(queries) == 0:
            return nothing(len(queries), k)
        if recall == 1 or existing <= max(SCAN_AT_MOST, k):
            return self._exact(queries, k, allowed)
        selector = Selector(allowed) if allowed is not None and existing < n else None
        probes = min(self._effort.choose(recall, k * n / existing), int(self._index.nlist))
        found = self._lists(queries, k, probes, selector)
        short = incomplete(found.positions, k, existing)
        while len(short) and probes < self._index.nlist:
            probes = min(WIDENING * probes, int(self._index.nlist))
            found.positions[short], found.scores[short] = self._lists(queries[short], k, probes, selector)
            short = incomplete(found.positions, k, existing)
        if len(short):
            found.positions[short], found.scores[short] = self._exact(queries[short], k, allowed)
        return found

    def _lists(self, queries: Embeddings, k: int, probes: int, selector: Selector | None) -> Neighbours:
        parameters = faiss().IVFRaBitQSearchParameters()
        parameters.nprobe, parameters.qb = probes, QUERY_BITS
        if selector is not None:
            parameters.sel = selector.native
        use_threads(len(queries))
        pool = min(MORE_POOL + POOL_PER_K * k, len(self))
        _, found = self._index.search(queries, pool, params=parameters)
        return rescore(self._source, queries, k, found)

    def _exact(self, queries: Embeddings, k: int, allowed: Mask | None) -> Neighbours:
        if allowed is None:
            return exact_range(self._source, queries, k, 0, len(self))
        return exact_among(self._source, queries, k, np.flatnonzero(allowed))

    def describe(self) -> dict[str, Any]:
        """Kind and parameters."""
        return {
            "kind": self.kind,
            "rows": len(self),
            "bytes": len(self) * (int(self._index.code_size) + 8),
            "lists": int(self._index.nlist),
            "codes": f"rabitq{CODE_BITS}",
            "measured": self._effort.describe(),
        }

    def save(self, path: Path) -> dict[str, Any]:
        """Write the lists; what is returned goes with them to :meth:`load`."""
        faiss().write_index(self._index, str(path))
        return {"rows": len(self), "levels": self._effort.levels, "recalls": self._effort.recalls}

    @classmethod
    def load(cls, path: Path, saved: dict[str, Any], source: VectorSource) -> IVF:
        """Map what :meth:`save` wrote.

        Raises:
            StoreError: If the file does not fit the source.
        """
        index = faiss().read_index(str(path), faiss().IO_FLAG_MMAP_IFC)
        n = saved["rows"]
        if index.ntotal != n or n > len(source) or index.d != source.dimensions:
            raise StoreError(f"the lists in {path} do not fit the vectors beside them: expected {n} rows")
        return cls(source, index, Effort.restored(saved["levels"], saved["recalls"]))


def _lists(n: int) -> int:
    """Number of lists: four times the root of n, with enough vectors in each to train its centre."""
    return max(1, min(round(4 * math.sqrt(n)), n // TRAINING_PER_LIST))


def _levels(lists: int) -> tuple[int, ...]:
    """Numbers of lists that are measured: powers of two up to all."""
    return (*(1 << i for i in range(lists.bit_length()) if 1 << i < lists), lists)
