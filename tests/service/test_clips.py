"""Pictures and clips of sightings over REST."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from starlette.testclient import TestClient

import lookalike
from camera_site import copied_site
from lookalike.collection import Collection, replaying
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


def test_a_picture_is_that_of_the_tracklet_or_of_the_best_one(client: TestClient, site: Collection) -> None:
    first = site.identity("i1")
    answer = client.get(f"{BASE}/crops/{first.best}")
    assert answer.headers["content-type"] == "image/webp"
    assert answer.content == client.get(f"{BASE}/crops/i1").content == site.best_picture("i1")
    assert Image.open(io.BytesIO(answer.content)).format == "WEBP"
    for unknown in ("t999", "i999", "nobody/at all"):
        assert client.get(f"{BASE}/crops/{unknown}").json()["type"] == "/problems/unknown-item"


def test_a_known_picture_is_not_sent_again_but_asked_for_each_time(client: TestClient) -> None:
    first = client.get(f"{BASE}/crops/t1")
    assert first.headers["cache-control"] == "private, no-cache"
    again = client.get(f"{BASE}/crops/t1", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    other = client.get(f"{BASE}/crops/t2", headers={"If-None-Match": first.headers["etag"]})
    assert other.status_code == 200


def test_a_clip_is_a_video_of_the_stay(client: TestClient, site: Collection) -> None:
    av = pytest.importorskip("av", reason="needs PyAV: pip install 'lookalike[video]'")
    visit = site.visit("t1")
    answer = client.get(f"{BASE}/clips/t1")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "video/mp4")
    with av.open(io.BytesIO(answer.content)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        frames = sum(1 for _ in container.decode(video=0))
    assert visit.sightings <= frames <= visit.sightings + 20  # a second before and after
    hidden = client.get(f"{BASE}/clips/t1", params={"hide": "others"})
    assert hidden.content != answer.content
    assert client.get(f"{BASE}/clips/t1", params={"hide": "me"}).status_code == 422


def test_a_clip_is_sent_in_parts_to_a_player(client: TestClient) -> None:
    pytest.importorskip("av", reason="needs PyAV: pip install 'lookalike[video]'")
    whole = client.get(f"{BASE}/clips/t1")
    size = len(whole.content)
    for asked, expected in (
        ("bytes=0-99", slice(0, 100)),
        (f"bytes={size - 10}-", slice(size - 10, size)),
        ("bytes=-7", slice(size - 7, size)),
        (f"bytes=5-{size * 2}", slice(5, size)),
    ):
        part = client.get(f"{BASE}/clips/t1", headers={"Range": asked})
        assert (part.status_code, part.content) == (206, whole.content[expected])
        assert part.headers["content-range"] == f"bytes {expected.start}-{expected.stop - 1}/{size}"
    outside = client.get(f"{BASE}/clips/t1", headers={"Range": f"bytes={size}-"})
    assert (outside.status_code, outside.headers["content-range"]) == (416, f"bytes */{size}")
    changed = client.get(f"{BASE}/clips/t1", headers={"Range": "bytes=0-99", "If-Range": '"other"'})
    assert (changed.status_code, changed.content) == (200, whole.content)
    known = client.get(f"{BASE}/clips/t1", headers={"If-None-Match": whole.headers["etag"]})
    assert known.status_code == 304


def test_a_clip_follows_the_name_and_goes_with_the_tracklet(client: TestClient, site: Collection) -> None:
    pytest.importorskip("av", reason="needs PyAV: pip install 'lookalike[video]'")
    before = client.get(f"{BASE}/clips/t1")
    site.rename("i1", "Ada")
    after = client.get(f"{BASE}/clips/t1", headers={"If-None-Match": before.headers["etag"]})
    assert after.status_code == 200 and after.content != before.content
    assert client.get(f"{BASE}/clips/t999").json()["type"] == "/problems/unknown-item"
    assert client.get(f"{BASE}/clips/i1").json()["type"] == "/problems/input"


def test_a_recording_that_is_gone_is_told_without_its_place(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("av", reason="needs PyAV: pip install 'lookalike[video]'")
    known = replaying.camera_of
    monkeypatch.setattr(
        replaying, "camera_of", lambda record: replace(known(record), source=str(tmp_path / "gone"))
    )
    gone = client.get(f"{BASE}/clips/t1")
    assert (gone.status_code, gone.json()["type"]) == (422, "/problems/source")
    assert "camera gate" in gone.json()["detail"] and str(tmp_path) not in gone.text
    assert client.get(f"{BASE}/crops/t1").status_code == 200


def test_a_missing_extra_is_told(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    answer = client.get(f"{BASE}/clips/t2")
    assert (answer.status_code, answer.json()["type"]) == (501, "/problems/missing-extra")
    assert "pip install" in answer.json()["detail"]
