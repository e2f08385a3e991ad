"""The page, the reference and the widget, as browsers get them."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from lookalike.service import pages
from lookalike.service.app import create_app
from lookalike.service.pages import Page, absent_page

SCRIPT = "console.log('page');" * 200


@pytest.fixture
def built(tmp_path: Path) -> Path:
    folder = tmp_path / "page"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>the page</title>")
    (folder / "assets" / "index-abc123.js").write_text(SCRIPT)
    (folder / "icon.svg").write_text("<svg/>")
    (tmp_path / "secret.txt").write_text("secret")
    return folder


@pytest.fixture
def client(built: Path) -> TestClient:
    app: FastAPI = create_app({})
    app.router.default = Page(built)
    return TestClient(app)


@pytest.mark.parametrize("path", ["/", "/shop", "/shop/map", "/shop/search?q=a.b"])
def test_every_address_of_the_page_is_the_page(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert "the page" in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src" not in policy  # that of default-src: no inline script, nothing from elsewhere
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-cache"


def test_what_is_named_by_its_content_is_kept_forever_and_compressed(client: TestClient) -> None:
    answer = client.get("/assets/index-abc123.js", headers={"Accept-Encoding": "gzip"})
    assert answer.text == SCRIPT
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Encoding"] == "gzip"
    assert client.get("/icon.svg").headers["Cache-Control"] == "no-cache"


def test_what_was_not_changed_is_not_sent_again(client: TestClient) -> None:
    etag = client.get("/").headers["ETag"]
    assert client.get("/", headers={"If-None-Match": etag}).status_code == 304


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/assets/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%5csecret.txt",
        "/assets/%00.js",
    ],
)
def test_nothing_outside_of_the_page_is_read(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "secret" not in answer.text.replace("/secret", "")


@pytest.mark.parametrize("path", ["/assets/absent.js", "/favicon.ico", "/v1/absent"])
def test_what_is_absent_is_not_the_page(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_without_a_page_the_service_says_so_and_points_to_the_reference(tmp_path: Path) -> None:
    app: FastAPI = create_app({})
    app.router.default = Page(tmp_path / "absent")
    answer = TestClient(app).get("/")
    assert answer.status_code == 200
    assert "no web page" in answer.text
    assert "/docs" in answer.text
    assert answer.text == bytes(absent_page().body).decode()


def test_every_answer_forbids_what_nobody_meant(client: TestClient) -> None:
    for path in ("/", "/live", "/v1/collections", "/docs", "/v1/absent", "/assets/index-abc123.js"):
        headers = client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "Content-Security-Policy" in headers


def test_no_cache_in_between_keeps_what_one_key_sees(client: TestClient) -> None:
    headers = client.get("/v1/collections").headers
    assert headers["Cache-Control"] == "no-store"
    assert {"Authorization", "Cookie"} <= {each.strip() for each in headers["Vary"].split(",")}


@pytest.mark.parametrize("built_docs", [True, False])
def test_the_reference_loads_nothing_from_elsewhere(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, built_docs: bool
) -> None:
    monkeypatch.setattr(pages, "PAGE", tmp_path)
    (tmp_path / "docs").mkdir()
    if built_docs:
        (tmp_path / "docs" / "swagger-ui-bundle.js").write_text("")
    text = client.get("/docs").text
    assert ("swagger-ui" in text) == built_docs
    assert "http" not in text.replace("<!doctype html>", "")
    assert built_docs or "/v1/collections" in text


def test_the_widget_may_be_loaded_by_other_sites_and_data_may_not(client: TestClient) -> None:
    answer = client.get("/widget.js")
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert client.get("/v1/collections").headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_the_widget_is_small_and_runs_under_a_strict_policy(client: TestClient) -> None:
    script = client.get("/widget.js").text
    assert len(script) < 32_000
    for forbidden in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
        "import ",
    ):
        assert forbidden not in script


def test_the_example_runs_without_anything_inline(client: TestClient) -> None:
    answer = client.get("/widget/example")
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert "<style" not in answer.text
    assert " style=" not in answer.text
    assert "onclick" not in answer.text
    for path in ("/widget/example.js", "/widget/example.css"):
        assert path in answer.text
        assert client.get(path).status_code == 200
