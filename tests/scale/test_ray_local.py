"""A Ray that is started on this machine for a call: quiet, guarded, and nothing of it stays."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

TWICE = """
import os, json
from lookalike.ingest.ray_session import engine, session

def seen(_):
    return os.environ.get("RAY_AUTH_MODE"), len(os.environ.get("RAY_AUTH_TOKEN", ""))

found = []
for _ in range(2):
    with session("ray"):
        found.append(engine().get(engine().remote(seen).remote(None)))
    found.append([name for name in os.environ if name.startswith("RAY_AUTH")])
print(json.dumps(found))
"""


def test_it_is_guarded_by_a_token_that_nobody_else_has_and_says_nothing(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    done = subprocess.run(
        [sys.executable, "-c", TWICE],
        env=environment | {"HOME": str(tmp_path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == [["token", 64], [], ["token", 64], []]
    assert not (tmp_path / ".ray").exists(), "a token was left in the home folder"
