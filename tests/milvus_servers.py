"""Milvus for tests: Milvus Lite in this process, and a standalone server on loopback."""

from __future__ import annotations

import atexit
import functools
import json
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


SETTINGS: dict[str, object] = {
    "proxy.timeTickInterval": 20,  # ms; a question about the state as of now waits for the next tick
    "queryCoord.distPullInterval": 20,
    "log.level": "error",
    "log.stdout": "false",
}
"""Quicker than by default, for tests that make hundreds of collections; what the server promises is the same."""

ENVIRONMENT: dict[str, str] = {
    "QUERYCOORD_CHECKSEGMENTINTERVAL": "20",  # ms
    "QUERYCOORD_CHECKCHANNELINTERVAL": "20",
    "QUERYCOORD_UPDATENEXTTARGETINTERVAL": "0.1",  # s
    "QUERYCOORD_LEADERVIEWUPDATEINTERVAL": "0.1",
    # What is not indexed yet is compared, not searched through lists: as docs/cluster.md advises.
    "QUERYNODE_SEGCORE_INTERIMINDEX_ENABLEINDEX": "false",
}
"""Settings that the package's file does not have; with them a collection is loaded in 0.6 s in the place of 3."""

PROGRAMS = Path(tempfile.gettempdir(), "lookalike-milvus-2.3.5")
"""Where the package's programs are unpacked, which takes ten seconds; they stay for the next server."""

MEMORY = Path("/dev/shm")
MEMORY_BYTES = 4 << 30
"""Free there, so that a server's data may lie in memory: its catalogue waits for the disk at every collection."""

SERVER = """
import json, os, shutil, sys
from pathlib import Path
from milvus import MilvusServer, _initialize_data_files
folder, programs, settings, environment = Path(sys.argv[1]), Path(sys.argv[2]), *map(json.loads, sys.argv[3:])
if not programs.is_dir():
    unpacked = folder / "unpacked"
    _initialize_data_files(unpacked)
    try:
        shutil.copytree(unpacked, f"{programs}.{os.getpid()}")
        os.rename(f"{programs}.{os.getpid()}", programs)
    except OSError:
        shutil.rmtree(f"{programs}.{os.getpid()}", ignore_errors=True)
    shutil.rmtree(unpacked)
if not (folder / "bin").is_symlink():
    (folder / "bin").symlink_to(programs / "bin")
os.environ.update(environment)
server = MilvusServer()
server.set_base_dir(str(folder))
for name, value in settings.items():
    server.config.set(name, value)
server.start()
print(server.listen_port, server.server_proc.pid, flush=True)
kept = sys.stdin.read() == "keep"
server.stop()
if not kept:
    shutil.rmtree(folder, ignore_errors=True)
"""
"""Runs a server until its standard input ends, as it does when the tests' process ends, however that happens; deletes
its data, unless it is told to keep them."""


class StandaloneServer:
    """A Milvus server with all its parts in one process, from the package ``milvus`` of PyPI.

    Its data lie in a folder of their own; it can be killed and started again on them.
    """

    def __init__(self) -> None:
        pytest.importorskip("milvus", reason="needs a Milvus server: pip install milvus==2.3.5")
        self._folder = Path(tempfile.mkdtemp(prefix="lookalike-milvus-", dir=_roomy_memory()))
        self._keeper: subprocess.Popen[str] | None = None
        self.port = self.pid = 0

    def start(self) -> None:
        """Start it on the data that it had before, maybe on another port, and wait until it answers."""
        given = (str(self._folder), str(PROGRAMS), json.dumps(SETTINGS), json.dumps(ENVIRONMENT))
        self._keeper = subprocess.Popen(
            [sys.executable, "-c", SERVER, *given], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._keeper.stdout is not None
        said = self._keeper.stdout.readline().split()
        assert len(said) == 2, "the server did not start; its logs are in the folder logs of its data"
        self.port, self.pid = map(int, said)

    def kill(self) -> None:
        """End it without a word, as a power cut ends a process."""
        os.kill(self.pid, signal.SIGKILL)
        self._stop("keep")

    def delete(self) -> None:
        """Stop it and delete its data."""
        self._stop("")
        shutil.rmtree(self._folder, ignore_errors=True)

    def _stop(self, word: str) -> None:
        if self._keeper is not None:
            self._keeper.communicate(word)
            self._keeper = None


def _roomy_memory() -> Path | None:
    """Where files lie in memory, if there is room; else None, for the usual place."""
    free = shutil.disk_usage(MEMORY).free if MEMORY.is_dir() else 0
    return MEMORY if free >= MEMORY_BYTES else None
