"""Milvus for tests: Milvus Lite in this process, and a standalone server on loopback."""

from __future__ import annotations

import atexit
import functools
import logging
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest


def lite_uri(name: str) -> str:
    """A place for a collection in a file of Milvus Lite that goes with this process."""
    return f"milvus://{_lite_file()}/{name}"


def server_uri(name: str) -> str:
    """A place for a collection on the server that LOOKALIKE_TEST_MILVUS names (HOST:PORT, such as a cluster's), else on
    a standalone one that this process starts and stops.
    """
    address = os.environ.get("LOOKALIKE_TEST_MILVUS") or f"127.0.0.1:{started_server().port}"
    return f"milvus://{address}/{name}"


@functools.cache
def _lite_file() -> Path:
    pytest.importorskip("milvus_lite", reason="needs Milvus Lite: pip install milvus-lite")
    from lookalike.store.milvus_address import parse
    from lookalike.store.milvus_server import disconnect

    folder = Path(tempfile.mkdtemp(prefix="lookalike-milvus-lite-"))
    file = folder / "lite.db"

    def clean() -> None:
        disconnect(parse(f"milvus://{file}/any"))
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(clean)
    return file


@functools.cache
def started_server() -> StandaloneServer:
    """The server of this process; started when first asked for, stopped at its end."""
    server = StandaloneServer()
    atexit.register(server.delete)
    server.start()
    return server


class StandaloneServer:
    """A Milvus server with all its parts in one process, from the package ``milvus`` of PyPI.

    Its data lie in a folder of their own; it can be killed and started again on them.
    """

    def __init__(self) -> None:
        pytest.importorskip("milvus", reason="needs a Milvus server: pip install milvus==2.3.5")
        self._folder = Path(tempfile.mkdtemp(prefix="lookalike-milvus-"))
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def start(self) -> None:
        """Start it, on the port and the data that it had before, and wait until it answers."""
        from milvus import MilvusServer

        server = MilvusServer()
        server.set_base_dir(str(self._folder))
        if self.port:
            server.listen_port = self.port
        server.start()
        self.port = int(server.listen_port)
        self._process = server.server_proc
        self._server = server

    @property
    def pid(self) -> int:
        """Of the server's process."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """End it as a power cut ends a process: without a word."""
        os.kill(self.pid, signal.SIGKILL)
        assert self._process is not None
        self._process.wait()
        _wait_for_free(self.port)

    def delete(self) -> None:
        """Stop it and delete its data."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


def _wait_for_free(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.1)
    logging.getLogger(__name__).warning("port %d is still in use", port)
