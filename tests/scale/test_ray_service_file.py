"""The configuration of the RayService of deploy/ starts the service, and its encoders grow apart from its replicas."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
import yaml
from ray_cluster import copied

import lookalike
from lookalike.service.gateway import CALLBACK, VARIABLE
from lookalike.service.replica_routing import MARK
from running_service import wait_for

SERVICE = Path(__file__).parents[2] / "deploy" / "kubernetes" / "ray" / "service.yaml"
CLIENTS = 8
WAIT = 0.5
"""Seconds that an encoder waits for more pictures: so clients keep it busy without taking the cores of a new one."""

DEPLOYS = """
import sys, time, yaml
from lookalike.ingest.ray_session import session
with session("ray"):
    from ray import serve
    from ray.serve.context import _get_global_client
    from ray.serve.schema import ServeDeploySchema
    config = ServeDeploySchema.model_validate(yaml.safe_load(open(sys.argv[1])))
    serve.start(proxy_location=config.proxy_location, http_options=config.http_options.model_dump())
    _get_global_client().deploy_apps(config)  # as the operator does by Ray's REST API
    sys.stdin.read()
    serve.shutdown()
"""


@dataclass(frozen=True)
class Deployed:
    """A service that a configuration file started.

    Args:
        url: Where it is.
    """

    url: str

    def processes(self, kind: str) -> int:
        """How many of a kind there are, by their own figures."""
        text = httpx2.get(f"{self.url}/metrics", timeout=30).text
        names = [
            line.split('replica="')[1].split('"')[0] for line in text.splitlines() if 'replica="' in line
        ]
        return len({name for name in names if name.startswith(f"{kind}-")})


@pytest.fixture(scope="module")
def deployed(sample: Path) -> Iterator[Deployed]:
    scratch = Path(tempfile.mkdtemp(prefix="lookalike-ray-", dir="/tmp"))  # sockets need a short path
    with lookalike.create(scratch / "shop.lance") as shop:
        shop.add(copied(sample, scratch, 40), progress=False)
    port = free_port()
    (scratch / "config.yaml").write_text(config_for_this_machine(scratch / "shop.lance", port))
    environment = {
        **os.environ,
        VARIABLE: CALLBACK,
        "RAY_TMPDIR": str(scratch),
        "LOOKALIKE_CACHE": str(scratch / "cache"),
        "OMP_NUM_THREADS": "1",
    }
    environment.pop("RAY_ADDRESS", None)
    command = [sys.executable, "-c", DEPLOYS, str(scratch / "config.yaml")]
    with (scratch / "stderr").open("w") as errors:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=errors, env=environment)
    assert process.stdin is not None
    try:
        wait_for(lambda: answers(process, f"http://127.0.0.1:{port}/ready"), 180)
        wait_for(lambda: answers(process, f"http://127.0.0.1:{port}/v1/jobs"), 180)
        yield Deployed(f"http://127.0.0.1:{port}")
    finally:
        process.stdin.close()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
        shutil.rmtree(scratch, ignore_errors=True)


def config_for_this_machine(collection: Path, port: int) -> str:
    """That of the manifest, with a collection, a port and sizes that this machine has."""
    config = yaml.safe_load(yaml.safe_load(SERVICE.read_text())["spec"]["serveConfigV2"])
    config["http_options"] |= {"host": "127.0.0.1", "port": port}
    for application in config["applications"]:
        arguments = application["args"]
        arguments["collections"] = {"shop": str(collection)}
        arguments["settings"] |= {"host": "127.0.0.1", "port": port, "keys": None, "batch_wait": WAIT}
        arguments["scale"] = {"replicas": "1-2", "encoders": "1-2", "replica_cpus": 0.25, "encoder_cpus": 0.5}
    return str(yaml.safe_dump(config))


def free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


def answers(process: subprocess.Popen[bytes], url: str) -> bool:
    assert process.poll() is None, "the service ended"
    try:
        return httpx2.get(url, timeout=10).status_code == 200
    except httpx2.TransportError:
        return False


def test_the_three_applications_work_together(deployed: Deployed, sample: Path) -> None:
    photo = min((sample / "customer").glob("*.jpg")).read_bytes()
    with httpx2.Client(base_url=deployed.url, timeout=60) as client:
        found = client.post("/v1/collections/shop/search", files={"image": ("photo.jpg", photo)})
        assert len(found.json()["hits"]) > 0
        assert found.headers[MARK].startswith("Replica-")
        job = client.post("/v1/collections/shop/duplicates", json={})
        assert (job.status_code, job.headers[MARK].partition("-")[0]) == (202, "JobsReplica")
        missing = client.get("/v1/collections/shop/items/shop/nothing.jpg")
        assert (missing.status_code, missing.headers["Content-Type"]) == (404, "application/problem+json")


def test_more_encoders_come_while_the_replicas_stay(deployed: Deployed, sample: Path) -> None:
    """Pictures keep encoders busy; a replica that waits for them has less under way than it may."""
    photo = min((sample / "customer").glob("*.jpg")).read_bytes()
    assert (deployed.processes("EncoderReplica"), deployed.processes("Replica")) == (1, 1)
    stop = threading.Event()
    statuses: list[int] = []

    def load() -> None:
        with httpx2.Client(base_url=deployed.url, timeout=60) as client:
            while not stop.is_set():
                answer = client.post("/v1/collections/shop/search", files={"image": ("photo.jpg", photo)})
                statuses.append(answer.status_code)

    clients = [threading.Thread(target=load) for _ in range(CLIENTS)]
    for each in clients:
        each.start()
    try:
        wait_for(lambda: deployed.processes("EncoderReplica") == 2, 150)
    finally:
        stop.set()
        for each in clients:
            each.join()
    assert set(statuses) == {200}
    assert deployed.processes("Replica") == 1
