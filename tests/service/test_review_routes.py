"""Reviews of labels over REST: likely errors, what to label next, outliers; and labelling batch by batch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import lookalike
from lookalike.collection import Collection
from lookalike.service.app import create_app
from small_shop import copied_shop, ended, result_of

BASE = "/v1/collections/shop/review"
ASKED = {"label": "category", "group_by": "product", "count": 5}


@pytest.fixture
def shop(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Iterator[Collection]:
    with lookalike.open(copied_shop(tmp_path_factory.getbasetemp(), tmp_path)) as collection:
        yield collection


@pytest.fixture
def client(shop: Collection) -> Iterator[TestClient]:
    with TestClient(create_app({"shop": shop})) as client:
        yield client


def test_a_review_finds_what_python_finds_with_links_to_pictures(
    client: TestClient, shop: Collection
) -> None:
    found = result_of(client, client.post(BASE, json=ASKED))
    assert found == client.get(BASE).json()
    expected = json.loads(json.dumps(shop.review_labels("category", group_by="product", count=5).to_dict()))
    for name in ("errors", "to_label", "outliers"):
        assert 0 < len(found[name]) <= 5
        for each in found[name]:
            assert each.pop("thumbnail") == f"/v1/collections/shop/thumbnails/{each['id']}"
            assert each.pop("original") == f"/v1/collections/shop/originals/{each['id']}"
        assert found[name] == expected[name]
    assert found["errors_found"] == expected["errors_found"]
    assert found["provenance"]["collection"] == "shop"
    assert str(shop.path) not in str(found)


def test_labels_of_a_saved_classifier_are_reviewed(client: TestClient, shop: Collection) -> None:
    shop.train_classifier("category", group_by="product", method="prototypes")
    found = result_of(client, client.post(BASE, json={"name": "category", "count": 3}))
    assert found["provenance"]["method"] == "prototypes"
    assert found["provenance"]["group_by"] == "product"


def test_a_wrong_label_given_by_hand_is_among_the_likely_errors(client: TestClient, shop: Collection) -> None:
    labels = {item.id: item.attributes["product"] for item in list(shop)[:30] if "product" in item.attributes}
    wrong = next(iter(labels))
    labels[wrong] = next(product for product in labels.values() if product != labels[wrong])
    found = result_of(client, client.post(BASE, json={"labels": labels, "count": 5}))
    assert wrong in [each["id"] for each in found["errors"]]


def test_labelling_goes_on_batch_by_batch(client: TestClient, shop: Collection) -> None:
    truth = {item.id: str(item.attributes.get("category") or "none") for item in shop}
    labelled = dict(list(truth.items())[::6])
    for _ in range(2):
        shop.set_attributes({id: {"mine": label} for id, label in labelled.items()})
        found = result_of(client, client.post(BASE, json={"label": "mine", "count": 4}))
        batch = [each["id"] for each in found["to_label"]]
        assert len(batch) == 4
        assert not set(batch) & set(labelled)
        labelled |= {id: truth[id] for id in batch}


def test_items_that_were_removed_since_are_left_out(client: TestClient, shop: Collection) -> None:
    found = result_of(client, client.post(BASE, json=ASKED))
    gone = found["errors"][0]["id"]
    shop.remove(gone)
    left = client.get(BASE).json()
    assert gone not in [each["id"] for name in ("errors", "to_label", "outliers") for each in left[name]]


def test_what_was_not_reviewed_is_not_there(client: TestClient) -> None:
    answer = client.get(BASE)
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-fitted")
    job = ended(client, client.post(BASE, json={}))
    assert (job["state"], job["problem"]["type"]) == ("failed", "/problems/not-fitted")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"label": "category", "name": "category"}, "name"),
        ({"label": "category", "labels": {"small/exact.jpg": "a"}}, "label"),
        ({"label": "colour"}, "label"),
        ({"count": 0}, "count"),
        ({"label": "category", "key": "file"}, "key"),
    ],
)
def test_a_wrong_request_names_the_field(client: TestClient, body: object, field: str) -> None:
    answer = client.post(BASE, json=body)
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == [f"body.{field}"]
