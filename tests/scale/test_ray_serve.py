"""A service of several processes on Ray Serve: the same answers, one state, and no request lost when one is killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from starlette.testclient import TestClient

import lookalike
from lookalike.collection import Collection
from lookalike.service.app import create_app
from lookalike.service.keys import KeyFile
from lookalike.service.replica_routing import ENCODERS, JOBS, MARK, REPLICAS
from running_service import wait_for

LIMIT = 7
CLIENTS = 4


@dataclass(frozen=True)
class OnRay:
    """A running ``lookalike serve --on ray``.

    Args:
        url: Where it is.
        process: The command.
        keys: Its file of keys.
        token: Of a key that may do everything.
        folder: The collection.
        scratch: Folder that marks what belongs to it.
    """

    url: str
    process: subprocess.Popen[str]
    keys: KeyFile
    token: str
    folder: Path
    scratch: Path

    def client(self, token: str | None = None) -> httpx2.Client:
        headers = {"Authorization": f"Bearer {token or self.token}"}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=60)

    def pids(self, deployment: str) -> list[int]:
        """The processes of a deployment; only of this service."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                title = (process / "cmdline").read_bytes()
                ours = str(self.scratch).encode() in (process / "environ").read_bytes()
            except OSError:  # it ended, or is somebody else's
                continue
            if ours and title.startswith(b"ray::ServeReplica:" + deployment.encode()):
                found.append(int(process.name))
        return sorted(found)

    def left(self) -> list[str]:
        """Every process that was started for it and runs."""
        titles = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if str(self.scratch).encode() in (process / "environ").read_bytes():
                    titles.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue
        return titles


def make_shop(folder: Path, sample: Path) -> Path:
    with lookalike.create(folder) as shop:
        shop.add(sample / "catalog", attributes=sample / "catalog.csv", key="file", progress=False)
    return folder


def start(scratch: Path, folder: Path, *more: str) -> OnRay:
    keys = KeyFile(scratch / "keys.json")
    token, _ = keys.create("everything", scope="admin")
    command = [
        sys.executable,
        "-m",
        "lookalike",
        "serve",
        f"shop={folder}",
        "--on",
        "ray",
        "--port",
        "0",
        "--json",
    ]
    environment = {
        **os.environ,
        "RAY_TMPDIR": str(scratch),
        "LOOKALIKE_CACHE": str(scratch / "cache"),
        "OMP_NUM_THREADS": "1",
    }
    environment.pop("RAY_ADDRESS", None)
    with (scratch / "stderr").open("w") as errors:
        process = subprocess.Popen(
            [*command, "--keys", str(keys.path), *more],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment,
        )
    try:
        url = announced(process)["url"]
    except BaseException:
        process.terminate()
        process.wait(60)
        raise
    return OnRay(url, process, keys, token, folder, scratch)


def announced(process: subprocess.Popen[str]) -> dict[str, Any]:
    """The document that the command prints when requests are answered."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if line == "}\n":
            break
    document: dict[str, Any] = json.loads("".join(lines))
    return document


def end(service: OnRay) -> None:
    assert service.process.stdout is not None
    service.process.stdout.close()
    service.process.terminate()
    try:
        service.process.wait(60)
    except subprocess.TimeoutExpired:
        service.process.terminate()  # a second signal ends it at once
        service.process.wait(10)


@pytest.fixture(scope="module")
def scratch() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="lookalike-ray-", dir="/tmp"))  # sockets need a short path
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def service(scratch: Path, sample: Path) -> Iterator[OnRay]:
    running = start(scratch, make_shop(scratch / "shop.lance", sample), "--replicas", "2", "--encoders", "1")
    try:
        yield running
    finally:
        end(running)


@pytest.fixture
def photo(sample: Path) -> bytes:
    return min((sample / "customer").glob("*.jpg")).read_bytes()


def ask(client: httpx2.Client | TestClient, photo: bytes) -> Any:
    return client.post(
        "/v1/collections/shop/search",
        files={"image": ("photo.jpg", photo)},
        data={"k": "5", "group_by": "product"},
    )


def asked_by_many(
    service: OnRay, photo: bytes, seconds: float, meanwhile: Callable[[], object]
) -> list[tuple[int | str, str]]:
    """Search with several clients; after a second something happens. Statuses, and who answered."""
    until = time.monotonic() + seconds

    def work(_: int) -> list[tuple[int | str, str]]:
        seen: list[tuple[int | str, str]] = []
        with service.client() as client:
            while time.monotonic() < until:
                try:
                    answer = ask(client, photo)
                    seen.append((answer.status_code, answer.headers.get(MARK, "")))
                except httpx2.TransportError as error:
                    seen.append((repr(error), ""))
        return seen

    timer = threading.Timer(1.0, meanwhile)
    timer.start()
    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = [each for part in pool.map(work, range(CLIENTS)) for each in part]
    timer.join()
    return answers


def local(service: OnRay) -> Iterator[tuple[Collection, TestClient]]:
    with lookalike.open(service.folder) as shop, TestClient(create_app({"shop": shop})) as client:
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
