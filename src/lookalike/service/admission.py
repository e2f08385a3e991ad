"""How much is under way at a time: a bounded queue, bounded bodies, bounded time; beyond them an answer at once.

A service that takes more than it can do answers everybody late. Here as many requests as ``queue`` have a place, from
the first byte of their body to the last thread that works for them; the others are refused before anything of them is
read, so that refusing costs next to nothing and what was taken is done in time.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lookalike.service.guards import is_cheap, path_of
from lookalike.service.life import Life
from lookalike.service.problems import Refused
from lookalike.service.settings import ServiceSettings
from lookalike.service.state import Service
from lookalike.service.workers import UNDERWAY

RETRY_SECONDS = 1
"""After which a place may be free: a queue of quick requests empties within a second or two."""

CHEAP_PLACES = 256
"""Of requests that take a moment; they have places of their own, so that a busy service still shows its page."""

SLOW_READERS = 1024
"""Answers that may be under way to clients at a time, whatever they are."""

ALWAYS = frozenset({"/live", "/ready", "/metrics"})
"""What tells how the service is also answers when it is about to end."""


class Places:
    """A bounded number of places. Safe to use from several threads.

    Args:
        limit: How many.
        changed: Told how many are taken.
    """

    def __init__(self, limit: int, changed: Callable[[int], None] = lambda _: None) -> None:
        self._limit = limit
        self._changed = changed
        self._lock = threading.Lock()
        self._taken = 0

    @property
    def taken(self) -> int:
        """How many are taken."""
        return self._taken

    def take(self, *, cheap: bool) -> Place | None:
        """Take one for a request; None: all are taken."""
        with self._lock:
            if self._taken >= self._limit:
                return None
            self._taken += 1
            self._changed(self._taken)
        return Place(self, cheap)

    def free(self) -> None:
        """Give one back."""
        with self._lock:
            self._taken -= 1
            self._changed(self._taken)


class Place:
    """The place of one request: taken while the request or a thread of it is under way.

    Args:
        places: Where it is one of.
        cheap: Whether the request takes but a moment.
    """

    def __init__(self, places: Places, cheap: bool) -> None:
        self.cheap = cheap
        self._places = places
        self._lock = threading.Lock()
        self._holders = 1

    def hold(self) -> None:
        """A thread begins to work for the request."""
        with self._lock:
            self._holders += 1

    def let_go(self) -> None:
        """The request has been answered, or a thread has ended its work for it."""
        with self._lock:
            self._holders -= 1
            empty = self._holders == 0
        if empty:
            self._places.free()


class Admission:
    """Gives requests their places, and ends what takes too long.

    Args:
        app: What answers.
        service: Knows the limits, and whether it is about to end.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app = app
        self._settings = service.settings
        self._metrics = service.metrics
        self._life = service.life
        self._places = Places(service.settings.queue, service.metrics.in_flight)
        self._cheap = Places(CHEAP_PLACES)
        self._answers = 0
        service.life.count_with(lambda: self._places.taken + self._cheap.taken)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            check_size(scope, self._settings)
            place = self._admit(scope)
        except Refused as refused:
            self._metrics.refused(refused.name)
            await refused.response()(scope, receive, send)
            return
        self._answers += 1
        token = UNDERWAY.set(place)
        try:
            await _Attempt(self._app, self._settings, self._life, place)(scope, receive, send)
        finally:
            UNDERWAY.reset(token)
            self._answers -= 1

    def _admit(self, scope: Scope) -> Place:
        if self._life.draining and path_of(scope) not in ALWAYS:
            raise ending()
        cheap = is_cheap(scope)
        place = (
            (self._cheap if cheap else self._places).take(cheap=cheap)
            if self._answers < SLOW_READERS
            else None
        )
        if place is None:
            raise Refused(
                "busy",
                f"{self._places.taken} requests are under way, as many as may be: ask again in {RETRY_SECONDS} s",
                headers={"Retry-After": str(RETRY_SECONDS)},
            )
        return place


def ending() -> Refused:
    """The answer when the service is about to end."""
    return Refused(
        "ending",
        "the service is about to end and takes nothing new: ask again later",
        headers={"Retry-After": "5", "Connection": "close"},
    )


def check_size(scope: Scope, settings: ServiceSettings) -> None:
    """Refuse a body that says that it is too large.

    Raises:
        Refused: If so.
    """
    length = Headers(scope=scope).get("content-length", "")
    if length.isdecimal() and int(length) > settings.max_upload_bytes:
        raise _too_large(int(length), settings.max_upload_bytes)


def _too_large(size: int, limit: int) -> Refused:
    return Refused(
        "too-large",
        f"the body has {size:,} bytes or more, and at most {limit:,} are read: send less, or in several requests",
        limit=limit,
    )


class _Attempt:
    """One request under its limits.

    Args:
        app: What answers.
        settings: The limits.
        life: Whether the service is about to end, and everything with it.
        place: Of the request.
    """

    def __init__(self, app: ASGIApp, settings: ServiceSettings, life: Life, place: Place) -> None:
        self._app = app
        self._settings = settings
        self._life = life
        self._place = place
        self._size = 0
        self._started = False
        self._whole = False
        self._began = asyncio.get_running_loop().time()
        self._deadline = asyncio.timeout(settings.time_limit)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer it within its time, or say that it took too long."""

        async def receive_() -> Message:
            return await self._receive(receive)

        async def send_(message: Message) -> None:
            await self._send(send, message)

        try:
            async with self._deadline:
                await self._app(scope, receive_, send_)
        except TimeoutError:
            if self._started or not self._deadline.expired():
                raise
            late = Refused(
                "time-limit",
                f"the request was given up after {self._settings.time_limit:g} s: ask for less, or later",
            )
            await late.response()(scope, receive, send)
        except asyncio.CancelledError:
            if self._started or not self._life.draining:
                raise
            await ending().response()(scope, receive, send)  # what is left of the time is enough to say so
        finally:
            self._leave()

    async def _receive(self, receive: Receive) -> Message:
        """The next part of the body, if it comes in time and is not too much. The time limit begins after each."""
        loop = asyncio.get_running_loop()
        try:
            # After the whole body, what comes next is that the client goes away, which may take as long as it likes.
            async with asyncio.timeout(None if self._whole else self._settings.body_idle):
                message = await receive()
        except TimeoutError:
            raise Refused(
                "slow-body", f"nothing came for {self._settings.body_idle:g} s: send the request again"
            ) from None
        self._whole |= not message.get("more_body", False)
        if message["type"] == "http.request" and not self._started:
            self._size += len(message.get("body", b""))
            self._check_body(loop.time() - self._began)
            self._deadline.reschedule(loop.time() + self._settings.time_limit)
        return message

    def _check_body(self, seconds: float) -> None:
        if self._size > self._settings.max_upload_bytes:
            raise _too_large(self._size, self._settings.max_upload_bytes)
        if self._size < (seconds - self._settings.body_idle) * self._settings.body_rate:
            raise Refused(
                "slow-body",
                f"{self._size:,} bytes came in {seconds:.0f} s, slower than {self._settings.body_rate:,} a second: "
                "send less, or from where the line is faster",
            )

    async def _send(self, send: Send, message: Message) -> None:
        """Pass a part of the answer on; a client that does not take it in time is given up."""
        if message["type"] == "http.response.start":
            self._started = True
            self._deadline.reschedule(None)
            self._leave()
        try:
            async with asyncio.timeout(self._settings.time_limit):
                await send(message)
        except TimeoutError:
            raise ClientDisconnect from None

    def _leave(self) -> None:
        """Give up the place once: what is left to do is to send, which takes no thread."""
        place, self._place = self._place, None  # type: ignore[assignment]
        if place is not None:
            place.let_go()
