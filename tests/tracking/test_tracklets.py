from __future__ import annotations

import numpy as np
import pytest
from walkers import tracklet

from lookalike.errors import InputError
from lookalike.tracking.mending import joined, pieces_of_one
from lookalike.tracking.tracklets import Tracklet, conflicts, continued, divided, filled, tracklets_of


def still(n: int) -> np.ndarray:
    return np.tile([100.0, 200.0], (n, 1))


def test_sightings_are_grouped_by_track_and_short_tracks_left_out() -> None:
    frame = np.array([1, 1, 2, 2, 3, 3])
    track = np.array([4, -1, 4, 9, 4, 9])
    found = tracklets_of(
        "a", frame, frame / 10, np.ones((6, 4)), np.ones(6), np.array([1, 1, 2, 1, 2, 1]), track
    )
    assert [(t.number, t.frame.tolist(), t.category) for t in found] == [(4, [1, 2, 3], 2)]


def test_short_gaps_are_filled_on_a_straight_line_and_long_ones_left() -> None:
    whole = tracklet("a", 1, np.column_stack([np.arange(40) * 2.0 + 50, np.full(40, 100.0)]), 0.0)
    holes = whole.take(np.r_[0:10, 15:20, 39:40], number=1)
    again = filled(holes, seconds=1.0)
    assert again.frame.tolist() == [*range(1, 21), 40]
    assert again.box[:20] == pytest.approx(whole.box[:20])
    assert np.flatnonzero(~again.seen).tolist() == [10, 11, 12, 13, 14]


def test_only_tracklets_that_share_a_frame_of_one_camera_conflict() -> None:
    first = tracklet("a", 1, still(20), 0.0)
    same_time, later = (
        tracklet("a", 2, still(20), 0.5, first_frame=6),
        tracklet("a", 3, still(9), 3.0, first_frame=31),
    )
    other = tracklet("b", 1, still(20), 0.0)
    assert conflicts([first, same_time, later, other]).nonzero()[0].tolist() == [0, 1]


def test_a_track_is_cut_in_the_middle_of_doubt_but_not_into_crumbs() -> None:
    whole = tracklet("a", 7, still(60), 0.0)
    doubt = np.zeros(60, dtype=np.bool_)
    doubt[28:32] = doubt[2:4] = doubt[57:] = True
    assert [piece.frame[0] for piece in divided(whole, doubt, least_seconds=1.0)] == [1, 31]


def test_pieces_of_a_track_are_joined_unless_they_look_like_two_people_seen_at_once() -> None:
    pieces = [
        tracklet("a", 1, still(20), 0.0, track=1),
        tracklet("a", 2, still(20), 2.0, first_frame=21, track=1),
        tracklet("a", 3, still(20), 4.0, first_frame=41, track=1),
    ]
    looks = np.array([[1, 0], [0.8, 0.6], [-1, 0]], np.float32)
    assert continued(pieces) == [(0, 1), (1, 2)]
    groups = pieces_of_one(pieces, looks)
    assert groups.tolist() == [0, 0, 1]
    whole = joined(pieces, groups)
    assert [(t.number, len(t)) for t in whole] == [(1, 40), (3, 20)]


def test_columns_that_do_not_fit_or_ascend_are_refused() -> None:
    good = tracklet("a", 1, still(3), 0.0)
    with pytest.raises(InputError, match="do not ascend"):
        good.take(np.array([1, 0]), number=1)
    with pytest.raises(InputError, match="columns of shapes"):
        Tracklet("a", 1, good.frame, good.time[:2], good.box, good.confidence, good.seen, 1, 1)
