"""How long what a camera saw is kept, and what is too old."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from lookalike.errors import InputError
from lookalike.store.interactions import microseconds
from lookalike.tracking.cameras import EPOCH, Camera

Duration: TypeAlias = str | timedelta
Retain: TypeAlias = Duration | Mapping[str, Duration] | None

FOREVER = "forever"

_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*(s|m|h|d|w)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def retained(
    retain: Retain, cameras: Sequence[Camera], before: Mapping[str, int | None]
) -> dict[str, int | None]:
    """How long each camera's tracklets are kept.

    Args:
        retain: ``"72h"``, ``"30d"``, ``"forever"`` or a timedelta, for all cameras or by name; cameras that are not
            said, and all with None, keep what was said before.
        cameras: All of the run.
        before: What was said before, by name.

    Returns:
        Microseconds by name; None: forever.

    Raises:
        InputError: If a duration cannot be read, a name is no camera, or a camera's times are not known.
    """
    names = [camera.name for camera in cameras]
    said: dict[str, Duration] = {}
    if isinstance(retain, Mapping):
        unknown = [name for name in retain if name not in names]
        if unknown:
            raise InputError(f"retain names camera {unknown[0]!r}: expected some of {', '.join(names)}")
        said = dict(retain)
    elif retain is not None:
        said = dict.fromkeys(names, retain)
    kept = {name: _parsed(said[name]) if name in said else before.get(name) for name in names}
    for camera in cameras:
        if kept[camera.name] is not None and camera.start == EPOCH and camera.kind != "url":
            raise InputError(
                f"camera {camera.name} has no start, so nobody knows how old its recording is: give the time of its "
                "first frame to use retain"
            )
    return kept


def oldest_kept(retain: int | None, now: datetime | None) -> int | None:
    """The time before which tracklets are too old, microseconds since 1970; None: none is."""
    if retain is None:
        return None
    moment = datetime.now(UTC) if now is None else now
    if moment.utcoffset() is None:
        raise InputError(f"now is {moment}: expected a time with its zone")
    return microseconds(moment) - retain


def _parsed(duration: Duration) -> int | None:
    if isinstance(duration, str) and duration.strip() == FOREVER:
        return None
    if isinstance(duration, timedelta):
        length = duration // timedelta(microseconds=1)
    else:
        found = _DURATION.fullmatch(duration.strip()) if isinstance(duration, str) else None
        length = 0 if found is None else round(float(found[1]) * _SECONDS[found[2]] * 1e6)
    if length <= 0:
        raise InputError(
            f"retain {duration!r} is not understood: expected a time such as 72h, 90m, 30d or 2w, or {FOREVER}"
        )
    return length
