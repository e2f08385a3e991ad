"""The service on a port of this machine, as its users meet it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import uvicorn

from lookalike.collection import Collection
from lookalike.service.app import create_app
from lookalike.service.settings import ServiceSettings


@contextmanager
def serving(collections: Mapping[str, Collection], settings: ServiceSettings | None = None) -> Iterator[str]:
    """Serve collections until the block ends.

    Yields:
        The address of the service.
    """
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(create_app(collections, settings), log_level="warning", lifespan="on")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            while not server.started and thread.is_alive():
                time.sleep(0.01)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
