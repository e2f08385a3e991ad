"""Changing spaces and epochs of a SQLite collection, inside a write transaction of the caller."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

import numpy as np

from lookalike.errors import FingerprintMismatch, InputError, StoreError
from lookalike.store.attribute_values import distinct_tags, storable_text
from lookalike.store.base import Space
from lookalike.store.sqlite_attributes import insert_tags, json_rows
from lookalike.store.sqlite_embeddings import (
    checked_embeddings,
    current_space,
    insert_embeddings,
    space_in_state,
)
from lookalike.store.sqlite_fitted import drop_of_other_spaces
from lookalike.store.sqlite_schema import BEGUN, CURRENT, ENCODER, add_space, embeddings_table
from lookalike.store.sqlite_write import WORDS_BATCH, bump_version, refresh_words
from lookalike.types import Embeddings, Rows


def begin_space(connection: sqlite3.Connection, space: Space) -> None:
    """Open (or resume) a second space.

    A space that was begun with another encoder, precision or length is dropped.
    """
    current = current_space(connection)
    if space.number <= current.number:
        raise InputError(
            f"the new space has the number {space.number}: expected more than the current {current.number}"
        )
    begun = space_in_state(connection, BEGUN)
    if begun == space:
        return
    if begun is not None:
        connection.execute(f"DROP TABLE {embeddings_table(begun.number)}")
        connection.execute("DELETE FROM begun_labels")
        connection.execute("DELETE FROM spaces WHERE state = ?", (BEGUN,))
    add_space(connection, space, BEGUN)


def lacking_rows(connection: sqlite3.Connection, fingerprint: str, *, after: int, limit: int) -> list[int]:
    """Rows of items without an embedding in the space that was begun, ascending."""
    table = embeddings_table(begun_space(connection, fingerprint).number)
    found = connection.execute(
        f"SELECT row FROM items WHERE row > ? AND row NOT IN (SELECT row FROM {table}) ORDER BY row LIMIT ?",
        (after, limit),
    )
    return [row for (row,) in found]


def put_vectors(
    connection: sqlite3.Connection,
    rows: Rows,
    embeddings: Embeddings,
    labels: Sequence[Sequence[str]],
    fingerprint: str,
) -> None:
    """Add embeddings and labels to the space that was begun; rows that are gone are left out."""
    space = begun_space(connection, fingerprint)
    numbers, checked, words = checked_vectors(space, rows, embeddings, labels)

    def place(kept: Sequence[int]) -> None:
        kept_rows = [numbers[index] for index in kept]
        insert_embeddings(connection, space, kept_rows, checked[np.array(kept, dtype=np.int64)])

    insert_vectors(connection, numbers, words, place)


def checked_vectors(
    space: Space, rows: Rows, embeddings: Embeddings, labels: Sequence[Sequence[str]]
) -> tuple[list[int], Embeddings, list[list[str]]]:
    """Row numbers, float32 (n, d) embeddings and labels as they are stored.

    Raises:
        InputError: If they are not as many, or one cannot be stored.
    """
    numbers = [int(row) for row in rows]
    if not len(numbers) == len(embeddings) == len(labels):
        raise InputError(
            f"got {len(numbers)} rows, {len(embeddings)} embeddings and {len(labels)} lists of labels: "
            "expected one of each for each row"
        )
    checked = checked_embeddings(embeddings, space, [f"row {row}" for row in numbers])
    words = [distinct_tags(storable_text(word, "a label") for word in each) for each in labels]
    return numbers, checked, words


def insert_vectors(
    connection: sqlite3.Connection,
    numbers: Sequence[int],
    words: Sequence[Sequence[str]],
    place: Callable[[Sequence[int]], None],
) -> None:
    """Add checked labels to the space that was begun, and embeddings by ``place``; rows that are gone are left out.

    Args:
        numbers: Rows.
        words: Labels of each.
        place: Stores the embeddings of those rows whose positions it is given.
    """
    found = connection.execute(
        "SELECT row FROM json_each(?) CROSS JOIN items ON row = value", (json_rows(numbers),)
    )
    present = {row for (row,) in found}
    kept = [index for index, row in enumerate(numbers) if row in present]
    place(kept)
    connection.executemany("DELETE FROM begun_labels WHERE row = ?", ((numbers[i],) for i in kept))
    connection.executemany(
        "INSERT INTO begun_labels VALUES (?, ?, ?)",
        ((numbers[i], position, word) for i in kept for position, word in enumerate(words[i])),
    )


def switch_space(connection: sqlite3.Connection, fingerprint: str) -> None:
    """Make the begun space the current one and drop the old one: see the contract."""
    space, old = begun_space(connection, fingerprint), current_space(connection)
    table = embeddings_table(space.number)
    (lacking,) = connection.execute(
        f"SELECT count(*) FROM items WHERE row NOT IN (SELECT row FROM {table})"
    ).fetchone()
    if lacking:
        raise StoreError(
            f"{lacking} items have no embedding in the new space: ask lacking() which, put_vectors, "
            "then switch again"
        )
    connection.execute("DELETE FROM spaces WHERE state = ?", (CURRENT,))
    connection.execute("UPDATE spaces SET state = ? WHERE number = ?", (CURRENT, space.number))
    connection.execute(f"DROP TABLE {embeddings_table(old.number)}")
    drop_of_other_spaces(connection)
    _replace_labels(connection)
    begin_epoch(connection)


def begin_epoch(connection: sqlite3.Connection) -> None:
    """Drop the history of removed rows: every reader starts anew."""
    connection.execute("DELETE FROM removed")
    connection.execute("UPDATE meta SET epoch = epoch + 1")
    bump_version(connection)


def begun_space(connection: sqlite3.Connection, fingerprint: str) -> Space:
    """The begun space, if it is the one that the caller began."""
    space = space_in_state(connection, BEGUN)
    if space is None:
        raise StoreError(
            "no second space is begun: call begin_space first; if you did, another migration has switched "
            "meanwhile"
        )
    if space.fingerprint != fingerprint:
        raise FingerprintMismatch(
            expected=space.fingerprint,
            got=fingerprint,
            remedy="another migration of this collection began meanwhile: let it finish or stop it, "
            "then repeat this one",
        )
    return space


def _replace_labels(connection: sqlite3.Connection) -> None:
    """Put the new encoder's labels in the place of the old one's, and index them."""
    connection.execute("DELETE FROM tags WHERE origin = ?", (ENCODER,))
    last = -1
    while True:
        page = connection.execute(
            "SELECT row FROM items WHERE row > ? ORDER BY row LIMIT ?", (last, WORDS_BATCH)
        ).fetchall()
        if not page:
            break
        rows = [row for (row,) in page]
        labels: dict[int, list[str]] = {row: [] for row in rows}
        found = connection.execute(
            "SELECT row, tag FROM begun_labels WHERE row BETWEEN ? AND ? ORDER BY row, position",
            (rows[0], rows[-1]),
        )
        for row, tag in found:
            labels[row].append(tag)
        insert_tags(connection, labels.keys(), labels.values(), ENCODER)
        refresh_words(connection, rows)
        last = rows[-1]
    connection.execute("DELETE FROM begun_labels")
