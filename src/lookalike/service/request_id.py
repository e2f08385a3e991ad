"""The id by which a request is found again in the log."""

from __future__ import annotations

import re
from contextvars import ContextVar
from secrets import token_hex

HEADER = "X-Request-ID"
_SANE = re.compile(r"[A-Za-z0-9._-]{8,64}")

_CURRENT: ContextVar[str | None] = ContextVar("request_id", default=None)


def begin(given: str | None) -> str:
    """Give the request of the running task an id: the client's own, if it can stand in a log, or a new one."""
    id = given if given is not None and _SANE.fullmatch(given) else token_hex(12)
    _CURRENT.set(id)
    return id


def request_id() -> str | None:
    """The id of the request that the running task answers; None outside of one."""
    return _CURRENT.get()
