"""Cameras, the ways between them, the gallery and retention over REST."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from starlette.testclient import TestClient

import lookalike
from camera_scenes import person
from camera_site import RATE, copied_site
from lookalike.collection import Collection
from lookalike.service.app import create_app

BASE = "/v1/collections/site"


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Iterator[Collection]:
    with lookalike.open(copied_site(tmp_path_factory.getbasetemp(), tmp_path)) as collection:
        yield collection


@pytest.fixture
def client(site: Collection) -> Iterator[TestClient]:
    with TestClient(create_app({"site": site}), base_url="http://127.0.0.1:8000") as client:
        yield client


def photo(name: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(person(name, 60, 180, seed=7)).save(file, "PNG")
    return file.getvalue()


def test_cameras_come_without_the_place_of_their_recordings(client: TestClient, site: Collection) -> None:
    found = client.get(f"{BASE}/cameras").json()["cameras"]
    expected = [each.to_dict() for each in site.cameras()]
    for each in expected:
        del each["source"]
    assert found == expected
    assert [each["name"] for each in found] == ["gate", "yard"]


def test_ways_between_cameras_have_counts_and_times(client: TestClient, site: Collection) -> None:
    found = client.get(f"{BASE}/transitions").json()["transitions"]
    assert found == [each._asdict() for each in site.transitions()]
    way = next(each for each in found if (each["origin"], each["target"]) == ("gate", "yard"))
    assert way["times"] == 3 and 0 < way["shortest"] <= way["typical"] <= way["longest"]
    early = client.get(f"{BASE}/transitions", params={"to": "2024-06-11T09:00:20Z"}).json()["transitions"]
    assert {(each["origin"], each["target"]) for each in early} == {("gate", "gate")}


def test_somebody_is_enrolled_recognised_and_forgotten(client: TestClient, site: Collection) -> None:
    answer = client.post(
        f"{BASE}/gallery",
        data={"name": "Ada/Eve", "false_match_rate": str(RATE), "reason": "asked to"},
        files=[("image", ("a.png", photo("red"))), ("image", ("b.png", photo("red")))],
    )
    assert answer.status_code == 201
    ada = answer.json()
    local = site.gallery()[0]
    assert ada["identities"] == list(local.identities) and len(local.identities) == 1
    assert client.get(f"{BASE}/gallery").json() == {"gallery": [ada]}
    pictures = [client.get(link) for link in ada["pictures"]]
    assert tuple(each.content for each in pictures) == local.pictures
    assert {each.headers["content-type"] for each in pictures} == {"image/webp"}
    assert (
        client.get(f"{BASE}/identities", params={"named": True}).json()["identities"][0]["recognised"]["name"]
        == "Ada/Eve"
    )
    assert [(each.kind, each.who) for each in site.audit_log()] == [("enrol", "local")]
    assert client.delete(f"{BASE}/gallery/Ada/Eve").json() == {"name": "Ada/Eve", "unenrolled": True}
    assert client.delete(f"{BASE}/gallery/Ada/Eve").json()["unenrolled"] is False
    assert client.get(ada["pictures"][0]).status_code == 404


def test_enrolling_needs_a_name_and_pictures(client: TestClient, site: Collection) -> None:
    assert client.post(f"{BASE}/gallery", data={"name": "Ada"}).status_code in (415, 422)
    empty = client.post(f"{BASE}/gallery", data={"name": ""}, files={"image": ("a.png", photo("red"))})
    assert empty.json()["errors"][0]["field"] == "body.name"
    unread = client.post(f"{BASE}/gallery", data={"name": "Ada"}, files={"image": ("a.png", b"no")})
    assert unread.json()["type"] == "/problems/image"
    assert site.gallery() == []


def test_what_is_not_retained_is_erased(client: TestClient, site: Collection) -> None:
    assert client.post(f"{BASE}/erase-expired").json() == {"tracklets": {}, "sightings": 0, "identities": 0}
    assert len(site.identities()) == 4


def test_a_collection_that_saw_no_camera_has_none(tmp_path: Path) -> None:
    with (
        lookalike.create(tmp_path / "empty.lookalike") as empty,
        TestClient(create_app({"site": empty}), base_url="http://127.0.0.1:8000") as client,
    ):
        assert client.get(f"{BASE}/cameras").json() == {"cameras": []}
        assert client.get(f"{BASE}/identities").json()["identities"] == []
        assert client.get(f"{BASE}/transitions").json() == {"transitions": []}
        enrolled = client.post(
            f"{BASE}/gallery", data={"name": "Ada"}, files={"image": ("a.png", photo("red"))}
        )
        assert (enrolled.status_code, enrolled.json()["type"]) == (422, "/problems/input")
