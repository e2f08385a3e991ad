"""Replicas over a collection on S3: what one of them writes, another machine's changes, and kills."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from replica_promises import FRESHNESS, C, ReplicaPromises
from service_on_ray import CLIENTS, OnRay, of_every_replica, scratch_folder, serving

import lookalike
from lookalike.service.replica_routing import REPLICAS
from running_service import wait_for
from s3_server import s3_uri


@pytest.fixture(scope="module")
def service(shop_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OnRay]:
    """The endpoint and the keys of S3 are in the environment of the command, and nowhere else."""
    place = s3_uri(tmp_path_factory.mktemp("bucket"))
    lookalike.copy(shop_folder, place, progress=False)
    with scratch_folder() as scratch, serving(scratch, place, "--replicas", "2") as running:
        yield running


class TestOnS3(ReplicaPromises):
    """The promises over a Lance collection in a bucket."""


def test_a_picture_that_one_replica_takes_is_shown_by_the_others(service: OnRay, photo: bytes) -> None:
    with service.client() as client:
        sent = client.post(f"{C}/items", files={"image": ("mine.jpg", photo)}, data={"prefix": "sent"})
        assert sent.json()["ids"] == ["sent/mine.jpg"], sent.text
    time.sleep(FRESHNESS)
    for kind in ("original", "thumbnail"):
        answers = of_every_replica(
            service, lambda client, kind=kind: client.get(client.get(f"{C}/items/sent/mine.jpg").json()[kind])
        )
        pictures = {(each.status_code, each.content) for own in answers.values() for each in own}
        assert len(pictures) == 1
        assert pictures.pop()[0] == 200


def test_a_replica_killed_while_it_writes_loses_nothing_that_was_acknowledged(
    service: OnRay, sample: Path
) -> None:
    killed = threading.Timer(2.0, lambda: os.kill(service.pids(REPLICAS + ":")[0], signal.SIGKILL))
    until = time.monotonic() + 8
    pictures = [path.read_bytes() for path in sorted((sample / "customer").glob("*.jpg"))]

    def send(number: int) -> list[tuple[str, int]]:
        sent: list[tuple[str, int]] = []
        with service.client() as client:
            while time.monotonic() < until:
                name = f"{number}-{len(sent)}.jpg"
                image = (name, pictures[len(sent) % len(pictures)])
                answer = client.post(f"{C}/items", files={"image": image}, data={"prefix": "killed"})
                sent.append((f"killed/{name}", answer.status_code))
        return sent

    killed.start()
    with ThreadPoolExecutor(CLIENTS) as pool:
        sent = [each for part in pool.map(send, range(CLIENTS)) for each in part]
    killed.join()
    assert {status for _, status in sent} <= {200, 502}, sent  # 502: it may or may not have been added
    acknowledged = {id for id, status in sent if status == 200}
    assert len(acknowledged) > CLIENTS
    wait_for(lambda: len(service.pids(REPLICAS + ":")) == 2, 60)
    time.sleep(FRESHNESS)

    def read(client: httpx2.Client) -> httpx2.Response:
        return client.get(f"{C}/items", params={"limit": 500, "where": 'id starts with "killed/"'})

    for own in of_every_replica(service, read).values():
        found = {each["id"] for each in own[0].json()["items"]}
        assert acknowledged <= found <= {id for id, _ in sent}
    with lookalike.open(service.place) as shop:
        assert shop.verify() == []
