"""The map over REST: laid out by a job, read as Arrow or Parquet, kept by the browser until it changes."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from starlette.testclient import TestClient

import lookalike
from lookalike.collection import Collection
from lookalike.service.app import create_app
from lookalike.service.jobs import Progress
from small_shop import ITEMS, copied_shop, ended, result_of

BASE = "/v1/collections/shop/map"


@pytest.fixture
def shop(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Iterator[Collection]:
    with lookalike.open(copied_shop(tmp_path_factory.getbasetemp(), tmp_path)) as collection:
        yield collection


@pytest.fixture
def client(shop: Collection) -> Iterator[TestClient]:
    with TestClient(create_app({"shop": shop})) as client:
        yield client


def arrow(data: bytes) -> pyarrow.Table:
    with pyarrow.ipc.open_stream(data) as stream:
        table = stream.read_all()
    table.validate(full=True)
    return table


def test_a_job_lays_out_the_map_that_python_reads(client: TestClient, shop: Collection) -> None:
    found = result_of(client, client.post(BASE, json={}))
    assert (found["items"], found["placed"]) == (ITEMS, 0)
    assert 0 < found["quality"]["trustworthiness"] <= 1
    assert found["provenance"]["collection"] == "shop"
    answer = client.get(BASE)
    assert answer.headers["content-type"] == "application/vnd.apache.arrow.stream"
    table, expected = arrow(answer.content), shop.map(progress=False)
    assert table.column_names == ["id", "x", "y", "placed", "cluster"]
    assert table["id"].to_pylist() == list(expected.ids)
    assert table["x"].to_pylist() == expected.xy[:, 0].tolist()
    assert table["cluster"].null_count == ITEMS


def test_attributes_and_clusters_come_along(client: TestClient, shop: Collection) -> None:
    result_of(client, client.post(BASE, json={}))
    groups = shop.cluster(4, stability=False)
    names = ["category", "price", "in_stock", "tags"]
    table = arrow(client.get(BASE, params={"attribute": names}).content)
    assert [str(table.schema.field(name).type) for name in names] == [
        "string",
        "double",
        "bool",
        "list<item: string>",
    ]
    for row in table.to_pylist():
        item = shop.item(row["id"])
        assert {name: row[name] for name in names} == {name: item.attributes.get(name) for name in names}
        assert row["cluster"] == groups.labels[row["id"]]


def test_only_what_a_filter_selects_comes(client: TestClient) -> None:
    result_of(client, client.post(BASE, json={}))
    table = arrow(client.get(BASE, params={"where": "price < 100", "attribute": "price"}).content)
    assert 0 < len(table) < ITEMS
    assert max(table["price"].to_pylist()) < 100
    wrong = client.get(BASE, params={"where": "price <"})
    assert (wrong.status_code, wrong.json()["type"]) == (422, "/problems/filter")


def test_parquet_has_the_same_columns(client: TestClient) -> None:
    result_of(client, client.post(BASE, json={}))
    asked = {"attribute": ["category", "tags"]}
    answer = client.get(BASE, params={**asked, "format": "parquet"})
    assert answer.headers["content-type"] == "application/vnd.apache.parquet"
    assert pyarrow.parquet.read_table(io.BytesIO(answer.content)).equals(
        arrow(client.get(BASE, params=asked).content)
    )


def test_parquet_without_pyarrow_says_what_to_install(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    result_of(client, client.post(BASE, json={}))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    answer = client.get(BASE, params={"format": "parquet"})
    assert (answer.status_code, answer.json()["type"]) == (501, "/problems/missing-extra")
    assert "lookalike[arrow]" in answer.json()["detail"]
    assert client.get(BASE).status_code == 200


def test_a_map_is_sent_again_only_when_it_may_have_changed(client: TestClient, shop: Collection) -> None:
    result_of(client, client.post(BASE, json={}))
    etag = client.get(BASE).headers["etag"]
    same = client.get(BASE, headers={"If-None-Match": f'"other", {etag}'})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", etag)
    known = {"If-None-Match": etag}
    assert client.get(BASE, params={"attribute": "price"}, headers=known).status_code == 200
    shop.remove(next(iter(shop)).id)
    fresh = client.get(BASE, headers=known)
    assert (fresh.status_code, len(arrow(fresh.content))) == (200, ITEMS - 1)


def test_reading_never_lays_out(client: TestClient) -> None:
    answer = client.get(BASE)
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-fitted")


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"attribute": "colour"}, "input"),
        ({"attribute": "uri"}, "input"),
        ({"format": "csv"}, "validation"),
        ({"attribute": ["price"] * 33}, "validation"),
    ],
)
def test_a_wrong_request_is_a_problem(client: TestClient, params: dict[str, object], problem: str) -> None:
    result_of(client, client.post(BASE, json={}))
    answer = client.get(BASE, params=params)
    assert (answer.status_code, answer.json()["type"]) == (422, f"/problems/{problem}")


def test_a_wrong_seed_names_the_field(client: TestClient) -> None:
    answer = client.post(BASE, json={"seed": -1})
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == ["body.seed"]


def test_a_layout_that_is_cancelled_in_the_middle_saves_nothing(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    halfway, go = threading.Event(), threading.Event()
    report = Progress.__call__

    def slow(self: Progress, done: int, total: int | None = None) -> None:
        report(self, done, total)
        if total is not None and 2 * done >= total:
            halfway.set()
            assert go.wait(20)

    monkeypatch.setattr(Progress, "__call__", slow)
    started = client.post(BASE, json={})
    assert halfway.wait(20)
    running = client.delete(started.headers["location"]).json()
    assert (running["state"], running["cancelling"], running["message"]) == ("running", True, "laying out")
    assert 0 < running["done"] < running["total"]
    go.set()
    assert ended(client, started)["state"] == "cancelled"
    assert client.get(BASE).status_code == 404
