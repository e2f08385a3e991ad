"""A service on a socket of its own, for tests in which sockets matter."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx2
import uvicorn
from fastapi import FastAPI

from lookalike.service.server import listen
from lookalike.service.settings import ServiceSettings


@dataclass(frozen=True)
class Running:
    """A service that answers.

    Args:
        url: Where it is.
        port: The same, its number.
        client: Talks to it.
    """

    url: str
    port: int
    client: httpx2.Client


@contextmanager
def running(app: FastAPI) -> Iterator[Running]:
    """Serve an application until the end of the block."""
    listener = listen(ServiceSettings(port=0))
    port = listener.getsockname()[1]
    config = uvicorn.Config(app, log_config=None, access_log=False, proxy_headers=False, ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        wait_for(lambda: server.started)
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            yield Running(f"http://127.0.0.1:{port}", port, client)
    finally:
        server.should_exit = True
        thread.join(30)
        listener.close()


def wait_for(what: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait until something is so."""
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it did not come to be so"
        time.sleep(0.01)
