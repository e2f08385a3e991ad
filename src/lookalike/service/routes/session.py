"""Signing in from a browser: a key becomes a cookie that scripts cannot read, so that pictures load too."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from lookalike.service.access import COOKIE, Caller, Known, caller_of
from lookalike.service.problems import Refused
from lookalike.service.schemas.session import Session, SignIn
from lookalike.service.state import service_of

router = APIRouter(prefix="/v1/session", tags=["session"])

LONGEST = 30 * 86_400
"""Seconds that a browser keeps the cookie; a key that expires or is revoked opens nothing before that either."""


@router.get("", response_model=Session)
async def who_am_i(request: Request, caller: Known) -> Session:
    """Who asks, and what is allowed: the key's scope, its collections, how often it may ask and until when."""
    return _session(request, caller)


@router.post("", response_model=Session)
async def sign_in(request: Request, response: Response, given: SignIn) -> Session:
    """Keep a key in a cookie (HttpOnly, SameSite=Strict) of this browser."""
    service = service_of(request)
    if service.keys is None:
        return _session(request, caller_of(request))
    key = service.keys.check(given.key)
    if key is None:
        raise Refused(
            "invalid-key",
            "the API key opens nothing: it is not one of this service, was revoked, or has expired",
            headers={"WWW-Authenticate": 'Bearer realm="lookalike", error="invalid_token"'},
        )
    response.set_cookie(
        COOKIE,
        given.key,
        max_age=LONGEST,
        path="/",
        secure=_over_tls(request),
        httponly=True,
        samesite="strict",
    )
    return _session(request, Caller(key.name, key, ""))


@router.delete("", status_code=204)
async def sign_out(request: Request) -> Response:
    """Let the browser forget its key."""
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path="/", secure=_over_tls(request), httponly=True, samesite="strict")
    return response


def _over_tls(request: Request) -> bool:
    """Whether the page came over TLS, which may end at a proxy: browsers say it in the page's origin."""
    return request.url.scheme == "https" or request.headers.get("origin", "").startswith("https://")


def _session(request: Request, caller: Caller) -> Session:
    service, key = service_of(request), caller.key
    own = None if key is None else key.requests_per_minute
    return Session(
        name=caller.name,
        scope=caller.scope,
        collections=None if caller.collections is None else list(caller.collections),
        key_needed=service.keys is not None,
        requests_per_minute=(service.settings.requests_per_minute if own is None else own) or None,
        expires=None if key is None else key.expires,
    )
