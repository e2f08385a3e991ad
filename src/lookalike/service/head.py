"""HEAD wherever there is GET: the same answer without its body (RFC 9110, 9.3.2)."""

from __future__ import annotations

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Head:
    """Has a HEAD request answered by the route of GET, and keeps the body back.

    One place for all routes: registered beside each GET, it would be listed twice in the OpenAPI document.

    Args:
        app: What answers GET.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        asked = {**scope, "method": "GET"}  # a copy: the server and the log are to see what was really asked
        with anyio.CancelScope() as answering:

            async def send_(message: Message) -> None:
                if message["type"] == "http.response.start":
                    scope["route"] = asked.get("route")
                    await send(message)
                    await send({"type": "http.response.body", "body": b""})
                elif message.get("more_body"):
                    answering.cancel()  # a stream: its end may be far, and nobody reads it

            await self._app(asked, receive, send_)
