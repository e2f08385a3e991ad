"""Frames of a live stream from a real server, which drops."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from camera_server import EMPTY, CameraServer
from lookalike.errors import SourceError
from lookalike.tracking import footage
from lookalike.tracking.cameras import Camera
from lookalike.tracking.footage import Shot, shots
from lookalike.tracking.live import live_shots

pytest.importorskip("av", reason="needs PyAV: pip install 'lookalike[video]'")


def camera(server: CameraServer) -> Camera:
    return Camera("gate", server.url, "url")


def still(_seconds: float) -> np.ndarray:
    return EMPTY


def test_frames_have_the_times_at_which_they_came() -> None:
    """MJPEG tells no times, and FFmpeg would make 25 frames a second of these 10."""
    with CameraServer(still) as server:
        found = [shot for shot, _ in zip(shots(camera(server)), range(15), strict=False)]
    assert found[0].image is not None
    assert found[0].image.shape == EMPTY.shape
    times = np.array([shot.seconds for shot in found])
    assert (np.diff(times) > 0).all()
    assert times[-1] == pytest.approx(1.4, abs=0.5)


def test_a_stream_that_drops_is_taken_up_again_and_that_is_told() -> None:
    stop = threading.Event()
    found: list[Shot] = []
    with CameraServer(still, fps=40, drop_after=(10, 12)) as server:
        with pytest.raises(SourceError, match=r"did not come back in 3 attempts over 0\.3 s"):
            found.extend(live_shots(camera(server), stop, waits=(0.1, 0.1, 0.1)))
        assert server.connections == 5
    assert [shot.number for shot in found] == list(range(1, len(found) + 1))
    assert (np.diff([shot.seconds for shot in found]) > 0).all()
    (told,) = [shot for shot in found if shot.problem]
    assert told.number in (10, 11), "the first of the second connection"
    assert "came back after" in str(told.problem)


def test_somebody_who_stops_waits_for_no_camera() -> None:
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    with CameraServer(still, fps=40, drop_after=(5,)) as server:
        found = list(live_shots(camera(server), stop, waits=(60.0,)))
    assert 0 < len(found) <= 5


def test_a_camera_that_falls_silent_has_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(footage, "STALLED", 0.5)
    halt = threading.Event()

    def once(seconds: float) -> np.ndarray:
        if seconds > 0.5:
            halt.wait(5)
        return EMPTY

    with CameraServer(once) as server:
        with pytest.raises(SourceError, match=r"nothing came from http.* for 0\.5 s, after \d frames"):
            for _ in shots(camera(server)):
                pass
        halt.set()


def test_a_camera_that_was_never_there_is_said_at_once() -> None:
    with CameraServer(still, drop_after=()) as server, pytest.raises(SourceError, match="gate"):
        next(live_shots(camera(server), threading.Event(), waits=(60.0,)))


def test_who_looks_slowly_loses_the_oldest_frames_and_is_told() -> None:
    stop = threading.Event()
    found: list[Shot] = []
    with CameraServer(still, fps=100) as server:
        for shot in live_shots(camera(server), stop):
            found.append(shot)
            if len(found) == 3:
                time.sleep(1.5)
            if len(found) == 6:
                stop.set()
    late = found[3]
    assert "were left out" in str(late.problem)
    assert late.number > found[2].number + 1
    assert found[4].seconds - late.seconds < 0.5, "times are those at which they came"


def test_a_recording_at_an_address_loses_no_frame(tmp_path: Path) -> None:
    import av

    with av.open(str(tmp_path / "v.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = EMPTY.shape[1], EMPTY.shape[0], "yuv420p"
        for _ in range(100):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(EMPTY, format="rgb24")))
        container.mux(stream.encode())
    source = Camera("gate", str(tmp_path / "v.mp4"), "url")
    numbers = []
    for shot in live_shots(source, threading.Event()):
        numbers.append(shot.number)
        time.sleep(0.005)
    assert numbers == list(range(1, 101))
