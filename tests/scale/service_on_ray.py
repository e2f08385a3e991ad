"""A `lookalike serve --on ray` for tests: started as a user starts it, asked by many, its processes killed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from lookalike.service.keys import KeyFile
from lookalike.service.replica_routing import MARK

CLIENTS = 4
ALL_SECONDS = 60.0
"""How long it may take until every replica has answered; each request goes to one of them by chance."""


@dataclass(frozen=True)
class OnRay:
    """A running ``lookalike serve --on ray``.

    Args:
        url: Where it is.
        process: The command.
        keys: Its file of keys.
        token: Of a key that may do everything.
        place: The collection, which it serves as ``shop``.
        scratch: Folder that marks what belongs to it.
    """

    url: str
    process: subprocess.Popen[str]
    keys: KeyFile
    token: str
    place: str | Path
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


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder whose name is short, as sockets need it."""
    folder = Path(tempfile.mkdtemp(prefix="lookalike-ray-", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def serving(scratch: Path, place: str | Path, *more: str) -> Iterator[OnRay]:
    """Serve a collection as ``shop`` until the end of the block.

    Args:
        scratch: See :func:`scratch_folder`.
        place: The collection's path or URL; what else is needed to reach it is in the environment.
        more: Options of the command.
    """
    running = start(scratch, place, *more)
    try:
        yield running
    finally:
        end(running)


def start(scratch: Path, place: str | Path, *more: str) -> OnRay:
    keys = KeyFile(scratch / "keys.json")
    token, _ = keys.create("everything", scope="admin")
    command = [
        sys.executable,
        "-m",
        "lookalike",
        "serve",
        f"shop={place}",
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
    return OnRay(url, process, keys, token, place, scratch)


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


def ask(client: Any, photo: bytes) -> Any:
    """Search for a photo.

    Args:
        client: Of ``httpx2``, or Starlette's for tests.
        photo: Bytes of an image file.
    """
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


def of_every_replica(
    service: OnRay, request: Callable[[httpx2.Client], httpx2.Response], replicas: int = 2
) -> dict[str, list[httpx2.Response]]:
    """The same request until each replica has answered it twice; answers by replica."""
    answers: dict[str, list[httpx2.Response]] = defaultdict(list)
    until = time.monotonic() + ALL_SECONDS
    with service.client() as client:
        while time.monotonic() < until:
            answer = request(client)
            answers[answer.headers.get(MARK, "")].append(answer)
            if len(answers) >= replicas and min(map(len, answers.values())) >= 2:
                return dict(answers)
    raise AssertionError(f"of {replicas} replicas only these answered: {sorted(answers)}")
