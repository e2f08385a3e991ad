"""Parts of a picture cover it, and the best of them decides."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clustered_vectors import clustered
from lookalike.encoders.pooling import pool
from lookalike.errors import InputError
from lookalike.tasks.regions import FINER_SCALES, MOST_ALONG, nearest_to_any, pooled_regions, windows
from lookalike.vectors.metrics import cosine

SIZES = st.integers(1, 3000)


@settings(max_examples=200)
@given(width=SIZES, height=SIZES)
def test_windows_are_squares_inside_that_leave_no_pixel_out(width: int, height: int) -> None:
    boxes = windows(width, height, scales=FINER_SCALES)
    assert len(boxes) == len(set(boxes))
    for left, top, right, bottom in boxes:
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height
        assert right - left == bottom - top
    for side in {right - left for left, _, right, _ in boxes}:
        for axis, length in ((0, width), (1, height)):
            edges = sorted({box[axis] for box in boxes if box[2] - box[0] == side})
            assert edges[0] <= 1
            assert edges[-1] + side >= length - 1
            if length <= MOST_ALONG * side:  # else windows have to stand apart
                assert all(b - a <= side for a, b in pairwise(edges))


def test_neighbouring_windows_overlap_by_more_than_half() -> None:
    lefts = sorted({box[0] for box in windows(640, 480) if box[2] - box[0] == 384})
    assert lefts == [0, 128, 256]
    assert len(windows(640, 480)) == 8
    assert len(windows(500, 500)) == 5


def test_a_panorama_has_a_bounded_number_of_windows() -> None:
    assert len(windows(100_000, 100)) <= 3 * MOST_ALONG


def test_pooled_regions_are_the_encoders_pooling_of_parts_of_the_map_whole_first() -> None:
    features = np.random.default_rng(0).random((7, 7, 5), dtype=np.float32)
    regions = pooled_regions(features, "gem")
    assert regions.shape == (30, 5)
    np.testing.assert_array_equal(regions[0], pool(features, "gem"))
    np.testing.assert_array_equal(regions[1], pool(features[:6, :6], "gem"))
    np.testing.assert_array_equal(regions[-1], pool(features[3:, 3:], "gem"))
    np.testing.assert_array_equal(pooled_regions(features, "gem", levels=2), regions[:5])


def test_small_maps_have_each_region_once() -> None:
    features = np.random.default_rng(0).random((2, 2, 3), dtype=np.float32)
    regions = pooled_regions(features, "gap")
    assert len(regions) == len(np.unique(regions, axis=0)) == 5
    assert pooled_regions(features[:1, :1], "gap").shape == (1, 3)


@pytest.mark.parametrize("k", [1, 5, 40])
def test_the_nearest_to_any_vector_are_those_of_the_best_score(k: int) -> None:
    queries, gallery = clustered(6, seed=1), clustered(200)
    scores = cosine(queries, gallery)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    rows, best = nearest_to_any(order + 1000, np.take_along_axis(scores, order, axis=1), k)
    expected = np.argsort(-scores.max(axis=0), kind="stable")[:k]
    np.testing.assert_array_equal(rows, expected + 1000)
    np.testing.assert_array_equal(best, scores.max(axis=0)[expected])


def test_missing_neighbours_are_no_answers() -> None:
    rows = np.array([[4, -1, -1], [-1, -1, -1], [7, 4, -1]])
    scores = np.array([[0.5, -np.inf, -np.inf], [-np.inf] * 3, [0.4, 0.3, -np.inf]], np.float32)
    found, best = nearest_to_any(rows, scores, 3)
    assert found.tolist() == [4, 7]
    np.testing.assert_allclose(best, [0.5, 0.4])


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(InputError, match="at least 1 x 1"):
        windows(0, 5)
    with pytest.raises(InputError, match="at most 1"):
        windows(5, 5, scales=(1.5,))
    with pytest.raises(InputError, match="levels 5"):
        pooled_regions(np.ones((7, 7, 2), np.float32), "gap", levels=5)
