"""Patience with what passes, and errors that say what a service said."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lookalike.client.transport import ATTEMPTS, LONGEST_PAUSE, Transport, pause
from lookalike.errors import (
    CollectionBusy,
    FilterError,
    ImageError,
    InputError,
    MissingExtra,
    NotFitted,
    ServiceError,
)

Answer = tuple[int, dict[str, str], bytes]
GONE: Answer = (0, {}, b"")
"""The connection is closed without an answer."""


UNFITTED = "the collection has no map 'default': no map was fitted yet; fit it first"
UNINSTALLED = "writing video needs an optional dependency: pip install 'lookalike[video]'"


def problem(status: int, name: str, detail: str = "said so", **headers: str) -> Answer:
    body = {"type": f"/problems/{name}", "status": status, "detail": detail, "position": 7}
    shown = {
        "Content-Type": "application/problem+json",
        **{k.replace("_", "-"): v for k, v in headers.items()},
    }
    return status, shown, json.dumps(body).encode()


FINE: Answer = (200, {"Content-Type": "application/json"}, b'{"fine": true}')


@dataclass
class Scripted:
    """A server that gives prepared answers, the last one again and again."""

    url: str
    answers: list[Answer] = field(default_factory=list)
    seen: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Scripted]:
    script = Scripted("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            script.seen.append((self.command, self.path, dict(self.headers.items()), body))
            status, headers, content = script.answers.pop(0) if len(script.answers) > 1 else script.answers[0]
            if status == 0:
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = answer  # noqa: N815 - names of the standard library

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        script.url = f"http://127.0.0.1:{listening.server_address[1]}"
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield script
        listening.shutdown()
        thread.join()


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def transport(server: Scripted, waits: list[float]) -> Iterator[Transport]:
    opened = Transport(server.url, "lk_key", 5.0, sleep=waits.append)
    yield opened
    opened.close()


def test_a_busy_service_is_asked_again_after_the_time_it_named(
    server: Scripted, transport: Transport, waits: list[float]
) -> None:
    server.answers = [problem(503, "busy", Retry_After="7"), problem(429, "too-many-requests"), FINE]
    assert transport.get("/v1/collections") == {"fine": True}
    assert waits[0] == 7.0 and 0 < waits[1] < 1
    assert [seen[2]["Authorization"] for seen in server.seen] == ["Bearer lk_key"] * 3


def test_what_may_not_be_repeated_is_sent_once(
    server: Scripted, transport: Transport, waits: list[float]
) -> None:
    server.answers = [problem(503, "busy", Retry_After="1"), FINE]
    with pytest.raises(CollectionBusy, match="said so"):
        transport.post("/v1/collections/a/items/delete", {"ids": ["a"]})
    server.answers = [GONE, FINE]
    with pytest.raises(ServiceError, match="cannot be reached"):
        transport.post("/v1/collections/a/items/delete", {"ids": ["a"]})
    assert len(server.seen) == 2 and waits == []


def test_a_lost_connection_is_tried_again(server: Scripted, transport: Transport, waits: list[float]) -> None:
    server.answers = [GONE, GONE, FINE]
    assert transport.post("/v1/collections/a/search", {"k": 1}, repeatable=True) == {"fine": True}
    assert [seen[3] for seen in server.seen] == [b'{"k":1}'] * 3 and len(waits) == 2


def test_patience_ends(server: Scripted, transport: Transport, waits: list[float]) -> None:
    server.answers = [problem(429, "too-many-requests")]
    with pytest.raises(ServiceError) as refused:
        transport.get("/v1/collections")
    assert (refused.value.status, refused.value.problem) == (429, "too-many-requests")
    assert len(server.seen) == ATTEMPTS and len(waits) == ATTEMPTS - 1
    server.seen.clear()
    server.answers = [problem(429, "too-many-requests", Retry_After="3600")]
    with pytest.raises(ServiceError) as later:
        transport.get("/v1/collections")
    assert later.value.retry_after == 3600.0 and len(server.seen) == 1


def test_pauses_grow_to_a_bound_and_differ() -> None:
    many = [pause(attempt) for attempt in range(1, 40)]
    assert all(0 < each <= LONGEST_PAUSE for each in many)
    assert len({pause(3) for _ in range(20)}) > 10


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (problem(422, "filter", "expected a number\n  price <\n         ^"), FilterError, "expected a number"),
        (problem(404, "not-fitted", UNFITTED), NotFitted, "no map"),
        (problem(501, "missing-extra", UNINSTALLED), MissingExtra, "on the server"),
        (problem(422, "image"), ImageError, "said so"),
        (problem(422, "validation"), InputError, "said so"),
        (problem(401, "missing-key"), ServiceError, "said so"),
        (problem(404, "not-found"), ServiceError, "said so"),
        (problem(500, "internal"), ServiceError, "said so"),
        ((404, {"Content-Type": "text/html"}, b"<html>"), ServiceError, "404 Not Found: is this the address"),
        ((302, {"Location": "https://elsewhere.example/"}, b""), ServiceError, "to https://elsewhere.example/"),
        ((200, {"Content-Type": "text/html"}, b"<html>"), ServiceError, "is no JSON"),
        ((500, {"Content-Type": "application/problem+json"}, b"{"), ServiceError, "500"),
    ],
)  # fmt: skip
def test_a_refusal_is_the_exception_of_its_case(
    server: Scripted, transport: Transport, answer: Answer, kind: type[Exception], words: str
) -> None:
    server.answers = [answer]
    with pytest.raises(kind) as refused:
        transport.get("/v1/collections/a")
    assert type(refused.value) is kind and words in str(refused.value)


def test_errors_keep_what_they_know(server: Scripted, transport: Transport) -> None:
    server.answers = [problem(422, "filter", "expected a number\n  price <\n         ^")]
    with pytest.raises(FilterError) as wrong:
        transport.get("/a")
    assert (wrong.value.expression, wrong.value.position) == ("price <", 7)
    server.answers = [
        problem(404, "not-fitted", "the collection has no classifier 'x': there is y; fit it first")
    ]
    with pytest.raises(NotFitted) as unfitted:
        transport.get("/a")
    assert (unfitted.value.kind, unfitted.value.name) == ("classifier", "x")
    server.answers = [problem(501, "missing-extra", "pip install 'lookalike[video]'")]
    with pytest.raises(MissingExtra) as missing:
        transport.get("/a")
    assert missing.value.extra == "video"


def test_a_key_does_not_follow_a_redirect(server: Scripted, transport: Transport) -> None:
    server.answers = [(307, {"Location": f"{server.url}/elsewhere"}, b""), FINE]
    with pytest.raises(ServiceError, match="elsewhere"):
        transport.get("/v1/collections")
    assert len(server.seen) == 1


def test_a_service_that_is_not_there_is_told_with_its_address(waits: list[float]) -> None:
    nobody = Transport("http://127.0.0.1:9", None, 2.0, sleep=waits.append)
    with pytest.raises(ServiceError, match=r"http://127\.0\.0\.1:9 cannot be reached") as refused:
        nobody.get("/v1/collections")
    nobody.close()
    assert refused.value.status is None and len(waits) == ATTEMPTS - 1


@pytest.mark.parametrize(
    "url",
    ["", "shop", "ftp://a", "http://", "http://a?b=c", "http://user:word@a", "file:///etc/passwd"],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(InputError, match="address"):
        Transport(url, None, 1.0)


@pytest.mark.parametrize(
    ("key", "timeout"), [("a b", 1.0), ("", 1.0), ("ä", 1.0), ("lk", 0.0), ("lk", float("nan"))]
)
def test_a_wrong_key_or_timeout_is_refused(key: str, timeout: float) -> None:
    with pytest.raises(InputError):
        Transport("http://127.0.0.1:9", key, timeout)
