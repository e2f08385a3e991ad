"""What a service answers instead of what was asked for, as the exception that a local collection would raise."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from lookalike.errors import (
    CollectionBusy,
    CollectionNotFound,
    FilterError,
    ImageError,
    InputError,
    LookalikeError,
    MissingExtra,
    NotFitted,
    ServiceError,
    SourceError,
    UnknownItem,
)

_NOT_FITTED = re.compile(r"the collection has no (?P<kind>.+?) (?P<quote>['\"])(?P<name>.*?)(?P=quote): ")
_EXTRA = re.compile(r"lookalike\[(?P<extra>[\w-]+)\]")

Known = TypeVar("Known", bound=LookalikeError)

PLAIN: Mapping[str, type[LookalikeError]] = {
    "unknown-item": UnknownItem,
    "input": InputError,
    "validation": InputError,
    "image": ImageError,
    "source": SourceError,
    "unknown-collection": CollectionNotFound,
    "busy": CollectionBusy,
}
"""By the name of a problem's type; those whose message is all that they have."""


def error_of(problem: Mapping[str, Any], *, retry_after: float | None = None) -> LookalikeError:
    """The exception for a problem document (RFC 9457).

    Args:
        problem: ``type`` ends in the name of the problem; ``detail`` is for people.
        retry_after: Seconds after which to ask again, as far as the service said.

    Returns:
        What a local collection raises in the same case; :class:`ServiceError` for what it cannot meet.
    """
    name = str(problem.get("type", "")).rpartition("/")[2]
    detail = str(problem.get("detail") or problem.get("title") or "the service gave no reason")
    if name in PLAIN:
        return PLAIN[name](detail)
    if name in _BUILT:
        return _BUILT[name](detail, problem)
    status = problem.get("status")
    return ServiceError(
        detail,
        status=status if isinstance(status, int) else None,
        problem=name or None,
        retry_after=retry_after,
    )


def _filter_error(detail: str, problem: Mapping[str, Any]) -> FilterError:
    """The message is followed by the expression and a mark below the place that is wrong."""
    parts = detail.rsplit("\n  ", 2)
    position = int(problem.get("position", 0))
    if len(parts) == 3 and parts[2].strip() == "^":
        return FilterError(parts[0], parts[1], position)
    return _as_told(FilterError, detail, expression="", position=position)


def _not_fitted(detail: str, _problem: Mapping[str, Any]) -> NotFitted:
    found = _NOT_FITTED.match(detail)
    return _as_told(
        NotFitted, detail, kind=found["kind"] if found else "", name=found["name"] if found else ""
    )


def _missing_extra(detail: str, _problem: Mapping[str, Any]) -> MissingExtra:
    found = _EXTRA.search(detail)
    return _as_told(MissingExtra, f"on the server: {detail}", extra=found["extra"] if found else "")


_BUILT: Mapping[str, Callable[[str, Mapping[str, Any]], LookalikeError]] = {
    "filter": _filter_error,
    "not-fitted": _not_fitted,
    "missing-extra": _missing_extra,
}


def _as_told(wanted: type[Known], message: str, /, **attributes: Any) -> Known:
    """An exception whose own constructor would word the message, with the words of the service."""
    error = wanted.__new__(wanted)
    Exception.__init__(error, message)
    for name, value in attributes.items():
        setattr(error, name, value)
    return error
