"""A driver outside of the cluster, which knows only the address of its head."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ray_cluster import assert_same_rows, copied

import lookalike

HEAD = """
import sys, ray
from ray.util.client.server.server import serve
ray.init("local", num_cpus=1, object_store_memory=150_000_000, include_dashboard=False, log_to_driver=False)
server = serve("127.0.0.1", int(sys.argv[1]))
print("up", flush=True)
sys.stdin.read()
ray.shutdown()
"""

PLAIN = {
    "RAY_AUTH_MODE": "disabled",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    head = subprocess.Popen(
        [sys.executable, "-c", HEAD, str(port)],
        env=os.environ | PLAIN,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert head.stdout is not None and head.stdin is not None
        assert any(line.strip() == "up" for line in head.stdout), "the head ended before it was up"
        yield f"ray://127.0.0.1:{port}"
        head.stdin.close()
        head.wait(30)
    finally:
        head.kill()
        head.wait()
        head.stdout.close()


def test_it_indexes_as_a_run_in_this_process_does(
    address: str, sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "cache"))
    folder = copied(sample, tmp_path, 80)
    (folder / "bad.jpg").write_text("no picture")
    command = [sys.executable, "-m", "lookalike", "index", folder, "--to", tmp_path / "there.lance"]
    done = subprocess.run(
        [*map(str, command), "--on", address, "--json"],
        env=os.environ | PLAIN,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    document = json.loads(done.stdout)
    assert (document["inputs"], document["added"], document["failed"]) == (81, 80, 1)
    with (
        lookalike.create(tmp_path / "here.lookalike") as here,
        lookalike.open(tmp_path / "there.lance") as there,
    ):
        here.add(folder, progress=False)
        assert_same_rows(there, here)
