"""Embeddings and thumbnails in SQLite: bytes with a checksum each, in tables of their own."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.errors import DamagedCollection, InputError, UnknownItem
from lookalike.store.base import Precision, Space
from lookalike.store.sqlite_attributes import json_rows
from lookalike.store.sqlite_schema import CURRENT, embeddings_table
from lookalike.types import Embeddings, Rows
from lookalike.vectors.half import widened

NORM_TOLERANCE = 1e-3
"""How far from 1 the length of a row that is called L2-normalised may be; f16 rounding moves it by 1e-5."""

DTYPES: dict[Precision, np.dtype[np.floating]] = {"f16": np.dtype("<f2"), "f32": np.dtype("<f4")}


class StoredBlob(NamedTuple):
    """Bytes as they lie in a table."""

    row: int
    data: bytes
    crc: int


def space_in_state(connection: sqlite3.Connection, state: str) -> Space | None:
    """The space that is current or begun, if there is one.

    Raises:
        DamagedCollection: If its numbers cannot be read.
    """
    found = connection.execute(
        "SELECT number, spec, fingerprint, dimensions, precision FROM spaces WHERE state = ?", (state,)
    ).fetchone()
    if found is None:
        return None
    space = Space(*found)
    if space.precision not in DTYPES or not isinstance(space.dimensions, int):
        raise DamagedCollection(
            f"space {space.number} has {space.dimensions!r} dimensions in {space.precision!r}, "
            f"expected a number in one of {', '.join(DTYPES)}: restore the collection from a copy"
        )
    return space


def current_space(connection: sqlite3.Connection) -> Space:
    """The space that readers see.

    Raises:
        DamagedCollection: If there is none.
    """
    space = space_in_state(connection, CURRENT)
    if space is None:
        raise DamagedCollection("the table spaces has no current space: restore the collection from a copy")
    return space


def checksum(row: int, data: bytes) -> int:
    """CRC-32 of the bytes, begun with the row number so that exchanged rows are found too."""
    return zlib.crc32(data, row & 0xFFFFFFFF)


def blob_width(space: Space) -> int:
    """Bytes of one embedding."""
    return space.dimensions * DTYPES[space.precision].itemsize


def checked_embeddings(
    embeddings: Sequence[npt.ArrayLike] | Embeddings, space: Space, names: Sequence[object]
) -> Embeddings:
    """The embeddings as one float32 (n, d) array.

    Args:
        embeddings: (n, d), or n of (d,).
        space: What they belong to.
        names: What to call each in a message.

    Raises:
        InputError: If one has another length, is not finite or not L2-normalised.
    """
    for name, each in zip(names, embeddings, strict=True):
        if np.shape(each) != (space.dimensions,):
            raise InputError(
                f"the embedding of {name} has the shape {np.shape(each)}: expected ({space.dimensions},)"
            )
    rows = np.asarray(embeddings, dtype=np.float32).reshape(len(names), space.dimensions)
    lengths = np.sqrt(np.einsum("nd,nd->n", rows, rows))
    wrong = np.flatnonzero(~(np.abs(lengths - 1) <= NORM_TOLERANCE))  # NaN compares false
    if len(wrong):
        index = int(wrong[0])
        raise InputError(
            f"the embedding of {names[index]} has the length {lengths[index]}: "
            "expected finite numbers and the length 1; normalise it with lookalike.vectors.metrics"
        )
    return rows


def insert_embeddings(
    connection: sqlite3.Connection, space: Space, rows: Iterable[int], embeddings: Embeddings
) -> None:
    """Store checked embeddings, float32 (n, d); a row that has one gets another."""
    stored = embeddings.astype(DTYPES[space.precision])
    connection.executemany(
        f"INSERT OR REPLACE INTO {embeddings_table(space.number)} VALUES (?, ?, ?)",
        (
            (row, data, checksum(row, data))
            for row, data in zip(rows, (each.tobytes() for each in stored), strict=True)
        ),
    )


def insert_thumbnails(
    connection: sqlite3.Connection, rows: Iterable[int], thumbnails: Iterable[bytes]
) -> None:
    """Store the thumbnails of new rows."""
    connection.executemany(
        "INSERT INTO thumbnails VALUES (?, ?, ?)",
        ((row, data, checksum(row, data)) for row, data in zip(rows, thumbnails, strict=True)),
    )


def decoded(blobs: Sequence[StoredBlob], space: Space) -> tuple[Rows, Embeddings]:
    """Row numbers and float32 (n, d) embeddings of what was stored.

    Raises:
        DamagedCollection: If one has another width or does not match its checksum.
    """
    for row, data, crc in blobs:
        if checksum(row, data) != crc or len(data) != blob_width(space):
            raise DamagedCollection(
                f"the embedding of row {row} does not match its checksum: run lookalike verify, "
                "then index the pictures that it names again or restore the collection from a copy"
            )
    joined = np.frombuffer(b"".join(blob.data for blob in blobs), dtype=DTYPES[space.precision])
    numbers = np.array([blob.row for blob in blobs], dtype=np.int64)
    return numbers, widened(joined.reshape(len(blobs), space.dimensions))


def read_embeddings(connection: sqlite3.Connection, rows: Sequence[int]) -> Embeddings:
    """Embeddings of these rows, float32 (n, d), in the order asked.

    Raises:
        DamagedCollection: If one does not match its checksum.
        UnknownItem: If a row is gone.
    """
    space = current_space(connection)
    blobs = stored_blobs(connection, embeddings_table(space.number), "vector", rows)
    return decoded(blobs, space)[1]


def stream_embeddings(
    connection: sqlite3.Connection, after: int, batch: int
) -> Iterator[tuple[Rows, Embeddings]]:
    """Rows greater than ``after``, ascending, with their embeddings, ``batch`` at a time."""
    space = current_space(connection)
    cursor = connection.execute(
        f"SELECT row, vector, crc FROM {embeddings_table(space.number)} WHERE row > ? ORDER BY row",
        (int(after),),
    )
    while blobs := [StoredBlob(*each) for each in cursor.fetchmany(batch)]:
        yield decoded(blobs, space)


def read_thumbnails(connection: sqlite3.Connection, rows: Sequence[int]) -> list[bytes]:
    """WebP bytes of these rows, in the order asked.

    Raises:
        DamagedCollection: If one does not match its checksum.
        UnknownItem: If a row is gone.
    """
    blobs = stored_blobs(connection, "thumbnails", "webp", rows)
    for row, data, crc in blobs:
        if checksum(row, data) != crc:
            raise DamagedCollection(
                f"the thumbnail of row {row} does not match its checksum: run lookalike verify, "
                "then index the pictures that it names again or restore the collection from a copy"
            )
    return [blob.data for blob in blobs]


def stored_blobs(
    connection: sqlite3.Connection, table: str, column: str, rows: Sequence[int]
) -> list[StoredBlob]:
    """What a table holds of these rows, in the order asked, unchecked.

    Raises:
        UnknownItem: If a row is gone.
    """
    found = connection.execute(
        f"SELECT row, {column}, crc FROM json_each(?) CROSS JOIN {table} ON row = value", (json_rows(rows),)
    )
    by_row = {blob.row: blob for blob in map(StoredBlob._make, found)}
    try:
        return [by_row[int(row)] for row in rows]
    except KeyError as error:
        raise UnknownItem(f"row {error} is gone from the collection: ask for its changes") from None
