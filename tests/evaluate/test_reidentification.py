from __future__ import annotations

import numpy as np
import pytest

from lookalike.errors import InputError
from lookalike.evaluate.reidentification import score_reidentification


def test_measures_by_hand_with_the_own_camera_and_junk_taken_out() -> None:
    # ranking: own camera's view (left out), junk (left out), wrong, right, wrong, right
    people = ["7", "-1", "3", "7", "5", "7"]
    cameras = ["c1", "c2", "c2", "c2", "c3", "c3"]
    scores = np.array([[0.9, 0.8, 0.7, 0.6, 0.5, 0.4]])
    found = score_reidentification(scores, ["7"], ["c1"], people, cameras)
    assert found.cmc == {1: 0.0, 5: 1.0}
    assert found.mean_average_precision == pytest.approx((1 / 2 + 2 / 4) / 2)
    assert found.mean_inverse_negative_penalty == pytest.approx(2 / 4)


def test_a_person_whom_no_other_camera_saw_is_no_query() -> None:
    scores = np.array([[0.9, 0.1], [0.2, 0.8]])
    found = score_reidentification(scores, ["1", "2"], ["a", "a"], ["1", "2"], ["a", "b"])
    assert (found.queries, found.cmc[1]) == (1, 1.0)


def test_without_answers_there_is_no_score() -> None:
    assert np.isnan(score_reidentification(np.zeros((1, 1)), ["1"], ["a"], ["2"], ["b"]).as_dict()["map"])


def test_numbers_that_differ_are_refused() -> None:
    with pytest.raises(InputError, match=r"scores \(1, 2\) for 1 people"):
        score_reidentification(np.zeros((1, 2)), ["1"], ["a"], ["2"], ["b"])
