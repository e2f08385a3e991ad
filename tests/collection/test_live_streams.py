"""Live streams from a real server: identities while they run, drops, stops, and going on after a restart."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import lookalike
from camera_server import CameraServer, passing
from lookalike.collection import streams, tracking
from lookalike.collection.tracking import Tracking
from lookalike.collection.tracking_report import TrackingReport
from lookalike.store.base import Store
from lookalike.store.sqlite import SqliteStore

pytest.importorskip("av", reason="needs PyAV: pip install 'lookalike[video]'")

DEADLINE = 60.0
"""Seconds after which a test gives up waiting for a stream."""


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that happens every ten seconds happens every half."""
    monkeypatch.setattr(streams, "SAVED_EVERY", 0.5)
    monkeypatch.setattr(tracking, "ASSOCIATED_EVERY", 0.5)
    monkeypatch.setattr(streams, "WAITS", (0.2, 0.2))


@pytest.fixture
def hall() -> Iterator[CameraServer]:
    """A camera that sees somebody for six seconds in every eight, as soon as the empty place is known."""
    with CameraServer(passing(first=5.0, every=8.0, lasts=6.0)) as server:
        yield server


def described(folder: Path, server: CameraServer) -> Path:
    path = folder / "cameras.json"
    path.write_text(json.dumps({"cameras": [{"name": "hall", "url": server.url}]}))
    return path


def until(site: Tracking, cameras: Path, wanted: Callable[[Store], bool]) -> TrackingReport:
    """Track until what another handle sees in the collection is as wanted, then press Ctrl-C."""
    over = threading.Event()
    reached: list[bool] = []

    def look() -> None:
        given_up = time.monotonic() + DEADLINE
        with SqliteStore.open(site.path, readonly=True) as store:
            while not over.wait(0.1):
                reached[:] = [wanted(store)]
                if reached[0] or time.monotonic() > given_up:
                    os.kill(os.getpid(), signal.SIGINT)
                    return

    looking = threading.Thread(target=look)
    looking.start()
    try:
        report = site.track(cameras, mode="online", progress=False)
    finally:
        over.set()
        looking.join()
    assert reached == [True], "it did not come so far"
    return report


def test_whoever_is_seen_has_an_identity_while_the_stream_goes_on_and_after_a_restart(
    site: Tracking, hall: CameraServer, tmp_path: Path
) -> None:
    cameras = described(tmp_path, hall)
    first = until(site, cameras, lambda store: len(store.stored_identities()) == 1)
    assert [(each.status, each.problems) for each in first.cameras] == [("tracked", ())]
    (before,) = site.identities()
    (stored,) = site._store.tracklets()
    assert site.cameras()[0].frames == first.cameras[0].frames > 40

    second = until(site, cameras, lambda store: store.tracklets()[0].end > stored.end + 1_000_000)
    (after,) = site.identities()
    (grown,) = site._store.tracklets()
    assert (after.id, grown.number, grown.track) == (before.id, stored.number, stored.track)
    assert grown.start == stored.start
    assert grown.sightings > stored.sightings
    assert site.cameras()[0].frames == first.cameras[0].frames + second.cameras[0].frames

    until(site, cameras, lambda store: len(store.stored_identities()) == 2)
    assert {each.id for each in site.identities()} > {before.id}
    numbers = [(each.number, each.track) for each in site._store.tracklets()]
    assert len(set(numbers)) == len(numbers) == 2


def test_a_stream_that_does_not_come_back_is_told_and_what_it_saw_is_kept(
    site: Tracking, tmp_path: Path
) -> None:
    with CameraServer(passing(first=5.0, every=60.0, lasts=20.0), drop_after=(90, 20)) as server:
        report = site.track(described(tmp_path, server), mode="online", progress=False)
        assert server.connections == 4
    (camera,) = report.cameras
    reasons = [each.reason for each in camera.problems]
    assert "came back after" in reasons[0]
    assert "did not come back in 2 attempts" in reasons[-1]
    assert camera.status == "tracked"
    assert report.identities == len(site.identities()) >= 1
    assert camera.tracklets == report.tracklets == len(site._store.tracklets())


def test_a_service_manager_that_ends_the_command_loses_nothing(tmp_path: Path, hall: CameraServer) -> None:
    command = [sys.executable, "-m", "lookalike", "track", str(described(tmp_path, hall)), "--json"]
    process = subprocess.Popen(
        [*command, "--to", str(tmp_path / "p.lookalike")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    given_up = time.monotonic() + DEADLINE
    while hall.seconds < 8.0 or not hall.served:
        assert time.monotonic() < given_up
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, err
    assert json.loads(out)["cameras"][0]["frames"] > 0
    with lookalike.open(tmp_path / "p.lookalike") as place:
        assert place.cameras()[0].frames == json.loads(out)["cameras"][0]["frames"]
