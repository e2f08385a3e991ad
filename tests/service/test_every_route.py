"""What holds for every route: a new one has to be fit for strangers before it is served."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from starlette.testclient import TestClient

import lookalike
from lookalike.collection import Collection
from lookalike.service.app import create_app
from lookalike.service.keys import KeyFile, Scope
from lookalike.service.settings import ServiceSettings
from small_shop import COPIED, copied_shop

Route = tuple[str, str]
"""Method and template."""

C = "/v1/collections/{collection}"
OPEN: frozenset[Route] = frozenset(
    {
        ("GET", "/live"),
        ("GET", "/ready"),
        ("GET", "/openapi.json"),
        ("HEAD", "/openapi.json"),
        ("GET", "/docs"),
        ("GET", "/problems"),
        ("GET", "/problems/{name}"),
        ("GET", "/widget.js"),
        ("GET", "/widget/example"),
        ("GET", "/widget/example.js"),
        ("GET", "/widget/example.css"),
        ("POST", "/v1/session"),
        ("DELETE", "/v1/session"),
    }
)
"""No key is needed: these hold no data."""

ASKING: frozenset[Route] = frozenset(
    {
        ("POST", f"{C}/search"),
        ("POST", f"{C}/embed"),
        ("POST", f"{C}/explain"),
        ("POST", f"{C}/explain.png"),
        ("POST", f"{C}/recommend"),
        ("POST", f"{C}/follow"),
        ("POST", f"{C}/classifiers/{{name}}/predict"),
    }
)
"""They change nothing, and are no GET because pictures are sent."""

ADMINISTRATION: frozenset[Route] = frozenset({("GET", f"{C}/audit"), ("POST", f"{C}/erase-expired")})
FILLED = {"collection": "shop", "id:path": "a", "number": "0", "label": "0"}

MINIMAL: dict[Route, dict[str, Any]] = {
    ("POST", f"{C}/classifiers"): {"label": "category"},
    ("POST", f"{C}/review"): {"label": "category"},
    ("POST", f"{C}/search"): {"id": ["small/exact.jpg"]},
    ("POST", f"{C}/recommend"): {"like": ["small/exact.jpg"]},
}
"""Bodies to which a question about a hidden attribute is added."""

PROBES = {
    "where": 'uri starts with "/"',
    "group_by": "uri",
    "attributes": "uri",
    "facets": "uri",
    "label": "uri",
}
"""Fields that name attributes, with something that only the server is to know."""


def routes() -> list[Route]:
    found = [
        (method, context.path)
        for context in iter_route_contexts(create_app({}).routes)
        for method in sorted(context.methods or ())
    ]
    assert len(found) > 60
    return found


def address(template: str) -> str:
    return re.sub(r"\{([^}]+)\}", lambda part: FILLED.get(part[1], "a"), template)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collection]:
    place = copied_shop(tmp_path_factory.getbasetemp(), tmp_path_factory.mktemp("every-route"))
    with lookalike.open(place) as collection:
        yield collection


@pytest.fixture
def keyed(shop: Collection, tmp_path: Path) -> Iterator[TestClient]:
    keys = KeyFile(tmp_path / "keys.json")
    keys.create("any")
    with TestClient(create_app({"shop": shop, "other": shop}, ServiceSettings(keys=keys.path))) as client:
        yield client


def allowed(client: TestClient, scope: Scope, collections: list[str] | None = None) -> dict[str, str]:
    """The header of a new key."""
    keys: KeyFile = client.app.state.service.keys  # type: ignore[attr-defined]
    token, _ = keys.create(f"{scope} {collections}", scope=scope, collections=collections)
    return {"Authorization": f"Bearer {token}"}


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


def test_without_a_key_nothing_is_told_but_what_holds_no_data(keyed: TestClient) -> None:
    for method, path in routes():
        answer = keyed.request(method, address(path))
        if (method, path) not in OPEN:
            assert problem(answer) == (401, "missing-key"), (method, path)


def test_a_key_that_reads_changes_nothing(keyed: TestClient) -> None:
    headers = allowed(keyed, "read")
    for method, path in routes():
        if method not in ("GET", "HEAD") and (method, path) not in OPEN | ASKING:
            answer = keyed.request(method, address(path), headers=headers)
            expected = (404, "not-found") if path.startswith("/v1/jobs/") else (403, "scope")
            assert problem(answer) == expected, (method, path)


def test_looking_writes_nothing(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    with lookalike.open(copied_shop(tmp_path_factory.getbasetemp(), tmp_path)) as shop:
        shop.cluster(5, stability=False, progress=False)
        shop.map(progress=False)
        shop.upload({"later.webp": shop.thumbnail(COPIED)}, progress=False)
        client, version = TestClient(create_app({"shop": shop})), shop.info()["version"]
        answered = 0
        for path in {path for method, path in routes() if method == "GET"}:
            filled = address(path.replace("{id:path}", COPIED).replace("{label}", "1"))
            answered += client.get(filled).status_code == 200
            assert shop.info()["version"] == version, path
        assert answered > 20


def test_administration_is_for_administrators(keyed: TestClient) -> None:
    headers = allowed(keyed, "write")
    refused = {
        (method, path)
        for method, path in routes()
        if "{collection}" in path and (method == "GET" or (method, path) in ADMINISTRATION)
        if keyed.request(method, address(path), headers=headers).status_code == 403
    }
    assert refused == ADMINISTRATION


def test_a_key_of_another_collection_does_not_see_this_one(keyed: TestClient) -> None:
    headers = allowed(keyed, "admin", ["other"])
    for method, path in routes():
        if "{collection}" in path:
            answer = keyed.request(method, address(path), headers=headers)
            assert problem(answer) == (404, "unknown-collection"), (method, path)
    assert [each["name"] for each in keyed.get("/v1/collections", headers=headers).json()["collections"]] == [
        "other"
    ]
    assert problem(keyed.get("/metrics", headers=headers)) == (403, "scope")


def probed() -> list[tuple[Route, str, bool]]:
    """Every field that names attributes: its route, its name, and whether it is of the query."""
    document = create_app({}).openapi()
    schemas = document["components"]["schemas"]
    found = []
    for path, methods in document["paths"].items():
        for method, about in methods.items():
            route = (method.upper(), path)
            found += [
                (route, each["name"], True)
                for each in about.get("parameters", ())
                if each["in"] == "query" and each["name"] in PROBES | {"attribute": ""}
            ]
            body = (
                about.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            )
            if "$ref" in body:
                body = schemas[body["$ref"].rpartition("/")[2]]
            found += [(route, name, False) for name in body.get("properties", ()) if name in PROBES]
    return found


def test_no_route_answers_questions_about_where_pictures_lie(shop: Collection) -> None:
    client = TestClient(create_app({"shop": shop}))
    shop.map(progress=False)
    fields = probed()
    assert len(fields) > 20
    for (method, path), name, in_query in fields:
        place = address(re.sub(r"\{(id|user)\}", "small/exact.jpg", path))
        probe = PROBES.get(name, "uri")
        if in_query:
            answer = client.request(method, place, params={name: probe})
        else:
            answer = client.request(method, place, json={**MINIMAL.get((method, path), {}), name: probe})
        assert answer.status_code == 422, (method, path, name, answer.text)
        assert "there is no attribute" in answer.json()["detail"], (method, path, name, answer.text)
