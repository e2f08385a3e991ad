from __future__ import annotations

import numpy as np
import pytest

from lookalike.errors import InputError
from lookalike.tracking.detections import Detections
from lookalike.tracking.tracker import Tracker, TrackerSettings


def seen(*places: tuple[float, float], confidence: float = 0.9) -> Detections:
    box = np.array([[x, y, 20.0, 60.0] for x, y in places]).reshape(-1, 4)
    return Detections(box, np.full(len(box), confidence), np.ones(len(box), dtype=np.int64))


def test_two_people_who_pass_each_other_keep_their_numbers() -> None:
    tracker = Tracker()
    frames = [seen((5 * frame, 100), (300 - 5 * frame, 130)) for frame in range(60)]
    numbers = [tracker.update(detections, at / 10).tolist() for at, detections in enumerate(frames)]
    assert numbers[0] == numbers[-1] == [1, 2]


def test_somebody_hidden_for_a_while_is_found_again_and_after_long_is_new() -> None:
    def after(frames_hidden: int) -> int:
        tracker = Tracker()
        for frame in range(20):
            tracker.update(seen((3 * frame, 100)), frame / 10)
        for frame in range(20, 20 + frames_hidden):
            tracker.update(seen(), frame / 10)
        frame = 20 + frames_hidden
        return int(tracker.update(seen((3 * frame, 100)), frame / 10)[0])

    assert after(10) == 1
    assert after(60) == 2


def test_frames_that_are_missing_only_lengthen_the_step() -> None:
    tracker = Tracker()
    for frame in (0, 1, 2, 3, 4, 8, 9, 14, 15):
        numbers = tracker.update(seen((4 * frame, 100)), frame / 10)
    assert numbers.tolist() == [1]


def test_faint_detections_keep_a_track_alive_but_begin_none() -> None:
    tracker = Tracker()
    assert tracker.update(seen((0, 100), confidence=0.3), 0.0).tolist() == [-1]
    for frame in range(1, 5):
        tracker.update(seen((0, 100)), frame / 10)
    assert tracker.update(seen((0, 100), confidence=0.3), 0.5).tolist() == [1]
    assert tracker.confirmed().tolist() == [1]


def test_two_trackers_do_not_know_of_each_other() -> None:
    first, second = Tracker(), Tracker()
    first.update(seen((0, 0), (100, 0)), 0.0)
    assert second.update(seen((0, 0)), 0.0).tolist() == [1]


def test_things_of_different_classes_are_never_one_track() -> None:
    tracker, person = Tracker(), seen((0, 100))
    tracker.update(person, 0.0)
    assert tracker.update(person._replace(category=np.array([2])), 0.1).tolist() == [2]


def test_appearance_tells_apart_those_who_overlap_alike() -> None:
    looks = np.eye(2, dtype=np.float32)
    tracker = Tracker()
    for frame in range(5):
        tracker.update(seen((0, 100), (8, 100)), frame / 10, descriptors=looks)
    numbers = tracker.update(seen((4, 100), (5, 100)), 0.5, descriptors=looks[::-1])
    assert numbers.tolist() == [2, 1]


def test_a_tracker_goes_on_after_a_restart_as_if_nothing_had_been(tmp_path) -> None:
    random = np.random.default_rng(3)
    frames = [
        seen(*(random.uniform(0, 300, (4, 2)) if f % 7 == 0 else random.normal(150, 40, (3, 2))))
        for f in range(60)
    ]
    whole, first = Tracker(TrackerSettings(seconds_lost=1.0)), Tracker(TrackerSettings(seconds_lost=1.0))
    expected = [whole.update(d, f / 10).tolist() for f, d in enumerate(frames)]
    got = [first.update(d, f / 10).tolist() for f, d in enumerate(frames[:30])]
    np.savez(tmp_path / "state.npz", **first.state())
    with np.load(tmp_path / "state.npz") as state:
        second = Tracker.restored(state)
    got += [second.update(d, (30 + f) / 10).tolist() for f, d in enumerate(frames[30:])]
    assert got == expected


def test_frames_out_of_order_and_settings_out_of_range_are_refused() -> None:
    tracker = Tracker()
    tracker.update(seen((0, 0)), 1.0)
    with pytest.raises(InputError, match="in order of time"):
        tracker.update(seen((0, 0)), 1.0)
    with pytest.raises(InputError, match="one row each"):
        tracker.update(seen((0, 0)), 2.0, descriptors=np.ones((2, 3), np.float32))
    with pytest.raises(InputError, match=r"low 0\.9 is greater than high"):
        TrackerSettings(low=0.9)
