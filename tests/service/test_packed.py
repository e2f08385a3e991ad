"""Answers written in worker threads are those that FastAPI would write."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import BaseModel, Field, ValidationError
from starlette.testclient import TestClient

import lookalike
from lookalike.service import packed as packing
from lookalike.service.app import create_app
from lookalike.service.packed import event_data, packed
from lookalike.service.routes import jobs as job_routes
from small_shop import COPIED, copied_shop


class Inner(BaseModel):
    kept: float
    unset: int = 3


class Outer(BaseModel):
    inner: list[Inner]
    text: str | None = None
    renamed: int = Field(1, alias="called")


@pytest.mark.parametrize("exclude_unset", [False, True])
def test_an_answer_is_what_a_response_model_writes(exclude_unset: bool) -> None:
    content: dict[str, Any] = {
        "inner": [{"kept": 0.1, "more": 1}, {"kept": 2, "unset": 5}],
        "called": 7,
        "x": "ü",
    }
    app = FastAPI()

    @app.get("/", response_model=Outer, response_model_exclude_unset=exclude_unset)
    async def answer() -> Any:
        return content

    expected = TestClient(app).get("/")
    found = packed(Outer, content, exclude_unset=exclude_unset)
    assert json.loads(bytes(found.body)) == expected.json()
    assert found.headers["content-type"] == expected.headers["content-type"]


def test_an_answer_that_is_not_what_is_documented_is_an_error() -> None:
    with pytest.raises(ValidationError):
        packed(Outer, {"inner": [{}]})


def test_large_answers_are_not_written_on_the_event_loop(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []

    class Noted(packing.Response):
        def __init__(self, *content: Any, **named: Any) -> None:
            written.append(threading.current_thread().name)
            super().__init__(*content, **named)

    monkeypatch.setattr(packing, "Response", Noted)
    with lookalike.open(copied_shop(tmp_path_factory.getbasetemp(), tmp_path)) as shop:
        shop.cluster(5, stability=False, progress=False)
        client = TestClient(create_app({"shop": shop}))
        base = "/v1/collections/shop"
        assert client.post(f"{base}/search", json={"id": [COPIED]}).is_success
        assert client.get(f"{base}/similar/{COPIED}").is_success
        assert client.get(f"{base}/clusters").is_success
        assert client.post(f"{base}/recommend", json={"like": [COPIED]}).is_success
    assert len(written) == 4
    assert all(name.startswith("lookalike-") for name in written)


def test_the_result_of_a_job_is_not_written_on_the_event_loop_for_those_who_follow_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: dict[str, str] = {}

    def noted(state: dict[str, Any]) -> str:
        written[state["state"]] = threading.current_thread().name
        return event_data(state)

    monkeypatch.setattr(job_routes, "event_data", noted)
    result = {"names": ["Stühle", "\u2028", "\n\ndata: no event of ours", "\udcff"] * 1000}
    with lookalike.create(tmp_path / "shop.lookalike") as shop:
        app = create_app({"shop": shop})
        with TestClient(app) as client:
            job = app.state.service.jobs.submit("large", "shop", lambda _: result)
            text = client.get(f"/v1/jobs/{job.id}/events").text
    (last,) = [event for event in text.split("\n\n") if "event: done" in event]
    data = [line.removeprefix("data: ") for line in last.split("\n") if line.startswith("data: ")]
    assert len(data) == 1
    assert json.loads(data[0])["result"] == result
    assert written["done"].startswith("lookalike-")
