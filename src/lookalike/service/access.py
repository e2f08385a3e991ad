"""Who may do what: the caller of a request, and the collection of a path once the caller's key allows it."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, cookie_parser
from starlette.types import Scope as AsgiScope

from lookalike.collection import Collection
from lookalike.errors import CollectionNotFound
from lookalike.service.keys import SCOPES, ApiKey, Scope
from lookalike.service.problems import Refused
from lookalike.service.settings import is_loopback
from lookalike.service.state import Service, service_of

COOKIE = "lookalike_session"
"""Holds a key for the page, whose pictures cannot send a header."""

LOCAL = "local"
"""The name of whoever needs no key: a person on the machine itself."""

_FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
_SCOPE_KEY = "lookalike.caller"
_REALM = 'Bearer realm="lookalike"'


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request.

    Args:
        name: Of the key; ``local`` where none is needed.
        key: The key; None: none is needed, and everything is allowed.
        address: Where the request came from.
    """

    name: str
    key: ApiKey | None
    address: str

    @property
    def scope(self) -> Scope:
        """What is allowed."""
        return "admin" if self.key is None else self.key.scope

    @property
    def collections(self) -> tuple[str, ...] | None:
        """Those that may be used; None: all."""
        return None if self.key is None else self.key.collections

    def may(self, scope: Scope) -> bool:
        """Whether a scope is allowed."""
        return SCOPES.index(self.scope) >= SCOPES.index(scope)

    def sees(self, collection: str) -> bool:
        """Whether a collection may be used; one that may not be looks as if it did not exist."""
        return self.collections is None or collection in self.collections


def identify(service: Service, scope: AsgiScope) -> Caller:
    """Who sends a request.

    Raises:
        Refused: If a key is needed, and none was sent or it opens nothing.
    """
    headers = Headers(scope=scope)
    address = (scope.get("client") or ("local", 0))[0]
    if service.keys is None:
        if service.settings.on_loopback and comes_from_here(scope):
            return Caller(LOCAL, None, address)
        raise Refused(
            "missing-key",
            "only this machine itself is answered without a key, and this request came from another or through a "
            "proxy: start the service with --keys FILE, and send Authorization: Bearer lk_...",
            headers={"WWW-Authenticate": _REALM},
        )
    token = _token(headers)
    if token is None:
        raise Refused(
            "missing-key",
            "no API key was sent: expected the header Authorization: Bearer lk_...",
            headers={"WWW-Authenticate": _REALM},
        )
    key = service.keys.check(token)
    if key is None:
        raise Refused(
            "invalid-key",
            "the API key opens nothing: it is not one of this service, was revoked, or has expired",
            headers={"WWW-Authenticate": f'{_REALM}, error="invalid_token"'},
        )
    return Caller(key.name, key, address)


def comes_from_here(scope: AsgiScope) -> bool:
    """Whether a request comes from this machine, and from nobody behind a proxy on it.

    A peer without an address is in this process, or at the other end of a Unix socket.
    """
    headers = Headers(scope=scope)
    if any(name in headers for name in _FORWARDED):
        return False
    return not has_address(scope) or is_loopback(scope["client"][0])


def has_address(scope: AsgiScope) -> bool:
    """Whether the peer has an IP address."""
    client = scope.get("client")
    if not client:
        return False
    try:
        ipaddress.ip_address(client[0])
    except ValueError:
        return False
    return True


def _token(headers: Headers) -> str | None:
    kind, _, token = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return token.strip()
    return cookie_parser(headers.get("cookie", "")).get(COOKIE)


def remember(scope: AsgiScope, caller: Caller) -> None:
    """Note who sends a request."""
    scope[_SCOPE_KEY] = caller


def remembered(scope: AsgiScope) -> Caller | None:
    """Who sends a request, where that was asked already."""
    caller: Caller | None = scope.get(_SCOPE_KEY)
    return caller


def caller_of(request: HTTPConnection) -> Caller:
    """Who sends a request.

    Raises:
        Refused: If a key is needed, and none was sent or it opens nothing.
    """
    caller = remembered(request.scope)
    if caller is None:
        caller = identify(service_of(request), request.scope)
        remember(request.scope, caller)
    return caller


def seen_by(request: HTTPConnection) -> dict[str, Collection]:
    """The collections that the caller of a request may use, by name."""
    caller = caller_of(request)
    return {name: each for name, each in sorted(service_of(request).collections.items()) if caller.sees(name)}


# The dependencies are coroutines because FastAPI sends others through a thread, for which there is no need here.
_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="key",
    description="An API key, `lk_...`, made with `lookalike keys create`.",
)


async def _known(request: Request, _shown_in_openapi: Annotated[Any, Security(_bearer)]) -> Caller:
    return caller_of(request)


Known = Annotated[Caller, Depends(_known)]
"""Whoever sends the request, with any key."""


def _of_scope(needed: Scope) -> Callable[[Request, str, Caller], Awaitable[Collection]]:
    async def collection_of_path(request: Request, collection: str, caller: Known) -> Collection:
        served = seen_by(request)
        if collection not in served:
            there = f"choose one of {', '.join(served)}" if served else "your key is for none that is"
            raise CollectionNotFound(f"no collection {collection!r} is served here: {there}")
        if not caller.may(needed):
            raise Refused(
                "scope",
                f"the key {caller.name!r} has scope {caller.scope}, and this needs {needed}: use another key, or ask "
                f"whoever runs the service for one (lookalike keys create NAME --scope {needed})",
                scope=needed,
            )
        return served[collection]

    return collection_of_path


Readable = Annotated[Collection, Depends(_of_scope("read"))]
"""The collection named in the path, for a key of scope ``read``."""

Writable = Annotated[Collection, Depends(_of_scope("write"))]
"""The collection named in the path, for a key of scope ``write``."""

Administrable = Annotated[Collection, Depends(_of_scope("admin"))]
"""The collection named in the path, for a key of scope ``admin``."""
