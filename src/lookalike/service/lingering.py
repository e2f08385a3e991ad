"""An answer that comes before its request is whole: the rest is read and dropped, so that the answer arrives.

A server that closes a connection with unread data resets it, and the client may lose an answer that was sent already
(RFC 9112, section 9.6).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LONGEST = 5.0
"""Seconds that a client gets to notice that it was answered."""


class Lingering:
    """Ends each answer only when its request was read, for a while.

    Args:
        app: What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        unread = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
        if "expect" in headers:  # such a client waits for leave to send its body, and gets the answer instead
            unread = False

        async def receive_(rest: Receive = receive) -> Message:
            nonlocal unread
            message = await rest()
            if message["type"] != "http.request" or not message.get("more_body", False):
                unread = False
            return message

        async def send_(message: Message) -> None:
            if message["type"] == "http.response.body" and not message.get("more_body", False) and unread:
                await send({**message, "more_body": True})
                with suppress(TimeoutError):
                    async with asyncio.timeout(LONGEST):
                        while unread:
                            await receive_()
                message = {"type": "http.response.body", "body": b"", "more_body": False}
            await send(message)

        await self._app(scope, receive_, send_)
