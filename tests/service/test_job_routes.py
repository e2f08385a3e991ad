"""Jobs over REST: listed, followed over server-sent events from a real server, cancelled, and seen by whom they may."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fastapi.routing
import httpx2
import pytest
import uvicorn
from fastapi import FastAPI
from starlette.testclient import TestClient

import lookalike
from lookalike.service.app import create_app
from lookalike.service.jobs import MOST_QUEUED, MOST_QUEUED_EACH, Job, Jobs, Progress
from lookalike.service.keys import KeyFile
from lookalike.service.routes import jobs as job_routes
from lookalike.service.settings import ServiceSettings

LONGEST = 20.0


@pytest.fixture
def app(tmp_path: Path) -> Iterator[FastAPI]:
    with (
        lookalike.create(tmp_path / "shop.lookalike") as shop,
        lookalike.create(tmp_path / "museum.lookalike") as museum,
    ):
        yield create_app({"shop": shop, "museum": museum})


class Gate:
    """Work that counts until it is let go."""

    def __init__(self) -> None:
        self.begun, self.open = threading.Event(), threading.Event()

    def __call__(self, progress: Progress) -> dict[str, int]:
        self.begun.set()
        progress.say("counting")
        number = 0
        while not self.open.wait(0.002):
            progress(number, 10_000)
            number += 1
        return {"counted": number}


def begun(app: FastAPI, gate: Gate, collection: str = "shop") -> Job:
    job = jobs_of(app).submit("count", collection, gate)
    assert gate.begun.wait(LONGEST)
    return job


def jobs_of(app: FastAPI) -> Jobs:
    jobs: Jobs = app.state.service.jobs
    return jobs


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """The address of a real server on a free port of this machine."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=5)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        until = time.monotonic() + LONGEST
        while not server.started:
            assert time.monotonic() < until
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(LONGEST)
        assert not thread.is_alive()


def events(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    """Server-sent events out of the lines of a stream; comments come as an event with the field ``comment``."""
    event: dict[str, str] = {}
    for line in lines:
        if not line:
            if event:
                yield event
            event = {}
        elif line.startswith(":"):
            event["comment"] = line[1:].strip()
        else:
            name, _, value = line.partition(":")
            event[name] = value.removeprefix(" ")


def test_a_job_is_read_and_listed(app: FastAPI) -> None:
    gate = Gate()
    with TestClient(app) as client:
        job = begun(app, gate)
        found = client.get(f"/v1/jobs/{job.id}").json()
        assert (found["id"], found["kind"], found["collection"]) == (job.id, "count", "shop")
        assert found["state"] == "running"
        assert [each["id"] for each in client.get("/v1/jobs").json()["jobs"]] == [job.id]
        assert client.get("/v1/jobs", params={"collection": "museum"}).json()["jobs"] == []


def test_an_unknown_job_is_a_problem(app: FastAPI) -> None:
    with TestClient(app) as client:
        for answer in (
            client.get("/v1/jobs/nothing"),
            client.delete("/v1/jobs/nothing"),
            client.get("/v1/jobs/nothing/events"),
        ):
            assert answer.status_code == 404
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["type"] == "/problems/not-found"


def test_a_job_is_cancelled_in_mid_run(app: FastAPI) -> None:
    gate = Gate()
    with TestClient(app) as client:
        job = begun(app, gate)
        assert client.delete(f"/v1/jobs/{job.id}").status_code == 200
        last = client.get(f"/v1/jobs/{job.id}/events").text
        assert "event: cancelled" in last
        assert client.get(f"/v1/jobs/{job.id}").json()["state"] == "cancelled"


def test_a_key_that_has_enough_jobs_waiting_is_told_to_come_back_and_another_is_not(
    tmp_path: Path,
) -> None:
    keys = KeyFile(tmp_path / "keys.json")
    tokens = [keys.create(name, scope="write")[0] for name in ("greedy", "modest")]
    greedy, modest = ({"Authorization": f"Bearer {token}"} for token in tokens)
    with lookalike.create(tmp_path / "c.lookalike") as shop:
        app, gate = create_app({"shop": shop}, ServiceSettings(keys=keys.path)), Gate()
        with TestClient(app) as client:
            begun(app, gate)
            place = "/v1/collections/shop/map"
            for _ in range(MOST_QUEUED_EACH):
                assert client.post(place, json={}, headers=greedy).status_code == 202
            refused = client.post(place, json={}, headers=greedy)
            assert (refused.status_code, refused.json()["type"]) == (429, "/problems/too-many-requests")
            assert int(refused.headers["retry-after"]) > 0
            assert client.post(place, json={}, headers=modest).status_code == 202
            gate.open.set()


def test_a_full_queue_answers_429_and_when_to_come_back(app: FastAPI) -> None:
    gate = Gate()
    with TestClient(app) as client:
        begun(app, gate)
        answers = [client.post("/v1/collections/shop/map", json={}) for _ in range(MOST_QUEUED + 1)]
        assert {each.status_code for each in answers[:-1]} == {202}
        assert (answers[-1].status_code, answers[-1].json()["type"]) == (429, "/problems/too-many-requests")
        assert int(answers[-1].headers["retry-after"]) > 0


def test_events_tell_progress_and_then_the_result(app: FastAPI) -> None:
    gate = Gate()
    with served(app) as address:
        job = begun(app, gate)
        with httpx2.stream("GET", f"{address}/v1/jobs/{job.id}/events", timeout=LONGEST) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            seen = []
            for event in events(stream.iter_lines()):
                seen.append(event)
                if len(seen) == 3:
                    gate.open.set()
    data: list[dict[str, Any]] = [json.loads(each["data"]) for each in seen]
    assert [each["event"] for each in seen[:3]] == ["progress"] * 3
    assert data[0]["done"] < data[2]["done"]
    assert seen[-1]["event"] == "done"
    assert data[-1]["result"]["counted"] > 0
    ids = [int(each["id"]) for each in seen]
    assert ids == sorted(set(ids))


def test_a_listener_that_comes_back_goes_on_after_what_it_has(app: FastAPI) -> None:
    gate = Gate()
    with served(app) as address:
        job = begun(app, gate)
        where = f"{address}/v1/jobs/{job.id}/events"
        with httpx2.stream("GET", where, timeout=LONGEST) as stream:
            first = next(events(stream.iter_lines()))
        gate.open.set()
        with httpx2.stream("GET", where, headers={"Last-Event-ID": first["id"]}, timeout=LONGEST) as stream:
            rest = list(events(stream.iter_lines()))
        assert all(int(each["id"]) > int(first["id"]) for each in rest)
        assert rest[-1]["event"] == "done"
        with httpx2.stream(
            "GET", where, headers={"Last-Event-ID": rest[-1]["id"]}, timeout=LONGEST
        ) as stream:
            assert [each["event"] for each in events(stream.iter_lines())] == ["done"]
        for unknown in ("9" * 5000, "none of ours", "²"):
            answer = httpx2.get(where, headers={b"Last-Event-ID": unknown.encode()}, timeout=LONGEST)
            assert (answer.status_code, "event: done" in answer.text) == (200, True)


def test_a_quiet_stream_is_kept_open_by_comments(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fastapi.routing, "_PING_INTERVAL", 0.2)
    quiet, begin = threading.Event(), threading.Event()

    def work(_progress: Progress) -> None:
        begin.set()
        assert quiet.wait(LONGEST)

    with served(app) as address:
        job = jobs_of(app).submit("quiet", "shop", work)
        assert begin.wait(LONGEST)
        with httpx2.stream("GET", f"{address}/v1/jobs/{job.id}/events", timeout=LONGEST) as stream:
            for event in events(stream.iter_lines()):
                if "comment" in event:
                    quiet.set()
        assert event["event"] == "done"


def test_listeners_that_leave_are_forgotten_and_the_others_hear_the_end(app: FastAPI) -> None:
    gate = Gate()
    with served(app) as address:
        job = begun(app, gate)
        where = f"{address}/v1/jobs/{job.id}/events"
        heard: list[str] = []

        def listen() -> None:
            with httpx2.stream("GET", where, timeout=LONGEST) as stream:
                heard.append(list(events(stream.iter_lines()))[-1]["event"])

        threads = [threading.Thread(target=listen) for _ in range(8)]
        for thread in threads:
            thread.start()
        with httpx2.stream("GET", where, timeout=LONGEST) as stream:
            next(events(stream.iter_lines()))
        until = time.monotonic() + LONGEST
        while job.listeners != 8:
            assert time.monotonic() < until
            time.sleep(0.01)
        gate.open.set()
        for thread in threads:
            thread.join(LONGEST)
        assert heard == ["done"] * 8


def test_a_key_sees_the_jobs_of_its_collections_and_cancels_with_write(tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys.json")
    tokens = {
        "shop reader": keys.create("shop reader", scope="read", collections=["shop"])[0],
        "shop writer": keys.create("shop writer", scope="write", collections=["shop"])[0],
        "museum writer": keys.create("museum writer", scope="write", collections=["museum"])[0],
    }
    gate = Gate()
    with (
        lookalike.create(tmp_path / "shop.lookalike") as shop,
        lookalike.create(tmp_path / "museum.lookalike") as museum,
    ):
        app = create_app({"shop": shop, "museum": museum}, ServiceSettings(keys=tmp_path / "keys.json"))
        with TestClient(app) as client:
            job = begun(app, gate)

            def ask(who: str, method: str = "GET", path: str = f"/v1/jobs/{job.id}", **named: Any) -> Any:
                return client.request(
                    method, path, headers={"Authorization": f"Bearer {tokens[who]}"}, **named
                )

            assert client.get(f"/v1/jobs/{job.id}").status_code == 401
            assert ask("museum writer").status_code == 404
            assert ask("museum writer", path="/v1/jobs").json()["jobs"] == []
            assert ask("museum writer", "DELETE").status_code == 404
            assert ask("shop reader").json()["state"] == "running"
            refused = ask("shop reader", "DELETE")
            assert (refused.status_code, refused.json()["scope"]) == (403, "write")
            for started in ("clusters", "duplicates", "map", "review", "classifiers"):
                assert (
                    ask("shop reader", "POST", f"/v1/collections/shop/{started}", json={}).status_code == 403
                )
            assert ask("shop writer", "DELETE").json()["cancelling"] is True


def test_clients_that_follow_jobs_leave_room_for_others(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_routes, "MOST_LISTENERS", 1)
    gate = Gate()
    with served(app) as address:
        job = begun(app, gate)
        where = f"{address}/v1/jobs/{job.id}"
        with httpx2.stream("GET", f"{where}/events", timeout=LONGEST) as stream:
            following = events(stream.iter_lines())
            next(following)
            with httpx2.stream("GET", f"{where}/events", timeout=LONGEST) as refused:
                assert refused.status_code == 503
                assert json.loads(refused.read())["type"] == "/problems/busy"
                assert int(refused.headers["Retry-After"]) > 0
            assert httpx2.get(where, timeout=LONGEST).json()["state"] == "running"
        gate.open.set()
