"""Identities, what users said about them, the gallery and the log of searches, inside a transaction of the caller."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lookalike.errors import CollectionBusy, DamagedCollection, InputError
from lookalike.store.sqlite_tracking import (
    bump,
    checked_text,
    crc_of,
    forget_empty_identities,
    read_tracking_version,
)
from lookalike.store.tracking import (
    CORRECTIONS,
    Anchor,
    AuditRecord,
    Correction,
    GalleryPicture,
    StoredIdentity,
)
from lookalike.store.tracklet_bytes import pack_parts, unpack_parts

_IDENTITY = "number, name, recognised, similarity, false_match_rate"
_LOGGED = "time, who, kind, query, reason, answers"


def new_identities(connection: sqlite3.Connection, count: int) -> list[int]:
    """Numbers that no identity has or had."""
    (last,) = connection.execute(
        "UPDATE meta SET identities = identities + ? RETURNING identities", (count,)
    ).fetchone()
    return list(range(last - count + 1, last + 1))


def put_identities(
    connection: sqlite3.Connection,
    identities: Sequence[StoredIdentity],
    members: Mapping[int, int],
    version: int | None,
) -> None:
    """Keep identities in the place of all that there were: see the contract."""
    now = read_tracking_version(connection)
    if version is not None and version != now:
        raise CollectionBusy(
            f"tracklets or corrections changed meanwhile (version {version} became {now}): repeat the call"
        )
    _check_identities(connection, identities, members)
    connection.execute("DELETE FROM memberships")
    connection.execute("DELETE FROM identities")
    connection.executemany(
        f"INSERT INTO identities ({_IDENTITY}) VALUES (?, ?, ?, ?, ?)",
        ((i.number, i.name, i.recognised, i.similarity, i.false_match_rate) for i in identities),
    )
    connection.executemany("INSERT INTO memberships VALUES (?, ?)", members.items())
    forget_empty_identities(connection)
    bump(connection)


def _check_identities(
    connection: sqlite3.Connection, identities: Sequence[StoredIdentity], members: Mapping[int, int]
) -> None:
    (last,) = connection.execute("SELECT identities FROM meta").fetchone()
    numbers = {each.number for each in identities}
    names = [
        checked_text(each.name, "the name of an identity") for each in identities if each.name is not None
    ]
    if len(numbers) != len(identities) or len(set(names)) != len(names):
        raise InputError("two identities have one number or one name: expected each only once")
    if any(not 1 <= number <= last for number in numbers):
        raise InputError(f"identities {sorted(numbers)[-1]} was never given out: ask for new numbers first")
    if unknown := sorted(set(members.values()) - numbers):
        raise InputError(f"tracklets belong to identity {unknown[0]}, which is not among those given")
    gone = connection.execute(
        "SELECT value FROM json_each(?) WHERE value NOT IN (SELECT number FROM tracklets)",
        (json.dumps([int(number) for number in members]),),
    ).fetchone()
    if gone is not None:
        raise InputError(f"there is no tracklet {gone[0]}: it was erased or tracked anew; repeat the call")


def read_identities(connection: sqlite3.Connection) -> list[StoredIdentity]:
    """All identities, by number."""
    return [
        StoredIdentity(*row)
        for row in connection.execute(f"SELECT {_IDENTITY} FROM identities ORDER BY number")
    ]


# what users said


def put_corrections(connection: sqlite3.Connection, corrections: Sequence[Correction]) -> None:
    """Keep what a user said."""
    for each in corrections:
        expected = 2 if each.kind in ("together", "apart") else 1
        if (
            each.kind not in CORRECTIONS
            or len(each.anchors) != expected
            or (each.name is None) == (each.kind == "name")
        ):
            raise InputError(
                f"a correction {each.kind!r} with {len(each.anchors)} anchors and the name {each.name!r}: expected one "
                f"of {', '.join(CORRECTIONS)}, two anchors for together and apart, else one, and a name for name alone"
            )
        if each.name is not None:
            checked_text(each.name, "the name of an identity")
        number = connection.execute(
            "INSERT INTO corrections VALUES (NULL, ?, ?, ?)", (each.kind, each.name, each.made)
        ).lastrowid
        connection.executemany(
            "INSERT INTO anchors VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (number, position, checked_text(a.camera, "the name of a camera"), a.time, *map(float, a.box))
                for position, a in enumerate(each.anchors)
            ),
        )
    if corrections:
        bump(connection)


def read_corrections(connection: sqlite3.Connection) -> list[Correction]:
    """What users said, in order."""
    anchors: dict[int, list[Anchor]] = {}
    for number, camera, time, *box in connection.execute(
        "SELECT correction, camera, time, x, y, w, h FROM anchors ORDER BY correction, position"
    ):
        anchors.setdefault(number, []).append(Anchor(camera, time, (box[0], box[1], box[2], box[3])))
    return [
        Correction(kind, tuple(anchors.get(number, ())), made, name, number)
        for number, kind, name, made in connection.execute(
            "SELECT number, kind, name, made FROM corrections ORDER BY number"
        )
    ]


def remove_corrections(connection: sqlite3.Connection, numbers: Sequence[int]) -> int:
    """Take back what was said; how much there was."""
    listed = json.dumps([int(number) for number in numbers])
    gone = connection.execute(
        "DELETE FROM corrections WHERE number IN (SELECT value FROM json_each(?))", (listed,)
    ).rowcount
    connection.execute("DELETE FROM anchors WHERE correction NOT IN (SELECT number FROM corrections)")
    if gone:
        bump(connection)
    return gone


# gallery


def enrol(connection: sqlite3.Connection, pictures: Sequence[GalleryPicture]) -> None:
    """Keep pictures of somebody in the place of all that were kept under the name."""
    for name in {checked_text(each.name, "a name of the gallery") for each in pictures}:
        connection.execute("DELETE FROM gallery WHERE name = ?", (name,))
    for each in pictures:
        (number,) = connection.execute("SELECT coalesce(max(number), 0) + 1 FROM gallery").fetchone()
        parts = (pack_parts(each.parts), each.picture)
        connection.execute(
            "INSERT INTO gallery VALUES (?, ?, ?, ?, ?, ?)",
            (number, each.name, each.fingerprint, *parts, crc_of(number, *parts)),
        )
    if pictures:
        bump(connection)


def read_gallery(connection: sqlite3.Connection) -> list[GalleryPicture]:
    """All pictures of the gallery, by name."""
    pictures = []
    for number, name, fingerprint, description, picture, crc in connection.execute(
        "SELECT number, name, fingerprint, description, picture, crc FROM gallery ORDER BY name, number"
    ):
        if crc_of(number, description, picture) != crc:
            raise DamagedCollection(f"a picture of {name!r} does not match its checksum: enrol it again")
        pictures.append(GalleryPicture(name, fingerprint, unpack_parts(description), picture))
    return pictures


def unenrol(connection: sqlite3.Connection, name: str) -> bool:
    """Remove somebody from the gallery; whether there was such a name."""
    gone = connection.execute("DELETE FROM gallery WHERE name = ?", (name,)).rowcount > 0
    if gone:
        connection.execute(
            "UPDATE identities SET recognised = NULL, similarity = NULL, false_match_rate = NULL WHERE recognised = ?",
            (name,),
        )
        bump(connection)
    return gone


# the log of searches


def log_search(connection: sqlite3.Connection, entry: AuditRecord) -> None:
    """Note a search; each note is sealed together with the one before."""
    row = (
        int(entry.time),
        checked_text(entry.who, "who asks", empty=True),
        checked_text(entry.kind, "the kind of a search"),
        checked_text(entry.query, "the digest of a search", empty=True),
        checked_text(entry.reason, "the reason of a search", empty=True),
        int(entry.answers),
    )
    before = connection.execute("SELECT seal FROM searches ORDER BY number DESC LIMIT 1").fetchone()
    connection.execute(
        f"INSERT INTO searches ({_LOGGED}, seal) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (*row, seal(before[0] if before else "", row)),
    )


def seal(before: str, row: Sequence[Any]) -> str:
    """Digest of a note and of the seal before it: a note that was changed or taken away breaks the chain."""
    return hashlib.sha256(json.dumps([before, *row], ensure_ascii=False).encode()).hexdigest()


def read_searches(connection: sqlite3.Connection) -> Iterator[AuditRecord]:
    """All noted searches, oldest first."""
    for row in connection.execute(f"SELECT {_LOGGED} FROM searches ORDER BY number"):
        yield AuditRecord(*row)
