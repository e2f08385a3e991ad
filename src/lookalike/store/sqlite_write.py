"""Changing a collection's database, inside a write transaction of the caller."""

from __future__ import annotations

import json
import re
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from lookalike.errors import FingerprintMismatch, InputError
from lookalike.store.attribute_values import distinct_tags, fitted, id_problem, storable_text
from lookalike.store.base import Space
from lookalike.store.sqlite_attributes import (
    Catalogue,
    Scalar,
    catalogue,
    insert_tags,
    insert_values,
    json_rows,
    make_room,
    merged_tags,
    read_tags,
    read_values,
    separated,
)
from lookalike.store.sqlite_embeddings import (
    checked_embeddings,
    current_space,
    insert_embeddings,
    insert_thumbnails,
)
from lookalike.store.sqlite_read import all_rows_of, rows_of
from lookalike.store.sqlite_schema import ENCODER, USER, embeddings_table
from lookalike.types import AttributeValue, Embeddings, Record

_SHA256 = re.compile(r"[0-9a-f]{64}")

Fields = tuple[str, str, str, str | None, str, int, int]
"""What the table items holds of an item, in its order: id, uri, source, stamp, sha256, width, height."""

Place = Callable[[Sequence[int]], None]
"""Stores embeddings and thumbnails of new items under their row numbers."""


@dataclass(frozen=True, slots=True)
class NewItems:
    """Items on their way into a database, checked, without embeddings and thumbnails.

    Args:
        fields: What the table items holds of each.
        values: Attributes of each that are mentioned.
        tags: The user's tags of each; None where they are not mentioned.
        labels: The encoder's words for each.
    """

    fields: list[Fields]
    values: list[dict[str, Scalar]]
    tags: list[list[str] | None]
    labels: list[list[str]]


def put(connection: sqlite3.Connection, records: Sequence[Record], fingerprint: str) -> None:
    """Insert or replace items: see :meth:`lookalike.store.base.Store.put`."""
    space = space_of(connection, fingerprint)
    if not records:
        return
    items, embeddings = checked_items(records, space)

    def place(rows: Sequence[int]) -> None:
        insert_embeddings(connection, space, rows, embeddings)
        insert_thumbnails(connection, rows, (record.thumbnail for record in records))

    insert_items(connection, items, place)


def space_of(connection: sqlite3.Connection, fingerprint: str) -> Space:
    """The current space, if it has this fingerprint.

    Raises:
        FingerprintMismatch: If it has another.
    """
    space = current_space(connection)
    if fingerprint != space.fingerprint:
        raise FingerprintMismatch(
            space.fingerprint,
            fingerprint,
            "Use the collection's own encoder, or lookalike migrate it to this one.",
        )
    return space


def checked_items(records: Sequence[Record], space: Space) -> tuple[NewItems, Embeddings]:
    """Records as they are stored, and their embeddings, float32 (n, d).

    Raises:
        InputError: If one cannot be stored, or an id comes twice.
    """
    ids = [_checked(record).id for record in records]
    if len(set(ids)) < len(ids):
        twice = next(id_ for id_ in ids if ids.count(id_) > 1)
        raise InputError(f"the id {twice} is given twice in one batch: ids are unique, give it once")
    embeddings = checked_embeddings([record.embedding for record in records], space, ids)
    given = [separated(record.attributes, record.id) for record in records]
    items = NewItems(
        [_fields(record) for record in records],
        [values for values, _ in given],
        [tags for _, tags in given],
        [distinct_tags(record.labels) for record in records],
    )
    return items, embeddings


def insert_items(connection: sqlite3.Connection, items: NewItems, place: Place) -> None:
    """Insert checked items, in the place of those that have their ids."""
    ids = [fields[0] for fields in items.fields]
    columns, became_text = make_room(connection, catalogue(connection), items.values)

    replaced = rows_of(connection, ids)
    values_before = read_values(connection, columns, replaced.values())
    tags_before = read_tags(connection, replaced.values())
    _delete(connection, list(replaced.values()))
    rows = _new_rows(connection, len(ids))
    values, tags = [], []
    for id_, new_values, new_tags in zip(ids, items.values, items.tags, strict=True):
        old = replaced.get(id_, 0)
        values.append({**values_before.get(old, {}), **new_values})
        tags.append(tags_before.get(old, ([], []))[USER] if new_tags is None else new_tags)

    connection.executemany(
        "INSERT INTO items VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        ((row, *each, item_checksum(row, *each)) for row, each in zip(rows, items.fields, strict=True)),
    )
    insert_values(connection, columns, rows, values)
    insert_tags(connection, rows, tags, USER)
    insert_tags(connection, rows, items.labels, ENCODER)
    place(rows)
    merged = [merged_tags(pair) for pair in zip(tags, items.labels, strict=True)]
    _insert_words(connection, columns, rows, ids, values, merged)
    for column in became_text:
        found = connection.execute(f"SELECT row FROM attributes WHERE {column.sql} IS NOT NULL")
        refresh_words(connection, [row for (row,) in found])
    bump_version(connection)


def _checked(record: Record) -> Record:
    """The record, if its own fields can be stored; embedding and attributes are checked elsewhere."""
    if problem := id_problem(record.id):
        raise InputError(problem)
    texts = {"uri": record.uri, "source": record.source, "sha256": record.sha256}
    if record.stamp is not None:
        texts["stamp"] = record.stamp
    for name, text in texts.items():
        storable_text(text, name)
    for label in record.labels:
        storable_text(label, f"a label of {record.id}")
    if not _SHA256.fullmatch(record.sha256):
        raise InputError(f"sha256 of {record.id} is {record.sha256!r}: expected 64 hexadecimal digits")
    if record.width < 1 or record.height < 1:
        raise InputError(f"{record.id} has {record.width} x {record.height} pixels: expected at least 1 x 1")
    return record


def _fields(record: Record) -> Fields:
    """What the table items holds of a record."""
    size = int(record.width), int(record.height)
    return record.id, record.uri, record.source, record.stamp, record.sha256, *size


def item_checksum(
    row: int, id_: str, uri: str, source: str, stamp: str | None, sha256: str, width: int, height: int
) -> int:
    """CRC-32 of what the table items holds of a row; no text holds the NUL that separates them."""
    marked = "-" if stamp is None else f"={stamp}"
    return zlib.crc32("\0".join((str(row), id_, uri, source, marked, sha256, f"{width}x{height}")).encode())


def _new_rows(connection: sqlite3.Connection, count: int) -> list[int]:
    """Row numbers that were never given, nor will be."""
    found = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'items'").fetchone()
    first = 1 + (found[0] if found else 0)
    return list(range(first, first + count))


def bump_version(connection: sqlite3.Connection) -> int:
    """Count the version up once; the new one."""
    (version,) = connection.execute("UPDATE meta SET version = version + 1 RETURNING version").fetchone()
    return int(version)


def _delete(connection: sqlite3.Connection, rows: Sequence[int]) -> None:
    """Delete rows everywhere and note them among the removed ones, under the version that is coming."""
    if not rows:
        return
    listed = json_rows(rows)
    spaces = connection.execute("SELECT number FROM spaces").fetchall()
    tables = ["items", "attributes", "tags", "begun_labels", "thumbnails"]
    tables += [embeddings_table(number) for (number,) in spaces]
    for table in tables:
        connection.execute(f"DELETE FROM {table} WHERE row IN (SELECT value FROM json_each(?))", (listed,))
    connection.execute("DELETE FROM words WHERE rowid IN (SELECT value FROM json_each(?))", (listed,))
    connection.execute(
        "INSERT INTO removed SELECT value, (SELECT version + 1 FROM meta) FROM json_each(?)", (listed,)
    )


def remove(connection: sqlite3.Connection, ids: Sequence[str]) -> int:
    """Remove items; how many there were."""
    rows = list(rows_of(connection, ids).values())
    if rows:
        _delete(connection, rows)
        bump_version(connection)
    return len(rows)


def touch(connection: sqlite3.Connection, stamps: Mapping[str, tuple[str, str | None]]) -> None:
    """Note new uris and stamps; ids that are gone are left out."""
    found = connection.execute(
        "SELECT row, items.id, uri, source, stamp, sha256, width, height "
        "FROM json_each(?) CROSS JOIN items ON items.id = value",
        (json.dumps(list(stamps)),),
    ).fetchall()
    changed = []
    for row, id_, old_uri, source, old_stamp, *rest in found:
        uri, stamp = stamps[id_]
        if (uri, stamp) != (old_uri, old_stamp):
            storable_text(uri, f"uri of {id_}")
            storable_text(stamp or "", f"stamp of {id_}")
            changed.append((uri, stamp, item_checksum(row, id_, uri, source, stamp, *rest), row))
    if changed:
        connection.executemany("UPDATE items SET uri = ?, stamp = ?, crc = ? WHERE row = ?", changed)
        bump_version(connection)


def set_source(connection: sqlite3.Connection, name: str, uri: str) -> None:
    """Note that a source name stands for a uri."""
    changed = connection.execute(
        "INSERT INTO sources VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET uri = excluded.uri "
        "WHERE uri != excluded.uri",
        (storable_text(name, "a source's name"), storable_text(uri, "a source's uri")),
    ).rowcount
    if changed:
        bump_version(connection)


def forget_unused_sources(connection: sqlite3.Connection) -> None:
    """Delete the sources that no item came through: their uris tell where removed items lay."""
    connection.execute("DELETE FROM sources WHERE name NOT IN (SELECT source FROM items)")


def set_attributes(
    connection: sqlite3.Connection, given: Mapping[str, Mapping[str, AttributeValue]]
) -> list[str]:
    """Set attributes of existing items: see :meth:`lookalike.store.base.Store.set_attributes`."""
    ids = list(given)
    rows = all_rows_of(connection, ids)
    new = [separated(given[id_], id_) for id_ in ids]
    columns, became_text = make_room(connection, catalogue(connection), [values for values, _ in new])
    values_before, tags_before = read_values(connection, columns, rows), read_tags(connection, rows)
    changed: dict[str, int] = {}
    for id_, row, (values, tags) in zip(ids, rows, new, strict=True):
        before = values_before.get(row, {})
        fits = {name: fitted(value, columns[name].type) for name, value in values.items() if name in columns}
        differing = {name: value for name, value in fits.items() if value != before.get(name)}
        if differing:
            assignments = ", ".join(f"{columns[name].sql} = ?" for name in differing)
            connection.execute(
                f"UPDATE attributes SET {assignments} WHERE row = ?", (*differing.values(), row)
            )
            changed[id_] = row
        if tags is not None and tags != tags_before.get(row, ([], []))[USER]:
            connection.execute("DELETE FROM tags WHERE row = ? AND origin = ?", (row, USER))
            insert_tags(connection, [row], [tags], USER)
            changed[id_] = row
    stale = set(changed.values())
    for column in became_text:
        stale.update(
            row for (row,) in connection.execute(f"SELECT row FROM attributes WHERE {column.sql} IS NOT NULL")
        )
    refresh_words(connection, sorted(stale))
    if changed or became_text:
        bump_version(connection)
    return list(changed)


WORDS_BATCH = 1000
"""Rows whose words are refreshed at a time."""


def refresh_words(connection: sqlite3.Connection, rows: Sequence[int]) -> None:
    """Bring the word index of these rows up to what is stored."""
    columns = catalogue(connection)
    for start in range(0, len(rows), WORDS_BATCH):
        part = rows[start : start + WORDS_BATCH]
        listed = json_rows(part)
        connection.execute("DELETE FROM words WHERE rowid IN (SELECT value FROM json_each(?))", (listed,))
        for row, id_, tags, text in words_of(connection, columns, part):
            connection.execute(
                "INSERT INTO words (rowid, id, tags, text) VALUES (?, ?, ?, ?)", (row, id_, tags, text)
            )


def words_of(
    connection: sqlite3.Connection, columns: Catalogue, rows: Sequence[int]
) -> Iterable[tuple[int, str, str, str]]:
    """What the word index has to hold of these rows: (row, id, tags, text)."""
    values, tags = read_values(connection, columns, rows), read_tags(connection, rows)
    ids = dict(
        connection.execute(
            "SELECT row, items.id FROM json_each(?) CROSS JOIN items ON row = value", (json_rows(rows),)
        ).fetchall()
    )
    for row, id_ in ids.items():
        merged = merged_tags(tags.get(row, ((), ())))
        yield row, id_, "\n".join(merged), _text(columns, values.get(row, {}))


def _text(columns: Catalogue, values: Mapping[str, Scalar]) -> str:
    """The text attributes of an item, as they are stored, a line each."""
    texts = (values.get(column.name) for column in columns.values() if column.type == "text")
    return "\n".join(str(fitted(value, "text")) for value in texts if value is not None)


def _insert_words(
    connection: sqlite3.Connection,
    columns: Catalogue,
    rows: Sequence[int],
    ids: Sequence[str],
    values: Sequence[Mapping[str, Scalar]],
    tags: Sequence[Sequence[str]],
) -> None:
    connection.executemany(
        "INSERT INTO words (rowid, id, tags, text) VALUES (?, ?, ?, ?)",
        (
            (row, id_, "\n".join(words), _text(columns, each))
            for row, id_, words, each in zip(rows, ids, tags, values, strict=True)
        ),
    )
