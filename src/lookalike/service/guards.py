"""What is asked of a request before anything of it is read: its host, its origin, its key, its rate."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lookalike.errors import StoreError
from lookalike.service.access import Caller, has_address, identify, remember
from lookalike.service.keys import ApiKey
from lookalike.service.problems import Refused, unexpected
from lookalike.service.rates import Allowance
from lookalike.service.settings import ServiceSettings
from lookalike.service.state import Service

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_NEEDS_KEY = re.compile(r"/v1(/|$)|/metrics$")
_SESSION = "/v1/session"
_CHEAP = re.compile(
    r"/v1/(session$|jobs(/|$)|collections(/[^/]+)?$|collections/[^/]+/(thumbnails|crops)/)|/(?!v1(/|$))"
)
_PICTURE = re.compile(r"/v1/collections/[^/]+/(thumbnails|originals|crops)/")

_log = logging.getLogger(__name__)


def path_of(scope: Scope) -> str:
    """The path as the routes see it: without the prefix that a proxy serves the whole under."""
    path: str = scope["path"]
    root = scope.get("root_path", "")
    return path[len(root) :] if root and path.startswith(root + "/") else path


def is_cheap(scope: Scope) -> bool:
    """Whether a request takes a moment whatever else goes on: static files, thumbnails, the states of jobs."""
    return scope["method"] in ("GET", "HEAD", "DELETE") and _CHEAP.match(path_of(scope)) is not None


class Guard:
    """Refuses a request that may not be answered, before its body is read.

    Args:
        app: What answers the others.
        service: Knows the settings and the keys.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app = app
        self._service = service
        self._noting: set[asyncio.Task[None]] = set()
        self._noted: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            check_host(scope, self._service.settings)
            check_origin(scope, self._service.settings)
            allowance = await self._check_caller(scope)
        except Refused as refused:
            self._service.metrics.refused(refused.name)
            await refused.response()(scope, receive, send)
            return
        except StoreError as error:  # nothing is open while the keys cannot be read
            _log.error("%s", error)
            await unexpected()(scope, receive, send)
            return
        await self._app(scope, receive, send if allowance is None else _with(allowance, send))

    async def _check_caller(self, scope: Scope) -> Allowance | None:
        """Note who calls, and count it.

        Raises:
            Refused: If a key is needed and is not there, or it asks too often.
        """
        path = path_of(scope)
        if _NEEDS_KEY.match(path) is None or scope["method"] == "OPTIONS":
            return None
        if path == _SESSION and scope["method"] != "GET":
            return None
        caller = identify(self._service, scope)
        remember(scope, caller)
        if caller.key is not None:
            self._note_use(caller.key)
        return None if _PICTURE.match(path) else await self._count(caller)

    async def _count(self, caller: Caller) -> Allowance | None:
        own = None if caller.key is None else caller.key.requests_per_minute
        limit = self._service.settings.requests_per_minute if own is None else own
        if not limit:
            return None
        who = caller.address if caller.key is None else caller.key.id
        allowance = await self._service.rates.ask(who, limit)
        if allowance.wait:
            raise Refused(
                "too-many-requests",
                f"{caller.name!r} may ask {limit} times a minute: ask again in {allowance.headers()['Retry-After']} s",
                headers=allowance.headers(),
            )
        return allowance

    def _note_use(self, key: ApiKey) -> None:
        """Keep when a key was last used, off the event loop, once an hour."""
        keys = self._service.keys
        if keys is None or key.id in self._noted or not keys.wants_note(key):
            return
        self._noted.add(key.id)

        async def note() -> None:
            try:
                await asyncio.to_thread(keys.note_use, key)
            except (OSError, StoreError) as error:
                _log.warning("the last use of keys is not kept, for their file cannot be written: %s", error)
            else:
                self._noted.discard(key.id)

        task = asyncio.create_task(note())
        self._noting.add(task)
        task.add_done_callback(self._noting.discard)


def check_host(scope: Scope, settings: ServiceSettings) -> None:
    """Refuse a name that the service does not know.

    A page of a stranger can let its own name point to this machine (DNS rebinding), and its scripts then ask from the
    page's own origin; but the request still says that name. An address cannot be had that way.

    Raises:
        Refused: If the request's ``Host`` is such a name.
    """
    if "*" in settings.allowed_hosts or not has_address(scope):
        return
    host = Headers(scope=scope).get("host", "")
    name = (urlsplit(f"//{host}").hostname or "") if _is_netloc(host) else ""
    if name == "localhost" or name in (settings.host, *settings.allowed_hosts):
        return
    try:
        ipaddress.ip_address(name)
    except ValueError:
        raise Refused(
            "host",
            f"the service does not answer to the name {name!r}: whoever runs it allows names with --allow-host NAME",
        ) from None


def _is_netloc(host: str) -> bool:
    return re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?", host) is not None


def check_origin(scope: Scope, settings: ServiceSettings) -> None:
    """Refuse a change that a page of another origin asks for (cross-site request forgery).

    Browsers say the page's origin with every request that changes something, and newer ones how it relates to the
    address (``Sec-Fetch-Site``); programs that are no browser send neither.

    Raises:
        Refused: If the page is of an origin that is not allowed.
    """
    if scope["method"] in SAFE_METHODS:
        return
    headers = Headers(scope=scope)
    origin = headers.get("origin")
    if origin in settings.allowed_origins:
        return
    own = origin is None or _authority(_netloc(origin)) == _authority(headers.get("host", ""))
    if own and headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
        return
    raise Refused(
        "foreign-origin",
        f"a page of {origin or 'another origin'} may not change anything here: whoever runs the service allows origins "
        "with --allow-origin ORIGIN",
    )


def _netloc(origin: str) -> str | None:
    """Host and port of an origin; None: it is none."""
    try:
        return urlsplit(origin).netloc or None
    except ValueError:
        return None


def _authority(netloc: str | None) -> str | None:
    return None if netloc is None else re.sub(r":(80|443)$", "", netloc.lower())


def _with(allowance: Allowance, send: Send) -> Send:
    async def send_(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(allowance.headers())
        await send(message)

    return send_
