"""What is logged and counted of requests."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from lookalike.collection import Collection
from lookalike.service import logs
from lookalike.service.app import create_app


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def loggers() -> Iterator[None]:
    """Puts the loggers back."""
    kept = [
        (each, each.handlers, each.level, each.propagate)
        for each in map(logging.getLogger, ("lookalike", "uvicorn"))
    ]
    yield
    for logger, handlers, level, propagate in kept:
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.usefixtures("loggers")
def test_a_request_is_one_line_without_what_it_asked(shop: Collection) -> None:
    stream = io.StringIO()
    logs.configure(stream)
    client = TestClient(create_app({"shop": shop}))
    id = next(iter(shop)).id
    secret = "the-words-of-a-query"
    client.get(
        f"/v1/collections/shop/items/{id}", params={"q": secret}, headers={"X-Request-ID": "abcdefgh-1"}
    )
    client.post("/v1/collections/shop/search", json={"id": [id], "where": f"x == '{secret}'"})
    first, second = lines(stream)
    assert first["method"] == "GET"
    assert first["route"] == "/v1/collections/{collection}/items/{id:path}"
    assert (first["status"], first["request_id"], first["key"]) == (200, "abcdefgh-1", "local")
    assert first["ms"] >= 0
    assert first["time"].endswith("+00:00")
    assert second["route"] == "/v1/collections/{collection}/search"
    assert id not in stream.getvalue()
    assert secret not in stream.getvalue()


@pytest.mark.parametrize(
    "given", ["short", "a" * 65, "with space 1", "line\tbreak1", "<script>alert</script>"]
)
def test_an_id_that_could_spoil_a_log_is_replaced(given: str) -> None:
    answer = TestClient(create_app({})).get("/live", headers={"X-Request-ID": given})
    assert answer.headers["X-Request-ID"] != given
    assert len(answer.headers["X-Request-ID"]) == 24


@pytest.mark.usefixtures("loggers")
def test_people_get_a_short_line() -> None:
    stream = Terminal()
    logs.configure(stream)
    TestClient(create_app({})).get("/v1/jobs")
    assert "GET /v1/jobs 200" in stream.getvalue()
    assert stream.getvalue().rstrip().endswith("ms (local)")


@pytest.mark.usefixtures("loggers")
def test_a_traceback_stays_in_one_line_of_the_log() -> None:
    stream = io.StringIO()
    logs.configure(stream)
    app = create_app({})

    @app.get("/v1/test/fail")
    async def fail() -> None:
        raise ZeroDivisionError("the cause")

    TestClient(app).get("/v1/test/fail")
    error, request = lines(stream)
    assert "the cause" in error["traceback"]
    assert error["level"] == "error"
    assert error["request_id"] == request["request_id"]
    assert request["status"] == 500


def test_metrics_count_by_route_and_never_by_path(shop: Collection) -> None:
    client = TestClient(create_app({"shop": shop}))
    for name in ("a", "b"):
        client.get(f"/v1/collections/shop/items/{name}")
        client.get(f"/v1/nothing/{name}")
    client.request("BREW", "/live")
    text = client.get("/metrics").text
    route = 'route="/v1/collections/{collection}/items/{id:path}"'
    assert f'lookalike_requests_total{{method="GET",{route},status="404"}} 2.0' in text
    assert 'lookalike_requests_total{method="GET",route="(none)",status="404"} 2.0' in text
    assert 'method="other"' in text
    assert "BREW" not in text
    assert f"lookalike_request_seconds_count{{{route}}} 2.0" in text
    assert 'lookalike_items{collection="shop"} 330.0' in text
    assert 'lookalike_jobs{state="running"} 0.0' in text
