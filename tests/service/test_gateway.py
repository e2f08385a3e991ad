"""The gateway before the replicas: what it repeats, what it does not, and what it makes of a proxy's errors."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import anyio
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lookalike.service import gateway
from lookalike.service.gateway import ATTEMPTS, Gateway, Memory, middlewares
from lookalike.service.replica_routing import MARK

SEARCH = "/v1/collections/shop/search"
CHANGE = "/v1/collections/shop/items"


class Replicas:
    """Stands for a proxy and its replicas: each attempt is answered by the next of some applications."""

    def __init__(self, *answers: Callable[[Request], Response] | ASGIApp) -> None:
        self._answers = list(answers)
        self.bodies: list[bytes] = []
        self.paths: list[str] = []
        self.ids: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.paths.append(scope["path"])
        request = Request(scope, receive)
        self.ids.append(request.headers["X-Request-ID"])
        self.bodies.append(await request.body())
        answer: Any = self._answers.pop(0)
        if isinstance(answer, Response):
            await answer(scope, receive, send)
        else:
            await answer(scope, receive, send)


def from_replica(status: int = 200, text: str = "found") -> Response:
    return PlainTextResponse(text, status, headers={MARK: "Replica-1", "X-Request-ID": "its-own-id"})


def from_proxy(status: int) -> Response:
    return PlainTextResponse("Internal Server Error", status)


async def cut_off(_scope: Scope, _receive: Receive, send: Send) -> None:
    """A replica that is killed between the head of an answer and its body."""
    headers = [(MARK.encode(), b"Replica-1"), (b"content-length", b"5")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


@pytest.fixture
def pauses() -> list[float]:
    return []


def client_of(replicas: Replicas, pauses: list[float]) -> TestClient:
    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    return TestClient(Gateway(replicas, pause))


def test_a_search_whose_replica_died_is_asked_again_with_the_same_body_and_id(pauses: list[float]) -> None:
    replicas = Replicas(from_proxy(500), from_replica())
    answer = client_of(replicas, pauses).post(SEARCH, content=b"picture" * 10_000)
    assert (answer.status_code, answer.text) == (200, "found")
    assert replicas.bodies == [b"picture" * 10_000] * 2
    assert len(set(replicas.ids)) == 1
    assert answer.headers.get_list("X-Request-ID") == [replicas.ids[0]]
    assert len(pauses) == 1


def test_an_answer_that_was_cut_off_is_asked_for_again(pauses: list[float]) -> None:
    answer = client_of(Replicas(cut_off, from_replica()), pauses).get("/v1/collections/shop")
    assert (answer.status_code, answer.text) == (200, "found")


def test_what_a_replica_says_is_passed_on_and_never_asked_again(pauses: list[float]) -> None:
    replicas = Replicas(from_replica(503, "busy"))
    answer = client_of(replicas, pauses).post(SEARCH, content=b"picture")
    assert (answer.status_code, answer.text, len(replicas.paths)) == (503, "busy", 1)


def test_a_change_is_asked_once_and_its_client_is_told_that_it_may_have_been_made(
    pauses: list[float],
) -> None:
    replicas = Replicas(from_proxy(500))
    answer = client_of(replicas, pauses).post(CHANGE, content=b"picture")
    assert (answer.status_code, answer.json()["type"]) == (502, "/problems/interrupted")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["instance"] == replicas.ids[0]


def test_a_request_that_kills_its_replicas_kills_only_a_few(pauses: list[float]) -> None:
    replicas = Replicas(*[from_proxy(500)] * 10)
    answer = client_of(replicas, pauses).post(SEARCH, content=b"bad picture")
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/busy")
    assert len(replicas.paths) == ATTEMPTS


@pytest.mark.parametrize("status", [404, 503])
def test_where_no_replica_can_take_it_the_client_is_told_so_at_once(status: int, pauses: list[float]) -> None:
    for path in (SEARCH, CHANGE):
        replicas = Replicas(from_proxy(status))
        answer = client_of(replicas, pauses).post(path, content=b"picture")
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/busy")
        assert answer.headers["Retry-After"] == "2"
    assert pauses == []


def test_jobs_are_sent_to_their_replica(pauses: list[float]) -> None:
    replicas = Replicas(from_replica(), from_replica())
    client = client_of(replicas, pauses)
    client.post("/v1/collections/shop/map", json={})
    client.get("/v1/collections/shop/map")
    assert replicas.paths == ["/~jobs/v1/collections/shop/map", "/v1/collections/shop/map"]


def test_a_stream_is_passed_on_as_it_comes() -> None:
    sent: list[str] = []

    async def events() -> Any:
        for number in range(3):
            sent.append(f"{number} after {len(seen)}")
            yield f"{number}\n"

    seen: list[bytes] = []

    async def keep(message: Message) -> None:
        seen.append(message.get("body", b""))

    async def receive() -> Message:
        await anyio.sleep_forever()  # the client stays
        raise AssertionError

    scope: Scope = {
        "type": "http",
        "method": "GET",
        "path": "/v1/jobs/1/events",
        "headers": [],
        "query_string": b"",
    }

    async def replica(scope: Scope, receive: Receive, send: Send) -> None:
        await StreamingResponse(events(), headers={MARK: "Replica-1"})(scope, receive, send)

    anyio.run(Gateway(replica), scope, receive, keep)
    assert sent == ["0 after 1", "1 after 2", "2 after 3"]


def test_a_request_that_cannot_be_kept_is_sent_once(
    pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "KEPT", 10)
    replicas = Replicas(from_proxy(500), from_replica(), from_proxy(500), from_replica())
    client = client_of(replicas, pauses)
    assert client.post(SEARCH, content=b"eleven byte").status_code == 503
    assert replicas.bodies == [b"eleven byte"]
    assert (
        client_of(Replicas(from_proxy(500), from_replica()), pauses)
        .post(SEARCH, content=b"ten bytes.")
        .is_success
    )


def test_an_attempt_that_still_waits_for_the_client_does_not_hold_up_the_next() -> None:
    parts: list[Message] = [{"type": "http.request", "body": b"picture", "more_body": False}]
    sent: list[Message] = []
    waiting: list[asyncio.Task[Message]] = []

    async def client() -> Message:
        return parts.pop() if parts else await asyncio.Event().wait()  # type: ignore[return-value]

    async def keep(message: Message) -> None:
        sent.append(message)

    async def proxy(scope: Scope, receive: Receive, send: Send) -> None:
        assert await Request(scope, receive).body() == b"picture"
        if not waiting:
            waiting.append(asyncio.create_task(receive()))  # type: ignore[arg-type]
            await asyncio.sleep(0)
            await from_proxy(500)(scope, receive, send)
        else:
            await from_replica()(scope, receive, send)

    scope = {"type": "http", "method": "POST", "path": SEARCH, "headers": [], "query_string": b""}

    async def ask() -> None:
        async with asyncio.timeout(10):
            await Gateway(proxy)(scope, client, keep)
        waiting[0].cancel()

    asyncio.run(ask())
    assert [message.get("status") for message in sent] == [200, None]


def test_memory_is_given_back() -> None:
    memory = Memory(10)
    assert memory.take(7)
    assert not memory.take(4)
    memory.left += 7
    assert memory.take(10)


def test_the_proxys_own_pages_stay_as_they_are() -> None:
    async def proxy(scope: Scope, receive: Receive, send: Send) -> None:
        await JSONResponse({"/": "lookalike"})(scope, receive, send)

    assert TestClient(Gateway(proxy)).get("/-/routes").json() == {"/": "lookalike"}


def test_errors_of_the_gateway_have_the_fields_that_every_answer_has() -> None:
    app: ASGIApp = Replicas(from_proxy(404))
    for each in middlewares():
        app = each.cls(app, *each.args, **each.kwargs)
    answer = TestClient(app).get("/v1/collections")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
