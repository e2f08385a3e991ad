"""What was fitted on a SQLite collection: bytes with a checksum, under a kind and a name."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from lookalike.errors import DamagedCollection, FingerprintMismatch, InputError, NotFitted
from lookalike.store.base import Damage, Fitted
from lookalike.store.sqlite_embeddings import current_space
from lookalike.store.sqlite_write import bump_version

MOST_BYTES = 900_000_000
"""SQLite keeps no value of 1 GB or more."""

_COLUMNS = "kind, name, number, fingerprint, collection_version, provenance"


def put_fitted(
    connection: sqlite3.Connection,
    kind: str,
    name: str,
    payload: bytes,
    fingerprint: str,
    provenance: Mapping[str, Any],
) -> Fitted:
    """Save, in the place of what has the same kind and name: see the contract."""
    if not kind or not name:
        raise InputError(f"fitted things need a kind and a name: got {kind!r} and {name!r}")
    if len(payload) > MOST_BYTES:
        raise InputError(
            f"the {kind} {name!r} takes {len(payload)} bytes: expected at most {MOST_BYTES}; fit fewer items"
        )
    space = current_space(connection)
    if space.fingerprint != fingerprint:
        raise FingerprintMismatch(
            expected=space.fingerprint,
            got=fingerprint,
            remedy=f"The collection was migrated meanwhile: fit the {kind} {name!r} again.",
        )
    try:
        document = json.dumps(dict(provenance), sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(f"the provenance of the {kind} {name!r} is no JSON object: {error}") from None
    (version,) = connection.execute("SELECT version FROM meta").fetchone()
    (number,) = connection.execute("UPDATE meta SET fitted = fitted + 1 RETURNING fitted").fetchone()
    connection.execute(
        f"INSERT OR REPLACE INTO fitted ({_COLUMNS}, payload, crc) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (kind, name, number, fingerprint, version, document, payload, _checksum(number, document, payload)),
    )
    bump_version(connection)
    return Fitted(kind, name, number, fingerprint, version, json.loads(document))


def list_fitted(connection: sqlite3.Connection, kind: str | None) -> list[Fitted]:
    """What was fitted, oldest first, without the payloads."""
    found = connection.execute(
        f"SELECT {_COLUMNS} FROM fitted WHERE ?1 IS NULL OR kind = ?1 ORDER BY number", (kind,)
    )
    return [_described(row) for row in found]


def fitted_payload(connection: sqlite3.Connection, kind: str, name: str) -> tuple[Fitted, bytes]:
    """One fitted thing with its payload, checked."""
    found = connection.execute(
        f"SELECT {_COLUMNS}, payload, crc FROM fitted WHERE kind = ? AND name = ?", (kind, name)
    ).fetchone()
    if found is None:
        raise NotFitted(kind, name, [each.name for each in list_fitted(connection, kind)])
    *row, payload, crc = found
    if _checksum(row[2], row[5], payload) != crc:
        raise DamagedCollection(f"the {kind} {name!r} does not match its checksum: fit it again")
    return _described(row), payload


def remove_fitted(connection: sqlite3.Connection, kind: str, name: str) -> bool:
    """Drop one fitted thing; whether there was one."""
    gone = connection.execute("DELETE FROM fitted WHERE kind = ? AND name = ?", (kind, name)).rowcount > 0
    if gone:
        bump_version(connection)
    return gone


def drop_of_other_spaces(connection: sqlite3.Connection) -> None:
    """Drop what was fitted on embeddings that are no longer the current ones."""
    connection.execute("DELETE FROM fitted WHERE fingerprint != ?", (current_space(connection).fingerprint,))


def fitted_damages(connection: sqlite3.Connection) -> Iterator[Damage]:
    """Compare every fitted thing with its checksum and the current space."""
    fingerprint = current_space(connection).fingerprint
    found = connection.execute(f"SELECT {_COLUMNS}, payload, crc FROM fitted ORDER BY number")
    for kind, name, number, of, _, document, payload, crc in found:
        where = f"fitted, {kind} {name!r}"
        if _checksum(number, document, payload) != crc:
            yield Damage(where, "does not match its checksum")
        if of != fingerprint:
            yield Damage(where, f"was fitted on vectors of {of}: the collection's have {fingerprint}")


def _described(row: tuple[Any, ...] | list[Any]) -> Fitted:
    kind, name, number, fingerprint, version, document = row
    try:
        provenance = json.loads(document)
    except ValueError as error:
        raise DamagedCollection(f"the provenance of the {kind} {name!r} is damaged: fit it again") from error
    return Fitted(kind, name, number, fingerprint, version, provenance)


def _checksum(number: int, document: str, payload: bytes) -> int:
    return zlib.crc32(payload, zlib.crc32(document.encode(), number & 0xFFFFFFFF))
