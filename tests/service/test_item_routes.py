"""Items over HTTP: listed, changed, removed; their pictures, cached; and what a collection is."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import numpy as np
import PIL.Image
import pytest
from starlette.testclient import TestClient

import lookalike
from lookalike import Collection
from lookalike.images.decode import decode
from lookalike.service.app import create_app

C = "/v1/collections/shop"
ONE = "catalog/BlendSwapCC0-basketball_0.jpg"


@pytest.fixture
def client(shop: Collection) -> Iterator[TestClient]:
    with TestClient(create_app({"shop": shop})) as asking:
        yield asking


def test_collections_are_listed_and_described_without_paths(client: TestClient, shop: Collection) -> None:
    assert client.get("/v1/collections").json() == {"collections": [{"name": "shop", "items": 330}]}
    about = client.get(C).json()
    assert (about["name"], about["items"], about["sources"]) == ("shop", 330, ["catalog"])
    assert about["attributes"] == shop.attributes
    assert set(about["bytes"]) == {"record", "derived", "originals"}
    assert "path" not in about


@pytest.mark.parametrize("where", [None, "in_stock and price < 200", "price > 1e9"])
def test_pages_lead_through_all_items(client: TestClient, shop: Collection, where: str | None) -> None:
    ids: list[str] = []
    after = None
    while True:
        asked = {"limit": 100, "where": where, "after": after}
        page = client.get(f"{C}/items", params={k: v for k, v in asked.items() if v is not None}).json()
        ids += [item["id"] for item in page["items"]]
        after = page["next"]
        if after is None:
            break
    total = len(shop) if where is None else shop.facets("source", where=where).total
    assert len(ids) == len(set(ids)) == total


@pytest.mark.parametrize(
    "asked", ["limit=0", "limit=501", "limit=x", "after=7", "after=r", "after=r-1", "after=r" + "9" * 30]
)
def test_wrong_pages_are_refused(client: TestClient, asked: str) -> None:
    assert client.get(f"{C}/items?{asked}").status_code == 422


def test_an_item_has_links_to_its_pictures(client: TestClient, shop: Collection) -> None:
    item = client.get(f"{C}/items/{ONE}").json()
    assert item["attributes"] == dict(shop.item(ONE).attributes)
    assert (item["width"], item["height"]) == (320, 320)
    assert client.get(item["thumbnail"]).content == shop.thumbnail(ONE)
    assert "uri" not in item
    answer = client.get(f"{C}/items/nobody")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown-item")


def test_ids_with_unusual_characters_have_links_that_work(client: TestClient, shop: Collection) -> None:
    name = "a b/50% + ü#1?x=y&z.jpg"
    picture = io.BytesIO()
    PIL.Image.new("RGB", (64, 48), "teal").save(picture, "PNG")
    shop.upload({name: picture.getvalue()}, progress=False)
    item = client.get(f"{C}/items/{quote(f'uploads/{name}')}").json()
    assert item["id"] == f"uploads/{name}"
    assert client.get(item["original"]).content == picture.getvalue()


def test_attributes_are_changed_all_or_none(client: TestClient, shop: Collection) -> None:
    two = "catalog/BlendSwapCC0-basketball_1.jpg"
    changed = client.patch(f"{C}/items", json={ONE: {"price": 5.0, "label": "ball"}, two: {"price": 32.61}})
    assert changed.json() == {"changed": [ONE]}
    assert shop.item(ONE).attributes["label"] == "ball"
    refused = client.patch(f"{C}/items", json={two: {"price": 1.0}, ONE: {"price": "n/a"}})
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/input")
    assert f"item {ONE}: attribute price" in refused.json()["detail"]
    unknown = client.patch(f"{C}/items", json={two: {"price": 1.0}, "nobody": {"price": 1.0}})
    assert (unknown.status_code, unknown.json()["type"]) == (404, "/problems/unknown-item")
    assert shop.item(two).attributes["price"] == 32.61
    assert client.patch(f"{C}/items", json={ONE: {"label": None}}).json() == {"changed": [ONE]}
    assert "label" not in shop.item(ONE).attributes


@pytest.mark.parametrize(
    "body",
    [[], {ONE: 5}, {ONE: {"price": {"a": 1}}}, {ONE: {"tags": [1]}}, {ONE: {"id": "x"}}, {"": {"price": 1}}],
)
def test_wrong_attributes_are_refused(client: TestClient, body: object) -> None:
    assert client.patch(f"{C}/items", json=body).status_code == 422


def test_markup_in_attributes_stays_text(client: TestClient) -> None:
    script = "<script>alert(1)</script>"
    client.patch(f"{C}/items", json={ONE: {"label": script}})
    answer = client.get(f"{C}/items/{ONE}")
    assert answer.json()["attributes"]["label"] == script
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_items_are_removed_by_id_and_by_filter(client: TestClient, shop: Collection) -> None:
    assert client.delete(f"{C}/items/{ONE}").json() == {"removed": 1}
    assert client.delete(f"{C}/items/{ONE}").status_code == 404
    assert client.get(f"{C}/thumbnails/{ONE}").status_code == 404
    two = [item.id for item, _ in zip(shop, range(2), strict=False)]
    assert client.post(f"{C}/items/delete", json={"ids": [*two, "nobody"]}).status_code == 404
    assert client.post(f"{C}/items/delete", json={"ids": two}).json() == {"removed": 2}
    kitchens = shop.facets("id", where='category = "Kitchen"').total
    assert client.post(f"{C}/items/delete", json={"where": 'category = "Kitchen"'}).json() == {
        "removed": kitchens
    }
    for body in ({}, {"ids": two, "where": "in_stock"}, {"ids": []}, {"where": "uri is not null"}):
        assert client.post(f"{C}/items/delete", json=body).status_code == 422
    assert len(shop) == 330 - 3 - kitchens


# pictures


def test_a_thumbnail_is_cached_until_the_picture_is_another(client: TestClient, shop: Collection) -> None:
    answer = client.get(f"{C}/thumbnails/{ONE}")
    assert (answer.headers["content-type"], answer.content) == ("image/webp", shop.thumbnail(ONE))
    assert answer.headers["cache-control"].startswith("private, max-age=")
    tag = answer.headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = client.get(f"{C}/thumbnails/{ONE}", headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert client.get(f"{C}/thumbnails/{ONE}", headers={"If-None-Match": '"x"'}).status_code == 200
    other = client.get(f"{C}/thumbnails/catalog/BlendSwapCC0-basketball_1.jpg")
    assert other.headers["etag"] != tag


def test_an_original_comes_whole_smaller_and_in_parts(client: TestClient, shop: Collection) -> None:
    data = Path(shop.item(ONE).uri).read_bytes()
    whole = client.get(f"{C}/originals/{ONE}")
    assert (whole.content, whole.headers["content-type"]) == (data, "image/jpeg")
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert whole.headers["content-disposition"] == "inline"
    assert whole.headers["x-read-from"] == "original"
    small = client.get(f"{C}/originals/{ONE}?size=128")
    assert small.headers["content-type"] == "image/webp"
    assert max(decode(small.content).pixels.shape) == 128
    tags = {whole.headers["etag"], small.headers["etag"]}
    assert len(tags) == 2
    again = client.get(f"{C}/originals/{ONE}?size=128", headers={"If-None-Match": small.headers["etag"]})
    assert again.status_code == 304
    for size in ("63", "2049", "x"):
        assert client.get(f"{C}/originals/{ONE}?size={size}").status_code == 422


@pytest.mark.parametrize(
    ("wanted", "part"),
    [
        ("bytes=0-9", slice(0, 10)),
        ("bytes=5-", slice(5, None)),
        ("bytes=-7", slice(-7, None)),
        ("bytes=3-99999999", slice(3, None)),
    ],
)
def test_a_part_of_an_original(client: TestClient, shop: Collection, wanted: str, part: slice) -> None:
    data = Path(shop.item(ONE).uri).read_bytes()
    answer = client.get(f"{C}/originals/{ONE}", headers={"Range": wanted})
    assert (answer.status_code, answer.content) == (206, data[part])
    begin, end, _ = part.indices(len(data))
    assert answer.headers["content-range"] == f"bytes {begin}-{end - 1}/{len(data)}"
    stale = client.get(f"{C}/originals/{ONE}", headers={"Range": wanted, "If-Range": '"other"'})
    assert (stale.status_code, stale.content) == (200, data)


@pytest.mark.parametrize("wanted", ["bytes=99999999-", "bytes=9-3", "bytes=-0"])
def test_a_part_that_is_not_there(client: TestClient, shop: Collection, wanted: str) -> None:
    answer = client.get(f"{C}/originals/{ONE}", headers={"Range": wanted})
    length = Path(shop.item(ONE).uri).stat().st_size
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{length}")


@pytest.mark.parametrize("wanted", ["bytes=0-1,5-6", "lines=1-2", "bytes=-", "bytes=a-b"])
def test_other_ranges_are_left_aside(client: TestClient, wanted: str) -> None:
    assert client.get(f"{C}/originals/{ONE}", headers={"Range": wanted}).status_code == 200


def test_a_lost_original_is_the_thumbnail_and_never_what_lies_there_now(
    pictures: Path, tmp_path: Path
) -> None:
    rng = np.random.default_rng(1)
    PIL.Image.fromarray(rng.integers(0, 255, (90, 120, 3), np.uint8)).save(pictures / "scan.tif")
    with lookalike.create(tmp_path / "c.lookalike") as made:
        made.add(pictures, progress=False)
        with TestClient(create_app({"shop": made})) as client:
            lost, changed = (item for item, _ in zip(made, range(2), strict=False))
            Path(lost.uri).unlink()
            Path(changed.uri).write_text("<!doctype html><script>alert(1)</script>")
            for item in (lost, changed):
                answer = client.get(f"{C}/originals/{item.id}")
                assert answer.headers["x-read-from"] == "thumbnail"
                assert answer.headers["content-type"] == "image/webp"
                assert answer.content == made.thumbnail(item.id)
                assert "no-cache" in answer.headers["cache-control"]
            tif = client.get(f"{C}/originals/pictures/scan.tif")
            assert tif.headers["content-type"] == "image/jpeg"
            assert decode(tif.content).pixels.shape == (90, 120, 3)


def test_unknown_collections_and_ids_are_problems(client: TestClient) -> None:
    for path in (f"{C}/thumbnails/x", f"{C}/originals/x", f"{C}/originals/x?size=100", f"{C}/similar/x"):
        assert (client.get(path).status_code, client.get(path).json()["type"]) == (
            404,
            "/problems/unknown-item",
        )
    answer = client.get("/v1/collections/other/items")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown-collection")
