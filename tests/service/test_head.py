"""HEAD: what GET would say, without its body, at every address that GET answers."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.testclient import TestClient

import lookalike
from lookalike.collection import Collection
from lookalike.service.app import create_app
from lookalike.service.jobs import Progress
from lookalike.service.keys import KeyFile
from lookalike.service.settings import ServiceSettings
from running_service import running, wait_for
from small_shop import COPIED, copied_shop

OF_A_MOMENT = ("x-request-id", "content-length")
"""Headers that differ between two answers: an answer may say how long it took."""

FILLED = {"collection": "shop", "id:path": COPIED, "number": "0", "label": "0"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collection]:
    place = copied_shop(tmp_path_factory.getbasetemp(), tmp_path_factory.mktemp("head"))
    with lookalike.open(place) as collection:
        collection.cluster(5, stability=False, progress=False)
        yield collection


@pytest.fixture
def app(shop: Collection) -> FastAPI:
    return create_app({"shop": shop})


def got(app: FastAPI) -> list[str]:
    """An address of each route that GET answers."""
    templates = {each.path for each in iter_route_contexts(app.routes) if "GET" in (each.methods or ())}
    return sorted(re.sub(r"\{([^}]+)\}", lambda part: FILLED.get(part[1], "a"), each) for each in templates)


def test_head_says_what_get_says_without_the_body(app: FastAPI) -> None:
    client = TestClient(app)
    answered = 0
    for path in [*got(app), "/", "/shop/map", "/nothing.js", f"/v1/collections/shop/similar/{COPIED}?k=3"]:
        full, head = client.get(path), client.head(path)
        assert head.status_code == full.status_code, path
        assert head.content == b"", path
        told = {name: value for name, value in full.headers.items() if name not in OF_A_MOMENT}
        assert {name: head.headers.get(name) for name in told} == told, path
        answered += full.status_code == 200
    assert answered > 20


def test_head_of_a_picture_has_its_length_and_the_next_request_of_the_connection_is_answered(
    app: FastAPI, shop: Collection
) -> None:
    place = f"/v1/collections/shop/thumbnails/{COPIED}"
    with running(app) as service:
        head = service.client.head(place)
        assert head.headers["Content-Length"] == str(len(shop.thumbnail(COPIED)))
        assert service.client.head(place, headers={"If-None-Match": head.headers["ETag"]}).status_code == 304
        assert service.client.get(place).content == shop.thumbnail(COPIED)


def test_head_of_a_stream_does_not_wait_for_its_end(app: FastAPI) -> None:
    enough = threading.Event()

    def work(progress: Progress) -> None:
        while not enough.wait(0.01):
            progress(0, 1)

    with running(app) as service:
        job = app.state.service.jobs.submit("count", "shop", work)
        try:
            head = service.client.head(f"/v1/jobs/{job.id}/events")
            assert head.headers["Content-Type"].startswith("text/event-stream")
            assert service.client.get("/live").status_code == 200
            wait_for(lambda: app.state.service.jobs.listeners == 0)
        finally:
            enough.set()


def test_head_is_counted_under_its_route_and_listed_nowhere(app: FastAPI) -> None:
    client = TestClient(app)
    client.head(f"/v1/collections/shop/items/{COPIED}")
    line = 'lookalike_requests_total{method="HEAD",route="/v1/collections/{collection}/items/{id:path}",status="200"}'
    assert f"{line} 1.0" in client.get("/metrics").text
    assert not any("head" in methods for methods in app.openapi()["paths"].values())


def test_head_asks_for_a_key_where_get_does(shop: Collection, tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys.json")
    token, _ = keys.create("reader")
    client = TestClient(create_app({"shop": shop}, ServiceSettings(keys=keys.path)))
    place = "/v1/session"
    assert client.head(place).status_code == 401
    assert client.head(place, headers={"Authorization": f"Bearer {token}"}).status_code == 200
