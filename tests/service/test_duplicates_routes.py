"""Copies over REST: found by a job, remembered, without what was removed since."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import lookalike
from lookalike.collection import Collection
from lookalike.service.app import create_app
from small_shop import COPIED, ITEMS, copied_shop, ended, result_of

BASE = "/v1/collections/shop/duplicates"
EXACT = "small/exact.jpg"


@pytest.fixture
def shop(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Iterator[Collection]:
    with lookalike.open(copied_shop(tmp_path_factory.getbasetemp(), tmp_path)) as collection:
        yield collection


@pytest.fixture
def client(shop: Collection) -> Iterator[TestClient]:
    with TestClient(create_app({"shop": shop})) as client:
        yield client


def test_near_copies_are_those_that_python_finds(client: TestClient, shop: Collection) -> None:
    found = result_of(client, client.post(BASE, json={}))
    assert {COPIED, EXACT, "small/edited.jpg"} in [set(group) for group in found["groups"]]
    kept = next(group for group in found["details"] if COPIED in group["ids"])
    assert kept["reason"]
    assert 0 < kept["similarity"] <= 1
    expected = json.loads(json.dumps(shop.duplicates(progress=False).to_dict()))
    assert {**found, "provenance": None} == {**expected, "provenance": None}
    assert found["provenance"]["collection"] == "shop"
    assert str(shop.path) not in str(found)


def test_what_was_found_is_remembered_and_paged(client: TestClient) -> None:
    found = result_of(client, client.post(BASE, json={"threshold": 0.5}))
    assert len(found["groups"]) > 1
    groups, after = [], 0
    while after is not None:
        page = client.get(BASE, params={"limit": 1, "after": after}).json()
        assert page["groups"] == [each["ids"] for each in page["details"]]
        groups += page["groups"]
        after = page["next"]
    assert groups == found["groups"]
    assert (page["items"], page["others"]) == (ITEMS, found["others"])


def test_items_that_were_removed_since_are_left_out(client: TestClient, shop: Collection) -> None:
    result_of(client, client.post(BASE, json={"kind": "exact"}))
    assert client.get(BASE).json()["others"] == 1
    shop.remove(EXACT)
    left = client.get(BASE).json()
    assert (left["groups"], left["others"]) == ([], 0)


def test_copies_that_were_not_looked_for_are_not_there(client: TestClient) -> None:
    answer = client.get(BASE)
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-fitted")


def test_a_failed_search_leaves_the_last_result(client: TestClient) -> None:
    result_of(client, client.post(BASE, json={"kind": "exact"}))
    job = ended(client, client.post(BASE, json={"kind": "exact", "threshold": 0.9}))
    assert (job["state"], job["problem"]["type"]) == ("failed", "/problems/input")
    assert client.get(BASE).json()["others"] == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [({"kind": "similar"}, "kind"), ({"precision": 1}, "precision"), ({"threshold": 0}, "threshold")],
)
def test_a_wrong_request_names_the_field(client: TestClient, body: object, field: str) -> None:
    answer = client.post(BASE, json=body)
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == [f"body.{field}"]


def test_paging_beyond_all_bounds_is_refused(client: TestClient) -> None:
    assert client.get(BASE, params={"limit": 0}).status_code == 422
    assert client.get(BASE, params={"after": -1}).status_code == 422
