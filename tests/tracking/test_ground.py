from __future__ import annotations

import numpy as np
import pytest
from walkers import FIRST, SECOND, to_picture, tracklet, walk

from lookalike.tracking.ground import distance, fit_homography, learn_homography, meeting, project


def meetings(random: np.random.Generator, *, right: int, wrong: int) -> list:
    found = []
    for at in range(right + wrong):
        way = walk(random, 5.0)
        other = way if at < right else walk(random, 5.0)
        a = tracklet("a", 1, to_picture(FIRST, way), 0.0)
        b = tracklet("b", 1, to_picture(SECOND, other), 0.0)
        met = meeting(a, b, heights=(10_000, 10_000))
        assert met is not None
        found.append(met)
    return found


def test_the_homography_is_found_though_some_pairs_are_wrong() -> None:
    random = np.random.default_rng(0)
    all_pairs = meetings(random, right=8, wrong=4)
    homography = learn_homography([all_pairs[at] for at in random.permutation(len(all_pairs))])
    assert homography is not None
    ground = random.uniform(1, 9, (50, 2))
    assert project(homography, to_picture(FIRST, ground)) == pytest.approx(
        to_picture(SECOND, ground), abs=0.5
    )
    apart = [distance(met, homography) for met in all_pairs]
    assert max(apart[:8]) < 0.02
    assert min(apart[8:]) > 0.35


def test_pairs_that_agree_on_nothing_give_no_homography() -> None:
    assert learn_homography(meetings(np.random.default_rng(1), right=0, wrong=6)) is None
    assert learn_homography(meetings(np.random.default_rng(1), right=2, wrong=0)) is None


def test_points_on_one_line_give_no_homography() -> None:
    way = np.column_stack([np.linspace(1, 9, 30), np.full(30, 4.0)])
    a, b = (tracklet(c, 1, to_picture(m, way), 0.0) for c, m in (("a", FIRST), ("b", SECOND)))
    met = meeting(a, b, heights=(10_000, 10_000))
    assert met is not None
    assert fit_homography([met, met]) is None


def test_feet_below_the_picture_are_no_meeting() -> None:
    feet = np.tile([100.0, 359.5], (30, 1))
    a, b = tracklet("a", 1, feet, 0.0), tracklet("b", 1, feet, 0.0)
    assert meeting(a, b, heights=(360, 360)) is None
    assert meeting(a, tracklet("b", 1, feet, 100.0), heights=(10_000, 10_000)) is None


def test_more_agreement_is_asked_for_where_nobody_said_that_views_overlap() -> None:
    pairs = meetings(np.random.default_rng(0), right=4, wrong=6)
    assert learn_homography(pairs) is not None
    assert learn_homography(pairs, fewest=5) is None
    assert learn_homography(pairs, least_share=0.5) is None
