"""The service as a process: its start, its end, and what stands in their way."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest

import lookalike
from lookalike.errors import CollectionNotFound, InputError
from lookalike.service import server
from lookalike.service.keys import KeyFile
from lookalike.service.server import listen, require_keys, serve
from lookalike.service.settings import ServiceSettings
from lookalike.service.silent_connections import SilentConnections
from running_service import wait_for

SLOW = """
import sys, threading, time
from lookalike.collection import Collection
from lookalike.cli.main import main

seconds = float(sys.argv.pop(1))
quick = Collection.info

def slow(self):
    open(self.path + ".begun", "w").close()
    time.sleep(seconds)
    return quick(self)

Collection.info = slow
sys.exit(main(sys.argv[1:]))
"""
"""The command line, with a collection that takes a while to describe itself."""


class Process:
    """``lookalike serve`` on a collection of its own."""

    def __init__(self, folder: Path, seconds: float, *options: str) -> None:
        self.begun = folder / "shop.lookalike.begun"
        command = [
            sys.executable,
            "-c",
            SLOW,
            str(seconds),
            "serve",
            str(folder / "shop.lookalike"),
            "--create",
        ]
        self.process = subprocess.Popen(
            [*command, "--port", "0", "--json", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        assert self.process.stdout is not None
        text = ""
        while not text.endswith("\n}\n"):
            line = self.process.stdout.readline()
            assert line, self.process.communicate()[1]
            text += line
        self.document: dict[str, Any] = json.loads(text)
        self.url: str = self.document["url"]

    def ask_slowly(self) -> tuple[threading.Thread, list[int]]:
        """Begin a request that takes a while; its status when it is answered."""
        statuses: list[int] = []

        def ask() -> None:
            try:
                statuses.append(httpx2.get(f"{self.url}/v1/collections/shop", timeout=60).status_code)
            except httpx2.TransportError:
                statuses.append(0)

        thread = threading.Thread(target=ask)
        thread.start()
        wait_for(self.begun.exists)
        return thread, statuses


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Any]:
    started: list[Process] = []

    def start(seconds: float, *options: str) -> Process:
        service = Process(tmp_path, seconds, *options)
        started.append(service)
        return service

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
        each.process.communicate()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM")
def test_what_is_under_way_is_finished_and_nothing_new_is_taken(start: Any) -> None:
    service = start(2.0)
    thread, statuses = service.ask_slowly()
    service.process.send_signal(signal.SIGTERM)
    wait_for(lambda: httpx2.get(f"{service.url}/ready").status_code == 503)
    assert httpx2.get(f"{service.url}/v1/collections").status_code == 503
    thread.join()
    assert statuses == [200]
    assert service.process.wait(20) == 0
    logged = [json.loads(line) for line in service.process.stderr.read().splitlines()]
    assert any(each["message"].startswith("ending: 1 requests") for each in logged)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM")
def test_a_second_signal_ends_it_at_once(start: Any) -> None:
    service = start(60.0)
    thread, statuses = service.ask_slowly()
    service.process.send_signal(signal.SIGINT)
    wait_for(lambda: httpx2.get(f"{service.url}/ready").status_code == 503)
    service.process.send_signal(signal.SIGINT)
    assert service.process.wait(20) == 128 + signal.SIGINT
    thread.join()
    assert statuses == [0]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM")
def test_what_does_not_end_in_time_is_ended(start: Any) -> None:
    service = start(60.0, "--drain", "0.3")
    thread, statuses = service.ask_slowly()
    service.process.send_signal(signal.SIGTERM)
    assert service.process.wait(30) == 1
    thread.join()
    assert statuses == [503]


def test_it_says_where_it_is_and_what_it_serves(start: Any) -> None:
    service = start(0.0)
    (served,) = service.document["collections"]
    assert (served["name"], served["items"]) == ("shop", 0)
    assert httpx2.get(service.document["docs"]).status_code == 200
    assert service.document["keys"] is None
    assert httpx2.get(f"{service.url}/v1/collections").json()["collections"][0]["name"] == "shop"


def test_a_port_in_use_is_said_with_the_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(InputError, match=rf"127\.0\.0\.1:{port}: choose another port with --port"):
            listen(ServiceSettings(port=port))


def test_an_address_of_another_machine_is_said() -> None:
    with pytest.raises(InputError, match="no address of this machine"):
        listen(ServiceSettings(host="192.0.2.1", port=0))


def test_open_to_others_needs_a_key_that_exists(tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    with pytest.raises(InputError, match="lookalike keys create NAME"):
        require_keys(ServiceSettings(host="0.0.0.0", keys=keys))
    with pytest.raises(InputError, match="lookalike keys create NAME"):
        require_keys(ServiceSettings(host="0.0.0.0"))
    KeyFile(keys).create("first")
    require_keys(ServiceSettings(host="0.0.0.0", keys=keys))
    require_keys(ServiceSettings())


def test_a_missing_collection_is_made_only_when_asked_for(tmp_path: Path) -> None:
    with pytest.raises(CollectionNotFound, match="--create"):
        serve({"shop": tmp_path / "shop.lookalike"}, ServiceSettings(port=0))
    assert list(tmp_path.iterdir()) == []
    lookalike.create(tmp_path / "shop.lookalike").close()


def test_connections_that_ask_nothing_are_closed_and_others_are_not() -> None:
    closed: list[str] = []

    def connection(name: str, *, answered: bool | None) -> Any:
        cycle = None if answered is None else SimpleNamespace(response_complete=answered)
        return _Connection(cycle, SimpleNamespace(close=lambda: closed.append(name)))

    now = [0.0]
    watched = SilentConnections(30, lambda: now[0])
    silent, asking = connection("silent", answered=None), connection("asking", answered=False)
    done = connection("done", answered=True)
    for now[0] in (0.0, 20.0):
        watched.close([silent, asking, done])
    assert closed == []
    done.cycle = SimpleNamespace(response_complete=False)
    now[0] = 25.0
    watched.close([silent, asking, done])
    done.cycle = SimpleNamespace(response_complete=True)
    now[0] = 31.0
    watched.close([silent, asking, done])
    assert closed == ["silent"]


def test_a_connection_that_asks_and_is_answered_between_two_looks_is_not_silent() -> None:
    now, closed = [0.0], []
    transport = SimpleNamespace(close=lambda: closed.append(now[0]))
    busy = _Connection(None, transport)
    watched = SilentConnections(30, lambda: now[0])
    for now[0] in range(0, 100, 10):
        busy.cycle = SimpleNamespace(response_complete=True)  # another request each time
        watched.close([busy])
    assert closed == []
    for now[0] in range(100, 140, 10):
        watched.close([busy])
    assert closed == [130]


class _Connection:
    def __init__(self, cycle: Any, transport: Any) -> None:
        self.cycle = cycle
        self.transport = transport


def _is_missing(*_: object, **__: object) -> None:
    raise CollectionNotFound("there is none")


def test_a_collection_that_is_missing_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookalike, "open", _is_missing)
    with pytest.raises(
        CollectionNotFound, match=r"no collection at milvus://host/missing: .*--create"
    ) as refused:
        server._open("milvus://root:SECRET@host/missing", None, create=False)  # type: ignore[arg-type]
    assert "SECRET" not in str(refused.value)
    with pytest.raises(CollectionNotFound, match="no collection at /data/shop: "):
        server._open(Path("/data/shop"), None, create=False)  # type: ignore[arg-type]
