"""A collection on a Milvus server: the store of :mod:`lookalike.store.lance_store` on another place.

The log, its payloads and checkpoints, and the items' bulk data lie in collections of the server
(:mod:`lookalike.store.milvus_place`, :mod:`lookalike.store.milvus_bulk`); everything else is read from a replica on
this machine. What is searched is a collection of the server too, which is derived from the record.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lookalike.errors import StoreError
from lookalike.store import sqlite_read
from lookalike.store.base import Changes
from lookalike.store.filters import BUILT_IN, Filter
from lookalike.store.gallery import Gallery
from lookalike.store.lance_replica import Replica
from lookalike.store.lance_state import read_state
from lookalike.store.lance_store import LanceStore
from lookalike.store.milvus_filters import document
from lookalike.store.milvus_log import RestatementLog
from lookalike.store.milvus_place import MilvusPlace
from lookalike.store.object_log import Erased
from lookalike.store.sqlite_attributes import catalogue, json_rows, read_tags, read_values
from lookalike.store.sqlite_embeddings import current_space
from lookalike.types import Rows

KEPT_FILTERS = 64
"""Answers of :meth:`MilvusStore.select` whose filter is remembered."""

_BUILT_IN = tuple(BUILT_IN)


@dataclass(frozen=True, slots=True)
class Moment:
    """The record at one moment, as far as who searches it has to know.

    Args:
        entry: Number of the last entry of the log.
        changes: Of the rows.
        columns: Key in the documents and type of every attribute.
    """

    entry: int
    changes: Changes
    columns: dict[str, tuple[str, str]]


class MilvusStore(LanceStore):
    """One open collection on a Milvus server; made by ``create`` or ``open``, with a URL ``milvus://...``."""

    def __init__(self, replica: Replica) -> None:
        replica.log = self._log = RestatementLog(replica.place)
        super().__init__(replica)
        self._selecting = threading.Lock()
        self._selected: OrderedDict[int, tuple[Rows, Filter]] = OrderedDict()

    @property
    def place(self) -> MilvusPlace:
        """Where the collection is."""
        place = self._replica.place
        if not isinstance(place, MilvusPlace):
            raise StoreError(f"{self.uri} is not on a Milvus server: open it by its path")
        return place

    def select(self, filter: Filter) -> Rows:
        """Rows of the items that satisfy a filter; see :meth:`filter_of`."""
        rows = super().select(filter)
        with self._selecting:
            self._selected[id(rows)] = (rows, filter)
            while len(self._selected) > KEPT_FILTERS:
                self._selected.popitem(last=False)
        return rows

    def filter_of(self, rows: Rows) -> Filter | None:
        """The filter that :meth:`select` gave this very array for, if it remembers."""
        with self._selecting:
            known = self._selected.get(id(rows))
        return known[1] if known is not None and known[0] is rows else None

    # what the searchable side is made of

    def moment(self, version: int, last_row: int) -> Moment:
        """The record as it is now, with what happened since a version; see ``changes``."""
        with self._connections.read() as connection:
            columns = {name: (name, str(kind)) for name, kind in BUILT_IN.items()}
            columns |= {column.name: (column.sql, column.type) for column in catalogue(connection).values()}
            return Moment(
                read_state(connection).number,
                sqlite_read.read_changes(connection, version, last_row),
                columns,
            )

    def existing(self, rows: Iterable[int]) -> Rows:
        """Those of some rows that belong to an item, ascending."""
        with self._connections.read() as connection:
            found = connection.execute(
                "SELECT row FROM items WHERE row IN (SELECT value FROM json_each(?)) ORDER BY row",
                (json_rows(rows),),
            )
            return np.array([row for (row,) in found], dtype=np.int64)

    def all_rows(self) -> Rows:
        """Rows of all items, ascending."""
        with self._connections.read() as connection:
            (listed,) = connection.execute("SELECT group_concat(row) FROM items").fetchone()
        return np.sort(np.array(listed.split(",") if listed else [], dtype=np.int64))

    def documents(self, rows: Sequence[int]) -> dict[int, dict[str, Any]]:
        """What filters ask of the items of rows, by row."""
        with self._connections.read() as connection:
            columns = catalogue(connection)
            values, tags = read_values(connection, columns, rows), read_tags(connection, rows)
            items = connection.execute(
                f"SELECT row, {', '.join(_BUILT_IN)} FROM items WHERE row IN (SELECT value FROM json_each(?))",
                (json_rows(rows),),
            ).fetchall()
        return {
            row: document(
                dict(zip(_BUILT_IN, built_in, strict=True)),
                {columns[name].sql: value for name, value in values.get(row, {}).items()},
                [tag for some in tags.get(row, ()) for tag in some],
            )
            for row, *built_in in items
        }

    def newest_entry(self) -> int:
        """The highest number of an entry of the log that this process made or applied; costs no question."""
        return self._log.newest

    def restated(self, after: int, through: int) -> Rows | None:
        """Rows of items whose fields were changed by entries of the log, beside what entries added or removed.

        Args:
            after, through: Numbers of entries, the first exclusive.

        Returns:
            Ascending; None where entries were erased, so that it cannot be known.
        """
        ids: set[str] = set()
        for number in range(after + 1, through + 1):
            try:
                ids.update(self._log.restated(number))
            except Erased:
                return None
        known = self.known(sorted(ids))
        return np.array(sorted(each.row for each in known.values()), dtype=np.int64)

    def gallery(self) -> Gallery:
        """Its searchable side, which is on the server."""
        from lookalike.store.milvus_gallery import MilvusGallery

        return MilvusGallery(self)

    def dimensions(self) -> int:
        """Length of an embedding."""
        with self._connections.read() as connection:
            return current_space(connection).dimensions
