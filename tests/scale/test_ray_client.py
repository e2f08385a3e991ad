"""A driver outside of the cluster, which knows only the address of its head."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ray_cluster import assert_same_rows, copied

import lookalike
from running_service import wait_for

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


@contextmanager
def head() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A cluster of one machine; its process and its address."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-c", HEAD, str(port)],
        env=os.environ | PLAIN,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None and process.stdin is not None
    try:
        assert any(line.strip() == "up" for line in process.stdout), "the head ended before it was up"
        yield process, f"ray://127.0.0.1:{port}"
        process.stdin.close()
        process.wait(30)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def indexing(folder: Path, to: Path, address: str, *options: str) -> list[str]:
    command = [sys.executable, "-m", "lookalike", "index", folder, "--to", to, "--on", address, *options]
    return [*map(str, command)]


def test_it_indexes_as_a_run_in_this_process_does(
    sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "cache"))
    folder = copied(sample, tmp_path, 80)
    (folder / "bad.jpg").write_text("no picture")
    with head() as (_, address):
        done = subprocess.run(
            indexing(folder, tmp_path / "there.lance", address, "--json"),
            env=os.environ | PLAIN,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
    assert done.returncode == 3, done.stderr
    assert "ray" not in done.stderr.lower(), "what workers say stays on the cluster"
    document = json.loads(done.stdout)
    assert (document["inputs"], document["added"], document["failed"]) == (81, 80, 1)
    assert not [*(tmp_path / "cache").rglob("vectors*")], "the driver of a cluster reads no vectors"
    with (
        lookalike.create(tmp_path / "here.lookalike") as here,
        lookalike.open(tmp_path / "there.lance") as there,
    ):
        here.add(folder, progress=False)
        assert_same_rows(there, here)


def test_a_head_that_is_killed_ends_the_run_with_an_error_and_nothing_is_started_in_its_place(
    sample: Path, tmp_path: Path
) -> None:
    local, there = tmp_path / "ray", tmp_path / "there.lance"
    local.mkdir()
    environment = os.environ | PLAIN | {
        "LOOKALIKE_CACHE": str(tmp_path / "cache"),
        "RAY_CLIENT_RECONNECT_GRACE_PERIOD": "1",
        "RAY_TMPDIR": str(local),
    }  # fmt: skip
    with head() as (process, address):
        run = subprocess.Popen(
            indexing(sample / "catalog", there, address), env=environment, stderr=subprocess.PIPE, text=True
        )
        wait_for(lambda: any(there.rglob("items-*/data/*.lance")), 60)  # workers write
        process.kill()
        _, said = run.communicate(timeout=60)
    assert run.returncode == 1, said
    assert "was lost" in said and "repeat the command" in said
    assert "Traceback" not in said
    assert not list(local.iterdir()), "a Ray was started here"
