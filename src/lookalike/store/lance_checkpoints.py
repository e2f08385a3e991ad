"""Checkpoints: what a replica held after an entry of the log, for readers that would have to replay all before it."""

from __future__ import annotations

import sqlite3
import zlib
from pathlib import Path

from lookalike.errors import DamagedCollection
from lookalike.store.object_places import Place

FOLDER = "checkpoint"
_SUFFIX = ".sqlite.z"
_CHUNK = 1 << 20


def store(place: Place, database: Path, number: int) -> None:
    """Keep a copy of a replica as of an entry, compressed."""
    packed = database.with_suffix(_SUFFIX)
    packer = zlib.compressobj(level=1)
    try:
        with database.open("rb") as source, packed.open("wb") as target:
            while chunk := source.read(_CHUNK):
                target.write(packer.compress(chunk))
            target.write(packer.flush())
        place.upload(f"{FOLDER}/{number:010}{_SUFFIX}", packed)
    finally:
        packed.unlink(missing_ok=True)


def numbers(place: Place) -> list[int]:
    """Of which entries there are checkpoints, ascending."""
    return sorted(int(name.removesuffix(_SUFFIX)) for name in place.names(FOLDER) if name.endswith(_SUFFIX))


def fetch(place: Place, target: Path, *, newer_than: int = 0) -> bool:
    """Copy the newest checkpoint to a file, if there is one that is newer than an entry.

    Raises:
        DamagedCollection: If it is not what was written.
    """
    for _ in range(3):  # a compaction may replace it between listing and reading
        listed = numbers(place)
        if not listed or listed[-1] <= newer_than:
            return False
        name = f"{FOLDER}/{listed[-1]:010}{_SUFFIX}"
        packed = target.with_suffix(_SUFFIX)
        try:
            if place.download(name, packed):
                _unpack(packed, target, place.uri(name))
                return True
        finally:
            packed.unlink(missing_ok=True)
    return False


def _unpack(packed: Path, target: Path, where: str) -> None:
    unpacker = zlib.decompressobj()
    try:
        with packed.open("rb") as source, target.open("wb") as out:
            while chunk := source.read(_CHUNK):
                out.write(unpacker.decompress(chunk))
            out.write(unpacker.flush())
        if not unpacker.eof:
            raise zlib.error("it ends too early")
        connection = sqlite3.connect(target)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        finally:
            connection.close()
    except (zlib.error, sqlite3.Error) as error:
        raise DamagedCollection(
            f"{where} is not what was written ({error}): restore it from a copy, or delete it where the log is whole"
        ) from error


def delete(place: Place, which: list[int]) -> None:
    """Delete checkpoints."""
    place.delete(f"{FOLDER}/{number:010}{_SUFFIX}" for number in which)
