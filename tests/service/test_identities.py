"""Identities over REST: the same answers as Python's, corrections that stay, searches that are noted."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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


def stripped(answer: dict[str, Any]) -> dict[str, Any]:
    """An identity without what only REST adds."""
    visits = [{k: v for k, v in each.items() if k not in ("crop", "clip")} for each in answer["visits"]]
    return {**{k: v for k, v in answer.items() if k != "crop"}, "visits": visits}


def test_identities_are_those_that_python_lists(client: TestClient, site: Collection) -> None:
    answer = client.get(f"{BASE}/identities").json()
    expected = site.identities().to_dict()
    assert [stripped(each) for each in answer["identities"]] == expected["identities"]
    assert answer["cameras"] == ["gate", "yard"]
    assert answer["provenance"]["tracking_version"] == expected["provenance"]["tracking_version"]
    assert str(Path.cwd()) not in json.dumps(answer) and "/tmp" not in json.dumps(answer)


def test_filters_narrow_the_visits(client: TestClient, site: Collection) -> None:
    late = client.get(f"{BASE}/identities", params={"from": "2024-06-11T11:00:26+02:00"}).json()["identities"]
    assert {visit["camera"] for each in late for visit in each["visits"]} == {"yard"}
    assert len(late) == len(site.identities(camera="yard"))
    assert client.get(f"{BASE}/identities", params={"camera": "yard"}).json()["identities"] == late
    assert client.get(f"{BASE}/identities", params={"min_sightings": 10_000}).json()["identities"] == []
    site.rename("i1", "Ada")
    named = client.get(f"{BASE}/identities", params={"named": True}).json()["identities"]
    assert [each["name"] for each in named] == ["Ada"]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"from": "yesterday"}, "query.from"),
        ({"to": "2024-06-11T09:00"}, "query.to"),
        ({"min_sightings": 0}, "query.min_sightings"),
    ],
)
def test_what_cannot_be_understood_is_named(client: TestClient, asked: dict[str, Any], field: str) -> None:
    answer = client.get(f"{BASE}/identities", params=asked)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


@pytest.mark.parametrize(
    "asked",
    [
        {"camera": "attic"},
        {"from": "2024-06-11T10:00:00Z", "to": "2024-06-11T09:00:00Z"},
        {"from": "0001-01-01T00:00:00+14:00"},
    ],
)
def test_what_does_not_fit_is_an_input_problem(client: TestClient, asked: dict[str, Any]) -> None:
    answer = client.get(f"{BASE}/identities", params=asked)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/input")


def test_one_identity_by_id_or_name(client: TestClient, site: Collection) -> None:
    site.rename("i2", "Ada Lovelace")
    by_id = client.get(f"{BASE}/identities/i2").json()
    assert by_id == client.get(f"{BASE}/identities/Ada Lovelace").json()
    assert stripped(by_id) == site.identity("i2").to_dict()
    starts = [visit["start"] for visit in by_id["visits"]]
    assert starts == sorted(starts)
    nobody = client.get(f"{BASE}/identities/i999")
    assert (nobody.status_code, nobody.json()["type"]) == (404, "/problems/unknown-item")


def test_corrections_hold(client: TestClient, site: Collection) -> None:
    whole = site.identity("i1")
    first = whole.tracklets[0]
    split = client.post(f"{BASE}/identities/i1/split", json={"tracklets": [first]})
    new = split.json()["identity"]
    assert split.json() == {"identity": new, "from": "i1", "tracklets": [first]}
    assert site.identity(new).tracklets == (first,)
    merged = client.post(f"{BASE}/identities/merge", json={"first": "i1", "second": new})
    assert merged.json() == {"identity": "i1", "merged": ["i1", new]}
    assert site.identity("i1").tracklets == whole.tracklets
    renamed = client.patch(f"{BASE}/identities/i1", json={"name": "<b>Ada</b>"})
    assert renamed.json() == {"identity": "i1", "name": "<b>Ada</b>"}
    assert site.identity("i1").name == "<b>Ada</b>"
    assert client.patch(f"{BASE}/identities/i1", json={"name": None}).json()["name"] is None
    gone = client.delete(f"{BASE}/identities/i1")
    assert gone.json() == {"identity": "i1", "tracklets": len(whole.tracklets)}
    assert client.get(f"{BASE}/identities/i1").status_code == 404


def test_wrong_corrections_change_nothing(client: TestClient, site: Collection) -> None:
    before = site.identities().to_dict()["identities"]
    for path, body in (
        ("i1/split", {"tracklets": ["t999"]}),
        ("i1/split", {"tracklets": ["i1"]}),
        ("i1/split", {"tracklets": []}),
        ("merge", {"first": "i1", "second": "i1"}),
        ("merge", {"first": "i1", "second": "i2", "third": "i3"}),
    ):
        assert client.post(f"{BASE}/identities/{path}", json=body).status_code == 422
    assert client.patch(f"{BASE}/identities/i1", json={"name": "i7"}).status_code == 422
    assert site.identities().to_dict()["identities"] == before


def test_a_picture_finds_its_person_and_the_search_is_noted(client: TestClient, site: Collection) -> None:
    picture = photo("red")
    answer = client.post(
        f"{BASE}/follow",
        files={"image": ("red.png", picture)},
        data={"false_match_rate": str(RATE), "reason": "lost bag"},
    ).json()
    local = site.follow(picture, false_match_rate=RATE)
    assert answer["identity"] == local.identity is not None
    assert stripped({"visits": answer["visits"]})["visits"] == local.to_dict()["visits"]
    assert [each["identity"] for each in answer["candidates"]] == [each.identity for each in local.candidates]
    assert answer["query_thumbnail"].startswith("data:image/webp;base64,")
    entry = site.audit_log()[0]
    assert (entry.who, entry.kind, entry.reason) == ("local", "follow image", "lost bag")
    logged = client.get(f"{BASE}/audit").json()["searches"]
    assert logged == [each.to_dict() for each in site.audit_log()]


def test_an_identity_can_be_followed_in_a_time(client: TestClient, site: Collection) -> None:
    asked = {"identity": "i1", "camera": "gate", "to": "2024-06-11T09:00:01Z"}
    answer = client.post(f"{BASE}/follow", json=asked).json()
    assert answer["asked_by"] == "identity" and answer["line"] is None
    assert [visit["tracklet"] for visit in answer["visits"]] == [site.identity("i1").tracklets[0]]


def test_a_text_is_never_read_as_a_file(client: TestClient, tmp_path: Path) -> None:
    there = tmp_path / "there.png"
    there.write_bytes(photo("red"))
    details = []
    for path in (there, tmp_path / "away.png"):
        answer = client.post(f"{BASE}/follow", json={"identity": str(path)})
        assert answer.status_code == 404
        details.append(answer.json()["detail"].replace(str(path), "PATH"))
    assert details[0] == details[1]  # whether there is such a file is not told
    assert client.post(f"{BASE}/follow", json={"identity": str(there), "crop": "0,0,1,1"}).status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"identity": "i1", "crop": "0,0,1,1"},
        {"identity": "i1", "false_match_rate": 1},
        {"identity": "i1", "who": "me"},
    ],
)
def test_a_wrong_wish_is_refused(client: TestClient, body: dict[str, Any]) -> None:
    assert client.post(f"{BASE}/follow", json=body).status_code == 422


def test_what_is_no_picture_is_told(client: TestClient) -> None:
    answer = client.post(f"{BASE}/follow", files={"image": ("a.png", b"no picture")})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/image")


def test_sightings_come_as_the_files_that_python_writes(
    client: TestClient, site: Collection, tmp_path: Path
) -> None:
    for ending, kind in (("csv", "text/csv"), ("json", "application/json")):
        path = tmp_path / f"sightings.{ending}"
        site.export_sightings(path, camera="gate")
        answer = client.get(f"{BASE}/identities/export", params={"format": ending, "camera": "gate"})
        assert answer.content == path.read_bytes()
        assert answer.headers["content-type"].startswith(kind)
        assert answer.headers["content-disposition"] == f'attachment; filename="sightings.{ending}"'
