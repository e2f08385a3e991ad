"""A bounded queue, bounded bodies, bounded time; on real sockets."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

import pytest
from fastapi import FastAPI, Request

from lookalike.service.admission import Places
from lookalike.service.app import create_app
from lookalike.service.settings import ServiceSettings
from lookalike.service.state import Service, service_of
from running_service import Running, running, wait_for

BODY = b"x" * 1000


@dataclass
class Bench:
    """A service with a route whose work ends when the test says so."""

    running: Running
    service: Service
    go: threading.Event = field(default_factory=threading.Event)
    begun: list[int] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)

    @property
    def taken(self) -> int:
        return self.service.life.under_way


Start = Callable[..., AbstractContextManager[Bench]]


@pytest.fixture
def start() -> Start:
    @contextmanager
    def start(**settings: object) -> Iterator[Bench]:
        app = create_app({}, ServiceSettings(**settings))  # type: ignore[arg-type]
        bench = Bench(None, app.state.service)  # type: ignore[arg-type]
        _add_routes(app, bench)
        with running(app) as bench.running:
            try:
                yield bench
            finally:
                bench.go.set()

    return start


def _add_routes(app: FastAPI, bench: Bench) -> None:
    def work() -> int:
        bench.begun.append(1)
        bench.go.wait(30)
        bench.ended.append(1)
        return 1

    @app.post("/v1/test/work")
    async def do_work(request: Request) -> int:
        return await service_of(request).workers.run(work)

    @app.post("/v1/test/read")
    async def read_all(request: Request) -> int:
        return len(await request.body())

    @app.post("/v1/test/ignore")
    async def read_nothing() -> int:
        return 0

    @app.post("/v1/test/sleep")
    async def sleep() -> None:
        await asyncio.sleep(30)


def type_of(response: object) -> str:
    return str(response.json()["type"]).removeprefix("/problems/")  # type: ignore[attr-defined]


def test_beyond_the_queue_requests_are_refused_and_cheap_ones_are_not(start: Start) -> None:
    with start(queue=3, workers=1) as bench, ThreadPoolExecutor(3) as pool:
        client = bench.running.client
        asked = [pool.submit(client.post, "/v1/test/work") for _ in range(3)]
        wait_for(lambda: bench.taken == 3)
        refused = client.post("/v1/test/work", content=BODY * 1000)
        assert refused.status_code == 503
        assert type_of(refused) == "busy"
        assert int(refused.headers["Retry-After"]) >= 1
        for path in ("/live", "/ready", "/openapi.json", "/v1/jobs"):
            assert client.get(path).status_code == 200
        assert client.get("/v1/collections/x/thumbnails/a/b").status_code == 404  # not 503
        metrics = client.get("/metrics").text
        assert "lookalike_requests_in_flight 3.0" in metrics
        assert 'lookalike_refused_total{reason="busy"} 1.0' in metrics
        assert len(bench.begun) == 1
        bench.go.set()
        assert [each.result().status_code for each in asked] == [200, 200, 200]
        wait_for(lambda: bench.taken == 0)
        assert client.post("/v1/test/work").status_code == 200


def test_a_refusal_does_not_wait_for_the_body(start: Start) -> None:
    with start(queue=1) as bench, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(bench.running.client.post, "/v1/test/work")
        wait_for(lambda: bench.taken == 1)
        with socket.create_connection(("127.0.0.1", bench.running.port), 10) as connection:
            connection.sendall(
                b"POST /v1/test/work HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n\r\n"
            )
            assert connection.recv(1000).startswith(b"HTTP/1.1 503")
        bench.go.set()
        assert asked.result().status_code == 200


def test_what_takes_too_long_is_answered_and_keeps_its_place_until_its_thread_ends(start: Start) -> None:
    with start(queue=2, workers=1, time_limit=0.3) as bench:
        client = bench.running.client
        late = client.post("/v1/test/work")
        assert late.status_code == 504
        assert type_of(late) == "time-limit"
        assert bench.ended == []
        assert bench.taken == 1
        waited = client.post("/v1/test/work")  # for a thread, in vain
        assert waited.status_code == 504
        wait_for(lambda: bench.taken == 1)
        bench.go.set()
        wait_for(lambda: bench.taken == 0)
        assert len(bench.begun) == len(bench.ended) == 1  # what had not begun never did


def test_what_waits_without_a_thread_ends_in_time_too(start: Start) -> None:
    with start(time_limit=0.2) as bench:
        assert bench.running.client.post("/v1/test/sleep").status_code == 504
        wait_for(lambda: bench.taken == 0)


def test_a_body_that_says_it_is_too_large_is_refused_unread(start: Start) -> None:
    with start(max_upload_bytes=10_000) as bench:
        answer = bench.running.client.post("/v1/test/read", content=b"x" * 10_001)
        assert answer.status_code == 413
        assert answer.json()["limit"] == 10_000
        assert bench.running.client.post("/v1/test/read", content=b"x" * 10_000).json() == 10_000


def test_a_body_that_grows_too_large_is_refused_while_it_comes(start: Start) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(20):
            yield BODY

    with start(max_upload_bytes=10_000) as bench:
        answer = bench.running.client.post("/v1/test/read", content=chunks())
        assert answer.status_code == 413
        assert type_of(answer) == "too-large"


def test_the_answer_to_a_large_body_that_nobody_reads_arrives(start: Start) -> None:
    with start() as bench:
        answers = [bench.running.client.post("/v1/test/ignore", content=b"x" * 10_000_000) for _ in range(3)]
        assert [each.status_code for each in answers] == [200, 200, 200]


def test_a_body_that_stops_coming_is_given_up(start: Start) -> None:
    with (
        start(body_idle=0.2) as bench,
        socket.create_connection(("127.0.0.1", bench.running.port), 10) as slow,
    ):
        slow.sendall(b"POST /v1/test/read HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\nabc")
        assert slow.recv(1000).startswith(b"HTTP/1.1 408")
        wait_for(lambda: bench.taken == 0)


def test_a_body_that_drips_is_given_up(start: Start) -> None:
    with (
        start(body_idle=0.2, body_rate=100_000) as bench,
        socket.create_connection(("127.0.0.1", bench.running.port), 10) as slow,
    ):
        slow.sendall(b"POST /v1/test/read HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\n")
        slow.settimeout(0.05)
        for _ in range(200):
            slow.sendall(b"x")
            try:
                assert slow.recv(1000).startswith(b"HTTP/1.1 408")
                break
            except TimeoutError:
                continue
        else:
            pytest.fail("it was read to the end")


def test_a_service_about_to_end_takes_nothing_new_and_says_so(start: Start) -> None:
    with start() as bench, ThreadPoolExecutor(1) as pool:
        client = bench.running.client
        asked = pool.submit(client.post, "/v1/test/work")
        wait_for(lambda: bench.begun)
        bench.service.life.drain()
        assert client.get("/ready").status_code == 503
        assert client.get("/live").status_code == 200
        refused = client.post("/v1/test/work")
        assert type_of(refused) == "ending"
        assert refused.headers["Retry-After"]
        bench.go.set()
        assert asked.result().status_code == 200


def test_a_place_is_free_when_its_last_holder_lets_go() -> None:
    seen: list[int] = []
    places = Places(1, seen.append)
    place = places.take(cheap=False)
    assert place is not None
    place.hold()
    place.let_go()
    assert places.take(cheap=False) is None
    place.let_go()
    assert seen == [1, 0]
    assert places.take(cheap=False) is not None
