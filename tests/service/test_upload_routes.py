"""Adding pictures over HTTP: sent, in archives, from addresses of a real server."""

from __future__ import annotations

import io
import json
import threading
import time
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

import lookalike
from lookalike import Collection
from lookalike.service.app import create_app
from lookalike.service.settings import ServiceSettings

C = "/v1/collections/shop"


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Collection]:
    with lookalike.create(tmp_path / "c.lookalike") as made:
        yield made


@pytest.fixture
def client(empty: Collection) -> Iterator[TestClient]:
    with TestClient(create_app({"shop": empty}, ServiceSettings(allow_private_urls=True))) as asking:
        yield asking


@pytest.fixture
def photos(pictures: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(pictures.glob("*.jpg"))[:3]}


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    def log_message(self, *_: object) -> None:
        """Silence."""


@pytest.fixture
def web(pictures: Path) -> Iterator[str]:
    """A web server with twelve pictures."""
    (pictures / "page.jpg").write_text("<html>not found</html>")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(pictures))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join(10)


LONG = {f"picture {number}.jpg": {"note": "x" * 2000} for number in range(1000)}
"""Attributes of two megabytes."""


def test_attributes_may_be_as_long_as_a_request(
    client: TestClient, empty: Collection, photos: dict[str, bytes]
) -> None:
    name, data = next(iter(photos.items()))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, data)
    fields = {"attributes": json.dumps({**LONG, name: {"price": 9.5}}), "prefix": "long"}
    answer = client.post(f"{C}/archive", files={"archive": ("a.zip", packed.getvalue())}, data=fields)
    result = ended(client, answer)["result"]
    assert (result["added"], result["unmatched_attributes"]) == (1, len(LONG))
    assert empty.item(f"long/{name}").attributes["price"] == 9.5
    wrong = client.post(f"{C}/items", files={"image": (name, data)}, data={"attributes": f"{fields}"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "body.attributes")


def test_a_form_that_is_too_long_is_told_the_limit(empty: Collection, photos: dict[str, bytes]) -> None:
    name, data = next(iter(photos.items()))
    client = TestClient(create_app({"shop": empty}, ServiceSettings(max_upload_bytes=2**20)))
    fields = {"attributes": json.dumps(LONG)}
    answer = client.post(f"{C}/items", files={"image": (name, data)}, data=fields)
    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/too-large")
    assert answer.json()["limit"] == 2**20


def ended(client: TestClient, answer: Any) -> dict[str, Any]:
    """The job that an answer started, once it has ended."""
    assert answer.status_code == 202, answer.text
    until = time.monotonic() + 60
    while time.monotonic() < until:
        job: dict[str, Any] = client.get(answer.headers["location"]).json()
        if job["state"] not in ("queued", "running"):
            return job
        time.sleep(0.02)
    raise AssertionError("the job does not end")


def test_sent_pictures_become_items_with_their_attributes(
    client: TestClient, empty: Collection, photos: dict[str, bytes]
) -> None:
    first = next(iter(photos))
    files = [("image", (name, data)) for name, data in photos.items()]
    fields = {"attributes": json.dumps({first: {"price": 9.5, "tags": ["red"]}}), "prefix": "summer"}
    ledger = client.post(f"{C}/items", files=files, data=fields).json()
    assert (ledger["inputs"], ledger["added"], ledger["failures"]) == (3, 3, [])
    assert ledger["ids"] == [f"summer/{name}" for name in photos]
    assert "report" not in ledger
    assert empty.item(f"summer/{first}").attributes["price"] == 9.5
    item = client.get(f"{C}/items/summer/{first}").json()
    assert client.get(item["original"]).content == photos[first]
    found = client.post(f"{C}/search", files={"image": ("x.jpg", photos[first])}).json()
    assert found["hits"][0]["id"] == f"summer/{first}"
    again = client.post(f"{C}/items", files=files, data={"prefix": "summer"}).json()
    assert (again["unchanged"], len(again["ids"])) == (3, 3)


def test_what_is_no_picture_is_listed_without_paths(
    client: TestClient, empty: Collection, photos: dict[str, bytes]
) -> None:
    name, data = next(iter(photos.items()))
    files = [
        ("image", (name, data)),
        ("image", ("../../cut.jpg", data[:2000])),
        ("image", ("page.jpg", b"<html><script>alert(1)</script></html>")),
        ("image", (name, next(reversed(photos.values())))),
    ]
    answer = client.post(f"{C}/items", files=files)
    ledger = answer.json()
    assert (ledger["added"], ledger["failed"]) == (1, 3)
    assert {each["uri"] for each in ledger["failures"]} == {"../../cut.jpg", "page.jpg", name}
    assert empty.path not in answer.text


def test_a_file_has_the_name_that_it_had_before_a_browser_sent_it(
    client: TestClient, photos: dict[str, bytes]
) -> None:
    """A form escapes a quotation mark and the ends of lines, and nothing else."""
    data = next(iter(photos.values()))
    for sent, kept in (
        ("a%22b.jpg", 'up/a"b.jpg'),
        ("100%25.jpg", "up/100%25.jpg"),
        ("100%.jpg", "up/100%.jpg"),
    ):
        body = (
            b'--x\r\nContent-Disposition: form-data; name="prefix"\r\n\r\nup\r\n'
            b'--x\r\nContent-Disposition: form-data; name="image"; filename="%s"\r\n\r\n%s\r\n--x--\r\n'
        ) % (sent.encode(), data)
        answer = client.post(
            f"{C}/items", content=body, headers={"Content-Type": "multipart/form-data; boundary=x"}
        )
        assert answer.json()["ids"] == [kept]
    body = body.replace(b"100%.jpg", b"a%0D%0AX: y.jpg")
    answer = client.post(
        f"{C}/items", content=body, headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert "control character" in answer.json()["failures"][0]["reason"]


def test_an_upload_of_nothing_and_wrong_fields_are_refused(
    client: TestClient, empty: Collection, photos: dict[str, bytes]
) -> None:
    name, data = next(iter(photos.items()))
    files = {"image": (name, data)}
    wrong: list[tuple[dict[str, Any], dict[str, str], str]] = [
        ({"other": (name, data)}, {}, "body.other"),
        (files, {"prefix": ".."}, "body.prefix"),
        (files, {"prefix": ""}, "body.prefix"),
        (files, {"attributes": "not json"}, "body.attributes"),
        (files, {"attributes": "[]"}, "body.attributes"),
        (files, {"attributes": '{"a": 5}'}, "body.attributes.a"),
        (files, {"colour": "red"}, "body.colour"),
        ({"prefix": (None, "a")}, {}, "body.image"),
        ({"image": (None, "/etc/passwd")}, {}, "body.image"),
    ]
    for sent, fields, field in wrong:
        answer = client.post(f"{C}/items", files=sent, data=fields)
        assert answer.status_code == 422
        assert field in [each["field"] for each in answer.json()["errors"]]
    empty.upload({name: data}, attributes={name: {"price": 1.5}}, progress=False)
    answer = client.post(f"{C}/items", files=files, data={"attributes": json.dumps({name: {"price": "x"}})})
    assert "attribute price is number" in answer.json()["detail"]
    assert client.post(f"{C}/items", json={}).status_code == 415
    assert len(empty) == 1


def test_a_prefix_of_an_indexed_folder_is_refused(
    client: TestClient, empty: Collection, pictures: Path
) -> None:
    empty.add(pictures, progress=False)
    answer = client.post(f"{C}/items", files={"image": ("a.jpg", b"x")}, data={"prefix": "pictures"})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/source")
    assert str(pictures) not in answer.text


def test_an_archive_is_indexed_by_a_job(
    client: TestClient, empty: Collection, photos: dict[str, bytes]
) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in photos.items():
            archive.writestr(f"in/{name}", data)
        archive.writestr("readme.txt", "hello")
    job = ended(client, client.post(f"{C}/archive", files={"archive": ("a.zip", file.getvalue())}))
    assert (job["kind"], job["state"], job["done"], job["total"]) == ("archive", "done", 4, 4)
    result = job["result"]
    assert (result["added"], result["failures"][0]["uri"]) == (3, "readme.txt")
    assert {item.id for item in empty} == {f"uploads/in/{name}" for name in photos}
    for sent in (b"no archive", b""):
        answer = client.post(f"{C}/archive", files={"archive": ("a.zip", sent)})
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/source")
    assert client.post(f"{C}/archive", files={"image": ("a.zip", b"")}).status_code == 422


def test_pictures_are_fetched_from_addresses(
    client: TestClient, empty: Collection, web: str, photos: dict[str, bytes]
) -> None:
    one, two, three = photos
    urls = [
        f"{web}/{one}",
        {"url": f"{web}/{two}?size=large", "name": "named.jpg", "attributes": {"price": 9.5}},
        f"{web}/{three}?v=1",
        f"{web}/nothing.jpg",
        f"{web}/page.jpg",
        "file:///etc/passwd",
    ]
    job = ended(client, client.post(f"{C}/urls", json={"urls": urls, "prefix": "web"}))
    result = job["result"]
    assert (result["added"], result["failed"]) == (3, 3)
    reasons = {failure["uri"]: failure["reason"] for failure in result["failures"]}
    assert "404" in reasons[f"{web}/nothing.jpg"]
    assert "HTML" in reasons[f"{web}/page.jpg"]
    assert "no address" in reasons["file:///etc/passwd"]
    assert empty.item("web/named.jpg").attributes["price"] == 9.5
    assert empty.picture(f"web/127.0.0.1/{one}").data == photos[one]
    assert len(empty) == 3
    again = ended(client, client.post(f"{C}/urls", json={"urls": urls[:3], "prefix": "web"}))
    assert again["result"]["unchanged"] + again["result"]["updated"] == 3


def test_a_failure_never_names_the_address_of_another_picture(client: TestClient) -> None:
    """Addresses that would get the same name are told by it, since the name alone does not say which was meant."""
    urls = ["ftp://shop.example/a.jpg", "gopher://shop.example/a.jpg", "ftp://shop.example/b.jpg"]
    result = ended(client, client.post(f"{C}/urls", json={"urls": urls}))["result"]
    assert sorted(each["uri"] for each in result["failures"]) == [
        "ftp://shop.example/b.jpg",
        "shop.example/a.jpg",
        "shop.example/a.jpg",
    ]


def test_a_prefix_that_is_too_long_is_said_in_characters(client: TestClient) -> None:
    answer = client.post(f"{C}/urls", json={"urls": ["x"], "prefix": "a" * 201})
    assert "200 characters" in answer.json()["detail"]


def test_addresses_of_this_machine_are_not_asked_unless_that_is_allowed(
    empty: Collection, web: str, photos: dict[str, bytes]
) -> None:
    with TestClient(create_app({"shop": empty})) as client:
        urls = [
            f"{web}/{next(iter(photos))}",
            "http://[::1]/a.jpg",
            "http://169.254.169.254/latest/meta-data",
        ]
        result = ended(client, client.post(f"{C}/urls", json={"urls": urls}))["result"]
    assert result["failed"] == 3
    assert all("public internet" in failure["reason"] for failure in result["failures"])
    assert len(empty) == 0


@pytest.mark.parametrize(
    "body",
    [
        {"urls": []},
        {"urls": [5]},
        {"urls": [""]},
        {"urls": [{"name": "a"}]},
        {"urls": ["http://[::1"]},
        {"urls": ["x"], "prefix": "/"},
        {},
    ],
)
def test_wrong_lists_of_addresses_are_refused(client: TestClient, body: object) -> None:
    assert client.post(f"{C}/urls", json=body).status_code == 422
