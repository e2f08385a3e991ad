"""Classifiers over REST: trained and applied by jobs, asked about uploads, the same answers as Python's."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

import lookalike
from lookalike.collection import Collection
from lookalike.service.app import create_app
from lookalike.service.jobs import Progress
from lookalike.service.taggers import Taggers
from small_shop import COPIED, ITEMS, copied_shop, ended, result_of

BASE = "/v1/collections/shop/classifiers"
PRODUCTS = {"label": "category", "group_by": "product", "method": "prototypes"}


@pytest.fixture
def shop(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Iterator[Collection]:
    with lookalike.open(copied_shop(tmp_path_factory.getbasetemp(), tmp_path)) as collection:
        yield collection


@pytest.fixture
def client(shop: Collection) -> Iterator[TestClient]:
    with TestClient(create_app({"shop": shop})) as client:
        yield client


@pytest.fixture
def trained(client: TestClient) -> TestClient:
    result_of(client, client.post(BASE, json=PRODUCTS))
    return client


def plain(value: Any) -> Any:
    return json.loads(json.dumps(value))


def test_a_job_trains_from_an_attribute(client: TestClient, shop: Collection) -> None:
    found = result_of(client, client.post(BASE, json={**PRODUCTS, "labels": None}))
    assert found == client.get(f"{BASE}/category").json()
    tagger = shop.classifier("category")
    assert (found["name"], found["labels"]) == ("category", list(tagger.labels))
    assert tagger.report is not None
    assert found["report"] == plain(tagger.report.as_dict())
    assert sum(count for _, _, count in found["report"]["confusions"]) == found["report"]["items"]
    assert found["provenance"]["collection"] == "shop"


def test_a_job_trains_from_labels_given_by_hand(client: TestClient, shop: Collection) -> None:
    items = list(shop)
    labels = {item.id: "cheap" if item.attributes.get("price", 0) < 100 else "dear" for item in items[:24]}
    found = result_of(client, client.post(BASE, json={"labels": labels, "name": "price range"}))
    assert found["labels"] == ["cheap", "dear"]
    assert found["provenance"]["source"] == {"labels": "24 given by hand"}
    assert [each["name"] for each in client.get(BASE).json()["classifiers"]] == ["price range"]


def test_an_unknown_id_among_labels_fails_the_job(client: TestClient) -> None:
    job = ended(client, client.post(BASE, json={"labels": {"small/nothing.jpg": "a", "/etc/passwd": "b"}}))
    assert (job["state"], job["problem"]["type"]) == ("failed", "/problems/unknown-item")


def test_text_that_is_no_unicode_is_refused(client: TestClient) -> None:
    for body in ('{"labels": {"\\ud800": "a"}}', '{"labels": {"a": "\\ud800"}}', '{"label": "\\ud800"}'):
        answer = client.post(BASE, content=body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/validation")


def test_classifiers_are_listed_and_removed(trained: TestClient) -> None:
    (listed,) = trained.get(BASE).json()["classifiers"]
    assert (listed["name"], listed["method"]) == ("category", "prototypes")
    assert 0 <= listed["accuracy"] <= 1
    assert trained.delete(f"{BASE}/category").json() == {"removed": 1}
    assert trained.get(BASE).json() == {"classifiers": []}


def test_uploads_and_items_are_labelled_as_python_does(trained: TestClient, shop: Collection) -> None:
    pictures = [
        path.read_bytes() for path in sorted((lookalike.sample_path() / "customer").glob("*.jpg"))[:2]
    ]
    files = [("image", (f"{n}.jpg", data)) for n, data in enumerate(pictures)]
    id = next(iter(shop)).id
    answer = trained.post(f"{BASE}/category/predict", files=files, data={"id": [id]})
    assert answer.status_code == 200
    found = answer.json()["predictions"]
    assert [each["input"] for each in found] == ["image.0", "image.1", id]
    expected = shop.classifier("category").predict([*pictures, id])
    assert [each["label"] for each in found] == [each.label for each in expected]
    assert [each["confidence"] for each in found] == pytest.approx([each.confidence for each in expected])
    assert found[0]["alternatives"] == plain(expected[0].alternatives)
    as_json = trained.post(f"{BASE}/category/predict", json={"id": [id]}).json()
    assert as_json["predictions"] == found[2:]
    assert as_json["provenance"]["collection"] == "shop"


def test_a_path_is_no_item_and_is_not_read(trained: TestClient, tmp_path: Path) -> None:
    picture = tmp_path / "secret.jpg"
    picture.write_bytes(next((lookalike.sample_path() / "customer").glob("*.jpg")).read_bytes())
    answer = trained.post(f"{BASE}/category/predict", json={"id": [str(picture)]})
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown-item")


def test_the_picture_that_cannot_be_read_is_named(trained: TestClient) -> None:
    good = next((lookalike.sample_path() / "customer").glob("*.jpg")).read_bytes()
    files = [("image", ("a.jpg", good)), ("image", ("b.jpg", b"not a picture"))]
    answer = trained.post(f"{BASE}/category/predict", files=files)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/image")
    assert answer.json()["detail"].startswith("image.1: ")


def test_nothing_to_predict_is_refused(trained: TestClient) -> None:
    answer = trained.post(f"{BASE}/category/predict", json={})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "body.image")


def test_a_job_writes_labels_as_attributes(trained: TestClient, shop: Collection) -> None:
    found = result_of(trained, trained.post(f"{BASE}/category/apply", json={"attribute": "guess"}))
    assert (found["attribute"], found["confidence_attribute"]) == ("guess", "guess_confidence")
    assert found["items"] == sum(found["counts"].values()) == ITEMS
    assert all(item.attributes["guess"] in found["counts"] for item in shop)
    again = ended(trained, trained.post(f"{BASE}/category/apply", json={"attribute": "guess"}))
    assert (again["state"], again["problem"]["type"]) == ("failed", "/problems/input")
    over = {"attribute": "guess", "overwrite": True, "where": "price < 100"}
    assert result_of(trained, trained.post(f"{BASE}/category/apply", json=over))["items"] < ITEMS


def test_what_was_not_trained_is_not_there(client: TestClient) -> None:
    for answer in (
        client.get(f"{BASE}/category"),
        client.delete(f"{BASE}/category"),
        client.post(f"{BASE}/category/predict", json={"id": ["small/exact.jpg"]}),
        client.post(f"{BASE}/category/apply", json={}),
    ):
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-fitted")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "label"),
        ({"label": "category", "labels": {"small/exact.jpg": "a"}}, "label"),
        ({"label": "colour"}, "label"),
        ({"label": "category", "method": "magic"}, "method"),
        ({"label": "category", "name": "a/b"}, "name"),
        ({"label": "category", "name": "a\x00b"}, "name"),
        ({"label": "category", "false_reject_rate": 1}, "false_reject_rate"),
        ({"labels": {"small/exact.jpg": 3}}, "labels.small/exact.jpg"),
    ],
)
def test_a_wrong_request_names_the_field(client: TestClient, body: object, field: str) -> None:
    answer = client.post(BASE, json=body)
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == [f"body.{field}"]


def test_a_table_on_the_server_is_never_read(client: TestClient, tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("id,label\nsmall/exact.jpg,secret\n")
    answer = client.post(BASE, json={"label": str(table)})
    assert answer.status_code == 422
    assert "secret" not in answer.text


def test_a_cancelled_training_saves_nothing(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go = threading.Event(), threading.Event()
    report = Progress.__call__

    def slow(self: Progress, done: int, total: int | None = None) -> None:
        report(self, done, total)
        if done == 1:
            begun.set()
            assert go.wait(20)

    monkeypatch.setattr(Progress, "__call__", slow)
    started = client.post(BASE, json=PRODUCTS)
    assert begun.wait(20)
    running = client.delete(started.headers["location"]).json()
    assert (running["state"], running["cancelling"], running["message"]) == ("running", True, "training")
    go.set()
    assert ended(client, started)["state"] == "cancelled"
    assert client.get(BASE).json() == {"classifiers": []}


def test_a_classifier_is_read_once_and_anew_when_it_or_its_examples_change(
    trained: TestClient, shop: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    load = Collection.classifier

    def counted(self: Collection, name: str | None = None) -> Any:
        read.append(name or "")
        return load(self, name)

    monkeypatch.setattr(Collection, "classifier", counted)

    def ask() -> Any:
        answer = trained.post(f"{BASE}/category/predict", json={"id": [COPIED]})
        assert answer.status_code == 200, answer.text
        return answer.json()["provenance"]["version"]

    version = ask()
    assert (ask(), len(read)) == (version, 1)
    result_of(trained, trained.post(BASE, json=PRODUCTS))
    assert ask() > version
    assert len(read) == 2
    shop.remove([next(item.id for item in shop if item.id != COPIED)])
    ask()
    assert len(read) == 3
    assert trained.delete(f"{BASE}/category").status_code == 200
    assert trained.post(f"{BASE}/category/predict", json={"id": [COPIED]}).status_code == 404


def test_only_so_many_classifiers_are_kept(shop: Collection) -> None:
    for name in ("a", "b", "c"):
        shop.train_classifier("category", name=name, method="prototypes", progress=False)
    taggers = Taggers(most_kept=2)
    first = taggers.of(shop, "a")
    assert taggers.of(shop, "a") is first
    taggers.of(shop, "b")
    taggers.of(shop, "c")
    assert taggers.of(shop, "a") is not first
