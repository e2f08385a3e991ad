from __future__ import annotations

import numpy as np
import pytest

from lookalike.errors import InputError
from lookalike.tracking.background import Background
from lookalike.tracking.boxes import iou
from lookalike.tracking.motion_detector import MotionDetector

HEIGHT, WIDTH = 180, 320


@pytest.fixture
def scene() -> np.ndarray:
    random = np.random.default_rng(0)
    coarse = random.integers(60, 200, (HEIGHT // 20, WIDTH // 20, 3))
    return np.kron(coarse, np.ones((20, 20, 1))).astype(np.float64)


def frame(scene: np.ndarray, people: list[tuple[int, int]], seed: int, *, gain: float = 1.0) -> np.ndarray:
    """People of 16 x 48 pixels in blue and red at (left, top), each with a shadow to the right, and noise."""
    picture = scene * gain
    for left, top in people:
        picture[top + 36 : top + 48, left + 16 : left + 46] *= 0.8
        picture[top : top + 24, left : left + 16] = (20, 30, 220)
        picture[top + 24 : top + 48, left : left + 16] = (220, 30, 20)
    noise = np.random.default_rng(seed).normal(0, 2, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


@pytest.fixture
def detector(scene: np.ndarray) -> MotionDetector:
    detector = MotionDetector()
    detector.prime(frame(scene, [(10 * n, 60)], n) for n in range(20))
    return detector


def test_people_are_found_without_their_shadows(scene: np.ndarray, detector: MotionDetector) -> None:
    found = detector.detect(frame(scene, [(50, 40), (200, 100)], 99), 0.0)
    truth = np.array([[50, 40, 16, 48], [200, 100, 16, 48]], dtype=np.float64)
    assert len(found.box) == 2
    assert iou(truth, found.box).max(axis=1) == pytest.approx([1, 1], abs=0.25)


def test_an_empty_scene_has_nobody_in_it_whatever_the_exposure(
    scene: np.ndarray, detector: MotionDetector
) -> None:
    for gain in (1.0, 1.25, 0.8):
        assert len(detector.detect(frame(scene, [], 7, gain=gain), 0.0).box) == 0


def test_two_who_walk_side_by_side_are_two_once_it_is_known_how_tall_people_are(
    scene: np.ndarray, detector: MotionDetector
) -> None:
    random = np.random.default_rng(1)
    for n in range(80):
        detector.detect(
            frame(scene, [(int(random.integers(20, 250)), int(random.integers(20, 120)))], n), n / 10
        )
    picture = frame(scene, [(100, 80), (122, 84)], 5)
    picture[104:112, 116:122] = (20, 30, 220)  # hand in hand
    assert len(detector.detect(picture, 9.0).box) == 2


def test_large_frames_are_reduced_and_boxes_are_in_their_pixels(scene: np.ndarray) -> None:
    detector = MotionDetector()
    large = [np.kron(frame(scene, [(10 * n, 60)], n), np.ones((4, 4, 1), np.uint8)) for n in range(9)]
    detector.prime(large)
    found = detector.detect(np.kron(frame(scene, [(200, 100)], 50), np.ones((4, 4, 1), np.uint8)), 0.0)
    assert iou(np.array([[800.0, 400.0, 64.0, 192.0]]), found.box).max() > 0.7


def test_nothing_is_said_before_the_scene_is_known_or_when_all_of_it_changes(
    scene: np.ndarray, detector: MotionDetector
) -> None:
    assert len(MotionDetector().detect(frame(scene, [(50, 40)], 1), 0.0).box) == 0
    assert len(detector.detect(frame(scene[::-1, ::-1].copy(), [], 1), 0.0).box) == 0


def test_a_detector_goes_on_after_a_restart_as_if_nothing_had_been(scene: np.ndarray, tmp_path) -> None:
    def boxes(detector: MotionDetector, first: int, last: int) -> list:
        return [
            detector.detect(frame(scene, [(5 * n, 60)], n), n / 2).box.tolist() for n in range(first, last)
        ]

    whole, first = MotionDetector(), MotionDetector()
    expected, got = boxes(whole, 0, 50), boxes(first, 0, 25)
    np.savez(tmp_path / "state.npz", **first.state())
    second = MotionDetector()
    with np.load(tmp_path / "state.npz") as state:
        second.restore(state)
    assert got + boxes(second, 25, 50) == expected
    assert any(expected)


def test_a_background_without_samples_is_refused() -> None:
    with pytest.raises(InputError, match="at least 3"):
        Background(samples=1)
