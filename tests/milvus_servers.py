"""Milvus for tests: Milvus Lite in this process, and a standalone server on loopback."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

FOREIGN = "LOOKALIKE_TEST_MILVUS"
"""Environment variable with HOST:PORT of a server to test on, such as a cluster's; there can be one standalone server
of the package on a machine."""


def lite_uri(name: str) -> str:
    """A place for a collection in a file of Milvus Lite that goes with this process."""
    return f"milvus://{_lite_file()}/{name}"


def server_uri(name: str) -> str:
    """A place for a collection on the server that FOREIGN names, else on a standalone one that this process starts
    and stops.
    """
    address = os.environ.get(FOREIGN) or f"127.0.0.1:{started_server().port}"
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


SERVER = """
import sys
from milvus import MilvusServer
server = MilvusServer()
server.set_base_dir(sys.argv[1])
server.start()
print(server.listen_port, server.server_proc.pid, flush=True)
sys.stdin.read()
server.stop()
"""
"""Runs a server until its standard input ends, as it does when the tests' process ends, however that happens."""


class StandaloneServer:
    """A Milvus server with all its parts in one process, from the package ``milvus`` of PyPI.

    Its data lie in a folder of their own; it can be killed and started again on them.
    """

    def __init__(self) -> None:
        pytest.importorskip("milvus", reason="needs a Milvus server: pip install milvus==2.3.5")
        self._folder = Path(tempfile.mkdtemp(prefix="lookalike-milvus-"))
        self._keeper: subprocess.Popen[str] | None = None
        self.port = self.pid = 0

    def start(self) -> None:
        """Start it on the data that it had before, maybe on another port, and wait until it answers."""
        command = [sys.executable, "-c", SERVER, str(self._folder)]
        self._keeper = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._keeper.stdout is not None
        said = self._keeper.stdout.readline().split()
        assert len(said) == 2, "the server did not start; its logs are in the folder logs of its data"
        self.port, self.pid = map(int, said)

    def kill(self) -> None:
        """End it without a word, as a power cut ends a process."""
        os.kill(self.pid, signal.SIGKILL)
        self._stop()

    def delete(self) -> None:
        """Stop it and delete its data."""
        self._stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _stop(self) -> None:
        if self._keeper is not None:
            self._keeper.communicate()
            self._keeper = None
