"""Cameras and tracklets in a collection's database, inside a transaction of the caller.

What is small about a tracklet is in one table, its sightings, description and picture in another, so that looking
through all tracklets reads no picture.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.errors import DamagedCollection, InputError
from lookalike.store.attribute_values import MAX_ID, storable_text
from lookalike.store.interactions import END, EPOCH, microseconds
from lookalike.store.tracking import CameraRecord, Integers, NewTracklet, SightingColumns, StoredTracklet
from lookalike.store.tracklet_bytes import pack_parts, pack_sightings, unpack_parts, unpack_sightings

_COLUMNS = (
    "number, cameras.name, track, first, tracklets.last, sightings, category, quality, frame, time, x, y, w, h, "
    "fingerprint, identity"
)
_JOINED = "tracklets CROSS JOIN cameras ON cameras.code = camera LEFT JOIN memberships ON tracklet = number"
_END = microseconds(END)
_FETCH = 256
"""Tracklets whose large data are read together."""
_STATE_HOLDS = 60_000_000
"""Microseconds for which the state of a stream may hold somebody who was lost: more than any tracker waits."""


class _Packed(NamedTuple):
    """A tracklet as it will lie in the tables."""

    key: bytes
    row: tuple[Any, ...]
    sightings: bytes
    description: bytes
    crop: bytes
    identity: int | None


def read_tracking_version(connection: sqlite3.Connection) -> int:
    """Counts up with every change of cameras, tracklets, identities, corrections or the gallery."""
    (version,) = connection.execute("SELECT tracking FROM meta").fetchone()
    return int(version)


def bump(connection: sqlite3.Connection) -> None:
    """Count a change."""
    connection.execute("UPDATE meta SET tracking = tracking + 1")


def checked_text(text: str, what: str, *, empty: bool = False) -> str:
    """A text, if a store can keep it.

    Raises:
        InputError: If it is empty though it must not be, too long or not valid text.
    """
    if not isinstance(text, str) or not (0 if empty else 1) <= len(storable_text(text, what)) <= MAX_ID:
        raise InputError(
            f"{what} is {str(text)[:60]!r}: expected a text of {0 if empty else 1} to {MAX_ID} characters"
        )
    return str(text)


# cameras


def put_cameras(connection: sqlite3.Connection, cameras: Sequence[CameraRecord]) -> None:
    """Note cameras; known ones keep their tracklets: see the contract."""
    before = connection.total_changes
    for camera in cameras:
        _check_camera(camera)
        connection.execute(
            "INSERT INTO cameras (name, settings, run, start, frames, retain, state) "
            "VALUES (?1, ?2, '', ?3, 0, ?4, x'') "
            "ON CONFLICT (name) DO UPDATE SET settings = ?2, start = ?3, retain = ?4 "
            "WHERE settings != ?2 OR start != ?3 OR retain IS NOT ?4",
            (camera.name, camera.settings, camera.start, camera.retain),
        )
    if connection.total_changes != before:
        bump(connection)


def _check_camera(camera: CameraRecord) -> None:
    checked_text(camera.name, "the name of a camera")
    if not 0 <= camera.start < _END or (camera.last is not None and not 0 <= camera.last < _END):
        raise InputError(
            f"camera {camera.name} starts at {camera.start} and was looked at until {camera.last} microseconds since "
            f"1970: expected times from {EPOCH.year} to {END.year}"
        )
    if camera.retain is not None and camera.retain <= 0:
        raise InputError(
            f"camera {camera.name} retains for {camera.retain} microseconds: expected more than 0"
        )


def read_cameras(connection: sqlite3.Connection) -> list[CameraRecord]:
    """All cameras, in the order in which they came."""
    found = connection.execute(
        "SELECT name, settings, run, start, frames, last, "
        "(SELECT count(*) FROM tracklets WHERE camera = code), retain, state FROM cameras ORDER BY code"
    )
    return [CameraRecord(*row) for row in found]


# tracklets


def replace_tracklets(
    connection: sqlite3.Connection,
    camera: CameraRecord,
    tracklets: Sequence[NewTracklet],
    since: int | None,
    gone: Sequence[int],
) -> list[int]:
    """Keep what a camera saw in the place of what was kept of it: see the contract."""
    put_cameras(connection, [camera])
    connection.execute(
        "UPDATE cameras SET run = ?, frames = ?, last = ?, state = ? WHERE name = ?",
        (camera.run, camera.frames, camera.last, camera.state, camera.name),
    )
    (code,) = connection.execute("SELECT code FROM cameras WHERE name = ?", (camera.name,)).fetchone()
    there: dict[bytes, list[int]] = {}
    for number, key in connection.execute(
        "SELECT number, key FROM tracklets WHERE camera = ?1 AND (?2 IS NULL OR first >= ?2) ORDER BY number",
        (code, since),
    ):
        there.setdefault(key, []).append(number)
    packed = [_pack(tracklet, code) for tracklet in tracklets]
    numbers = [there[each.key].pop(0) if there.get(each.key) else None for each in packed]
    grown = _of_camera(connection, code, [each.number for each in tracklets if each.number is not None])
    for at, each in enumerate(tracklets):
        if numbers[at] is None and each.number in grown and each.number not in numbers:
            numbers[at] = each.number
    left = {number for some in there.values() for number in some} | _of_camera(connection, code, gone)
    _delete(connection, sorted(left - set(numbers)))
    placed = [_store(connection, number, each) for number, each in zip(numbers, packed, strict=True)]
    forget_empty_identities(connection)
    bump(connection)
    return placed


def _of_camera(connection: sqlite3.Connection, camera: int, numbers: Sequence[int]) -> set[int]:
    """Those of some numbers that are tracklets of a camera."""
    found = connection.execute(
        "SELECT number FROM tracklets WHERE camera = ? AND number IN (SELECT value FROM json_each(?))",
        (camera, json.dumps([int(number) for number in numbers])),
    )
    return {number for (number,) in found}


def _pack(tracklet: NewTracklet, camera: int) -> _Packed:
    columns = tracklet.sightings
    data = pack_sightings(columns)
    if not 0 <= tracklet.best < len(columns):
        raise InputError(f"the best sighting of a tracklet is number {tracklet.best} of {len(columns)}")
    if not 0 <= tracklet.quality <= 1:
        raise InputError(f"the quality of a tracklet is {tracklet.quality}: expected a number from 0 to 1")
    first, last = int(columns.time[0]), int(columns.time[-1])
    if not 0 <= first <= last < _END:
        raise InputError(
            f"a tracklet lasts from {first} to {last} microseconds since 1970: expected times from {EPOCH.year} to "
            f"{END.year}, UTC"
        )
    at = tracklet.best
    row = (
        camera, tracklet.track, first, last, len(columns), tracklet.category, float(tracklet.quality),
        int(columns.frame[at]), int(columns.time[at]), *map(float, columns.box[at]),
        checked_text(tracklet.fingerprint, "the fingerprint of a description"),
    )  # fmt: skip
    return _Packed(
        hashlib.sha256(data).digest(), row, data, pack_parts(tracklet.parts), tracklet.crop, tracklet.identity
    )


def _store(connection: sqlite3.Connection, number: int | None, packed: _Packed) -> int:
    """Insert a tracklet, or put it in the place of one that is there; its number."""
    if number is None:
        cursor = connection.execute(
            f"INSERT INTO tracklets VALUES (NULL, {', '.join('?' * 14)}, ?)", (*packed.row, packed.key)
        )
        number = int(cursor.lastrowid or 0)
        if packed.identity is not None:
            connection.execute(
                "INSERT INTO memberships SELECT ?, number FROM identities WHERE number = ?",
                (number, packed.identity),
            )
    else:
        connection.execute(
            "UPDATE tracklets SET camera = ?, track = ?, first = ?, last = ?, sightings = ?, category = ?, "
            "quality = ?, frame = ?, time = ?, x = ?, y = ?, w = ?, h = ?, fingerprint = ?, key = ? WHERE number = ?",
            (*packed.row, packed.key, number),
        )
    parts = (packed.sightings, packed.description, packed.crop)
    connection.execute(
        "INSERT OR REPLACE INTO tracklet_data VALUES (?, ?, ?, ?, ?)",
        (number, *parts, crc_of(number, *parts)),
    )
    return number


def crc_of(number: int, *parts: bytes) -> int:
    """CRC-32 of stored bytes, begun with the number so that exchanged rows are found too."""
    crc = number & 0xFFFFFFFF
    for part in parts:
        crc = zlib.crc32(part, crc)
    return crc


def _delete(connection: sqlite3.Connection, numbers: Sequence[int]) -> None:
    listed = json.dumps(list(numbers))
    for table, column in (("tracklet_data", "number"), ("memberships", "tracklet"), ("tracklets", "number")):
        connection.execute(
            f"DELETE FROM {table} WHERE {column} IN (SELECT value FROM json_each(?))", (listed,)
        )


def forget_empty_identities(connection: sqlite3.Connection) -> int:
    """Delete identities without a tracklet; how many there were."""
    return connection.execute(
        "DELETE FROM identities WHERE number NOT IN (SELECT identity FROM memberships)"
    ).rowcount


def read_tracklets(
    connection: sqlite3.Connection,
    *,
    camera: str | None = None,
    identity: int | None = None,
    numbers: Sequence[int] | None = None,
) -> list[StoredTracklet]:
    """Tracklets by start, then number, without what is large."""
    found = connection.execute(
        f"SELECT {_COLUMNS} FROM {_JOINED} WHERE (?1 IS NULL OR cameras.name = ?1) AND (?2 IS NULL OR identity = ?2) "
        "AND (?3 IS NULL OR number IN (SELECT value FROM json_each(?3))) ORDER BY first, number",
        (camera, identity, None if numbers is None else json.dumps([int(n) for n in numbers])),
    )
    return [_described(*row) for row in found]


def _described(*row: Any) -> StoredTracklet:
    *known, x, y, width, height, fingerprint, identity = row
    number, camera, track, first, last, sightings, category, quality, frame, time = known
    box = (x, y, width, height)
    return StoredTracklet(
        number,
        camera,
        track,
        first,
        last,
        sightings,
        category,
        quality,
        frame,
        time,
        box,
        fingerprint,
        identity,
    )


def stream_sightings(
    connection: sqlite3.Connection, numbers: Sequence[int]
) -> Iterator[tuple[int, SightingColumns]]:
    """Sightings of tracklets, one after another, in the order asked."""
    for number, data, _, _ in _data(connection, numbers):
        yield number, unpack_sightings(data)


def read_crops(connection: sqlite3.Connection, numbers: Sequence[int]) -> dict[int, bytes]:
    """Pictures of tracklets."""
    return {number: crop for number, _, _, crop in _data(connection, numbers)}


def stream_descriptions(
    connection: sqlite3.Connection, fingerprint: str, wanted: Sequence[int] | None, batch: int
) -> Iterator[tuple[Integers, Mapping[str, npt.NDArray[np.float32]]]]:
    """Numbers and descriptions of tracklets that were described so, in the order asked."""
    found = connection.execute(
        "SELECT number FROM tracklets WHERE fingerprint = ? ORDER BY number", (fingerprint,)
    )
    numbers = [number for (number,) in found]
    if wanted is not None:
        described = set(numbers)
        numbers = [int(number) for number in wanted if int(number) in described]
    for start in range(0, len(numbers), batch):
        rows = list(_data(connection, numbers[start : start + batch]))
        parts = [unpack_parts(description) for _, _, description, _ in rows]
        names = parts[0].keys()
        try:
            stacked = {name: np.stack([each[name] for each in parts]) for name in names}
        except (KeyError, ValueError):
            raise DamagedCollection(
                f"tracklets with the fingerprint {fingerprint} have descriptions of different kinds: track again"
            ) from None
        yield np.array([number for number, *_ in rows], dtype=np.int64), stacked


def _data(
    connection: sqlite3.Connection, numbers: Sequence[int]
) -> Iterator[tuple[int, bytes, bytes, bytes]]:
    """Number, sightings, description and picture, checked, in the order asked; those that are gone are left out."""
    for start in range(0, len(numbers), _FETCH):
        part = [int(number) for number in numbers[start : start + _FETCH]]
        found = connection.execute(
            "SELECT number, sightings, description, crop, crc FROM json_each(?) "
            "CROSS JOIN tracklet_data ON number = value",
            (json.dumps(part),),
        )
        rows = {row[0]: row for row in found}
        for number in part:
            if number not in rows:
                continue
            _, *parts, crc = rows[number]
            if crc_of(number, *parts) != crc:
                raise DamagedCollection(
                    f"tracklet {number} does not match its checksum: track its camera again"
                )
            yield number, *parts


def erase_tracklets_before(connection: sqlite3.Connection, camera: str, time: int) -> tuple[int, int]:
    """Remove what a camera saw before a time: see the contract."""
    found = connection.execute(
        "SELECT number, sightings, last FROM tracklets "
        "WHERE first < ? AND camera = (SELECT code FROM cameras WHERE name = ?)",
        (time, camera),
    ).fetchall()
    listed = json.dumps([number for number, *_ in found])
    # A tracklet that began before the time may have been pointed to at a later moment of it.
    gone = connection.execute(
        "DELETE FROM corrections WHERE number IN (SELECT correction FROM anchors WHERE camera = ?1 AND "
        "(time < ?2 OR (time, x, y, w, h) IN (SELECT time, x, y, w, h FROM json_each(?3) "
        "CROSS JOIN tracklets ON number = value)))",
        (camera, time, listed),
    ).rowcount
    _delete(connection, [number for number, *_ in found])
    connection.execute("DELETE FROM anchors WHERE correction NOT IN (SELECT number FROM corrections)")
    # What follows a stream holds pictures of whom it had in view when it was saved last.
    in_view = max((last for *_, last in found), default=0) + _STATE_HOLDS
    connection.execute(
        "UPDATE cameras SET state = x'' WHERE name = ? AND (last < ? OR last < ?)", (camera, time, in_view)
    )
    if found or gone:
        forget_empty_identities(connection)
        bump(connection)
    return len(found), sum(count for _, count, _ in found)
