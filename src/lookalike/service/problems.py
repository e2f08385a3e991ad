"""Errors as RFC 9457 problem documents with a stable ``type``."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from lookalike.errors import (
    CollectionBusy,
    CollectionNotFound,
    FilterError,
    ImageError,
    InputError,
    LookalikeError,
    MissingExtra,
    NotFitted,
    SourceError,
    UnknownItem,
)
from lookalike.service.problem_types import NAMES, TYPES
from lookalike.service.request_id import request_id

PROBLEMS: tuple[tuple[type[LookalikeError], int, str], ...] = (
    (FilterError, 422, "filter"),
    (UnknownItem, 404, "unknown-item"),
    (NotFitted, 404, "not-fitted"),
    (InputError, 422, "input"),
    (ImageError, 422, "image"),
    (SourceError, 422, "source"),
    (CollectionNotFound, 404, "unknown-collection"),
    (CollectionBusy, 503, "busy"),
    (MissingExtra, 501, "missing-extra"),
    (LookalikeError, 500, "internal"),
)
"""The first that fits: kind of error, HTTP status, name of the problem's type."""

BUSY_SECONDS = 2
"""After which a collection that another process was writing to is worth another try."""

_PATH = re.compile(r"""(?<![\w.:/\\~-])(?:~|[A-Za-z]:)?[/\\](?:[^\s'",:;()/\\]+[/\\])+[^\s'",:;()]*""")
_FILE_URL = re.compile(r"""file:/+[^\s'",;()]*""")

_PYDANTIC = "Value error, "
"""What pydantic puts before a message of ours."""

_log = logging.getLogger(__name__)


class Refused(HTTPException):
    """A request that is refused, as a problem of a named type.

    Args:
        name: Of the problem's type.
        detail: What was got, what was expected and what to do next.
        headers: Of the answer.
        more: Further members of the document.
    """

    def __init__(
        self, name: str, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(TYPES[name].status, detail, headers=dict(headers or {}))
        self.name = name
        self.more = more

    def response(self) -> JSONResponse:
        """The answer."""
        return problem(self.status_code, self.name, self.detail, headers=self.headers, **self.more)


class _Document(JSONResponse):
    """A problem document, whatever text it repeats."""

    media_type = "application/problem+json"

    def render(self, content: Any) -> bytes:
        """As UTF-8; a lone surrogate of a request, which is no character and would be an error, becomes ``?``."""
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def problem(
    status: int, name: str, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any
) -> JSONResponse:
    """A problem document; ``type`` is ``/problems/NAME``, which the service explains.

    Args:
        status: Of the answer.
        name: Of the type.
        detail: What was got, what was expected and what to do next.
        headers: Of the answer.
        more: Further members.
    """
    title = TYPES[name].title if name in TYPES else name.replace("-", " ")
    body: dict[str, Any] = {"type": f"/problems/{name}", "title": title, "status": status, "detail": detail}
    if (instance := request_id()) is not None:
        body["instance"] = instance
    return _Document({**body, **more}, status, headers=None if headers is None else dict(headers))


def without_paths(message: str) -> str:
    """A message without the places on this machine that it names: strangers need not know them."""
    return _PATH.sub("(a path on the server)", _FILE_URL.sub("(a path on the server)", message))


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every error with a problem document."""
    app.add_exception_handler(LookalikeError, _known)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _other)
    app.add_exception_handler(RecursionError, _too_deep)


def unexpected() -> JSONResponse:
    """The answer to an error that nobody foresaw; what it was is in the log, under the request's id."""
    return problem(
        500,
        "internal",
        "something went wrong here; the log of the service has the cause under this request's id",
    )


def problem_of(error: LookalikeError) -> JSONResponse:
    """What strangers are told of an error."""
    status, name = next((s, n) for kind, s, n in PROBLEMS if isinstance(error, kind))
    own_words = isinstance(error, FilterError | UnknownItem)  # only repeats what the client sent
    detail = str(error) if own_words else without_paths(str(error))
    headers = {"Retry-After": str(BUSY_SECONDS)} if status == 503 else None
    more = {"position": error.position} if isinstance(error, FilterError) else {}
    return problem(status, name, detail, headers=headers, **more)


async def _known(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, LookalikeError)
    answer = problem_of(error)
    if answer.status_code == 500:
        _log.error("%s", type(error).__name__, exc_info=error)
    return answer


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    wrong = [
        {"field": _field(each["loc"]), "message": each["msg"].removeprefix(_PYDANTIC)}
        for each in error.errors()
    ]
    return problem(422, "validation", f"{wrong[0]['field']}: {wrong[0]['message']}", errors=wrong)


def _field(place: tuple[str | int, ...]) -> str:
    """``body.ids.3``; the place in the request comes first, where there is more than that."""
    return ".".join(str(part) for part in place) or "body"


async def _other(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if isinstance(error, Refused):
        return error.response()
    name = NAMES.get(error.status_code, "refused")
    detail = str(error.detail)
    if error.status_code == 404 and detail == "Not Found":
        detail = "there is nothing at this address: GET /openapi.json lists what there is, and /docs shows it"
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "other methods")
        detail = f"{request.method} is not possible here: expected {allowed}"
    return problem(error.status_code, name, detail, headers=error.headers)


async def _too_deep(_request: Request, _error: Exception) -> JSONResponse:
    return problem(
        422, "validation", "body: nested too deep", errors=[{"field": "body", "message": "nested too deep"}]
    )
