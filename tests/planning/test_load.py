"""Clients that load a service, against a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from lookalike.planning.load import Tally, closed_loop, open_loop, searches

Answer = Callable[[int], tuple[int, str]]


@asynccontextmanager
async def _service(answer: Answer):
    """Answers the n-th request of all with a status and headers; counts connections and requests."""
    counted = {"connections": 0, "requests": 0}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        counted["connections"] += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = int(head.lower().partition("content-length: ")[2].partition("\r\n")[0])
                body = await reader.readexactly(length)
                assert b"\r\n\r\n12\r\n" in body
                status, headers = answer(counted["requests"])
                counted["requests"] += 1
                if status == 0:
                    return
                writer.write(f"HTTP/1.1 {status} X\r\n{headers}Content-Length: 2\r\n\r\n{{}}".encode())
                await writer.drain()
                if "close" in headers:
                    return
        except (asyncio.IncompleteReadError, asyncio.CancelledError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[:2], counted
    finally:
        server.close()
        await server.wait_closed()


def _load(
    answer: Answer, loop: Callable[[tuple[str, int]], Awaitable[Tally]]
) -> tuple[Tally, dict[str, int]]:
    async def run() -> tuple[Tally, dict[str, int]]:
        async with _service(answer) as (place, counted):
            return await loop(place), counted

    return asyncio.run(run())


def _asked(place: tuple[str, int]) -> list[bytes]:
    return searches([b"\xff\xd8one", b"\xff\xd8two"], *place, "shop")


def test_each_client_keeps_its_connection_and_every_answer_is_counted() -> None:
    tally, counted = _load(
        lambda n: ({0: 503, 1: 500}.get(n, 200), ""), lambda place: closed_loop(place, _asked(place), 3, 0.2)
    )
    assert counted["connections"] == 3
    assert len(tally.refused) == 1
    assert tally.other == [500]
    assert len(tally.served) + 2 == counted["requests"]


def test_a_connection_that_the_service_closes_is_opened_again() -> None:
    tally, counted = _load(
        lambda n: (503 if n % 2 else 200, "Connection: close\r\n" if n % 2 else ""),
        lambda place: closed_loop(place, _asked(place), 1, 0.2),
    )
    assert counted["connections"] > 1
    assert len(tally.served) + len(tally.refused) == counted["requests"]


def test_a_request_into_a_connection_that_was_let_go_is_sent_again() -> None:
    tally, counted = _load(
        lambda n: (0 if n == 5 else 200, ""), lambda place: closed_loop(place, _asked(place), 1, 0.2)
    )
    assert counted["connections"] == 2
    assert len(tally.served) == counted["requests"] - 1


def test_a_service_that_answers_nothing_is_an_error() -> None:
    with pytest.raises(asyncio.IncompleteReadError):
        _load(lambda _: (0, ""), lambda place: closed_loop(place, _asked(place), 1, 0.2))


def test_requests_arrive_at_the_rate_that_was_asked_for() -> None:
    tally, counted = _load(lambda _: (200, ""), lambda place: open_loop(place, _asked(place), 200.0, 0.5))
    # the moments are seeded: as many as a Poisson process of this seed has in half a second
    assert 70 <= counted["requests"] <= 130
    assert tally.unsent == 0
