"""The collection of a Milvus server that is searched: a row for each item, with its vector and what filters ask of it.

It is derived from the record and can be dropped at any time. A marker among the collection's objects says up to which
entry of the log it was brought. There is one of every space and epoch: a compaction begins another and drops the old.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.store.milvus_filters import FIELD
from lookalike.store.milvus_objects import LISTED, drop_collection, keys, load
from lookalike.store.milvus_place import MilvusPlace
from lookalike.store.milvus_server import CALL_SECONDS, asked, translated
from lookalike.types import Embeddings, Rows
from lookalike.vectors.neighbours import NOWHERE, Neighbours

PART = "search"
MARKERS = "search"
"""The folder of markers."""

INDEX: dict[str, Any] = {
    "index_type": "HNSW",
    "metric_type": "IP",
    "params": {"M": 32, "efConstruction": 200},
}
MOST_NEIGHBOURS = LISTED
"""Of one query."""

EF = 128
"""How thoroughly the server searches its graph; higher for a higher recall, and for a filter that keeps less."""

MOST_EF = 4_096
"""Of a search among few; among very few the server compares with all of them itself."""

BATCH_VALUES = 1 << 20
"""Numbers of a request that writes: 4 MiB."""


INDEXED_SECONDS, LOOK_SECONDS = 60.0, 0.5
"""How long writing waits for the server to index what it got, and how often it asks."""


@dataclass(frozen=True, slots=True)
class Marker:
    """How far a searchable collection was brought.

    Args:
        entry: Number of the last entry of the log.
        version: Of the record.
        last_row: The newest row.
        types: Of the attributes, by their key in the documents.
    """

    entry: int
    version: int
    last_row: int
    types: dict[str, str]


class SearchedCollection:
    """The searchable collection of one space and epoch.

    Args:
        place: The collection's.
        space, epoch: Which.
        dimensions: Length of a vector.
    """

    def __init__(self, place: MilvusPlace, space: int, epoch: int, dimensions: int) -> None:
        self._place, self._client = place, place.client
        self.space, self.epoch, self.dimensions = space, epoch, dimensions
        self.name = place.collection(f"{PART}_{space}_{epoch}")

    def marker(self) -> Marker | None:
        """How far it was brought; None where it is not, or not whole."""
        document = self._place.read(self._marker)
        return None if document is None else Marker(**json.loads(document))

    def mark(self, marker: Marker) -> None:
        """Say how far it was brought."""
        self._place.replace(self._marker, json.dumps(asdict(marker)).encode())

    @property
    def _marker(self) -> str:
        return f"{MARKERS}/{self.space}-{self.epoch}.json"

    def create(self) -> None:
        """Make it, if there is none, and have it loaded."""
        from pymilvus import DataType

        with translated(self._place.root):
            is_new = not self._client.has_collection(self.name, timeout=CALL_SECONDS)
            if is_new:
                schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
                schema.add_field("row", DataType.INT64, is_primary=True)
                schema.add_field("vector", DataType.FLOAT_VECTOR, dim=self.dimensions)
                schema.add_field(FIELD, DataType.JSON)
                self._client.create_collection(
                    self.name, schema=schema, consistency_level="Bounded", timeout=CALL_SECONDS
                )
            index = self._client.prepare_index_params()
            index.add_index("vector", **INDEX)
            load(self._client, self.name, index, is_new=is_new)

    def drop_others(self) -> None:
        """Drop the searchable collections of other spaces and epochs, and their markers."""
        with translated(self._place.root):
            listed = self._client.list_collections(timeout=CALL_SECONDS)
        for name in listed:
            if name.startswith(self._place.collection(f"{PART}_")) and name != self.name:
                drop_collection(self._client, name, self._place.root)
        markers = [f"{MARKERS}/{name}" for name in self._place.names(MARKERS)]
        self._place.delete(name for name in markers if name != self._marker)

    def drop(self) -> None:
        """Drop it and its marker."""
        self._place.delete([self._marker])
        drop_collection(self._client, self.name, self._place.root)

    def put(self, rows: Rows, vectors: Embeddings, documents: Mapping[int, dict[str, Any]]) -> None:
        """Write rows, or write them anew; those without a document are left out.

        Args:
            rows: int64 (n,).
            vectors: float32 (n, d), L2-normalised.
            documents: By row.
        """
        size = max(1, BATCH_VALUES // self.dimensions)
        written = [
            {"row": int(row), "vector": vector, FIELD: documents[int(row)]}
            for row, vector in zip(rows, vectors, strict=True)
            if int(row) in documents
        ]
        for first in range(0, len(written), size):
            with translated(self._place.root):
                self._client.upsert(self.name, written[first : first + size], timeout=CALL_SECONDS)

    def remove(self, rows: Rows) -> None:
        """Delete rows."""
        for first in range(0, len(rows), 1_000):
            with translated(self._place.root):
                self._client.delete(
                    self.name, ids=[int(row) for row in rows[first : first + 1_000]], timeout=CALL_SECONDS
                )

    def settle(self) -> None:
        """Have the server put what it got into indexed segments, and wait for that, for INDEXED_SECONDS at most.

        Until it has, and half a minute longer until it searches them, a server with its usual settings searches
        inverted lists of its own in their place, always as thoroughly, and finds less of what a filter leaves.
        """
        with translated(self._place.root):
            self._client.flush(self.name, timeout=CALL_SECONDS)
        until = time.monotonic() + INDEXED_SECONDS
        while time.monotonic() < until and self._unindexed():
            time.sleep(LOOK_SECONDS)

    def _unindexed(self) -> int:
        """Number of rows in segments that wait for their index."""
        with translated(self._place.root):
            described = self._client.describe_index(self.name, "vector", timeout=CALL_SECONDS)
        return int((described or {}).get("pending_index_rows", 0))

    def search(
        self, queries: Embeddings, k: int, expression: str, *, ef: int, consistency: str
    ) -> Neighbours:
        """The k nearest rows of each query; what the server says.

        Args:
            queries: float32 (q, d), L2-normalised.
            k: At most MOST_NEIGHBOURS.
            expression: Of the rows that may be answers; empty: all.
            ef: How thoroughly the graph is searched.
            consistency: How new the server's view has to be.
        """
        with translated(self._place.root):
            search = partial(
                self._client.search,
                self.name,
                data=list(queries),
                limit=k,
                filter=expression,
                search_params={"metric_type": "IP", "params": {"ef": max(ef, k)}},
                consistency_level=consistency,
                timeout=CALL_SECONDS,
            )
            found = asked(self._client, self.name, search)
        positions = np.full((len(queries), k), NOWHERE, dtype=np.int64)
        scores = np.full((len(queries), k), -np.inf, dtype=np.float32)
        for number, hits in enumerate(found):
            positions[number, : len(hits)] = [_key(hit) for hit in hits]
            scores[number, : len(hits)] = [hit["distance"] for hit in hits]
        return Neighbours(positions, scores)

    def select(self, expression: str) -> Rows:
        """Rows that satisfy an expression, as of now, ascending."""
        with translated(self._place.root):
            found = keys(self._client, self.name, expression, "row")
        return np.sort(np.array(found, dtype=np.int64))


def thoroughness(recall: float | None, share: float) -> int:
    """The ``ef`` of a search: more where only a share of the rows may be found, since the graph leads through all."""
    least = EF if recall is None else max(EF, round(0.5 / max(1 - recall, 1e-3)))
    return min(MOST_EF, max(least, round(least / max(share, 1e-9))))


def _key(hit: Any) -> int:
    return int(hit["row"] if "row" in hit else hit["id"])


def distances_above(scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Scores that rounding took out of [-1, 1], put back."""
    return np.clip(scores, -1, 1, where=np.isfinite(scores), out=scores.copy())
