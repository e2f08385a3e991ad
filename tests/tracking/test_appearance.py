from __future__ import annotations

import numpy as np
import pytest

from lookalike.encoders.registry import load_encoder
from lookalike.errors import InputError
from lookalike.tracking.appearance import AppearanceSpace, describe_crops, pooled
from lookalike.tracking.colours import cielab, colour_statistics
from lookalike.tracking.crops import chosen, crop, frame_quality, usual_shape


def person(
    upper: tuple[int, int, int], lower: tuple[int, int, int], seed: int, *, tint: float = 0.0
) -> np.ndarray:
    random = np.random.default_rng(seed)
    picture = np.full((96, 40, 3), 128.0)
    picture[8:50, 8:32], picture[50:94, 10:30] = upper, lower
    picture += random.normal(0, 6, picture.shape) + tint * np.array([40, 0, -40])
    return np.clip(picture, 0, 255).astype(np.uint8)


def test_cielab_of_known_colours() -> None:
    colours = np.array([[255, 255, 255], [0, 0, 0], [255, 0, 0], [0, 0, 255]], np.uint8)
    expected = [[100, 0, 0], [0, 0, 0], [53.24, 80.09, 67.20], [32.30, 79.19, -107.86]]
    assert cielab(colours) == pytest.approx(np.array(expected), abs=0.05)


def test_colour_statistics_say_what_is_worn_where() -> None:
    stripes = colour_statistics(person((220, 20, 20), (20, 20, 220), 0)).reshape(6, 6)
    assert stripes[1, 1] > 30  # red above
    assert stripes[4, 2] < -30  # blue below
    assert colour_statistics(person((220, 20, 20), (20, 20, 220), 0)[:3, :2]).shape == (36,)


def test_people_are_found_again_in_a_camera_of_other_colours_once_means_are_taken_away() -> None:
    clothes = [((220, 30, 30), (30, 30, 30)), ((30, 30, 220), (200, 200, 200)), ((40, 160, 40), (90, 60, 20))]
    images = [person(*c, seed, tint=t) for t in (0.0, 1.0) for seed, c in enumerate(clothes)]
    cameras = ["a"] * 3 + ["b"] * 3
    parts = describe_crops(images, load_encoder())
    space = AppearanceSpace.fitted(parts, cameras, prior=0.0)
    embeddings = space.embed(parts, cameras)
    assert np.linalg.norm(embeddings, axis=1) == pytest.approx(np.ones(6), abs=1e-6)
    assert (embeddings[:3] @ embeddings[3:].T).argmax(axis=1).tolist() == [0, 1, 2]
    again = AppearanceSpace.restored(space.state())
    assert (again.embed(parts, cameras) == embeddings).all()


def test_a_camera_that_was_not_looked_at_takes_the_mean_of_all() -> None:
    parts = {"colour": np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)}
    space = AppearanceSpace.fitted(parts, ["a", "a", "a", "b", "b", "b"])
    assert space.embed(parts, ["new"] * 6).shape == (6, 4)
    assert space.embed({"colour": np.empty((0, 4), np.float32)}, []).shape == (0, 4)


def test_what_looks_like_the_mean_is_like_nothing() -> None:
    parts = {"network": np.array([[1, 2], [1, 2], [3, 0]], np.float32), "colour": np.ones((3, 4), np.float32)}
    space = AppearanceSpace.fitted({n: v[:2] for n, v in parts.items()}, ["a", "a"])
    embeddings = space.embed(parts, ["a", "a", "a"])
    assert (embeddings[:2] == 0).all()
    assert embeddings @ embeddings.T == pytest.approx(np.diag([0.0, 0.0, 1.0]))


def test_tracklets_are_means_of_their_crops_by_weight() -> None:
    parts = {"colour": np.array([[1, 0], [0, 1], [4, 4]], np.float32)}
    joined = pooled(parts, np.array([0, 0, 1]), np.array([3.0, 1.0, 1.0]), 2)
    assert joined["colour"].tolist() == [[0.75, 0.25], [4, 4]]
    with pytest.raises(InputError, match="tracklet 2 has no crop"):
        pooled(parts, np.array([0, 0, 1]), np.ones(3), 3)


def test_quality_prefers_large_whole_boxes_in_front() -> None:
    box = np.array([[100, 100, 40, 120], [110, 110, 40, 140], [300, 100, 20, 60], [0, 100, 40, 120.0]])
    quality, free = frame_quality(box, np.ones(4), width=640, height=360)
    assert free[0] < 0.5
    assert free[1:].tolist() == [1, 1, 1]
    assert quality.argmax() == 1
    assert quality[3] < 0.5 * quality[1]
    assert usual_shape(np.array([[0, 0, 20, 60], [0, 0, 20, 60], [0, 0, 60, 60.0]]))[2] < 0.1


def test_crops_are_chosen_from_all_of_a_tracklet_and_never_without_worth() -> None:
    assert chosen(np.array([0.1, 0.9, 0.2, 0.3, 0.0, 0.0]), most=3).tolist() == [1, 3]
    assert chosen(np.zeros(5), most=3).tolist() == []
    picture = np.zeros((10, 10, 3), np.uint8)
    part = crop(picture, np.array([-5.0, 8.0, 8.0, 9.0]))
    assert part is not None
    assert part.shape == (2, 3, 3)
    assert crop(picture, np.array([20.0, 2.0, 3.0, 3.0])) is None


def test_parts_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="an encoder for network"):
        describe_crops([], None)
    with pytest.raises(InputError, match="at least one tracklet"):
        AppearanceSpace.fitted({"colour": np.empty((0, 4), np.float32)}, [])
    space = AppearanceSpace.fitted({"colour": np.ones((2, 4), np.float32)}, ["a", "b"])
    with pytest.raises(InputError, match="expected colour"):
        space.embed({"network": np.ones((2, 4), np.float32)}, ["a", "b"])
