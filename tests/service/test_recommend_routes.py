"""Recommending and explaining over HTTP, and what users did."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
from starlette.testclient import TestClient

from lookalike import Collection
from lookalike.service.app import create_app
from lookalike.service.keys import KeyFile
from lookalike.service.settings import ServiceSettings
from shop_visits import visits

C = "/v1/collections/shop"
ONE = "catalog/BlendSwapCC0-basketball_0.jpg"
TWO = "catalog/BlendSwapCC0-basketball_1.jpg"
NOON = "2026-01-31T12:00:00Z"


@pytest.fixture
def client(shop: Collection) -> Iterator[TestClient]:
    with TestClient(create_app({"shop": shop})) as asking:
        yield asking


def events(*pairs: tuple[str, str], user: str = "ann") -> list[dict[str, Any]]:
    return [{"user": user, "item": item, "event": event, "time": NOON} for item, event in pairs]


def test_recommendations_are_those_of_python_with_links(client: TestClient, shop: Collection) -> None:
    asked: dict[str, Any] = {
        "like": [ONE], "dislike": [TWO], "k": 5, "where": "price < 300", "diversity": 0.2, "seed": 3,
        "strategy": "best_score",
    }  # fmt: skip
    answer = client.post(f"{C}/recommend", json=asked).json()
    expected = shop.recommend(**asked)
    assert [each["id"] for each in answer["recommendations"]] == [each.id for each in expected]
    assert answer["provenance"]["collection"] == "shop"
    assert client.get(answer["recommendations"][0]["thumbnail"]).status_code == 200
    assert "uri" not in answer["recommendations"][0]
    assert shop.path not in client.post(f"{C}/recommend", json=asked).text


def test_values_of_a_grouping_attribute_are_liked_too(client: TestClient) -> None:
    asked = {"like": ["BlendSwapCC0-basketball"], "group_by": "product", "k": 3}
    answer = client.post(f"{C}/recommend", json=asked).json()
    products = [each["attributes"]["product"] for each in answer["recommendations"]]
    assert len(set(products)) == 3
    assert "BlendSwapCC0-basketball" not in products
    pictured = answer["example_pictures"]["BlendSwapCC0-basketball"]
    assert client.get(pictured["thumbnail"]).status_code == 200


def test_what_goes_with_an_item(client: TestClient, shop: Collection) -> None:
    answer = client.get(f"{C}/also-like/{ONE}", params={"k": 4, "where": "in_stock"}).json()
    expected = shop.also_like(ONE, k=4, where="in_stock")
    assert [each["id"] for each in answer["recommendations"]] == [each.id for each in expected]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"like": ["nobody"]}, 404),
        ({"like": ["/etc/passwd"]}, 404),
        ({"like": [ONE], "k": 1001}, 422),
        ({"like": [ONE], "k": "3"}, 422),
        ({"like": [ONE], "strategy": "magic"}, 422),
        ({"like": [ONE], "target": TWO}, 422),
        ({"like": [ONE], "half_life": 0}, 422),
        ({"like": [ONE], "half_life": "often"}, 422),
        ({"like": [ONE], "group_by": "colour"}, 422),
        ({"like": [ONE], "group_by": "uri"}, 422),
        ({"like": [ONE], "where": 'uri contains "x"'}, 422),
        ({"like": [ONE], "dislike": [ONE]}, 422),
        ({"like": ONE}, 422),
        ({"likes": [ONE]}, 422),
    ],
)
def test_wrong_recommendations_are_refused(client: TestClient, body: dict[str, Any], status: int) -> None:
    answer = client.post(f"{C}/recommend", json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_events_are_recorded_once_shown_and_forgotten(client: TestClient, shop: Collection) -> None:
    sent = events((ONE, "like"), (TWO, "view"))
    assert client.post(f"{C}/events", json=sent).json() == {"recorded": 2, "known": 0}
    assert client.post(f"{C}/events", json=sent).json() == {"recorded": 0, "known": 2}
    shown = client.get(f"{C}/users/ann/events").json()["events"]
    assert {each["item"] for each in shown} == {ONE, TWO}
    assert shown[0]["time"] == NOON
    profile = client.get(f"{C}/users/ann/profile").json()
    assert (profile["events"], profile["unknown"]) == (2, 0)
    assert profile["interests"]
    answer = client.post(f"{C}/recommend", json={"user": "ann", "k": 3}).json()
    assert answer["user"] == "ann"
    assert len(answer["recommendations"]) == 3
    assert client.delete(f"{C}/users/ann").json() == {"forgotten": 2}
    assert client.get(f"{C}/users/ann/events").json() == {"events": []}
    assert shop.interactions("ann") == []


def test_a_user_may_be_called_anything(client: TestClient) -> None:
    name = "ann/of the shop?"
    client.post(f"{C}/events", json=events((ONE, "view"), user=name))
    address = f"{C}/users/ann/of%20the%20shop%3F"
    assert len(client.get(f"{address}/events").json()["events"]) == 1
    assert client.delete(address).json() == {"forgotten": 1}


@pytest.mark.parametrize(
    "wrong",
    [
        {"event": "sneeze"},
        {"time": "yesterday"},
        {"time": "2026-01-31T12:00:00"},
        {"weight": -1},
        {"weight": "1"},
        {"user": ""},
        {"item": ""},
        {"colour": "red"},
    ],
)
def test_one_wrong_event_refuses_them_all(
    client: TestClient, shop: Collection, wrong: dict[str, Any]
) -> None:
    sent = [*events((ONE, "view")), {**events((TWO, "view"))[0], **wrong}]
    assert client.post(f"{C}/events", json=sent).status_code == 422
    assert shop.interactions("ann") == []
    assert client.post(f"{C}/events", json=[]).status_code == 422


def test_weights_of_events_are_shown_and_set(client: TestClient) -> None:
    before = client.get(f"{C}/event-weights").json()
    assert before["like"] > before["view"] > 0 > before["dislike"]
    after = client.put(f"{C}/event-weights", json={"wish": 2.5}).json()
    assert after == {**before, "wish": 2.5}
    assert client.put(f"{C}/event-weights", json={"wish": None}).json() == before
    for wrong in ({"wish": "much"}, {"wish": 1e400}, {"": 1.0}, []):
        assert client.put(f"{C}/event-weights", content=str(wrong).replace("'", '"').replace("inf", "1e400"),
                          headers={"Content-Type": "application/json"}).status_code == 422  # fmt: skip


def test_too_few_events_to_learn_from_fail_the_job(client: TestClient) -> None:
    answer = client.post(f"{C}/recommender", json={})
    assert answer.status_code == 202
    for _ in range(1000):
        job = client.get(answer.headers["location"]).json()
        if job["state"] in ("done", "failed"):
            break
    assert (job["state"], job["problem"]["type"]) == ("failed", "/problems/input")


# explaining


def test_an_explanation_is_that_of_python_and_has_a_picture(client: TestClient, shop: Collection) -> None:
    answer = client.get(f"{C}/explain", params={"a": ONE, "b": TWO, "pairs": 2}).json()
    expected = shop.explain(ONE, TWO, pairs=2)
    assert answer["similarity"] == pytest.approx(expected.similarity, abs=1e-6)
    assert len(answer["pairs"]) == 2
    assert answer["provenance"]["collection"] == "shop"
    picture = client.get(answer["png"])
    assert picture.headers["content-type"] == "image/png"
    assert PIL.Image.open(io.BytesIO(picture.content)).format == "PNG"


def test_a_photo_is_explained_against_an_item(client: TestClient, shop: Collection) -> None:
    photo = Path(shop.item(TWO).uri).read_bytes()
    sent: dict[str, Any] = {
        "files": {"image": ("a.jpg", photo)},
        "data": {"b": ONE, "crop": "0,0,0.9,0.9", "pairs": "1"},
    }
    answer = client.post(f"{C}/explain", **sent).json()
    expected = shop.explain(photo, ONE, crop="0,0,0.9,0.9", pairs=1)
    assert answer["similarity"] == pytest.approx(expected.similarity, abs=1e-6)
    assert answer["png"] is None
    assert client.post(f"{C}/explain.png", **sent).content.startswith(b"\x89PNG")


def test_a_lost_original_is_explained_on_its_thumbnail_without_its_path(
    client: TestClient, shop: Collection, pictures: Path
) -> None:
    shop.add(pictures, prefix="gone", progress=False)
    item = next(item for item in shop if item.id.startswith("gone/"))
    Path(item.uri).unlink()
    answer = client.get(f"{C}/explain", params={"a": item.id, "b": ONE})
    assert answer.json()["a"]["read_from"] == "thumbnail"
    assert "cannot be read" in answer.json()["a"]["note"]
    assert str(pictures) not in answer.text
    crop = client.post(f"{C}/search", json={"id": [item.id], "crop": "0,0,0.5,0.5"})
    assert (crop.status_code, crop.json()["type"]) == (422, "/problems/image")
    assert str(pictures) not in crop.text


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"a": ONE}, 422),
        ({"a": ONE, "b": "nobody"}, 404),
        ({"a": "/etc/passwd", "b": ONE}, 404),
        ({"a": ONE, "b": TWO, "pairs": 21}, 422),
        ({"a": ONE, "b": TWO, "method": "guess"}, 422),
    ],
)
def test_wrong_explanations_are_refused(client: TestClient, asked: dict[str, Any], status: int) -> None:
    for path in ("explain", "explain.png"):
        assert client.get(f"{C}/{path}", params=asked).status_code == status


def test_no_more_is_recommended_than_the_service_allows(shop: Collection) -> None:
    with TestClient(create_app({"shop": shop}, ServiceSettings(max_k=3))) as client:
        answers = [
            client.post(f"{C}/recommend", json={"like": [ONE], "k": 4}),
            client.get(f"{C}/also-like/{ONE}", params={"k": 4}),
        ]
        assert [each.status_code for each in answers] == [422, 422]
        assert all("at most 3" in each.json()["detail"] for each in answers)
        assert client.get(f"{C}/also-like/{ONE}", params={"k": 3}).status_code == 200


def test_a_key_that_may_only_read_changes_nothing_also_when_it_is_time_to_learn(
    shop: Collection, sample: Path, tmp_path: Path
) -> None:
    shop.add_interactions(visits(sample, newcomers=0), progress=False)
    keys = KeyFile(tmp_path / "keys.json")
    reader, writer = (
        {"Authorization": f"Bearer {keys.create(scope, scope=scope)[0]}"} for scope in ("read", "write")
    )
    asked = {"user": "user 1", "group_by": "product", "k": 5}
    before = shop.info()["version"]
    with TestClient(create_app({"shop": shop}, ServiceSettings(keys=keys.path))) as client:
        looked = client.post(f"{C}/recommend", json=asked, headers=reader).json()
        beside = client.get(f"{C}/also-like/{ONE}", params={"group_by": "product"}, headers=writer)
        assert beside.is_success
        assert (shop.info()["version"], shop.info()["fitted"]) == (before, [])
        saved = client.post(f"{C}/recommend", json=asked, headers=writer).json()
    assert looked["provenance"]["together"]["users"] == 120
    assert looked["recommendations"] == saved["recommendations"]
    assert [each["name"] for each in shop.info()["fitted"]] == ["by product"]
