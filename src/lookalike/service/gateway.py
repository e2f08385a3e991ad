"""Stands before the replicas in every proxy of a cluster, and asks another one when the one that was asked has died.

Ray Serve itself moves on only where a replica died before it took a request; one that dies later answers its requests
with 500. Here an answer is kept until it is whole, and a request is kept until it is answered, so that the client
of a request that changes nothing never learns of it. Every error that Ray Serve answers with becomes a problem
document.

Ray Serve puts it into its proxies where ``RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH`` is :data:`CALLBACK`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lookalike.service import request_id
from lookalike.service.headers import SecurityHeaders
from lookalike.service.problems import Refused
from lookalike.service.replica_routing import MARK, is_repeatable, placed

VARIABLE = "RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH"
CALLBACK = "lookalike.service.gateway.middlewares"

ATTEMPTS = 3
"""How often a request is sent to a replica. A picture that kills whoever looks at it kills no more than that."""

PAUSE = 0.1
"""Seconds between two of them, in which a proxy learns which replicas are left."""

WHOLE = 4 * 2**20
"""Bytes of an answer that is kept until it is whole; a larger one, or a stream, is passed on as it comes."""

KEPT = 512 * 2**20
"""Bytes of requests that one proxy keeps at a time; a request for which there is no room left is sent once."""

RETRY_SECONDS = 2
_NOTHING_WAS_DONE = frozenset({404, 503})
"""With these a proxy says that there is no replica to ask, or that all have more than they may."""

_INTERNAL = "/-/"
"""The proxy's own pages: whether it lives, and what it routes."""


def middlewares() -> list[Middleware]:
    """What Ray Serve puts around the application of each proxy."""
    return [Middleware(Gateway), Middleware(SecurityHeaders)]  # the last one is the outermost


class Memory:
    """Bytes that are kept at a time.

    Args:
        limit: How many may be.
    """

    def __init__(self, limit: int) -> None:
        self.left = limit

    def take(self, size: int) -> bool:
        """Keep so many more; False: there is no room."""
        if size > self.left:
            return False
        self.left -= size
        return True


class Body:
    """The body of a request, read from its client once and given as often as it is asked for.

    Args:
        receive: Reads from the client.
        memory: What is kept is taken from it; None: nothing is kept, and it can be given once.
    """

    def __init__(self, receive: Receive, memory: Memory | None) -> None:
        self._receive = receive
        self._memory = memory
        self._parts: list[Message] = []
        self._read = 0
        self._kept = 0
        self._reading = asyncio.Lock()
        self.client_left = False

    @property
    def complete(self) -> bool:
        """Whether everything that was read is still there."""
        return self._read == len(self._parts)

    def from_the_start(self) -> Receive:
        """A ``receive`` that begins with the first part."""
        next_ = 0

        async def receive() -> Message:
            nonlocal next_
            if next_ < len(self._parts):  # an attempt that was given up may still wait for more
                next_ += 1
                return self._parts[next_ - 1]
            async with self._reading:
                if next_ < len(self._parts):
                    next_ += 1
                    return self._parts[next_ - 1]
                message = await self._receive()
                if message["type"] == "http.disconnect":
                    self.client_left = True
                    return message
                self._keep(message)
                next_ = len(self._parts)
                return message

        return receive

    def forget(self) -> None:
        """Give the memory back."""
        if self._memory is not None:
            self._memory.left += self._kept
        self._parts, self._kept = [], 0

    def _keep(self, message: Message) -> None:
        size = len(message.get("body", b""))
        if self.complete and self._memory is not None and self._memory.take(size):
            self._parts.append(message)
            self._kept += size
        self._read += 1


class Answer:
    """What comes back from one attempt: held back until it is certain that the client gets all of it.

    Args:
        send: Sends to the client.
        id: Of the request.
    """

    def __init__(self, send: Send, id: str) -> None:
        self._send = send
        self._id = id
        self._held: list[Message] = []
        self._foreign = False
        self.status: int | None = None
        self.passed_on = False

    async def __call__(self, message: Message) -> None:
        """Take the next part."""
        if self.passed_on:
            await self._send(message)
            return
        if message["type"] == "http.response.start":
            self._begin(message)
        if self._foreign:
            return
        self._held.append(message)
        last = message["type"] == "http.response.body" and not message.get("more_body", False)
        if last or not _is_short(self._held[0]):
            await self._pass_on()

    def _begin(self, start: Message) -> None:
        headers = MutableHeaders(scope=start)
        self.status = start["status"]
        self._foreign = MARK not in headers
        del headers[request_id.HEADER]  # the proxy adds its own to that of the service
        headers[request_id.HEADER] = self._id

    async def _pass_on(self) -> None:
        self.passed_on = True
        held, self._held = self._held, []
        for message in held:
            await self._send(message)


def _is_short(start: Message) -> bool:
    length = Headers(raw=start["headers"]).get("content-length", "")
    return length.isdecimal() and int(length) <= WHOLE


class Gateway:
    """Sends a request to the replica that has to answer it, and again where that is of use and does no harm.

    Args:
        app: The proxy.
        pause: Waits between two attempts.
    """

    def __init__(self, app: ASGIApp, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._app = app
        self._pause = pause
        self._memory = Memory(KEPT)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"].startswith(_INTERNAL):
            await self._app(scope, receive, send)
            return
        id = request_id.begin(Headers(scope=scope).get(request_id.HEADER))
        repeatable = is_repeatable(scope["method"], scope["path"])
        body = Body(receive, self._memory if repeatable else None)
        try:
            answer = await self._ask(scope, body, send, id, ATTEMPTS if repeatable else 1)
        finally:
            body.forget()
        if answer.passed_on or body.client_left:
            return
        await _unanswered(answer.status, repeatable).response()(scope, receive, send)

    async def _ask(self, scope: Scope, body: Body, send: Send, id: str, attempts: int) -> Answer:
        """Ask up to so many times; the last answer, whether it was passed on or not."""
        for attempt in range(1, attempts + 1):
            answer = Answer(send, id)
            inner = placed(dict(scope))
            MutableHeaders(scope=inner)[request_id.HEADER] = id
            await self._app(inner, body.from_the_start(), answer)
            done = answer.passed_on or body.client_left or answer.status in _NOTHING_WAS_DONE
            if done or attempt == attempts or not body.complete:
                return answer
            await self._pause(PAUSE * attempt)
        raise AssertionError("there is at least one attempt")


def _unanswered(status: int | None, repeatable: bool) -> Refused:
    """What a client is told whose request no replica answered."""
    later = {"Retry-After": str(RETRY_SECONDS)}
    if status in _NOTHING_WAS_DONE:
        return Refused(
            "busy", f"no replica can take the request now: ask again in {RETRY_SECONDS} s", headers=later
        )
    if repeatable:
        return Refused(
            "busy",
            f"the replicas that worked on it ended before they answered: ask again in {RETRY_SECONDS} s",
            headers=later,
        )
    return Refused(
        "interrupted",
        "the replica that worked on it ended before it answered, so it may or may not have been done: look whether it "
        "was before you ask again",
    )
