"""What is wrong with the cameras, tracklets and identities of a collection's database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from lookalike.errors import DamagedCollection
from lookalike.store.base import Damage
from lookalike.store.sqlite_identities import seal
from lookalike.store.sqlite_tracking import crc_of
from lookalike.store.tracklet_bytes import unpack_parts, unpack_sightings

_REFERENCES = (
    ("tracklets", "camera", "cameras", "code"),
    ("tracklet_data", "number", "tracklets", "number"),
    ("tracklets", "number", "tracklet_data", "number"),
    ("memberships", "tracklet", "tracklets", "number"),
    ("memberships", "identity", "identities", "number"),
    ("identities", "number", "memberships", "identity"),
    ("anchors", "correction", "corrections", "number"),
    ("corrections", "number", "anchors", "correction"),
)
"""Whatever a column of the first table holds is in a column of the second."""


def tracking_damages(connection: sqlite3.Connection) -> Iterator[Damage]:
    """References, checksums, what sightings say against what the table says, and the seals of the log."""
    for table, column, other, key in _REFERENCES:
        for (value,) in connection.execute(f"SELECT {column} FROM {table} EXCEPT SELECT {key} FROM {other}"):
            yield Damage(f"{table}, {column} {value}", f"is not in the table {other}")
    yield from _tracklets(connection)
    yield from _gallery(connection)
    yield from _identities(connection)
    yield from _searches(connection)


def _tracklets(connection: sqlite3.Connection) -> Iterator[Damage]:
    found = connection.execute(
        "SELECT tracklets.number, first, last, tracklets.sightings, data.sightings, description, crop, crc "
        "FROM tracklets CROSS JOIN tracklet_data AS data ON data.number = tracklets.number"
    )
    for number, first, last, count, sightings, description, crop, crc in found:
        where = f"tracklets, {number}"
        if crc_of(number, sightings, description, crop) != crc:
            yield Damage(where, "does not match its checksum")
            continue
        try:
            columns = unpack_sightings(sightings)
            unpack_parts(description)
        except DamagedCollection as error:
            yield Damage(where, str(error))
            continue
        if (first, last, count) != (int(columns.time[0]), int(columns.time[-1]), len(columns)):
            yield Damage(where, f"says {count} sightings from {first} to {last}, which its sightings do not")


def _gallery(connection: sqlite3.Connection) -> Iterator[Damage]:
    for number, name, description, picture, crc in connection.execute(
        "SELECT number, name, description, picture, crc FROM gallery"
    ):
        if crc_of(number, description, picture) != crc:
            yield Damage(f"gallery, {name}", "has a picture that does not match its checksum")


def _identities(connection: sqlite3.Connection) -> Iterator[Damage]:
    (last,) = connection.execute("SELECT identities FROM meta").fetchone()
    for (number,) in connection.execute("SELECT number FROM identities WHERE number > ?", (last,)):
        yield Damage(f"identities, {number}", f"was never given out: the last number is {last}")


def _searches(connection: sqlite3.Connection) -> Iterator[Damage]:
    before, expected = "", 1
    for number, *row, sealed in connection.execute(
        "SELECT number, time, who, kind, query, reason, answers, seal FROM searches ORDER BY number"
    ):
        if number != expected or seal(before, row) != sealed:
            yield Damage(
                f"searches, {number}", "does not match its seal: it or one before it was changed or removed"
            )
        before, expected = sealed, number + 1
