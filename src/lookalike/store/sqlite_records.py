"""Items out of a collection's database as they went in, inside a transaction of the caller."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from lookalike.store.sqlite_attributes import catalogue, json_rows, read_tags, read_values
from lookalike.store.sqlite_schema import ENCODER, USER
from lookalike.types import TAGS, AttributeValue, Embeddings, Record


def read_records(
    connection: sqlite3.Connection, rows: Sequence[int], embeddings: Embeddings, thumbnails: Sequence[bytes]
) -> list[Record]:
    """Items as ``put`` would take them.

    Args:
        connection: Inside a transaction.
        rows: Ascending, of items that there are.
        embeddings: float32 (n, d), of these rows.
        thumbnails: WebP bytes of these rows.

    Returns:
        Records in the order of the rows; attributes that are set, in the order of the catalogue, and the user's tags
        where there are any.
    """
    values, tags = read_values(connection, catalogue(connection), rows), read_tags(connection, rows)
    found = connection.execute(
        "SELECT row, items.id, uri, source, stamp, sha256, width, height "
        "FROM json_each(?) CROSS JOIN items ON row = value",
        (json_rows(rows),),
    )
    fields = {row: rest for row, *rest in found}
    records = []
    for row, embedding, thumbnail in zip(rows, embeddings, thumbnails, strict=True):
        id_, uri, source, stamp, sha256, width, height = fields[row]
        own = tags.get(row, ([], []))
        attributes: dict[str, AttributeValue] = {**values.get(row, {})}
        if own[USER]:
            attributes[TAGS] = own[USER]
        labels = tuple(own[ENCODER])
        records.append(
            Record(id_, uri, source, stamp, sha256, width, height, embedding, thumbnail, labels, attributes)
        )
    return records
