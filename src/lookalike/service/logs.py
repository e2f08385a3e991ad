"""What is logged: a line for each request, and what went wrong; never a picture, a query or a whole id."""

from __future__ import annotations

import json
import logging
import sys
import time
from datetime import UTC, datetime
from typing import IO, Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lookalike.service import request_id
from lookalike.service.access import remembered
from lookalike.service.metrics import Metrics
from lookalike.service.problems import unexpected
from lookalike.service.telemetry import hide_address

ABANDONED = 499
"""The status in the log of a request whose client went away; nothing was answered."""

_requests = logging.getLogger("lookalike.service.requests")
_log = logging.getLogger(__name__)


class RequestLog:
    """Gives every request an id, logs and counts it, and answers what nobody foresaw.

    Args:
        app: What answers.
        metrics: Where it is counted.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        id = request_id.begin(Headers(scope=scope).get(request_id.HEADER))
        began = time.perf_counter()
        status = ABANDONED

        async def send_(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                hide_address(_route(scope))  # now: a trace ends with the last byte of the answer
                MutableHeaders(scope=message)[request_id.HEADER] = id
            await send(message)

        try:
            await self._app(scope, receive, send_)
        except ClientDisconnect:
            status = ABANDONED
        except Exception as error:  # noqa: BLE001 - the last one who can answer
            _log.error("unexpected %s", type(error).__name__, exc_info=error)
            if status == ABANDONED:
                await unexpected()(scope, receive, send_)
        finally:
            self._note(scope, status, time.perf_counter() - began)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = _route(scope)
        self._metrics.answered(scope["method"], route, status, seconds)
        caller = remembered(scope)
        _requests.info(
            "%s %s %d",
            scope["method"],
            route,
            status,
            extra={
                "fields": {
                    "method": scope["method"],
                    "route": route,
                    "status": status,
                    "ms": round(1000 * seconds, 1),
                    "key": None if caller is None else caller.name,
                }
            },
        )


def _route(scope: Scope) -> str:
    """The template that a request's address fits."""
    return getattr(scope.get("route"), "path", None) or "(none)"


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """As text."""
        fields: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if (id := request_id.request_id()) is not None:
            fields["request_id"] = id
        fields |= getattr(record, "fields", {})
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False, default=str)


class ForPeople(logging.Formatter):
    """One short line, for a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """As text."""
        fields: dict[str, Any] = getattr(record, "fields", {})
        moment = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        level = "" if record.levelno <= logging.INFO else f"{record.levelname.lower()}: "
        text = f"{moment} {level}{record.getMessage()}"
        if fields:
            text += f" {fields['ms']:g} ms" + (f" ({fields['key']})" if fields["key"] else "")
        if record.levelno > logging.INFO and (id := request_id.request_id()) is not None:
            text += f" [request {id}]"
        return text + (f"\n{self.formatException(record.exc_info)}" if record.exc_info else "")


def configure(stream: IO[str] | None = None) -> None:
    """Log to stderr: for people where it is a terminal, as JSON lines otherwise.

    Args:
        stream: Where to, instead.
    """
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(ForPeople() if stream.isatty() else JsonLines())
    for name, level in (("lookalike", logging.INFO), ("uvicorn", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(level)
        logger.propagate = False
