"""What replicas promise over a collection that they share, wherever it is."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from service_on_ray import OnRay, ask, asked_by_many, of_every_replica

import lookalike
from lookalike.collection import Collection
from lookalike.service.replica_routing import REPLICAS
from running_service import wait_for

C = "/v1/collections/shop"
FRESHNESS = 1.0
"""Seconds that another machine's change may stay unseen, on S3 and on a Milvus server."""


class ReplicaPromises:
    """Tests of a service of two replicas, which a fixture ``service`` starts, on a copy of the sample."""

    def test_replicas_answer_alike(self, service: OnRay, photo: bytes) -> None:
        id = "catalog/BlendSwapCC0-basketball_0.jpg"
        requests: list[Callable[[httpx2.Client], httpx2.Response]] = [
            lambda client: ask(client, photo),
            lambda client: client.post(f"{C}/search", json={"text": "toaster", "where": "price < 300"}),
            lambda client: client.get(f"{C}/similar/{id}", params={"k": 20, "where": "in_stock"}),
            lambda client: client.get(f"{C}/also-like/{id}", params={"group_by": "product"}),
            lambda client: client.get(f"{C}/items", params={"limit": 500, "where": 'category = "Bedroom"'}),
            lambda client: client.get(f"{C}/facets", params={"attributes": "category,price"}),
        ]
        for request in requests:
            answers = [each for own in of_every_replica(service, request).values() for each in own]
            assert {each.status_code for each in answers} == {200}, answers[0].text
            found = [_compared(each.json()) for each in answers]
            assert all(each == found[0] for each in found)
            assert found[0]

    def test_what_another_machine_adds_and_removes_is_seen_by_every_replica_in_time(
        self, service: OnRay, photo: bytes, elsewhere: Collection, tmp_path: Path
    ) -> None:
        (tmp_path / "new").mkdir()
        (tmp_path / "new" / "photo.jpg").write_bytes(photo)
        elsewhere.add(tmp_path / "new", progress=False)
        time.sleep(FRESHNESS)
        added = self._first_hits(service, photo)
        assert added == {"new/photo.jpg"}
        elsewhere.remove(["new/photo.jpg"])
        time.sleep(FRESHNESS)
        assert self._first_hits(service, photo).isdisjoint(added)
        assert _statuses(service, f"{C}/items/new/photo.jpg") == {404}

    def test_what_one_replica_changes_and_removes_is_seen_by_the_others(self, service: OnRay) -> None:
        with service.client() as client:
            one, other = (each["id"] for each in client.get(f"{C}/items?limit=2").json()["items"])
            assert client.patch(f"{C}/items", json={one: {"price": 123456.0}}).json()["changed"] == [one]
            assert client.delete(f"{C}/items/{other}").json() == {"removed": 1}
        time.sleep(FRESHNESS)

        answers = of_every_replica(
            service, lambda client: client.get(f"{C}/items", params={"where": "price > 100000"})
        )
        for answer in (each.json() for own in answers.values() for each in own):
            assert [each["id"] for each in answer["items"]] == [one]
        assert _statuses(service, f"{C}/items/{other}") == {404}

    def test_what_a_job_made_is_there_for_every_replica(self, service: OnRay) -> None:
        with service.client() as client:
            job = client.post(f"{C}/clusters", json={"k": 5, "stability": False}).headers["Location"]
            wait_for(lambda: client.get(job).json()["state"] in ("done", "failed"), 60)
            assert client.get(job).json()["state"] == "done", client.get(job).text
        time.sleep(FRESHNESS)
        found = of_every_replica(service, lambda client: client.get(f"{C}/clusters"))
        texts = {each.text for own in found.values() for each in own}
        assert len(texts) == 1, texts

    def test_a_killed_replica_loses_no_request(self, service: OnRay, photo: bytes) -> None:
        before = service.pids(REPLICAS + ":")
        assert len(before) == 2
        answers = asked_by_many(service, photo, 8, lambda: os.kill(before[0], signal.SIGKILL))
        assert len(answers) > 20
        assert {status for status, _ in answers} == {200}, [each for each in answers if each[0] != 200]
        wait_for(lambda: len(service.pids(REPLICAS + ":")) == 2, 60)
        assert before[0] not in service.pids(REPLICAS + ":")
        assert _statuses(service, f"{C}") == {200}

    @pytest.fixture
    def elsewhere(self, service: OnRay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
        """The collection as another machine has it: with a replica of its own."""
        monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "elsewhere"))
        with lookalike.open(service.place) as shop:
            yield shop
        shutil.rmtree(tmp_path / "elsewhere")

    @staticmethod
    def _first_hits(service: OnRay, photo: bytes) -> set[str]:
        def search(client: httpx2.Client) -> httpx2.Response:
            return client.post(f"{C}/search", files={"image": ("photo.jpg", photo)}, data={"k": "1"})

        return {
            each.json()["hits"][0]["id"] for own in of_every_replica(service, search).values() for each in own
        }


def _statuses(service: OnRay, path: str) -> set[int]:
    """What each replica answers."""
    answers = of_every_replica(service, lambda client: client.get(path))
    return {each.status_code for own in answers.values() for each in own}


def _compared(answer: dict[str, Any]) -> Any:
    """What has to be alike, which is not how long it took."""
    for name in ("hits", "recommendations", "items"):
        if name in answer:
            return answer[name]
    return answer
