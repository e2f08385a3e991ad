"""Approximate neighbours in memory: a navigable small-world graph (FAISS).

Malkov & Yashunin, "Efficient and robust approximate nearest neighbor search using Hierarchical Navigable
Small World graphs", 2016, https://arxiv.org/abs/1603.09320.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

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
from lookalike.vectors.neighbours import (
    Index,
    Mask,
    Neighbours,
    VectorSource,
    block_rows,
    check_query,
    exact_range,
    nothing,
    rescore,
)

LINKS = 32
EF_CONSTRUCTION = 40
LEVELS = (16, 32, 64, 128, 256, 512, 1024)
"""Values of efSearch that are measured."""

SCAN_PER_EF = 12
"""Reading so many vectors in order costs what one more candidate costs in the graph (measured at 1,280-d)."""

SPARE = 8
"""Candidates beyond k that are compared again exactly."""

SHARED_CHUNK, SHARED_PART = 16, 1 / 16_384
"""Vectors added at a time while others search: so many, or this part of those that are there, if that is more. A search
waits for one chunk at most: some 10 ms up to a million vectors."""

UNSHARED_CHUNK, UNSHARED_PART = 1024, 1 / 256
"""The same where nobody searches; cancelling waits for one chunk."""

WRITER_PATIENCE_S = 0.05


class HNSW(Index):
    """A graph over a source's first vectors, with a copy of their codes in memory.

    Grows by :meth:`grow` while other threads search. Answers are rescored from the source, so scores are
    exact.

    Args:
        source: The vectors; must keep those that are indexed.
        half: The source keeps float16; the codes do the same, and otherwise they are float32.
        scales: The source keeps int8 codes with a scale for each dimension; the codes do the same. Empty: not.
    """

    kind = "hnsw"

    def __init__(self, source: VectorSource, *, half: bool, scales: Sequence[float] = ()) -> None:
        self._source = source
        self._half = half
        self._scales = scales
        self._effort = Effort(LEVELS)
        self._index = _new_index(source.dimensions, half, scales)
        self._gate = _Gate()

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @classmethod
    def build(cls, source: VectorSource, *, half: bool, scales: Sequence[float] = ()) -> HNSW:
        """Index all of a source and measure which effort reaches which recall."""
        index = cls(source, half=half, scales=scales)
        index.grow(source, len(source), shared=False)
        index.tune()
        return index

    @property
    def half(self) -> bool:
        """Whether codes are float16."""
        return self._half

    @property
    def effort(self) -> Effort:
        """Which effort reaches which recall."""
        return self._effort

    def adopt(self, effort: Effort) -> None:
        """Search with an effort that was measured elsewhere, such as on the whole that this graph is a part of."""
        self._effort = effort

    def grow(
        self,
        source: VectorSource,
        upto: int,
        *,
        shared: bool,
        threads: int | None = None,
        cancelled: threading.Event | None = None,
    ) -> None:
        """Add the source's vectors from ``len(self)`` to ``upto``.

        Args:
            source: Replaces the source; its first ``len(self)`` vectors are those indexed.
            upto: Number of vectors indexed afterwards.
            shared: Others search meanwhile, so add in small steps.
            threads: For building, where no others search meanwhile; None: all cores.
            cancelled: When set, stops after the current step.
        """
        self._source = source
        # a thread that is given sixteen vectors has not much to share with others
        faiss().omp_set_num_threads(1 if shared else threads or os.cpu_count() or 1)
        for block in source.blocks(len(self), upto, block_rows(source.dimensions)):
            wide = np.ascontiguousarray(widened(block))
            first = 0
            while first < len(wide):
                if cancelled is not None and cancelled.is_set():
                    return
                chunk = wide[first : first + chunk_rows(len(self), shared=shared)]
                with self._gate.alone():
                    self._index.add(chunk)
                first += len(chunk)

    def tune(self) -> None:
        """Measure which effort reaches which recall."""
        n = len(self)
        self._effort = measure_effort(LEVELS, self._source, n, self.at_level)

    def at_level(self, queries: Embeddings, k: int, ef: int, allowed: Mask | None = None) -> Neighbours:
        """What the graph finds with one effort, which may be fewer than k; for measuring.

        Args:
            queries: float32 (q, d), L2-normalised rows.
            k: At least 1.
            ef: Candidates kept while searching.
            allowed: bool (n,), which vectors may be answers; None: all.
        """
        n = len(self) if allowed is None else len(allowed)
        if not n:
            return nothing(len(queries), k)
        return self._graph(queries, k, ef, None if allowed is None else Selector(allowed), n)

    def search(
        self, queries: Embeddings, k: int, allowed: Mask | None = None, recall: float | None = None
    ) -> Neighbours:
        """See :meth:`Index.search`."""
        n = len(self) if allowed is None else len(allowed)
        check_query(queries, k, allowed, recall, dimensions=self._source.dimensions, n=min(n, len(self)))
        existing = n if allowed is None else int(np.count_nonzero(allowed))
        if existing == 0 or len(queries) == 0:
            return nothing(len(queries), k)
        depth = k * n / existing
        ef = max(self._effort.choose(recall, depth), math.ceil(depth))
        scan = recall == 1 or existing <= SCAN_PER_EF * ef
        if scan and self._scales:
            return exact_range(self._source, queries, k, 0, n, allowed=allowed)
        selector = None if allowed is None else Selector(allowed)
        if scan:
            return self._scan(queries, k, selector, n)
        found = self._graph(queries, k, ef, selector, n)
        short = incomplete(found.positions, k, existing)
        if len(short):
            if self._scales:
                again = exact_range(self._source, queries[short], k, 0, n, allowed=allowed)
            else:
                again = self._scan(queries[short], k, selector, n)
            found.positions[short], found.scores[short] = again
        return found

    def _graph(self, queries: Embeddings, k: int, ef: int, selector: Selector | None, n: int) -> Neighbours:
        parameters = faiss().SearchParametersHNSW(efSearch=max(ef, k + SPARE))
        if selector is not None:
            parameters.sel = selector.native
        use_threads(len(queries))
        with self._gate.together():
            _, found = self._index.search(queries, min(k + SPARE, n), params=parameters)
        found[found >= n] = -1  # the graph may have grown since the caller looked
        return rescore(self._source, queries, k, found)

    def _scan(self, queries: Embeddings, k: int, selector: Selector | None, n: int) -> Neighbours:
        """Compare with every allowed code in order: exact, since codes keep what the source keeps."""
        use_threads(len(queries))
        parameters = None
        if selector is not None:
            parameters = faiss().SearchParameters()
            parameters.sel = selector.native
        with self._gate.together():
            storage = faiss().downcast_index(self._index.storage)
            _, found = storage.search(queries, min(k + SPARE, n), params=parameters)
        found[found >= n] = -1
        return rescore(self._source, queries, k, found)

    def describe(self) -> dict[str, Any]:
        """Kind and parameters."""
        return {
            "kind": self.kind,
            "rows": len(self),
            "bytes": self.memory(
                len(self), self._source.dimensions, half=self._half, int8=bool(self._scales)
            ),
            "links": LINKS,
            "ef_construction": EF_CONSTRUCTION,
            "codes": "i8" if self._scales else "f16" if self._half else "f32",
            "measured": self._effort.describe(),
        }

    @staticmethod
    def memory(n: int, dimensions: int, *, half: bool, int8: bool = False) -> int:
        """Bytes that n vectors take."""
        return n * (dimensions * (1 if int8 else 2 if half else 4) + LINKS * 2 * 4 + 32)

    def save(self, path: Path) -> dict[str, Any]:
        """Write the graph without the codes; what is returned goes with it to :meth:`load`.

        Raises:
            OSError: If it cannot be written.
        """
        with self._gate.together(), path.open("wb") as file:
            # straight into the file: bytes of it in memory would be two more graphs beside this one
            faiss().write_index(
                self._index, faiss().PyCallbackIOWriter(file.write), faiss().IO_FLAG_SKIP_STORAGE
            )
            return {"rows": len(self), "levels": self._effort.levels, "recalls": self._effort.recalls}

    def to_bytes(self) -> tuple[npt.NDArray[np.uint8], int]:
        """The graph without the codes, as :func:`read_graph` takes it, and the number of its vectors."""
        with self._gate.together():
            content: npt.NDArray[np.uint8] = faiss().serialize_index(
                self._index, faiss().IO_FLAG_SKIP_STORAGE
            )
            return content, len(self)

    def graphs(self) -> Iterator[tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]]:
        """The graph without codes, and the positions of its nodes' vectors; as of several that are one index."""
        content, rows = self.to_bytes()
        yield content, np.arange(rows)

    @classmethod
    def load(
        cls,
        path: Path,
        saved: dict[str, Any],
        source: VectorSource,
        *,
        half: bool,
        scales: Sequence[float] = (),
    ) -> HNSW:
        """Read what :meth:`save` wrote; codes come from the source.

        Raises:
            StoreError: If the file does not fit the source.
        """
        graph = read_graph(path)
        if graph.ntotal != saved["rows"]:
            raise StoreError(f"the graph in {path} has {graph.ntotal} rows: expected {saved['rows']}")
        effort = Effort.restored(saved["levels"], saved["recalls"])
        return cls.attached(graph, effort, source, half=half, scales=scales)

    @classmethod
    def attached(
        cls, graph: Any, effort: Effort, source: VectorSource, *, half: bool, scales: Sequence[float] = ()
    ) -> HNSW:
        """A graph with the codes of its vectors, which are read from the source.

        Args:
            graph: As :func:`read_graph` gives it; taken over.
            effort: Which effort reaches which recall.
            source: Its first vectors are those of the graph.
            half, scales: See the class.

        Raises:
            StoreError: If the graph does not fit the source.
        """
        n = int(graph.ntotal)
        if n > len(source) or graph.d != source.dimensions:
            raise StoreError(
                f"a graph of {n} vectors of length {graph.d} does not fit the {len(source)} of length "
                f"{source.dimensions} beside it: build it anew"
            )
        storage = _new_storage(source.dimensions, half, scales)
        for block in source.blocks(0, n, block_rows(source.dimensions)):
            if scales:  # the source decodes, and encoding again gives the same codes
                storage.add(np.ascontiguousarray(widened(block)))
            else:
                storage.add_sa_codes(np.ascontiguousarray(block).view(np.uint8))
        storage.this.disown()  # the graph frees it
        graph.storage, graph.own_fields = storage, True
        index = cls(source, half=half, scales=scales)
        index._index = graph
        index._effort = effort
        return index


def chunk_rows(indexed: int, *, shared: bool) -> int:
    """How many vectors a graph gets at a time.

    FAISS's ``add`` makes a lock for every vector that is there already, 2 ns each. In chunks of one size that would be
    n / size times n of them, which at ten million vectors takes longer than linking what is added; in chunks that grow
    with the graph it is 0.5 microseconds for each added vector, and 35 where others search.

    Args:
        indexed: Number of vectors that are there.
        shared: Others search meanwhile.
    """
    least, part = (SHARED_CHUNK, SHARED_PART) if shared else (UNSHARED_CHUNK, UNSHARED_PART)
    return max(least, int(part * indexed))


def read_graph(content: npt.NDArray[np.uint8] | Path) -> Any:
    """A graph without codes, as FAISS keeps it.

    Args:
        content: Its bytes, or the file that holds them.

    Raises:
        StoreError: If they are not one.
    """
    try:
        if isinstance(content, Path):
            graph = faiss().read_index(str(content), faiss().IO_FLAG_SKIP_STORAGE)
        else:
            graph = faiss().deserialize_index(content, faiss().IO_FLAG_SKIP_STORAGE)
    except RuntimeError as error:
        raise StoreError(f"the graph of an index cannot be read ({error}): build it anew") from error
    if not hasattr(graph, "hnsw"):
        raise StoreError(f"what should be a graph is a {type(graph).__name__} of FAISS: build it anew")
    return graph


def links_of(graph: Any, nodes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """What each of some nodes is linked to on the lowest level.

    Args:
        graph: As :func:`read_graph` gives it.
        nodes: int64 (m,).

    Returns:
        int64 (m, 2 * LINKS), -1 where there are fewer.
    """
    width = int(graph.hnsw.nb_neighbors(0))
    every = faiss().rev_swig_ptr(graph.hnsw.neighbors.data(), graph.hnsw.neighbors.size())
    offsets = faiss().rev_swig_ptr(graph.hnsw.offsets.data(), graph.hnsw.offsets.size())
    first = offsets[nodes].astype(np.int64)
    links: npt.NDArray[np.int64] = every[first[:, None] + np.arange(width)].astype(np.int64)
    return links


def _new_storage(dimensions: int, half: bool, scales: Sequence[float]) -> Any:
    if scales:
        storage = faiss().IndexScalarQuantizer(
            dimensions, faiss().ScalarQuantizer.QT_8bit, faiss().METRIC_INNER_PRODUCT
        )
        _train(storage, scales)
        return storage
    if half:
        return faiss().IndexScalarQuantizer(
            dimensions, faiss().ScalarQuantizer.QT_fp16, faiss().METRIC_INNER_PRODUCT
        )
    return faiss().IndexFlatIP(dimensions)


def _train(index: Any, scales: Sequence[float]) -> None:
    """Give FAISS's 8-bit quantiser our scales: it decodes a byte b as least + (b + 1/2) / 255 * range.

    With range = 255 scale and least = -128.5 scale that is (b - 128) * scale, which is what our code
    b - 128 stands for; and it rounds as we do.
    """
    wide = np.asarray(scales, dtype=np.float32)
    faiss().copy_array_to_vector(np.concatenate([-128.5 * wide, 255 * wide]), index.sq.trained)
    index.is_trained = True


def _new_index(dimensions: int, half: bool, scales: Sequence[float]) -> Any:
    metric = faiss().METRIC_INNER_PRODUCT
    if scales:
        index = faiss().IndexHNSWSQ(dimensions, faiss().ScalarQuantizer.QT_8bit, LINKS, metric)
        _train(faiss().downcast_index(index.storage), scales)
        index.is_trained = True
    elif half:
        index = faiss().IndexHNSWSQ(dimensions, faiss().ScalarQuantizer.QT_fp16, LINKS, metric)
    else:
        index = faiss().IndexHNSWFlat(dimensions, LINKS, metric)
    index.hnsw.efConstruction = EF_CONSTRUCTION
    return index


class _Gate:
    """Many searches together or one writer alone.

    A writer lets searches go first for a moment, so that building does not starve them, and then claims its
    turn, so that they do not starve building.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting = 0
        self._readers = 0
        self._writing = False

    @contextmanager
    def together(self) -> Iterator[None]:
        with self._changed:
            self._waiting += 1
            self._changed.wait_for(lambda: not self._writing)
            self._waiting -= 1
            self._readers += 1
        try:
            yield
        finally:
            with self._changed:
                self._readers -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(self._idle, timeout=WRITER_PATIENCE_S)
            self._changed.wait_for(lambda: not self._writing)
            self._writing = True
            self._changed.wait_for(lambda: not self._readers)
        try:
            yield
        finally:
            with self._changed:
                self._writing = False
                self._changed.notify_all()

    def _idle(self) -> bool:
        return not (self._waiting or self._readers or self._writing)
