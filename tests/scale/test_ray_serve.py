"""A service of several processes on Ray Serve: the same answers, one state, and no request lost when one is killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from service_on_ray import CLIENTS, OnRay, ask, asked_by_many, scratch_folder, serving
from starlette.testclient import TestClient

import lookalike
from lookalike.collection import Collection
from lookalike.service.app import create_app
from lookalike.service.replica_routing import ENCODERS, JOBS, MARK, REPLICAS
from running_service import wait_for

LIMIT = 7


def make_shop(folder: Path, sample: Path) -> Path:
    with lookalike.create(folder) as shop:
        shop.add(sample / "catalog", attributes=sample / "catalog.csv", key="file", progress=False)
    return folder


@pytest.fixture(scope="module")
def service(sample: Path) -> Iterator[OnRay]:
    with scratch_folder() as scratch:
        shop = make_shop(scratch / "shop.lance", sample)
        with serving(scratch, shop, "--replicas", "2", "--encoders", "1") as running:
            yield running


def local(service: OnRay) -> Iterator[tuple[Collection, TestClient]]:
    with lookalike.open(service.place) as shop, TestClient(create_app({"shop": shop})) as client:
        yield shop, client


def test_answers_are_those_of_one_process(service: OnRay, photo: bytes) -> None:
    for shop, alone in local(service):
        with service.client() as client:
            here, there = ask(alone, photo), ask(client, photo)
            assert there.json()["hits"] == here.json()["hits"]
            words = {"json": {"text": "toaster"}}
            here, there = (each.post("/v1/collections/shop/search", **words) for each in (alone, client))
            assert there.json()["hits"] == here.json()["hits"]
            vector = client.post("/v1/collections/shop/embed", files={"image": ("photo.jpg", photo)}).json()
        expected = alone.post("/v1/collections/shop/embed", files={"image": ("photo.jpg", photo)}).json()
        assert vector == expected
        assert np.linalg.norm(np.asarray(vector["vectors"][0])) == pytest.approx(1, abs=1e-6)
        assert len(shop) == 330


def test_problems_are_those_of_one_process(service: OnRay, photo: bytes) -> None:
    requests: list[dict[str, Any]] = [
        {"files": {"image": ("photo.jpg", b"no picture")}},
        {"files": {"image": ("photo.jpg", photo)}, "data": {"where": "price <"}},
        {"files": {"image": ("photo.jpg", photo)}, "data": {"k": "5000"}},
        {"json": {"k": 3}},
    ]
    for _, alone in local(service):
        with service.client() as client:
            for request in requests:
                here = alone.post("/v1/collections/shop/search", **request)
                there = client.post("/v1/collections/shop/search", **request)
                assert (there.status_code, here.status_code) == (422, 422)
                assert {**there.json(), "instance": ""} == {**here.json(), "instance": ""}
                assert there.headers["X-Request-ID"] == there.json()["instance"]


def test_both_replicas_answer_and_the_page_comes_too(service: OnRay, photo: bytes) -> None:
    with service.client() as client:
        with ThreadPoolExecutor(CLIENTS) as pool:
            answers = list(pool.map(lambda _: ask(client, photo), range(24)))
        assert {each.status_code for each in answers} == {200}
        assert len({each.headers[MARK] for each in answers}) == 2
        page = client.get("/shop/map")
        assert page.status_code == 200
        assert page.headers["Content-Type"].startswith("text/html")
        assert len(client.get("/openapi.json").json()["paths"]) > 30


def test_a_key_opens_every_replica_and_nothing_once_it_is_revoked(service: OnRay) -> None:
    token, _ = service.keys.create("for a while")
    statuses = []
    with service.client(token) as client:
        statuses.append({client.get("/v1/collections/shop").status_code for _ in range(10)})
        service.keys.revoke("for a while")
        statuses.append({client.get("/v1/collections/shop").status_code for _ in range(10)})
    without = httpx2.get(f"{service.url}/v1/collections")
    assert statuses == [{200}, {401}]
    assert (without.status_code, without.json()["type"]) == (401, "/problems/missing-key")


def test_a_callers_requests_are_counted_over_all_replicas(service: OnRay) -> None:
    token, _ = service.keys.create("limited", requests_per_minute=LIMIT)
    with service.client(token) as client:
        answers = [client.get("/v1/collections/shop/items?limit=1") for _ in range(2 * LIMIT)]
    statuses = [each.status_code for each in answers]
    assert statuses.count(200) in (LIMIT, LIMIT + 1)  # a token comes back every few seconds
    assert set(statuses) == {200, 429}
    assert len({each.headers[MARK] for each in answers}) == 2


def test_a_job_is_the_same_whoever_is_asked_for_it(service: OnRay) -> None:
    with service.client() as client:
        started = client.post("/v1/collections/shop/duplicates", json={})
        assert started.status_code == 202
        place = started.headers["Location"]
        states = {client.get(place).status_code for _ in range(10)}
        with client.stream("GET", f"{place}/events") as events:
            text = "".join(events.iter_text())
        listed = client.get("/v1/jobs").json()["jobs"]
        found = [client.get("/v1/collections/shop/duplicates") for _ in range(4)]
        done = client.get(place).json()
        cancelled = client.delete(place)
    assert states == {200}
    assert "event: done" in text
    assert done["state"] == "done"
    assert done["id"] in {each["id"] for each in listed}
    assert {each.status_code for each in found} == {200}
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "done")


def test_what_a_job_made_is_there_for_every_replica(service: OnRay) -> None:
    with service.client() as client:
        job = client.post("/v1/collections/shop/clusters", json={}).headers["Location"]
        wait_for(lambda: client.get(job).json()["state"] == "done", 60)
        answers = [client.get("/v1/collections/shop/clusters") for _ in range(10)]
    assert {each.status_code for each in answers} == {200}
    assert len({each.text for each in answers}) == 1


def test_metrics_name_every_process(service: OnRay) -> None:
    with service.client() as client:
        text = client.get("/metrics").text
    names = {line.split('replica="')[1].split('"')[0] for line in text.splitlines() if 'replica="' in line}
    assert sorted(name.partition("-")[0] for name in names) == [
        "EncoderReplica",
        "JobsReplica",
        "Replica",
        "Replica",
    ]


def test_a_killed_replica_loses_no_request(service: OnRay, photo: bytes) -> None:
    before = service.pids(REPLICAS + ":")
    assert len(before) == 2
    page: list[int] = []

    def kill() -> None:
        os.kill(before[0], signal.SIGKILL)
        with service.client() as client:
            paths = ("/", "/v1/collections/shop", "/v1/collections/shop/items?limit=3", "/v1/session")
            page.extend(client.get(path).status_code for path in paths)

    answers = asked_by_many(service, photo, 8, kill)
    assert len(answers) > 20
    assert {status for status, _ in answers} == {200}, [each for each in answers if each[0] != 200]
    assert page == [200] * 4
    wait_for(lambda: len(service.pids(REPLICAS + ":")) == 2, 60)
    assert before[0] not in service.pids(REPLICAS + ":")


def test_a_killed_encoder_loses_no_request(service: OnRay, photo: bytes) -> None:
    (encoder,) = service.pids(ENCODERS + ":")
    answers = asked_by_many(service, photo, 8, lambda: os.kill(encoder, signal.SIGKILL))
    assert {status for status, _ in answers} == {200}, [each for each in answers if each[0] != 200]


def test_jobs_are_started_again_where_their_replica_was_killed(service: OnRay) -> None:
    (pid,) = service.pids(JOBS + ":")
    os.kill(pid, signal.SIGKILL)
    with service.client() as client:
        assert client.get("/v1/jobs").status_code == 200
        job = client.post("/v1/collections/shop/duplicates", json={})
        assert job.status_code == 202
        wait_for(lambda: client.get(job.headers["Location"]).json()["state"] == "done", 60)


def test_sigterm_lets_requests_end_and_takes_everything_away(service: OnRay, photo: bytes) -> None:
    answers = asked_by_many(service, photo, 4, lambda: service.process.send_signal(signal.SIGTERM))
    assert service.process.wait(60) == 0, (service.scratch / "stderr").read_text()
    statuses = [status for status, _ in answers]
    assert statuses.count(200) >= 5
    ended = [each for each in statuses if each not in (200, 503)]
    assert all(
        "Connect" in str(each) or "Disconnected" in str(each) or "Read" in str(each) for each in ended
    ), ended
    wait_for(lambda: not service.left(), 20)
