"""Errors as problem documents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import pytest
from fastapi import Body, FastAPI
from pydantic import AfterValidator, BaseModel, Field
from starlette.testclient import TestClient

from lookalike import errors
from lookalike.service.app import create_app
from lookalike.service.problem_types import NAMES, TYPES
from lookalike.service.problems import PROBLEMS, without_paths

RAISED: dict[str, Exception] = {
    "filter": errors.FilterError("expected a name", 'x == "/etc/a/b"', 2),
    "unknown-item": errors.UnknownItem("'/etc/passwd' is no item of the collection"),
    "not-fitted": errors.NotFitted("map", "default", []),
    "input": errors.InputError("k 0 is too small: expected at least 1"),
    "image": errors.ImageError("/srv/photos/private/a.jpg: not an image"),
    "source": errors.SourceError("the folder /srv/photos/private is gone"),
    "unknown-collection": errors.CollectionNotFound("there is none at /srv/shop.lookalike"),
    "busy": errors.CollectionBusy("locked by another process"),
    "missing-extra": errors.MissingExtra("video", "video"),
    "internal": errors.DamagedCollection("/srv/shop.lookalike/record.db is damaged"),
}


def lucky(k: int) -> int:
    if k == 13:
        raise ValueError("13 brings bad luck")
    return k


class Wanted(BaseModel):
    k: Annotated[int, AfterValidator(lucky)] = Field(ge=1)


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    app: FastAPI = create_app({})

    @app.get("/v1/test/raise/{name}")
    async def fail(name: str) -> None:
        raise RAISED[name]

    @app.get("/v1/test/surrogate")
    async def repeat() -> None:
        raise errors.InputError("'\ud800.jpg' is no name")

    @app.get("/v1/test/unforeseen")
    async def unforeseen() -> None:
        raise ZeroDivisionError("open sesame")

    @app.post("/v1/test/validate")
    async def validate(wanted: Annotated[list[Wanted], Body(embed=True)]) -> int:
        return len(wanted)

    with TestClient(app) as client:
        yield client


@pytest.mark.parametrize("name", RAISED)
def test_every_error_has_its_type_and_status(client: TestClient, name: str) -> None:
    answer = client.get(f"/v1/test/raise/{name}", headers={"X-Request-ID": "request-0815"})
    document = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert document["type"] == f"/problems/{name}"
    assert document["status"] == answer.status_code == TYPES[name].status
    assert document["title"] == TYPES[name].title
    assert document["instance"] == answer.headers["X-Request-ID"] == "request-0815"
    assert "/srv" not in answer.text


def test_a_wrong_filter_is_pointed_into(client: TestClient) -> None:
    document = client.get("/v1/test/raise/filter").json()
    assert document["position"] == 2
    assert 'x == "/etc/a/b"' in document["detail"]


def test_a_busy_collection_says_when_to_ask_again(client: TestClient) -> None:
    assert int(client.get("/v1/test/raise/busy").headers["Retry-After"]) >= 1


def test_what_nobody_foresaw_is_in_the_log_and_not_in_the_answer(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = client.get("/v1/test/unforeseen")
    assert answer.status_code == 500
    assert answer.json()["type"] == "/problems/internal"
    assert "sesame" not in answer.text
    assert "ZeroDivisionError" not in answer.text
    (logged,) = [each for each in caplog.records if each.exc_info]
    assert "open sesame" in str(logged.exc_info)


def test_the_cause_of_an_internal_error_is_in_the_log(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    client.get("/v1/test/raise/internal")
    assert any("record.db" in str(each.exc_info) for each in caplog.records)


def test_every_wrong_field_is_named(client: TestClient) -> None:
    answer = client.post("/v1/test/validate", json={"wanted": [{"k": 1}, {"k": 0}, {"k": "x"}]})
    assert answer.status_code == 422
    document = answer.json()
    assert document["type"] == "/problems/validation"
    assert [each["field"] for each in document["errors"]] == ["body.wanted.1.k", "body.wanted.2.k"]
    assert all(each["message"] for each in document["errors"])


def test_a_body_that_is_no_json_is_said(client: TestClient) -> None:
    answer = client.post("/v1/test/validate", content=b"{", headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["errors"]


def test_unknown_addresses_and_methods_are_problems_too(client: TestClient) -> None:
    absent = client.get("/v1/nothing/here")
    assert (absent.status_code, absent.json()["type"]) == (404, "/problems/not-found")
    wrong = client.delete("/v1/collections")
    assert (wrong.status_code, wrong.json()["type"]) == (405, "/problems/method-not-allowed")
    assert "GET" in wrong.headers["Allow"]


def test_every_type_is_explained_where_it_points(client: TestClient) -> None:
    listed = client.get("/problems").json()["problems"]
    assert {each["type"] for each in listed} == {f"/problems/{name}" for name in TYPES}
    for name, about in TYPES.items():
        assert client.get(f"/problems/{name}").json()["meaning"] == about.meaning
        page = client.get(f"/problems/{name}", headers={"Accept": "text/html"})
        assert page.headers["content-type"].startswith("text/html")
    assert client.get("/problems/no-such").status_code == 404


def test_the_openapi_document_says_what_every_error_looks_like(client: TestClient) -> None:
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        for method, operation in methods.items():
            described = operation["responses"]["default"]["content"]["application/problem+json"]["schema"]
            assert set(described["required"]) == {"type", "title", "status", "detail"}, (method, path)
            assert "HTTPValidationError" not in str(operation)


def test_every_name_that_is_used_is_a_type() -> None:
    assert {name for _, _, name in PROBLEMS} | set(NAMES.values()) <= set(TYPES)
    for kind, status, name in PROBLEMS:
        assert TYPES[name].status == status, kind


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("/home/a/b.jpg: gone", "(a path on the server): gone"),
        ("no '/srv/x y/z'", "no '(a path on the server) y/z'"),
        ("file:///home/a/b.jpg is gone", "(a path on the server) is gone"),
        (r"C:\Users\a\b.jpg", "(a path on the server)"),
        ("item catalog/a/b.jpg", "item catalog/a/b.jpg"),
        ("see https://example.org/a/b", "see https://example.org/a/b"),
        ("1/2 of 3/4", "1/2 of 3/4"),
    ],
)
def test_messages_lose_the_servers_paths_and_nothing_else(message: str, shown: str) -> None:
    assert without_paths(message) == shown


def test_text_that_is_no_unicode_is_repeated_without_what_is_wrong(client: TestClient) -> None:
    answer = client.get("/v1/test/surrogate")
    assert (answer.status_code, answer.json()["detail"]) == (422, "'?.jpg' is no name")


def test_messages_of_our_own_come_as_they_are_written(client: TestClient) -> None:
    answer = client.post("/v1/test/validate", json={"wanted": [{"k": 13}]})
    assert answer.json()["errors"] == [{"field": "body.wanted.0.k", "message": "13 brings bad luck"}]
