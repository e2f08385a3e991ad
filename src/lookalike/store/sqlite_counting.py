"""Counting values in SQLite: one pass of an attribute's own index for each question.

The rows to look at come in as one blob with a byte for every row. SQLite reads a byte of it in constant time, where
joining a list of 100,000 row numbers would take longer than the counting.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from lookalike.errors import InputError
from lookalike.store.counting import CountingRecord, ValueCounts, ValueRange
from lookalike.store.filters import BUILT_IN
from lookalike.store.sqlite_attributes import catalogue, schema
from lookalike.store.sqlite_connections import Connections
from lookalike.types import TAGS, AttributeType, Rows

_EVERYWHERE = "1 = 1"
_CHOSEN = "substr(:chosen, row + 1, 1) = x'01'"


class SqliteCounting(CountingRecord):
    """Counts over a collection's database: each call in a transaction of its own."""

    _connections: Connections

    def next_rows(self, after: int, limit: int) -> list[int]:
        """The first ``limit`` rows greater than ``after``, ascending."""
        with self._connections.read() as connection:
            found = connection.execute(
                "SELECT row FROM items WHERE row > ? ORDER BY row LIMIT ?", (int(after), int(limit))
            )
            return [row for (row,) in found]

    def count_values(self, attribute: str, rows: Rows | None = None, *, most: int) -> ValueCounts:
        """How often each value of an attribute occurs."""
        chosen = _blob(rows)
        with self._connections.read() as connection:
            if attribute == TAGS:
                return _count_tags(connection, chosen, most)
            return _count(connection, _place(connection, attribute), chosen, most)

    def value_range(self, attribute: str, rows: Rows | None = None) -> ValueRange:
        """The least and the greatest value of a number."""
        chosen = _blob(rows)
        with self._connections.read() as connection:
            place = _number(connection, attribute)
            least, greatest, present, items = connection.execute(
                f"SELECT min({place.sql}), max({place.sql}), count({place.sql}), count(*) "
                f"FROM {place.table} WHERE {_where(chosen)}",
                {"chosen": chosen},
            ).fetchone()
        return ValueRange(least, greatest, present, items - present)

    def count_between(
        self, attribute: str, edges: Sequence[int | float], rows: Rows | None = None
    ) -> list[int]:
        """How many items have a number in each interval."""
        if len(edges) < 2 or any(not low < high for low, high in pairwise(edges)):
            raise InputError(f"edges {list(edges)} do not ascend: expected two or more, each above the last")
        chosen = _blob(rows)
        with self._connections.read() as connection:
            place, last = _number(connection, attribute), len(edges) - 1
            cases = [f"WHEN {place.sql} < :edge{at} THEN {at - 1}" for at in range(1, last)]
            found = connection.execute(
                f"SELECT CASE {' '.join(cases) or 'WHEN 0 THEN 0'} ELSE {last - 1} END AS bin, count(*) "
                f"FROM {place.table} WHERE {place.sql} BETWEEN :edge0 AND :edge{last} AND {_where(chosen)} "
                "GROUP BY bin",
                {"chosen": chosen, **{f"edge{at}": edge for at, edge in enumerate(edges)}},
            )
            counts = dict(found.fetchall())
        return [counts.get(at, 0) for at in range(len(edges) - 1)]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an attribute's values are: ``sql`` is a constant or made of a number alone."""

    name: str
    table: str
    sql: str
    type: AttributeType


def _place(connection: sqlite3.Connection, attribute: str) -> _Place:
    columns = catalogue(connection)
    if attribute in columns:
        return _Place(attribute, "attributes", columns[attribute].sql, columns[attribute].type)
    if attribute in BUILT_IN:
        return _Place(attribute, "items", attribute, BUILT_IN[attribute])
    names = ", ".join(dict.fromkeys((*schema(columns), *BUILT_IN)))
    raise InputError(f"there is no attribute {attribute!r}: choose one of {names}")


def _number(connection: sqlite3.Connection, attribute: str) -> _Place:
    kind = "list" if attribute == TAGS else (place := _place(connection, attribute)).type
    if kind not in ("integer", "number"):
        raise InputError(f"attribute {attribute!r} is {kind}: expected an integer or a number")
    return place


def _blob(rows: Rows | None) -> bytes | None:
    """A byte for each row up to the last one asked about: 1 where it is one of them."""
    if rows is None:
        return None
    mask = np.zeros(int(rows.max(initial=-1)) + 1, dtype=np.uint8)
    mask[rows] = 1
    return mask.tobytes()


def _where(chosen: bytes | None) -> str:
    return _EVERYWHERE if chosen is None else _CHOSEN


def _count(connection: sqlite3.Connection, place: _Place, chosen: bytes | None, most: int) -> ValueCounts:
    found = connection.execute(
        f"SELECT {place.sql}, count(*) AS items, count(*) OVER () FROM {place.table} "
        f"WHERE {place.sql} IS NOT NULL AND {_where(chosen)} "
        f"GROUP BY {place.sql} ORDER BY items DESC, {place.sql} LIMIT :most",
        {"chosen": chosen, "most": most},
    ).fetchall()
    (missing,) = connection.execute(
        f"SELECT count(*) FROM {place.table} WHERE {place.sql} IS NULL AND {_where(chosen)}",
        {"chosen": chosen},
    ).fetchone()
    boolean = place.type == "boolean"  # SQLite has no truth values
    values = tuple((bool(value) if boolean else value, items) for value, items, _ in found)
    return ValueCounts(values, found[0][2] if found else 0, missing)


def _count_tags(connection: sqlite3.Connection, chosen: bytes | None, most: int) -> ValueCounts:
    """Words by the items that have them, however they are spelled and whoever gave them.

    The words alone are counted, which their index covers; how the first item spells each is looked up afterwards.
    """
    found = connection.execute(
        "SELECT folded, count(DISTINCT row) AS items, count(*) OVER () FROM tags "
        f"WHERE {_where(chosen)} GROUP BY folded ORDER BY items DESC, folded LIMIT :most",
        {"chosen": chosen, "most": most},
    ).fetchall()
    spelling = f"SELECT tag FROM tags WHERE folded = :word AND {_where(chosen)} ORDER BY row, origin LIMIT 1"
    values = []
    for word, items, _ in found:
        (tag,) = connection.execute(spelling, {"word": word, "chosen": chosen}).fetchone()
        values.append((tag, items))
    (missing,) = connection.execute(
        "SELECT count(*) FROM items WHERE NOT EXISTS (SELECT 1 FROM tags WHERE tags.row = items.row) "
        f"AND {_where(chosen)}",
        {"chosen": chosen},
    ).fetchone()
    return ValueCounts(tuple(values), found[0][2] if found else 0, missing)
