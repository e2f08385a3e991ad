"""A service in a process of its own, whose memory is read while it answers."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import sys
import threading
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from lookalike.errors import LookalikeError
from lookalike.service.server import serve
from lookalike.service.settings import ServiceSettings

PATIENCE = 60.0
"""Seconds that a service may take to start or to end."""

NAME = "calibration"


class ObservedService:
    """Serves one collection on the loopback.

    Args:
        place: Folder of the collection.
        settings: Of the service; its host and port are chosen here.
    """

    def __init__(self, place: Path, settings: ServiceSettings | None = None) -> None:
        here, there = multiprocessing.Pipe()
        self._pipe = here
        # a fresh interpreter: threads and networks of this process are not copied into it
        context = multiprocessing.get_context("spawn")
        self._process = context.Process(target=_run, args=(place, settings or ServiceSettings(port=0), there))
        self.url = ""

    def __enter__(self) -> Self:
        self._process.start()
        if not self._pipe.poll(PATIENCE):
            self._process.kill()
            raise LookalikeError(f"the service did not start within {PATIENCE:g} s")
        self.url = self._pipe.recv()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.pid is not None:
            os.kill(self._process.pid, signal.SIGTERM)
        self._process.join(PATIENCE)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        url = urlsplit(self.url)
        return str(url.hostname), int(url.port or 0)

    def resident_bytes(self) -> float:
        """Most memory that it has held."""
        self._pipe.send(None)
        return float(self._pipe.recv())


def _run(place: Path, settings: ServiceSettings, pipe: Connection) -> None:
    """The process of the service."""

    sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - its log of requests

    def tell() -> None:
        while True:
            try:
                pipe.recv()
            except EOFError:
                return
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            pipe.send(peak if sys.platform == "darwin" else peak * 1024)

    def announce(serving: Any) -> None:
        pipe.send(serving.url)
        threading.Thread(target=tell, daemon=True).start()

    serve({NAME: place}, settings, announce=announce)
