"""Answers that a client has already, or wants a part of (RFC 9110, 13 and 14)."""

from __future__ import annotations

import re

from fastapi import Response

from lookalike.service.problems import Refused

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def has(known: str | None, tag: str) -> bool:
    """Whether a version is one of those that a client has.

    Args:
        known: ``If-None-Match``, if it was sent.
        tag: The version's ``ETag``, in quotation marks.
    """
    if known is None:
        return False
    return known.strip() == "*" or tag in (each.strip().removeprefix("W/") for each in known.split(","))


def part_of(
    data: bytes, media_type: str, headers: dict[str, str], *, wanted: str | None, if_range: str | None
) -> Response:
    """All of the bytes, or those that were asked for; several ranges at once, and other units, are left aside.

    Args:
        data: All of them.
        media_type: Of all of them.
        headers: Of the answer, with ``ETag``.
        wanted: ``Range``, if it was sent.
        if_range: ``If-Range``, if it was sent: the version that the part has to be of.

    Raises:
        Refused: If there is no such part.
    """
    part = _RANGE.fullmatch(wanted or "") if if_range in (None, headers["ETag"]) else None
    if part is None or not any(part.groups()):
        return Response(data, media_type=media_type, headers=headers)
    first, last = part.groups()
    length = len(data)
    begin = int(first) if first else max(length - int(last), 0)
    end = min(int(last) + 1, length) if first and last else length
    if begin >= end:
        raise Refused(
            "range",
            f"bytes {first}-{last} of {length}: expected a part that begins before the end",
            headers={"Content-Range": f"bytes */{length}"},
        )
    headers = {**headers, "Content-Range": f"bytes {begin}-{end - 1}/{length}"}
    return Response(data[begin:end], 206, media_type=media_type, headers=headers)
