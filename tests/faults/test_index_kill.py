"""kill -9 at random moments of an indexing run: nothing acknowledged is lost, a repeat completes.

LOOKALIKE_KILL_ROUNDS=100 sets the number of kills (default 8).
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import lookalike

ROUNDS = int(os.environ.get("LOOKALIKE_KILL_ROUNDS", "8"))
SEED = 20260101

CHILD = """
import sys
import lookalike
from lookalike.ingest import pipeline
pipeline.COMMIT_ITEMS = 16
try:
    collection = lookalike.open(sys.argv[2])
except lookalike.LookalikeError:
    collection = lookalike.create(sys.argv[2])
print("ready", flush=True)
def tell(state):
    print("\\n".join(state.acknowledged), flush=True)
collection.add(sys.argv[1], progress=tell)
print("done", flush=True)
"""


def start(pictures: Path, collection: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CHILD, str(pictures), str(collection)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def killed_after(child: subprocess.Popen[str], seconds: float) -> tuple[set[str], bool]:
    """Ids acknowledged before the kill, and whether the run was done already."""
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    time.sleep(seconds)
    child.kill()
    rest = child.stdout.read()
    child.wait()
    child.stdout.close()
    whole = rest[: rest.rfind("\n") + 1].split()  # a line cut by the kill acknowledges nothing
    return {line for line in whole if line != "done"}, "done" in whole


def test_nothing_acknowledged_is_lost(sample: Path, tmp_path: Path) -> None:
    pictures, collection = tmp_path / "pictures", tmp_path / "c.lookalike"
    pictures.mkdir()
    for path in sorted((sample / "catalog").glob("*.jpg"))[:200]:
        shutil.copy2(path, pictures)
    moments = random.Random(SEED)
    acknowledged: set[str] = set()
    kills = 0
    for _ in range(ROUNDS):
        told, done = killed_after(start(pictures, collection), moments.uniform(0, 1.2))
        kills += not done
        acknowledged |= told
        with lookalike.open(collection) as opened:
            ids = [item.id for item in opened]
            assert len(ids) == len(set(ids))
            assert acknowledged <= set(ids)
            assert opened.verify() == []
        if done:  # begin again, so that later kills hit a run that has work to do
            shutil.rmtree(collection)
            acknowledged.clear()
    assert kills > 0
    with lookalike.open(collection) if collection.exists() else lookalike.create(collection) as opened:
        ledger = opened.add(pictures, progress=False)
        assert ledger.failed == 0
        assert sorted(item.id for item in opened) == sorted(
            f"pictures/{path.name}" for path in pictures.iterdir()
        )
        assert opened.verify() == []
        assert opened.search(next(iter(opened)).id, k=199)[198].id
