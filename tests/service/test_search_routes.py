"""Searching over HTTP: the same answers as Python, by form and by JSON, and every wrong request named."""

from __future__ import annotations

import base64
import io
import json
import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from starlette.testclient import TestClient

import lookalike
from lookalike import Collection
from lookalike.collection.result import SearchResult
from lookalike.service.app import create_app
from lookalike.service.settings import ServiceSettings

C = "/v1/collections/shop"


@pytest.fixture(scope="module")
def opened(shop_folder: Path) -> Iterator[Collection]:
    with lookalike.open(shop_folder) as collection:
        yield collection


@pytest.fixture(scope="module")
def client(opened: Collection) -> Iterator[TestClient]:
    with TestClient(create_app({"shop": opened}, ServiceSettings(max_k=50))) as asking:
        yield asking


@pytest.fixture(scope="module")
def photo(sample: Path) -> bytes:
    return sorted((sample / "customer").glob("*.jpg"))[0].read_bytes()


def first(opened: Collection, count: int = 3) -> list[str]:
    return [item.id for item, _ in zip(opened, range(count), strict=False)]


def same(answer: dict[str, Any], expected: SearchResult) -> None:
    """The answer is Python's, but for places on this machine."""
    assert [hit["id"] for hit in answer["hits"]] == [hit.id for hit in expected]
    for got, hit in zip(answer["hits"], expected, strict=True):
        assert got["score"] == pytest.approx(hit.score, abs=1e-6)
        assert got["strength"] == pytest.approx(hit.strength, abs=1e-6)
        assert got["attributes"] == dict(hit.attributes)
        assert "uri" not in got
    assert answer["answered_by"] == expected.answered_by
    assert answer["provenance"]["parameters"] == json.loads(json.dumps(expected.provenance["parameters"]))


def test_a_photo_finds_what_python_finds(client: TestClient, opened: Collection, photo: bytes) -> None:
    answer = client.post(f"{C}/search", files={"image": ("a.jpg", photo)}, data={"k": "5"})
    assert answer.status_code == 200
    found = answer.json()
    same(found, opened.search(photo, k=5))
    assert found["query_thumbnail"].startswith("data:image/webp;base64,")
    assert found["took_ms"] > 0
    assert "facets" not in found
    hit = found["hits"][0]
    assert client.get(hit["thumbnail"]).content == opened.thumbnail(hit["id"])
    assert client.get(hit["original"]).status_code == 200


def test_everything_that_can_be_asked_is_asked_of_the_collection(
    client: TestClient, opened: Collection, photo: bytes
) -> None:
    one, two, three = first(opened)
    asked = {
        "k": 7, "where": "price < 300", "group_by": "product", "diversity": 0.3, "min_strength": 0.01,
        "recall": 0.9, "crop": "0.1,0.1,0.8,0.8",
    }  # fmt: skip
    expected = opened.search([photo, one, two], minus=[photo[:], three], **asked)
    form = [("image", ("a.jpg", photo)), ("minus_image", ("b.jpg", photo))]
    fields = [("id", (None, one)), ("id", (None, two)), ("minus_id", (None, three))]
    values = [(name, (None, str(value))) for name, value in asked.items()]
    same(client.post(f"{C}/search", files=[*form, *fields, *values]).json(), expected)
    encoded = base64.b64encode(photo).decode()
    body = {
        **asked, "image": [encoded], "minus_image": [f"data:image/jpeg;base64,{encoded}"],
        "id": [one, two], "minus_id": [three],
    }  # fmt: skip
    same(client.post(f"{C}/search", json=body).json(), expected)


@pytest.mark.parametrize("options", [{"regions": "windows"}, {"regions": "pooled"}, {"rerank": "alpha-qe"}])
def test_regions_and_reranking_reach_the_collection(
    client: TestClient, opened: Collection, photo: bytes, options: dict[str, Any]
) -> None:
    answer = client.post(f"{C}/search", files={"image": ("a.jpg", photo)}, data=options)
    same(answer.json(), opened.search(photo, **options))


def test_vectors_and_words_search_too(client: TestClient, opened: Collection, photo: bytes) -> None:
    vector = opened.embed(photo)[0]
    expected = opened.search(vector)
    same(client.post(f"{C}/search", json={"vector": [vector.tolist()]}).json(), expected)
    for text in (json.dumps(vector.tolist()), ",".join(map(str, vector.tolist()))):
        same(client.post(f"{C}/search", files=[("vector", (None, text))]).json(), expected)
    words = client.post(f"{C}/search", json={"text": "basketball", "k": 3}).json()
    assert words["answered_by"] == "words"
    assert words["query_thumbnail"] is None
    assert [hit["strength"] for hit in words["hits"]] == [None] * 3


def test_similar_items_are_a_search_by_id_without_the_item(client: TestClient, opened: Collection) -> None:
    (one,) = first(opened, 1)
    answer = client.get(f"{C}/similar/{one}", params={"k": 4, "where": "in_stock", "group_by": "product"})
    found = answer.json()
    same(found, opened.search(one, k=4, where="in_stock", group_by="product"))
    assert one not in [hit["id"] for hit in found["hits"]]


def test_facets_come_with_the_search_and_are_counted_over_the_filter(
    client: TestClient, opened: Collection, photo: bytes
) -> None:
    fields = {"facets": "category, price", "where": "in_stock"}
    answer = client.post(f"{C}/search", files={"image": ("a.jpg", photo)}, data=fields).json()
    expected = opened.facets(["category", "price"], where="in_stock").to_dict()
    assert answer["facets"] == expected["facets"]
    alone = client.get(f"{C}/facets", params={"attributes": "category,price", "where": "in_stock"}).json()
    assert alone == expected
    assert client.get(f"{C}/facets").json() == opened.facets().to_dict()


def test_answers_hold_no_path_of_the_server(client: TestClient, opened: Collection, photo: bytes) -> None:
    (one,) = first(opened, 1)
    answers = [
        client.post(f"{C}/search", files={"image": ("a.jpg", photo)}),
        client.get(f"{C}/similar/{one}"),
        client.get(C),
        client.get(f"{C}/items"),
        client.get(f"{C}/facets"),
    ]
    folder = opened.path
    source = str(Path(opened.item(one).uri).parent)
    for answer in answers:
        assert answer.status_code == 200
        assert folder not in answer.text
        assert source not in answer.text


@pytest.mark.parametrize(
    "asked",
    [
        {"where": 'uri starts with "/home"'},
        {"where": "not (in_stock or uri is null)"},
        {"facets": "uri"},
        {"group_by": "uri"},
    ],
)
def test_where_items_lie_cannot_be_asked(
    client: TestClient, opened: Collection, asked: dict[str, str]
) -> None:
    (one,) = first(opened, 1)
    answer = client.post(f"{C}/search", json={"id": [one], **asked})
    assert answer.status_code == 422
    assert "stays on the server" in answer.json()["detail"]


def test_a_text_is_never_taken_for_a_file(client: TestClient, tmp_path: Path, photo: bytes) -> None:
    (tmp_path / "secret.jpg").write_bytes(photo)
    place = str(tmp_path / "secret.jpg")
    for field in ("id", "minus_id"):
        answer = client.post(
            f"{C}/search", json={"image": [base64.b64encode(photo).decode()], field: [place]}
        )
        assert answer.status_code == 404
        assert answer.json()["type"] == "/problems/unknown-item"
    assert client.get(f"{C}/similar/{place}").status_code == 404
    words = client.post(f"{C}/search", json={"text": place})
    assert words.json()["answered_by"] == "words"
    answer = client.post(f"{C}/search", files=[("image", (None, place))])
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "body.image")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"k": "3"}, "body.k"),
        ({"k": 3.5}, "body.k"),
        ({"k": True}, "body.k"),
        ({"k": 0}, "body.k"),
        ({"k": 10_001}, "body.k"),
        ({"diversity": 1.5}, "body.diversity"),
        ({"min_strength": -0.1}, "body.min_strength"),
        ({"recall": 0}, "body.recall"),
        ({"regions": "all"}, "body.regions"),
        ({"rerank": "best"}, "body.rerank"),
        ({"colour": "red"}, "body.colour"),
        ({"id": "one"}, "body.id"),
        ({"id": ["x"] * 17}, "body.id"),
        ({"image": ["not base64!"]}, "body.image.0"),
        ({"vector": [[1, "2"]]}, "body.vector.0.1"),
        ({"where": 5}, "body.where"),
        ([], "body"),
    ],
)
def test_a_wrong_json_field_is_named(client: TestClient, body: Any, field: str) -> None:
    answer = client.post(f"{C}/search", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["type"] == "/problems/validation"
    assert document["errors"][0]["field"] == field


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ([("k", "3 ")], "body.k"),
        ([("k", "0x3")], "body.k"),
        ([("k", "")], "body.k"),
        ([("k", "3"), ("k", "4")], "body.k"),
        ([("diversity", "nan")], "body.diversity"),
        ([("diversity", "1e400")], "body.diversity"),
        ([("colour", "red")], "body.colour"),
        ([("vector", "1,x")], "body.vector.0"),
        ([("vector", "[NaN, 1]")], "body.vector.0.0"),
        ([("vector", "[" * 10_000)], "body.vector.0"),
    ],
)
def test_a_wrong_form_field_is_named(client: TestClient, fields: list[tuple[str, str]], field: str) -> None:
    answer = client.post(f"{C}/search", files=[(name, (None, value)) for name, value in fields])
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


def test_a_file_where_a_text_is_expected_is_named(client: TestClient, photo: bytes) -> None:
    answer = client.post(f"{C}/search", files={"k": ("a.jpg", photo)})
    assert answer.json()["errors"] == [{"field": "body.k", "message": "a file was sent, expected a text"}]


def png_bomb() -> bytes:
    """A PNG whose header promises 60,000 x 60,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1_000_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def test_pictures_that_are_none_are_refused(client: TestClient, photo: bytes) -> None:
    bad = {
        "cut": (photo[:3000], "cut off"),
        "html": (b"<!doctype html><script>alert(1)</script>", "HTML"),
        "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        "empty": (b"", "empty"),
        "bomb": (png_bomb(), "megapixels"),
    }
    for name, (data, reason) in bad.items():
        answer = client.post(f"{C}/search", files={"image": (f"{name}.jpg", data)})
        assert answer.status_code == 422, name
        assert answer.json()["type"] == "/problems/image"
        assert reason in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "status", "problem", "detail"),
    [
        ({}, 422, "input", "the query is empty"),
        ({"id": ["nobody"]}, 404, "unknown-item", "nobody"),
        ({"text": "   "}, 422, "input", "empty"),
        ({"vector": [[1.0, 2.0]]}, 422, "input", r"float \(1280,\)"),
        ({"vector": [[0.0] * 1280]}, 422, "input", "zero|direction|norm"),
        ({"text": "red", "group_by": "colour"}, 422, "input", "no attribute 'colour'"),
        ({"text": "red", "facets": "colour"}, 422, "input", "no attribute 'colour'"),
        ({"text": "red", "facets": "a,,b"}, 422, "input", "between two commas"),
        ({"text": "red", "crop": "1,2,3"}, 422, "input", "four numbers"),
        ({"text": "red", "crop": "0,0,1,1"}, 422, "input", "crop"),
        ({"text": "red", "k": 51}, 422, "input", "at most 50"),
    ],
)
def test_what_the_collection_refuses_is_a_problem_of_a_stable_type(
    client: TestClient, body: dict[str, Any], status: int, problem: str, detail: str
) -> None:
    answer = client.post(f"{C}/search", json=body)
    assert answer.status_code == status
    document = answer.json()
    assert (document["type"], document["status"]) == (f"/problems/{problem}", status)
    assert re.search(detail, document["detail"])


def test_a_wrong_filter_has_its_position(client: TestClient) -> None:
    for answer in (
        client.post(f"{C}/search", json={"text": "red", "where": "price <"}),
        client.get(f"{C}/facets", params={"where": "price <"}),
        client.get(f"{C}/items", params={"where": "price <"}),
    ):
        document = answer.json()
        assert (answer.status_code, document["type"], document["position"]) == (422, "/problems/filter", 7)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_other_kinds_of_body_are_refused(client: TestClient, kind: str) -> None:
    answer = client.post(f"{C}/search", content=b"id=1", headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["type"]) == (415, "/problems/unsupported-type")


def test_too_many_files_and_broken_forms_are_refused(client: TestClient, photo: bytes) -> None:
    answer = client.post(f"{C}/search", files=[("image", ("a.jpg", photo[:10]))] * 40)
    assert answer.status_code == 400
    broken = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = client.post(f"{C}/search", content=b"--x\r\nbroken", headers=broken)
    assert answer.status_code in (400, 422)
    assert (
        client.post(f"{C}/search", content=b"{", headers={"Content-Type": "application/json"}).status_code
        == 422
    )


def test_an_empty_file_input_of_a_browser_counts_as_nothing(client: TestClient, opened: Collection) -> None:
    (one,) = first(opened, 1)
    body = (
        b'--x\r\nContent-Disposition: form-data; name="image"; filename=""\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n\r\n"
        b'--x\r\nContent-Disposition: form-data; name="id"\r\n\r\n' + one.encode() + b"\r\n--x--\r\n"
    )
    answer = client.post(
        f"{C}/search", content=body, headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert answer.json()["answered_by"] == "item"


def test_embed_gives_the_vectors_that_python_gives(
    client: TestClient, opened: Collection, photo: bytes
) -> None:
    small = io.BytesIO()
    PIL.Image.new("RGB", (50, 40), "red").save(small, "PNG")
    files = [("image", ("a.jpg", photo)), ("image", ("b.png", small.getvalue()))]
    answer = client.post(f"{C}/embed", files=files).json()
    assert (answer["encoder"], answer["dimensions"]) == (opened.info()["encoder"], 1280)
    assert answer["fingerprint"] == opened.info()["fingerprint"]
    assert np.allclose(answer["vectors"], opened.embed([photo, small.getvalue()]), atol=1e-6)
    assert client.post(f"{C}/embed", files={"image": ("a.jpg", b"<html>")}).status_code == 422
    assert client.post(f"{C}/embed", json={"image": []}).status_code == 422


def test_a_search_is_documented_for_both_kinds_of_body(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    content = document["paths"]["/v1/collections/{collection}/search"]["post"]["requestBody"]["content"]
    as_json = content["application/json"]["schema"]["properties"]
    as_form = content["multipart/form-data"]["schema"]["properties"]
    assert set(as_json) == set(as_form)
    assert as_form["image"]["items"] == {"type": "string", "format": "binary"}
    assert as_json["image"]["items"]["contentEncoding"] == "base64"
    assert as_json["k"]["maximum"] == 10_000
    assert "#/$defs" not in json.dumps(document)
