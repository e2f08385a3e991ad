"""Reading a collection's database, inside a read transaction of the caller."""

from __future__ import annotations

import difflib
import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from lookalike.errors import InputError, UnknownItem
from lookalike.store.base import Changes, Known
from lookalike.store.filters import BUILT_IN
from lookalike.store.sqlite_attributes import (
    Scalar,
    catalogue,
    json_rows,
    merged_tags,
    read_tags,
    read_values,
    schema,
)
from lookalike.store.sqlite_embeddings import current_space
from lookalike.types import TAGS, AttributeValue, Item, Rows

_INT64_MAX = 2**63 - 1

MAX_WORDS = 32
"""Words of a text query that are looked up."""

_WORD = re.compile(r"[^\W_]+")
_WEIGHTS = "1.0, 4.0, 2.0"
"""Of a word in the id, the tags and the text attributes: tags say what is seen, ids hardly."""

_PREFIX_LENGTH = 3
"""Letters from which the last word of a query also stands for longer ones: it may be half typed."""


def read_version(connection: sqlite3.Connection) -> tuple[int, int]:
    """Version and epoch."""
    version, epoch = connection.execute("SELECT version, epoch FROM meta").fetchone()
    return int(version), int(epoch)


def known(connection: sqlite3.Connection, ids: Sequence[str]) -> dict[str, Known]:
    """What is known of these ids; unknown ones are left out."""
    found = connection.execute(
        "SELECT items.id, row, uri, stamp, sha256 FROM json_each(?) CROSS JOIN items ON items.id = value",
        (json.dumps(list(ids)),),
    )
    return {id_: Known(*rest) for id_, *rest in found}


def rows_of(connection: sqlite3.Connection, ids: Sequence[str]) -> dict[str, int]:
    """Rows by id; unknown ids are left out."""
    found = connection.execute(
        "SELECT items.id, row FROM json_each(?) CROSS JOIN items ON items.id = value",
        (json.dumps(list(ids)),),
    )
    return dict(found.fetchall())


def all_rows_of(connection: sqlite3.Connection, ids: Sequence[str]) -> list[int]:
    """Rows in the order of the ids.

    Raises:
        UnknownItem: If an id is not in the collection; names the closest ids that are.
    """
    rows = rows_of(connection, ids)
    missing = [id_ for id_ in ids if id_ not in rows]
    if not missing:
        return [rows[id_] for id_ in ids]
    near = closest_ids(connection, missing[0])
    others = f" (nor are {len(missing) - 1} others)" if len(missing) > 1 else ""
    advice = (
        f"the closest are {', '.join(near)}" if near else "an id is the source's name plus the path inside it"
    )
    raise UnknownItem(f"{missing[0]!r} is not in the collection{others}: {advice}")


def closest_ids(connection: sqlite3.Connection, id_: str, most: int = 3) -> list[str]:
    """Ids that look like one that does not exist: neighbours in order and ids with the same words."""
    near: list[tuple[str]] = []
    near += connection.execute("SELECT id FROM items WHERE id < ? ORDER BY id DESC LIMIT 50", (id_,))
    near += connection.execute("SELECT id FROM items WHERE id > ? ORDER BY id LIMIT 50", (id_,))
    query = _query(id_, "{id} : ")
    if query:
        near += connection.execute(
            "SELECT id FROM words WHERE words MATCH ? ORDER BY bm25(words), rowid LIMIT 100", (query,)
        )
    return difflib.get_close_matches(id_, sorted({each for (each,) in near}), n=most, cutoff=0.5)


def read_items(connection: sqlite3.Connection, rows: Iterable[int]) -> dict[int, Item]:
    """Items by row; rows that are gone are left out."""
    asked = list(rows)
    columns = catalogue(connection)
    values, tags = read_values(connection, columns, asked), read_tags(connection, asked)
    found = connection.execute(
        "SELECT row, items.id, uri, sha256, width, height FROM json_each(?) CROSS JOIN items ON row = value",
        (json_rows(asked),),
    )
    return {
        row: Item(
            row,
            id_,
            uri,
            sha256,
            width,
            height,
            {**values.get(row, {}), TAGS: merged_tags(tags.get(row, ((), ())))},
        )
        for row, id_, uri, sha256, width, height in found
    }


def stream_items(connection: sqlite3.Connection, batch: int) -> Iterator[list[Item]]:
    """All items by row, ``batch`` at a time."""
    last = -1
    while True:
        found = connection.execute("SELECT row FROM items WHERE row > ? ORDER BY row LIMIT ?", (last, batch))
        rows = [row for (row,) in found]
        if not rows:
            return
        items = read_items(connection, rows)
        yield [items[row] for row in rows]
        last = rows[-1]


def read_column(connection: sqlite3.Connection, attribute: str, rows: Sequence[int]) -> list[AttributeValue]:
    """One attribute of these rows, in the order asked; None where it is not set or the row is gone.

    Raises:
        InputError: If there is no such attribute, nor a built-in one; lists those that exist.
    """
    if attribute == TAGS:
        tags = read_tags(connection, rows)
        return [merged_tags(tags[int(row)]) if int(row) in tags else None for row in rows]
    columns = catalogue(connection)
    if attribute in columns:
        column = columns[attribute]
        table, name = "attributes", column.sql
    elif attribute in BUILT_IN:
        column, table, name = None, "items", attribute
    else:
        names = ", ".join(dict.fromkeys((*schema(columns), *BUILT_IN)))
        raise InputError(f"there is no attribute {attribute!r}: choose one of {names}")
    found = connection.execute(
        f"SELECT row, {table}.{name} FROM json_each(?) CROSS JOIN {table} ON row = value", (json_rows(rows),)
    )
    values: dict[int, Scalar] = dict(found.fetchall())
    stored = (values.get(int(row)) for row in rows)
    return list(stored) if column is None else [column.read(value) for value in stored]


def match_words(connection: sqlite3.Connection, text: str, limit: int) -> list[tuple[int, float]]:
    """Rows whose id, tags or text attributes hold some of the words, best first.

    Args:
        text: Any text; its words are looked up by their stems, and none of it is query syntax.
        limit: At most that many.

    Returns:
        (row, score): the score is b / (1 + b) of BM25's b, in (0, 1), equal scores by row.
    """
    query = _query(text, "")
    if not query:
        return []
    found = connection.execute(
        f"SELECT rowid, -bm25(words, {_WEIGHTS}) AS b FROM words WHERE words MATCH ? "
        "ORDER BY b DESC, rowid LIMIT ?",
        (query, min(limit, _INT64_MAX)),
    )
    return [(row, b / (1 + b)) for row, b in found]


def _query(text: str, prefix: str) -> str:
    """An FTS5 query for any of the words, each in quotes; empty when there are none."""
    words = _WORD.findall(text)[:MAX_WORDS]
    quoted = [f'"{word}"' for word in words]
    if words and len(words[-1]) >= _PREFIX_LENGTH:
        quoted[-1] += " *"
    return f"{prefix}({' OR '.join(quoted)})" if quoted else ""


def read_changes(connection: sqlite3.Connection, version: int, last_row: int) -> Changes:
    """What happened since ``version``, for a reader whose newest row is ``last_row``."""
    now, epoch = read_version(connection)
    added = connection.execute("SELECT row FROM items WHERE row > ? ORDER BY row", (int(last_row),))
    rows_added = _rows(added)
    removed = connection.execute(
        "SELECT row FROM removed WHERE version > ? AND row <= ? ORDER BY row", (int(version), int(last_row))
    )
    return Changes(now, current_space(connection).number, epoch, rows_added, _rows(removed))


def _rows(cursor: sqlite3.Cursor) -> Rows:
    return np.fromiter((row for (row,) in cursor), dtype=np.int64)
