"""Clusters over REST: found by a job, the same as Python's, paged, named."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import lookalike
from lookalike.collection import Collection
from lookalike.service.app import create_app
from lookalike.service.jobs import Progress
from small_shop import COPIED, ITEMS, copied_shop, ended, result_of

BASE = "/v1/collections/shop/clusters"
FEW = {"k": 5, "stability": False}


@pytest.fixture
def shop(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Iterator[Collection]:
    with lookalike.open(copied_shop(tmp_path_factory.getbasetemp(), tmp_path)) as collection:
        yield collection


@pytest.fixture
def client(shop: Collection) -> Iterator[TestClient]:
    with TestClient(create_app({"shop": shop})) as client:
        yield client


def test_a_job_finds_the_clusters_that_python_finds(client: TestClient, shop: Collection) -> None:
    found = result_of(client, client.post(BASE, json=FEW))
    assert found == client.get(BASE).json()
    expected = shop.cluster(5, stability=False)
    assert {each["label"]: each["name"] for each in found["clusters"]} == expected.names
    assert {each["label"]: each["medoid"] for each in found["clusters"]} == expected.medoids
    sizes = [each["size"] for each in found["clusters"]]
    assert sizes == sorted(sizes, reverse=True)
    assert sum(sizes) + found["noise"] == ITEMS
    assert found["provenance"]["collection"] == "shop"
    assert str(shop.path) not in str(found)


def test_representatives_are_those_that_belong_most(client: TestClient, shop: Collection) -> None:
    result_of(client, client.post(BASE, json=FEW))
    groups = shop.clusters()
    for each in client.get(BASE, params={"representatives": 3}).json()["clusters"]:
        assert each["representatives"] == groups.members(each["label"])[:3]
    assert client.get(BASE, params={"representatives": 0}).json()["clusters"][0]["representatives"] == []


def test_a_cluster_is_listed_page_by_page(client: TestClient, shop: Collection) -> None:
    found = result_of(client, client.post(BASE, json=FEW))
    label, size = found["clusters"][0]["label"], found["clusters"][0]["size"]
    ids, after = [], "0"
    while after is not None:
        page = client.get(f"{BASE}/{label}", params={"limit": 4, "after": after}).json()
        assert len(page["items"]) <= 4
        ids += [each["id"] for each in page["items"]]
        after = page["next"]
    assert ids == shop.clusters().members(label)
    assert len(ids) == size
    first = client.get(f"{BASE}/{label}", params={"limit": 1}).json()["items"][0]
    assert first["thumbnail"] == f"/v1/collections/shop/thumbnails/{first['id']}"
    assert first["attributes"] == dict(shop.item(first["id"]).attributes)
    assert "uri" not in first


def test_noise_is_listed_as_cluster_minus_one(client: TestClient, shop: Collection) -> None:
    found = result_of(client, client.post(BASE, json={"method": "density", "stability": False}))
    listed = client.get(f"{BASE}/-1", params={"limit": 500}).json()["items"]
    assert sorted(each["id"] for each in listed) == sorted(shop.clusters().noise)
    assert len(listed) == found["noise"] > 0


def test_a_cluster_is_given_another_name(client: TestClient, shop: Collection) -> None:
    found = result_of(client, client.post(BASE, json={**FEW, "attribute": "group"}))
    label = found["clusters"][0]["label"]
    renamed = client.patch(f"{BASE}/{label}", json={"name": " round things "}).json()
    assert renamed["clusters"][0]["name"] == "round things"
    assert client.get(BASE).json()["clusters"][0]["name"] == "round things"
    assert shop.item(found["clusters"][0]["medoid"]).attributes["group"] == "round things"


@pytest.mark.parametrize("name", ["", "   ", "two\nlines", "x" * 201])
def test_a_name_that_is_none_is_refused(client: TestClient, name: str) -> None:
    result_of(client, client.post(BASE, json=FEW))
    assert client.patch(f"{BASE}/0", json={"name": name}).status_code == 422


def test_what_was_not_clustered_is_not_there(client: TestClient) -> None:
    for answer in (
        client.get(BASE),
        client.get(f"{BASE}/0"),
        client.patch(f"{BASE}/0", json={"name": "chairs"}),
        client.post(f"{BASE}/update"),
    ):
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-fitted")


def test_looking_shows_where_newer_items_belong_and_saves_it_only_when_asked_to(
    client: TestClient, shop: Collection
) -> None:
    result_of(client, client.post(BASE, json={**FEW, "attribute": "group"}))
    twin = shop.thumbnail(COPIED)
    assert client.post(
        "/v1/collections/shop/items", files={"image": ("twin.webp", twin, "image/webp")}
    ).is_success
    version = shop.info()["version"]
    found = client.get(BASE).json()
    assert (found["assigned"], found["unsaved"]) == (1, 1)
    labels = client.get("/v1/collections/shop/cluster-labels").json()["labels"]
    label = labels["uploads/twin.webp"]
    assert label == labels[COPIED]
    page = client.get(f"{BASE}/{label}", params={"limit": 500}).json()["items"]
    assert "uploads/twin.webp" in [each["id"] for each in page]
    assert shop.info()["version"] == version

    saved = client.post(f"{BASE}/update").json()
    assert saved["clusters"] == found["clusters"]
    assert (saved["assigned"], saved["unsaved"]) == (1, 0)
    assert client.get(BASE).json()["unsaved"] == 0
    name = next(each["name"] for each in saved["clusters"] if each["label"] == label)
    assert shop.item("uploads/twin.webp").attributes["group"] == name


def test_an_unknown_cluster_is_not_there(client: TestClient) -> None:
    result_of(client, client.post(BASE, json=FEW))
    for answer in (client.get(f"{BASE}/5"), client.patch(f"{BASE}/5", json={"name": "chairs"})):
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
        assert "0, 1, 2, 3, 4" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"k": 0}, "body.k"),
        ({"k": "5"}, "body.k"),
        ({"method": "magic"}, "body.method"),
        ({"min_size": 1}, "body.min_size"),
        ({"seed": -1}, "body.seed"),
        ({"clusters": 5}, "body.clusters"),
        ([], "body"),
    ],
)
def test_a_wrong_request_names_the_field(client: TestClient, body: object, field: str) -> None:
    answer = client.post(BASE, json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert field in [each["field"] for each in answer.json()["errors"]]


def test_a_wrong_filter_is_refused_before_the_job_waits(client: TestClient) -> None:
    answer = client.post(BASE, json={"where": "colour = 'red'"})
    assert (answer.status_code, answer.json()["type"], answer.json()["position"]) == (
        422,
        "/problems/filter",
        0,
    )
    assert client.get("/v1/jobs").json()["jobs"] == []


def test_arguments_that_do_not_go_together_fail_the_job_with_a_problem(client: TestClient) -> None:
    job = ended(client, client.post(BASE, json={"k": 3, "method": "graph"}))
    assert (job["state"], job["problem"]["type"]) == ("failed", "/problems/input")


def test_a_cancelled_clustering_leaves_the_clusters_that_were_there(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = result_of(client, client.post(BASE, json=FEW))
    reading, go = threading.Event(), threading.Event()
    report = Progress.__call__

    def slow(self: Progress, done: int, total: int | None = None) -> None:
        reading.set()
        assert go.wait(20)
        report(self, done, total)

    monkeypatch.setattr(Progress, "__call__", slow)
    started = client.post(BASE, json={"k": 2})
    assert reading.wait(20)
    assert client.delete(started.headers["location"]).json()["cancelling"] is True
    go.set()
    assert ended(client, started)["state"] == "cancelled"
    assert client.get(BASE).json()["clusters"] == before["clusters"]
