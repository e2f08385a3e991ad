"""What is wrong with a collection's database: structure, references, checksums, values, word index."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from lookalike.errors import DamagedCollection
from lookalike.store.base import Damage, Space
from lookalike.store.filter_nodes import fold
from lookalike.store.sqlite_attributes import catalogue, json_rows
from lookalike.store.sqlite_embeddings import (
    StoredBlob,
    blob_width,
    checksum,
    decoded,
    space_in_state,
)
from lookalike.store.sqlite_fitted import fitted_damages
from lookalike.store.sqlite_interactions import interaction_damages
from lookalike.store.sqlite_schema import BEGUN, CURRENT, ENCODER, USER, embeddings_table
from lookalike.store.sqlite_tracking_damages import tracking_damages
from lookalike.store.sqlite_write import item_checksum, words_of
from lookalike.types import AttributeType

BATCH = 1000
"""Rows looked at together."""

LENGTH_TOLERANCE = 1e-2
"""How far from 1 the length of a stored embedding may be."""

UNREADABLE = (
    sqlite3.DatabaseError, DamagedCollection,
    ArithmeticError, AttributeError, LookupError, TypeError, ValueError,
)  # fmt: skip
"""What a check may meet: a damaged record holds values of any type, or none, where a sound one cannot."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_STORAGE: dict[AttributeType, str] = {
    "text": "text",
    "integer": "integer",
    "boolean": "integer",
    "number": "real",
}


Check = Callable[[sqlite3.Connection], Iterator[Damage]]


def damages(connection: sqlite3.Connection, instead: Mapping[str, Check] | None = None) -> Iterator[Damage]:
    """Everything that is wrong, as of the caller's read transaction.

    Args:
        connection: To the database.
        instead: Checks that take the place of those of the same name, where a database refers to embeddings and
            thumbnails that lie elsewhere.
    """
    checks: dict[str, Check] = {
        "database": _structure,
        "references": _references,
        "items": _items,
        "attributes": _attributes,
        "tags": _tags,
        "embeddings": _embeddings,
        "thumbnails": _thumbnails,
        "word index": _words,
        "fitted": fitted_damages,
        "interactions": interaction_damages,
        "tracking": tracking_damages,
        **(instead or {}),
    }
    for where, check in checks.items():
        try:
            yield from check(connection)
        except UNREADABLE as error:
            yield Damage(where, f"cannot be read: {error}")


def word_index_damages(connection: sqlite3.Connection) -> list[Damage]:
    """What FTS5 finds wrong in its own tables; it asks for a write transaction and changes nothing."""
    try:
        connection.execute("INSERT INTO words (words) VALUES ('integrity-check')")
    except sqlite3.DatabaseError as error:
        return [Damage("word index", f"does not agree with its texts: {error}")]
    return []


def _structure(connection: sqlite3.Connection) -> Iterator[Damage]:
    for (line,) in connection.execute("PRAGMA integrity_check"):
        if line != "ok":
            yield Damage("database", line)


def _references(connection: sqlite3.Connection) -> Iterator[Damage]:
    current, begun = space_in_state(connection, CURRENT), space_in_state(connection, BEGUN)
    if current is None:
        yield Damage("spaces", "there is no current space")
    one_each = {"attributes": "row", "thumbnails": "row", "words": "rowid"}
    if current is not None:
        one_each[embeddings_table(current.number)] = "row"
    for table, column in one_each.items():
        for (row,) in connection.execute(f"SELECT row FROM items EXCEPT SELECT {column} FROM {table}"):
            yield Damage(name_of_row(connection, table, row), "is missing")
    some = {**one_each, "tags": "row", "begun_labels": "row"}
    if begun is not None:
        some[embeddings_table(begun.number)] = "row"
    for table, column in some.items():
        for (row,) in connection.execute(f"SELECT {column} FROM {table} EXCEPT SELECT row FROM items"):
            yield Damage(f"{table}, row {row}", "belongs to no item")
    for (row,) in connection.execute("SELECT row FROM items INTERSECT SELECT row FROM removed"):
        yield Damage(name_of_row(connection, "items", row), "is among the removed rows too")
    (newest,) = connection.execute("SELECT coalesce(max(row), 0) FROM items").fetchone()
    found = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'items'").fetchone()
    if newest > (found[0] if found else 0):
        yield Damage(
            "items", f"the counter of rows is below the newest row {newest}: numbers would come twice"
        )


def _items(connection: sqlite3.Connection) -> Iterator[Damage]:
    found = connection.execute("SELECT row, crc, id, uri, source, stamp, sha256, width, height FROM items")
    for row, crc, id_, uri, source, stamp, sha256, width, height in found:
        where = f"items, row {row} ({id_})"
        if item_checksum(row, id_, uri, source, stamp, sha256, width, height) != crc:
            yield Damage(where, "does not match its checksum")
        if not _SHA256.fullmatch(sha256):
            yield Damage(where, f"sha256 is {sha256!r}: expected 64 hexadecimal digits")
        if width < 1 or height < 1:
            yield Damage(where, f"has {width} x {height} pixels")


def _attributes(connection: sqlite3.Connection) -> Iterator[Damage]:
    for column in catalogue(connection).values():
        found = connection.execute(
            f"SELECT row, typeof({column.sql}) FROM attributes "
            f"WHERE {column.sql} IS NOT NULL AND typeof({column.sql}) != ?",
            (_STORAGE[column.type],),
        )
        for row, kind in found:
            where = name_of_row(connection, "attributes", row)
            yield Damage(where, f"{column.name} is stored as {kind}, its type is {column.type}")


def _tags(connection: sqlite3.Connection) -> Iterator[Damage]:
    for row, origin, tag, folded in connection.execute("SELECT row, origin, tag, folded FROM tags"):
        if fold(tag) != folded or origin not in (USER, ENCODER):
            yield Damage(
                name_of_row(connection, "tags", row), f"the tag {tag!r} does not agree with {folded!r}"
            )


def _embeddings(connection: sqlite3.Connection) -> Iterator[Damage]:
    for space in (space_in_state(connection, CURRENT), space_in_state(connection, BEGUN)):
        if space is None:
            continue
        table = embeddings_table(space.number)
        cursor = connection.execute(f"SELECT row, vector, crc FROM {table} ORDER BY row")
        while blobs := [StoredBlob(*each) for each in cursor.fetchmany(BATCH)]:
            sound = []
            for blob in blobs:
                if checksum(blob.row, blob.data) != blob.crc:
                    yield Damage(name_of_row(connection, table, blob.row), "does not match its checksum")
                elif len(blob.data) != blob_width(space):
                    yield Damage(
                        name_of_row(connection, table, blob.row),
                        f"has {len(blob.data)} bytes: expected {blob_width(space)}",
                    )
                else:
                    sound.append(blob)
            yield from _lengths(connection, space, sound)


def _lengths(connection: sqlite3.Connection, space: Space, blobs: list[StoredBlob]) -> Iterator[Damage]:
    rows, embeddings = decoded(blobs, space)
    lengths = np.sqrt(np.einsum("nd,nd->n", embeddings, embeddings))
    for index in np.flatnonzero(~(np.abs(lengths - 1) <= LENGTH_TOLERANCE)):
        where = name_of_row(connection, embeddings_table(space.number), int(rows[index]))
        yield Damage(where, f"has the length {lengths[index]}: expected finite numbers and the length 1")


def _thumbnails(connection: sqlite3.Connection) -> Iterator[Damage]:
    for blob in map(StoredBlob._make, connection.execute("SELECT row, webp, crc FROM thumbnails")):
        if checksum(blob.row, blob.data) != blob.crc:
            yield Damage(name_of_row(connection, "thumbnails", blob.row), "does not match its checksum")


def _words(connection: sqlite3.Connection) -> Iterator[Damage]:
    """The texts of the word index against the items that they were made of."""
    columns = catalogue(connection)
    cursor = connection.execute("SELECT row FROM items ORDER BY row")
    while page := [row for (row,) in cursor.fetchmany(BATCH)]:
        found = connection.execute(
            "SELECT rowid, id, tags, text FROM words WHERE rowid IN (SELECT value FROM json_each(?))",
            (json_rows(page),),
        )
        indexed = {row: (row, *texts) for row, *texts in found}
        for expected in words_of(connection, columns, page):
            if indexed.get(expected[0], expected) != expected:
                yield Damage(
                    name_of_row(connection, "word index", expected[0]), "does not agree with the item"
                )


def name_of_row(connection: sqlite3.Connection, table: str, row: int) -> str:
    """A row of a table for a person: with its item's id, if it has one."""
    found = connection.execute("SELECT id FROM items WHERE row = ?", (row,)).fetchone()
    return f"{table}, row {row}" + (f" ({found[0]})" if found else "")
