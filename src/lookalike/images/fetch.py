"""Read one image again, from wherever a scan found it."""

from __future__ import annotations

import re
from functools import lru_cache

from lookalike.errors import ImageError, SourceError, UnknownItem
from lookalike.images.archives import TarSource
from lookalike.images.candidates import Load
from lookalike.images.decode import DEFAULT_LIMITS, Limits
from lookalike.images.storage import absolute, reason, storage_of
from lookalike.images.tables import TableSource
from lookalike.images.video import Sampling, VideoSource
from lookalike.types import Image, ItemId

_MEMBER = re.compile(r"(.+?\.(?:tar|tar\.gz|tgz))#(.+)", re.IGNORECASE | re.DOTALL)
_ROW = re.compile(r"(.+\.parquet)#row=(\d+)", re.IGNORECASE | re.DOTALL)
_FRAME = re.compile(r"(.+\.(?:mp4|avi|mkv|mov|webm))#t=(\d+\.\d+)", re.IGNORECASE | re.DOTALL)


def fetch(uri: str, *, limits: Limits = DEFAULT_LIMITS) -> bytes | Image:
    """Read what a uri points to: a path, a URL, or a place inside an archive, a table or a video.

    Members of compressed archives and frames of videos are found by reading from the beginning.

    Args:
        uri: As :class:`lookalike.images.candidates.Candidate` has it, or any path or URL of an image.
        limits: What is refused.

    Returns:
        Encoded bytes, or uint8 (h, w, 3) pixels of a video frame.

    Raises:
        ImageError: If it cannot be read.
        MissingExtra: If an optional dependency is needed.
        SourceError: If the URL's protocol is unknown.
        UnknownItem: If it is an ``ItemId``: that an item has the name of a file does not make it one.
    """
    if isinstance(uri, ItemId):
        raise UnknownItem(f"{str(uri)!r} is no item of the collection")
    inside = _MEMBER.fullmatch(uri) or _ROW.fullmatch(uri) or _FRAME.fullmatch(uri)
    place = absolute(uri if inside is None else inside[1])
    storage = storage_of(place)
    try:
        if inside is not None and storage.kind(place) != "file":  # a file whose own name has such a mark
            inside, place = None, absolute(uri)
    except OSError as error:
        raise ImageError(reason(error, place)) from None
    if inside is None:
        return storage.read(place, limits.bytes)
    if inside.re is _MEMBER:
        return _read_member(place, inside[2], limits.bytes)
    if inside.re is _ROW:
        return _read_row(place, int(inside[2]), limits.bytes)
    return VideoSource("", storage, place, Sampling(frames=1)).read_frame(float(inside[2]))


def _read_member(archive: str, member: str, limit: int) -> bytes | Image:
    uri = f"{archive}#{member}"
    if archive.lower().endswith(".tar"):
        try:
            stamp = storage_of(archive).stamp(archive)
        except OSError as error:
            raise ImageError(reason(error, archive)) from None
        load = _members(archive, stamp, limit).get(uri)
    else:
        source = TarSource("", storage_of(archive), archive, limit)
        load = next((c.load for c in source.candidates() if c.uri == uri), None)
    if load is None:
        raise ImageError(f"the archive has no such image: {uri}")
    return load()


@lru_cache(maxsize=8)
def _members(archive: str, stamp: str | None, limit: int) -> dict[str, Load]:  # noqa: ARG001 - part of the key
    """Where the members of a plain archive are; kept while the archive stays as it is."""
    return {c.uri: c.load for c in TarSource("", storage_of(archive), archive, limit).candidates()}


def _read_row(table: str, row: int, limit: int) -> bytes:
    try:
        data = TableSource("", storage_of(table), table, limit).read_row(row)
    except SourceError as error:
        raise ImageError(str(error)) from None
    if data is None:
        raise ImageError(f"row {row} has no image: {table}")
    return data
