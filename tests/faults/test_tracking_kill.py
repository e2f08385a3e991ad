"""kill -9 at random moments of tracking: what was done of a camera is whole or not there, and repeating completes it.

LOOKALIKE_STORE_KILL_ROUNDS=100 sets the number of kills (default 8).
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import lookalike
from camera_scenes import write_scene
from lookalike.collection.tracking import Tracking
from lookalike.store.sqlite import SqliteStore

ROUNDS = int(os.environ.get("LOOKALIKE_STORE_KILL_ROUNDS", "8"))
SEED = 20240611

TRACK = """
import sys
from pathlib import Path
from lookalike.collection.tracking import Tracking
from lookalike.store.sqlite import SqliteStore

def tell(done, _total):
    print(done, flush=True)

with SqliteStore.open(Path(sys.argv[1])) as store:
    scene = Path(sys.argv[2])
    Tracking(store, Path(sys.argv[1])).track(scene, detections=scene.parent / "truth", progress=tell)
    print("finished", flush=True)
"""


def killed(folder: Path, scene: Path, *, after_frames: int, seconds: float) -> list[str]:
    """What a run said until it was killed; all of it if it ended before."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    process = subprocess.Popen(
        [sys.executable, "-c", TRACK, str(folder), str(scene)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stdout is not None
    said = [process.stdout.readline().strip() for _ in range(after_frames)]
    killer = threading.Timer(seconds, process.kill)
    killer.start()
    said += [line.strip() for line in process.stdout if line.endswith("\n")]
    process.wait()
    killer.cancel()
    killer.join()
    process.stdout.close()
    assert process.returncode in (0, -9), "it died of something else"
    return said


def test_a_run_that_is_killed_goes_on_where_it_is_repeated(tmp_path: Path) -> None:
    scene = write_scene(tmp_path / "scene")
    whole, folder = tmp_path / "whole.lookalike", tmp_path / "site.lookalike"
    for path in (whole, folder):
        lookalike.create(path).close()
    with SqliteStore.open(whole) as store:
        site = Tracking(store, whole)
        site.track(scene, detections=scene.parent / "truth", progress=False)
        expected = site.identities().to_dict()["identities"]
    chance = random.Random(SEED)
    interrupted, done = 0, 0
    for _ in range(ROUNDS):
        said = killed(folder, scene, after_frames=1 if done < 2 else 0, seconds=chance.uniform(0, 0.8))
        interrupted += said[-1:] != ["finished"]
        with SqliteStore.open(folder) as store:
            assert list(store.verify()) == []
            cameras = {each.name: each.tracklets for each in store.cameras()}
            assert cameras.items() <= {"gate": 12, "yard": 9}.items(), "a camera is whole, or it is not there"
            assert len(cameras) >= done, "what was done stays"
            done = len(cameras)
    assert interrupted, "no kill met a run"
    with SqliteStore.open(folder) as store:
        site = Tracking(store, folder)
        report = site.track(scene, detections=scene.parent / "truth", progress=False)
        assert [each.status for each in report.cameras].count("unchanged") == done
        assert site.identities().to_dict()["identities"] == expected
