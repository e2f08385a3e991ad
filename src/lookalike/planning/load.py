"""Clients that load a service with searches by upload, and use little of the cores that they share with it."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

BOUNDARY = "lookalike-load-boundary"

MOST_CONNECTIONS = 400
"""Requests under way at a time in an open loop; those beyond are not sent, and counted as such."""


@dataclass
class Tally:
    """What came back.

    Args:
        served: Seconds to the end of each answer 200.
        refused: Seconds to the end of each answer 503.
        other: Other statuses.
        unsent: Requests that were due and not sent.
    """

    served: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    other: list[int] = field(default_factory=list)
    unsent: int = 0

    def count(self, status: int, seconds: float) -> None:
        """Add one answer."""
        if status == 200:
            self.served.append(seconds)
        elif status == 503:
            self.refused.append(seconds)
        else:
            self.other.append(status)


def searches(pictures: Sequence[bytes], host: str, port: int, collection: str) -> list[bytes]:
    """A search by upload for 12 hits for each picture, as bytes on the wire.

    Args:
        pictures: Encoded images.
        host, port: Of the service.
        collection: Name under which it is served.
    """
    made = []
    for picture in pictures:
        body = (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="k"\r\n\r\n12\r\n--{BOUNDARY}\r\n'
            'Content-Disposition: form-data; name="image"; filename="picture"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode()
        body += picture + f"\r\n--{BOUNDARY}--\r\n".encode()
        head = (
            f"POST /v1/collections/{collection}/search HTTP/1.1\r\nHost: {host}:{port}\r\n"
            f"Content-Length: {len(body)}\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n"
        )
        made.append(head.encode() + body)
    return made


async def closed_loop(
    place: tuple[str, int], requests: Sequence[bytes], clients: int, seconds: float
) -> Tally:
    """So many clients for some time, each of which asks again when it was answered.

    Args:
        place: Host and port.
        requests: Sent in turn, as :func:`searches` makes them.
        clients: Each on a connection that it keeps.
        seconds: After which nobody asks again.
    """
    tally = Tally()
    until = time.perf_counter() + seconds
    order = itertools.cycle(requests)

    async def client() -> None:
        connection = _Connection(*place)
        try:
            while time.perf_counter() < until:
                tally.count(*await connection.ask(next(order)))
        finally:
            await connection.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    return tally


async def open_loop(
    place: tuple[str, int], requests: Sequence[bytes], rate: float, seconds: float, *, seed: int = 0
) -> Tally:
    """Requests that arrive at random (Poisson), whether others were answered or not.

    Args:
        place: Host and port.
        requests: Sent in turn, as :func:`searches` makes them.
        rate: Requests a second, on average.
        seconds: How long; what is answered later is not counted.
        seed: Of the moments.
    """
    tally = Tally()
    chance = random.Random(seed)
    idle: list[_Connection] = []
    under_way: set[asyncio.Task[None]] = set()
    began = time.perf_counter()

    async def one(request: bytes) -> None:
        connection = idle.pop() if idle else _Connection(*place)
        try:
            status, took = await connection.ask(request)
        except BaseException:
            await connection.close()
            raise
        idle.append(connection)
        if time.perf_counter() < began + seconds:
            tally.count(status, took)

    due = began
    for request in itertools.cycle(requests):
        due += chance.expovariate(rate)
        if due > began + seconds:
            break
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        if len(under_way) >= MOST_CONNECTIONS:
            tally.unsent += 1
            continue
        task = asyncio.create_task(one(request))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    await asyncio.gather(*under_way)
    for connection in idle:
        await connection.close()
    return tally


class _Connection:
    """One kept connection; the least that a client has to do, so that it is the service that is measured."""

    def __init__(self, host: str, port: int) -> None:
        self._place = (host, port)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> tuple[int, float]:
        """Send one request; its status, and seconds to the end of its answer."""
        began = time.perf_counter()
        kept = self._streams is not None
        try:
            head = await self._ask(request)
        except (ConnectionError, asyncio.IncompleteReadError):
            if not kept:
                raise
            await (
                self.close()
            )  # the service let go of it just now, as it may of one that nobody used for a while
            head = await self._ask(request)
        seconds = time.perf_counter() - began
        if "connection: close" in head:
            await self.close()
        return int(head.split(" ", 2)[1]), seconds

    async def _ask(self, request: bytes) -> str:
        """The head of the answer, in small letters; its body is read, too."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._place)
        reader, writer = self._streams
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = head.partition("content-length: ")[2].partition("\r\n")[0]
        await reader.readexactly(int(length))
        return head

    async def close(self) -> None:
        """Let go of it."""
        if self._streams is not None:
            writer = self._streams[1]
            self._streams = None
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
