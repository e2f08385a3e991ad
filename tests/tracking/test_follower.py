from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lookalike.errors import InputError, SourceError
from lookalike.tracking.cameras import Camera
from lookalike.tracking.detections import Detections
from lookalike.tracking.following import Follower
from lookalike.tracking.footage import Shot, shots
from lookalike.tracking.open_tracks import CROPS_KEPT, LONGEST_SIDE

START = datetime(2024, 6, 11, 9, tzinfo=UTC)


def camera(**changes: object) -> Camera:
    values: dict = {"name": "a", "source": "a.mp4", "kind": "video", "start": START, "size": (320, 180)}
    return Camera(**{**values, **changes})


def seen(*places: tuple[float, float]) -> Detections:
    box = np.array([[x, y, 20.0, 60.0] for x, y in places]).reshape(-1, 4)
    return Detections(box, np.ones(len(box)), np.ones(len(box), dtype=np.int64))


def shot(number: int) -> Shot:
    return Shot(number, (number - 1) / 10, np.full((180, 320, 3), number % 256, np.uint8), None)


def test_a_track_that_has_ended_becomes_a_tracklet_with_times_and_its_best_crops() -> None:
    follower, ended = Follower(camera()), []
    for number in range(1, 100):
        ended += follower.take(shot(number), seen((2 * number, 50)) if number <= 40 else seen())
    (only,) = ended
    assert only.tracklet.frame.tolist() == list(range(1, 41))
    assert only.tracklet.time[10] == pytest.approx(START.timestamp() + 1.0)
    assert len(only.crops) == 8
    for row, pixels in zip(only.rows.tolist(), only.crops, strict=True):
        assert pixels.shape == (60, 20, 3)
        assert pixels[0, 0, 0] == only.tracklet.frame[row]
    assert follower.finish() == []


def test_crops_of_a_track_without_end_take_bounded_memory() -> None:
    follower = Follower(camera())
    for number in range(1, 1500):
        follower.take(shot(number), seen((100, 50)))
    (track,) = follower._tracks.values()
    assert len(track.crops) <= CROPS_KEPT
    (only,) = follower.finish()
    assert only.rows.min() < 200
    assert only.rows.max() > 1300


def test_a_track_is_cut_where_one_hides_the_other() -> None:
    follower = Follower(camera())
    for number in range(1, 80):
        follower.take(shot(number), seen((2 * number + 20, 50), (180 - 2 * number, 60)))
    pieces = [found.tracklet for found in follower.finish()]
    assert len({piece.track for piece in pieces}) == 2
    assert len(pieces) == 3  # the one in front is in no doubt
    assert len({piece.number for piece in pieces}) == 3


def test_who_stands_in_a_region_to_ignore_is_not_followed() -> None:
    region = ((0.0, 0.0), (160.0, 0.0), (160.0, 180.0), (0.0, 180.0))
    follower = Follower(camera(ignore=(region,)))
    for number in range(1, 10):
        follower.take(shot(number), seen((50, 50), (250, 50)))
    (only,) = follower.finish()
    assert only.tracklet.box[0].tolist() == [250, 50, 20, 60]


def test_frames_without_pixels_are_followed_too() -> None:
    follower = Follower(camera())
    for number in range(1, 10):
        follower.take(Shot(number, number / 10, None, "damaged"), seen((50, 50)))
    (only,) = follower.finish()
    assert (len(only.tracklet), only.crops) == (9, ())


def test_a_folder_of_pictures_is_footage_and_a_damaged_one_is_told(tmp_path: Path) -> None:
    for number in range(3):
        Image.new("RGB", (32, 24), (number, 0, 0)).save(tmp_path / f"{number:03}.png")
    (tmp_path / "001.png").write_bytes(b"broken")
    found = list(shots(camera(kind="frames", source=str(tmp_path), fps=5.0)))
    assert [(s.number, s.seconds) for s in found] == [(1, 0.0), (2, 0.2), (3, 0.4)]
    assert found[1].image is None
    assert "001.png" in str(found[1].problem)
    assert found[2].image is not None


def video(path: Path, times: list[int]) -> None:
    """Frames at these tenths of a second."""
    from fractions import Fraction

    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 10)
        for at in times:
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), at % 200, np.uint8), format="rgb24")
            frame.pts, frame.time_base = at, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def test_a_video_is_footage_with_its_own_times_and_a_long_gap_is_told(tmp_path: Path) -> None:
    pytest.importorskip("av", reason="the extra video is not installed")
    video(tmp_path / "v.mp4", [0, 1, 2, 3, 153, 154])
    found = list(shots(camera(source=str(tmp_path / "v.mp4"))))
    assert [round(s.seconds, 3) for s in found] == [0, 0.1, 0.2, 0.3, 15.3, 15.4]
    assert [s.number for s in found if s.problem] == [5]
    assert "nothing came for 15.0 s" in str(found[4].problem)
    assert found[0].image is not None
    assert found[0].image.shape == (48, 64, 3)


def test_sources_that_are_not_there_or_hold_nothing_are_named(tmp_path: Path) -> None:
    pytest.importorskip("av", reason="the extra video is not installed")
    (tmp_path / "text.mp4").write_text("no video")
    for changes in (
        {"source": str(tmp_path / "none.mp4")},
        {"source": str(tmp_path / "text.mp4")},
        {"source": str(tmp_path / "none"), "kind": "frames"},
        {"source": str(tmp_path), "kind": "frames"},
    ):
        with pytest.raises(SourceError, match="camera a: "):
            list(shots(camera(**changes)))


def crossing(number: int) -> Detections:
    """Two who cross, one of whom is followed by a third."""
    places = [(2 * number + 20, 50), (180 - 2 * number, 60)]
    return seen(*places, *([(250.0, 40.0 + number)] if number > 30 else []))


def test_a_follower_goes_on_after_a_restart_as_if_there_had_been_none(tmp_path: Path) -> None:
    whole, first, found, expected = Follower(camera()), Follower(camera()), [], []
    for number in range(1, 31):
        whole.take(shot(number), crossing(number))
        found += first.take(shot(number), crossing(number))
    np.savez(tmp_path / "state.npz", allow_pickle=False, **first.state())
    second = Follower(camera())
    with np.load(tmp_path / "state.npz", allow_pickle=False) as state:
        second.restore(dict(state))
    for number in range(31, 75):
        expected += whole.take(shot(number), crossing(number))
        found += second.take(shot(number), crossing(number))
    expected, found = expected + whole.finish(), found + second.finish()
    assert len(found) == len(expected) == 4
    for one, other in zip(found, expected, strict=True):
        assert (one.tracklet.number, one.tracklet.track) == (other.tracklet.number, other.tracklet.track)
        assert (one.tracklet.frame == other.tracklet.frame).all()
        assert (one.tracklet.box == other.tracklet.box).all()
        assert (one.rows == other.rows).all()
        assert all((a == b).all() for a, b in zip(one.crops, other.crops, strict=True))


def test_a_state_of_another_form_is_refused() -> None:
    state = Follower(camera()).state()
    with pytest.raises(InputError, match="form 99"):
        Follower(camera()).restore({**state, "tracks.version": np.array(99)})


def test_who_is_still_followed_can_be_asked_for_and_goes_on() -> None:
    follower = Follower(camera())
    assert follower.so_far() == []
    for number in range(1, 20):
        follower.take(shot(number), seen((2 * number, 50)))
    (now,) = follower.so_far()
    assert (len(now.tracklet), now.tracklet.number) == (19, 1)
    follower.take(shot(20), seen((40, 50)))
    (later,) = follower.finish()
    assert (len(later.tracklet), later.tracklet.number, later.tracklet.track) == (20, 1, now.tracklet.track)


def test_crops_of_a_large_picture_are_kept_small() -> None:
    follower = Follower(camera(size=(1920, 1080)))
    box = Detections(np.array([[200.0, 40.0, 300.0, 1000.0]]), np.ones(1), np.ones(1, dtype=np.int64))
    for number in range(1, 6):
        picture = np.zeros((1080, 1920, 3), np.uint8)
        picture[:540] = (200, 30, 40)
        follower.take(Shot(number, number / 10, picture, None), box)
    (only,) = follower.finish()
    assert {pixels.shape for pixels in only.crops} == {(LONGEST_SIDE, 115, 3)}
    assert only.crops[0][10, 50].tolist() == [200, 30, 40]
