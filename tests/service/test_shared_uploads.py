"""Pictures that are added over HTTP to a collection of several machines: any of its services has their originals."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import lookalike
from lookalike import Collection
from lookalike.service.app import create_app
from lookalike.service.settings import ServiceSettings
from s3_server import s3_uri

pytest.importorskip("lance", reason="needs Lance: pip install 'lookalike[lance]'")

pytestmark = pytest.mark.filterwarnings("ignore:lance is not fork-safe")

C = "/v1/collections/shop"


@pytest.fixture(params=["lance", "s3"])
def machines(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Collection, Collection]]:
    """One collection, open on two machines: each has a cache of its own."""
    place = str(tmp_path / "shop.lance") if request.param == "lance" else s3_uri(tmp_path)
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "first"))
    with lookalike.create(place) as first:
        monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "second"))
        with lookalike.open(place) as second:
            yield first, second


def service(collection: Collection) -> TestClient:
    return TestClient(create_app({"shop": collection}, ServiceSettings()))


def ended(client: TestClient, at: str) -> dict[str, object]:
    for _ in range(600):
        job: dict[str, object] = client.get(at).json()
        if job["state"] not in ("queued", "running"):
            return job
        time.sleep(0.05)
    raise AssertionError(f"{at} did not end")


def seen(client: TestClient, id: str) -> None:
    """Wait until a machine knows of an item: on S3 it looks for changes of others once a second."""
    for _ in range(100):
        if client.get(f"{C}/items/{id}").status_code == 200:
            return
        time.sleep(0.05)
    raise AssertionError(f"{id} is not seen")


def test_what_one_service_is_sent_another_one_shows(
    machines: tuple[Collection, Collection], pictures: Path
) -> None:
    one, other, *_ = sorted(pictures.glob("*.jpg"))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(other, "folder/other.jpg")
    with service(machines[0]) as first, service(machines[1]) as second:
        sent = first.post(
            f"{C}/items",
            files={"image": ("one.jpg", one.read_bytes())},
            data={"prefix": "new", "attributes": json.dumps({"one.jpg": {"price": 9.5}})},
        )
        assert sent.status_code == 200, sent.text
        job = first.post(f"{C}/archive", files={"archive": ("a.zip", packed.getvalue())})
        assert job.status_code == 202
        assert ended(first, job.headers["location"])["state"] == "done"
        for id, path in (("new/one.jpg", one), ("uploads/folder/other.jpg", other)):
            seen(second, id)
            answer = second.get(f"{C}/originals/{id}")
            assert (answer.content, answer.headers["x-read-from"]) == (path.read_bytes(), "original")
            assert "original://" not in second.get(f"{C}/items/{id}").text
        assert second.get(C).json()["bytes"]["originals"] == len(one.read_bytes()) + len(other.read_bytes())
        assert second.delete(f"{C}/items/new/one.jpg").status_code in (200, 204)
