"""Several graphs that are searched as one: each over some of the vectors, built apart from the others.

Graphs of parts can be built at the same time by machines that know nothing of each other, and answers of parts are
merged exactly, since their scores are. Searching s graphs of n / s vectors costs more than searching one of n, whose
cost grows with log n: the price of building in parallel.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.errors import StoreError
from lookalike.types import Embeddings
from lookalike.vectors.approximate import Effort, measure_effort
from lookalike.vectors.hnsw import EF_CONSTRUCTION, HNSW, LEVELS, LINKS, links_of, read_graph
from lookalike.vectors.neighbours import (
    Index,
    Mask,
    Neighbours,
    Positions,
    VectorSource,
    check_query,
    merge,
    nothing,
)
from lookalike.vectors.node_vectors import NodeVectors, stand_ins


@dataclass(frozen=True, slots=True)
class BuiltGraph:
    """A graph by itself, without vectors.

    Args:
        content: uint8, as :meth:`HNSW.to_bytes` gives it.
        effort: Which effort reaches which recall in it.
    """

    content: npt.NDArray[np.uint8]
    effort: Effort


class GraphSettings(NamedTuple):
    """What the building of every graph needs.

    Args:
        half: Codes are float16, else float32.
        scales: Of int8 codes, one a dimension; empty: not.
    """

    half: bool
    scales: tuple[float, ...] = ()


class Part(NamedTuple):
    """One graph of several, and where its vectors lie.

    Args:
        content: As of :class:`BuiltGraph`.
        positions: int64 (n,), of the vector of each node, ascending; -1 for nodes whose vector is gone.
        stop: The first position that belongs to no node of this or an earlier part, and to no hole between them.
    """

    content: npt.NDArray[np.uint8]
    positions: Positions
    stop: int


def build_graph(settings: GraphSettings, source: VectorSource) -> BuiltGraph:
    """The graph of some vectors; the work on one block of :class:`lookalike.vectors.blocks.MapBlocks`."""
    graph = HNSW.build(source, half=settings.half, scales=settings.scales)
    return BuiltGraph(graph.to_bytes()[0], graph.effort)


def least_effort(efforts: Sequence[Effort]) -> Effort:
    """An effort that reaches in all of several graphs what it says: at each level the worst of their recalls.

    Neighbours among all are neighbours among those of a part, so the merged answer's recall is no worse.
    """
    depths = min(len(effort.recalls) for effort in efforts)
    worst = tuple(
        tuple(min(at) for at in zip(*(effort.recalls[depth] for effort in efforts), strict=True))
        for depth in range(depths)
    )
    return Effort(efforts[0].levels, worst)


class Sharded(Index):
    """Several HNSW graphs over a source's first vectors.

    Vectors between theirs that are in no graph are never found, so they have to belong to nothing any more. Newer
    vectors go into the last graph.

    Args:
        shards: Each graph with its view of the source, in the order of positions; at least one.
        source: The vectors.
    """

    kind = "hnsw"

    def __init__(self, shards: Sequence[tuple[HNSW, NodeVectors]], source: VectorSource) -> None:
        self._shards = tuple(shards)
        self._source = source
        self._effort = least_effort([graph.effort for graph, _ in shards])

    @classmethod
    def build(cls, source: VectorSource, *, shards: int, half: bool, scales: Sequence[float] = ()) -> Sharded:
        """Index all of a source in so many graphs, and measure which effort reaches which recall."""
        parts: list[Part] = []
        efforts, settings = [], GraphSettings(half, tuple(scales))
        for positions in np.array_split(np.arange(len(source)), shards):
            stop = int(positions[-1]) + 1 if len(positions) else (parts[-1].stop if parts else 0)
            built = build_graph(settings, NodeVectors(source, positions, stop))
            parts.append(Part(built.content, positions, stop))
            efforts.append(built.effort)
        index = cls.assembled(parts, least_effort(efforts), source, half=half, scales=scales)
        index.tune()
        return index

    @classmethod
    def assembled(
        cls,
        parts: Iterable[Part],
        effort: Effort,
        source: VectorSource,
        *,
        half: bool,
        scales: Sequence[float] = (),
    ) -> Sharded:
        """Graphs with the codes of their vectors, which are read from the source.

        A node whose vector is gone keeps its links, and stands at the middle of what it is linked to.

        Args:
            parts: In the order of positions.
            effort: Which effort reaches which recall.
            source: The vectors.
            half, scales: See :class:`HNSW`.

        Raises:
            StoreError: If a graph cannot be read or does not fit.
        """
        shards = []
        for content, positions, stop in parts:
            graph = read_graph(content)
            if graph.ntotal != len(positions) or stop > len(source) or graph.d != source.dimensions:
                raise StoreError(
                    f"a graph of {graph.ntotal} vectors of length {graph.d} does not fit {len(positions)} positions "
                    f"among {len(source)} vectors of length {source.dimensions}: build it anew"
                )
            gone = np.flatnonzero(positions < 0)
            view = NodeVectors(source, positions, stop, growing=True)
            if len(gone):
                view.stand_in(stand_ins(view, gone, partial(links_of, graph)))
            shards.append((HNSW.attached(graph, effort, view, half=half, scales=scales), view))
        return cls(shards, source)

    def __len__(self) -> int:
        graph, view = self._shards[-1]
        return view.stop + len(graph) - view.fixed

    @property
    def effort(self) -> Effort:
        """Which effort in each graph reaches which recall of the merged answer."""
        return self._effort

    def graphs(self) -> Iterator[tuple[npt.NDArray[np.uint8], Positions]]:
        """Each graph without codes, and the positions of its nodes' vectors: int64, -1 for those that are gone."""
        for graph, view in self._shards:
            content, nodes = graph.to_bytes()
            yield content, view.positions(np.arange(nodes))

    def search(
        self, queries: Embeddings, k: int, allowed: Mask | None = None, recall: float | None = None
    ) -> Neighbours:
        """See :meth:`Index.search`."""
        n = len(self) if allowed is None else min(len(allowed), len(self))
        check_query(queries, k, allowed, recall, dimensions=self._source.dimensions, n=n)
        if len(queries) == 0:
            return nothing(0, k)
        found = [
            self._named(view, graph.search(queries, k, view.mask(allowed, len(graph)), recall))
            for graph, view in self._shards
        ]
        return merge(found, k)

    def _named(self, view: NodeVectors, found: Neighbours) -> Neighbours:
        """An answer of a graph in positions of the source."""
        return Neighbours(view.positions(found.positions), found.scores)

    def grow(
        self,
        source: VectorSource,
        upto: int,
        *,
        shared: bool,
        threads: int | None = None,
        cancelled: threading.Event | None = None,
    ) -> None:
        """Add the source's vectors from ``len(self)`` to ``upto``; see :meth:`HNSW.grow`."""
        self._source = source
        for _, view in self._shards:
            view.source = source
        graph, view = self._shards[-1]
        nodes = view.fixed + upto - view.stop
        graph.grow(view, nodes, shared=shared, threads=threads, cancelled=cancelled)

    def tune(self) -> None:
        """Measure which effort in each graph reaches which recall of the merged answer."""

        def search(queries: Embeddings, k: int, ef: int) -> Neighbours:
            return merge(
                [
                    self._named(view, graph.at_level(queries, k, ef, view.mask(None, len(graph))))
                    for graph, view in self._shards
                ],
                k,
            )

        self.adopt(measure_effort(LEVELS, self._source, len(self), search))

    def adopt(self, effort: Effort) -> None:
        """Search with an effort that was measured elsewhere on the same graphs."""
        self._effort = effort
        for graph, _ in self._shards:
            graph.adopt(effort)

    def describe(self) -> dict[str, Any]:
        """Kind and parameters."""
        described = [graph.describe() for graph, _ in self._shards]
        return {
            "kind": self.kind,
            "rows": len(self),
            "bytes": sum(each["bytes"] for each in described),
            "shards": len(described),
            "links": LINKS,
            "ef_construction": EF_CONSTRUCTION,
            "codes": described[0]["codes"],
            "measured": self._effort.describe(),
        }

    def save(self, path: Path) -> dict[str, Any]:
        """Write the graphs without the codes; what is returned goes with them to :meth:`load`."""
        shards = []
        with path.open("wb") as file:
            for (content, positions), (_, view) in zip(self.graphs(), self._shards, strict=True):
                stop = view.stop + len(positions) - view.fixed
                file.write(content.data)
                file.write(positions.astype("<i8").data)
                shards.append({"bytes": len(content), "nodes": len(positions), "stop": stop})
        return {
            "rows": shards[-1]["stop"],
            "levels": self._effort.levels,
            "recalls": self._effort.recalls,
            "shards": shards,
        }

    @classmethod
    def load(
        cls,
        path: Path,
        saved: dict[str, Any],
        source: VectorSource,
        *,
        half: bool,
        scales: Sequence[float] = (),
    ) -> Sharded:
        """Read what :meth:`save` wrote; codes come from the source.

        Raises:
            StoreError: If the file does not fit the source.
        """

        def parts() -> Iterator[Part]:
            with path.open("rb") as file:
                for shard in saved["shards"]:
                    content = np.frombuffer(file.read(shard["bytes"]), dtype=np.uint8)
                    positions = np.frombuffer(file.read(8 * shard["nodes"]), dtype="<i8")
                    yield Part(content, positions, shard["stop"])

        effort = Effort.restored(saved["levels"], saved["recalls"])
        return cls.assembled(parts(), effort, source, half=half, scales=scales)


def load_graphs(
    path: Path, saved: dict[str, Any], source: VectorSource, *, half: bool, scales: Sequence[float] = ()
) -> HNSW | Sharded:
    """Read what :meth:`HNSW.save` or :meth:`Sharded.save` wrote; see :meth:`HNSW.load`."""
    if "shards" in saved:
        return Sharded.load(path, saved, source, half=half, scales=scales)
    return HNSW.load(path, saved, source, half=half, scales=scales)
