"""Attributes and tags in SQLite: the catalogue, one column a number, one index a column.

A user's attribute name never enters a statement: the catalogue gives it a number, and the column is
``a<number>``. Columns have no declared type, so values keep the type they are bound with.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from lookalike.errors import DamagedCollection, InputError
from lookalike.store.attribute_values import (
    MAX_ATTRIBUTES,
    checked_name,
    checked_value,
    distinct_tags,
    fitted,
    narrowest_types,
    tag_list,
)
from lookalike.store.filter_nodes import fold
from lookalike.store.sqlite_schema import ENCODER, USER
from lookalike.types import TAGS, AttributeType, AttributeValue

MAX_INDEXES = 64
"""Attributes after these are found by reading the whole table: every index costs each insert."""

_TYPES: tuple[AttributeType, ...] = get_args(AttributeType)

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Column:
    """Where an attribute is."""

    name: str
    number: int
    type: AttributeType

    @property
    def sql(self) -> str:
        """The name of the column: made of a number alone."""
        return f"a{int(self.number)}"

    def read(self, stored: Scalar) -> Scalar:
        """The value as the attribute's type; SQLite has no truth values."""
        return bool(stored) if self.type == "boolean" and stored is not None else stored


Catalogue = dict[str, Column]


def catalogue(connection: sqlite3.Connection) -> Catalogue:
    """All attributes but ``tags``, in the order in which they came.

    Raises:
        DamagedCollection: If one has a type that there is not.
    """
    found = connection.execute("SELECT name, number, type FROM catalogue ORDER BY number").fetchall()
    for name, _, kind in found:
        if kind not in _TYPES:
            raise DamagedCollection(
                f"the attribute {name!r} has the type {kind!r}, expected one of {', '.join(_TYPES)}: "
                "restore the collection from a copy"
            )
    return {name: Column(name, number, kind) for name, number, kind in found}


def schema(columns: Catalogue) -> dict[str, AttributeType]:
    """Names and types, ``tags`` last."""
    types: dict[str, AttributeType] = {column.name: column.type for column in columns.values()}
    return {**types, TAGS: "list"}


def json_rows(rows: Iterable[int]) -> str:
    """Row numbers as one bound parameter for ``json_each``."""
    return json.dumps([int(row) for row in rows])


def separated(
    attributes: Mapping[str, AttributeValue], item: str
) -> tuple[dict[str, Scalar], list[str] | None]:
    """Checked values and, apart from them, the user's tags; None when tags are not mentioned.

    Raises:
        InputError: If a name or value cannot be stored; names the item.
    """
    try:
        values = {
            checked_name(name): checked_value(name, value)
            for name, value in attributes.items()
            if name != TAGS
        }
        return values, tag_list(attributes[TAGS]) if TAGS in attributes else None
    except InputError as error:
        raise InputError(f"item {item}: {error}") from None


def make_room(
    connection: sqlite3.Connection, columns: Catalogue, values: Sequence[Mapping[str, Scalar]]
) -> tuple[Catalogue, list[Column]]:
    """Add and widen attributes so that values fit.

    Returns:
        The new catalogue, and the attributes that became text and so are to be found by their words.
    """
    needed = narrowest_types({name: column.type for name, column in columns.items()}, values)
    if not needed:
        return columns, []
    if len(columns.keys() | needed.keys()) > MAX_ATTRIBUTES:
        raise InputError(f"a collection has at most {MAX_ATTRIBUTES} attributes: leave some columns out")
    became_text = []
    for name, kind in needed.items():
        if name in columns:
            column = Column(name, columns[name].number, kind)
            _convert(connection, columns[name], kind)
            connection.execute("UPDATE catalogue SET type = ? WHERE number = ?", (kind, column.number))
            if kind == "text":
                became_text.append(column)
        else:
            number = 1 + max((each.number for each in columns.values()), default=-1)
            column = Column(name, number, kind)
            connection.execute("INSERT INTO catalogue VALUES (?, ?, ?)", (number, name, kind))
            connection.execute(f"ALTER TABLE attributes ADD COLUMN {column.sql}")
            if number < MAX_INDEXES:
                connection.execute(f"CREATE INDEX {index_name(column)} ON attributes ({column.sql})")
        columns = {**columns, name: column}
    return columns, became_text


def index_name(column: Column) -> str:
    """The name of a column's index."""
    return f"attributes_by_{column.sql}"


def _convert(connection: sqlite3.Connection, column: Column, kind: AttributeType) -> None:
    connection.create_function(
        "fitted", 1, lambda value: fitted(column.read(value), kind), deterministic=True
    )
    connection.execute(
        f"UPDATE attributes SET {column.sql} = fitted({column.sql}) WHERE {column.sql} IS NOT NULL"
    )


def insert_values(
    connection: sqlite3.Connection,
    columns: Catalogue,
    rows: Sequence[int],
    values: Sequence[Mapping[str, Scalar]],
) -> None:
    """Store the values of new rows; every item has a row here, also without attributes."""
    names = ["row", *(column.sql for column in columns.values())]
    connection.executemany(
        f"INSERT INTO attributes ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",
        (
            (row, *(fitted(each.get(column.name), column.type) for column in columns.values()))
            for row, each in zip(rows, values, strict=True)
        ),
    )


def insert_tags(
    connection: sqlite3.Connection, rows: Iterable[int], tags: Iterable[Sequence[str]], origin: int
) -> None:
    """Store tags of rows that have none of this origin."""
    connection.executemany(
        "INSERT INTO tags VALUES (?, ?, ?, ?, ?)",
        (
            (row, origin, position, tag, fold(tag))
            for row, each in zip(rows, tags, strict=True)
            for position, tag in enumerate(each)
        ),
    )


def read_values(
    connection: sqlite3.Connection, columns: Catalogue, rows: Iterable[int]
) -> dict[int, dict[str, Scalar]]:
    """The attributes that are set, by row; ``tags`` is not among them."""
    listed = list(columns.values())
    selected = ", ".join(["attributes.row", *(column.sql for column in listed)])
    found = connection.execute(
        f"SELECT {selected} FROM json_each(?) CROSS JOIN attributes ON attributes.row = value",
        (json_rows(rows),),
    )
    return {
        row: {
            column.name: column.read(value)
            for column, value in zip(listed, values, strict=True)
            if value is not None
        }
        for row, *values in found
    }


def read_tags(connection: sqlite3.Connection, rows: Iterable[int]) -> dict[int, tuple[list[str], list[str]]]:
    """The user's tags and the encoder's labels, by row; rows without any are left out."""
    found = connection.execute(
        "SELECT tags.row, origin, tag FROM json_each(?) CROSS JOIN tags ON tags.row = value "
        "ORDER BY tags.row, origin, position",
        (json_rows(set(rows)),),
    )
    tags: dict[int, tuple[list[str], list[str]]] = {}
    for row, origin, tag in found:
        tags.setdefault(row, ([], []))[origin].append(tag)
    return tags


def merged_tags(tags: tuple[Sequence[str], Sequence[str]]) -> list[str]:
    """The value of the attribute ``tags``: the user's words, then the encoder's that are not among them."""
    return distinct_tags((*tags[USER], *tags[ENCODER]))
