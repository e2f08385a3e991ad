from __future__ import annotations

import numpy as np
import pytest

from lookalike.errors import InputError
from lookalike.evaluate.tracking import Tracks, score_cameras, score_tracks


def tracks(rows: list[tuple[int, int, float]], ignored: list[bool] | None = None) -> Tracks:
    """Boxes of 10 x 20 pixels: frame, identity, left."""
    table = np.array(rows, dtype=np.float64).reshape(-1, 3)
    box = np.stack(
        [table[:, 2], np.zeros(len(table)), np.full(len(table), 10.0), np.full(len(table), 20.0)], axis=1
    )
    marks = None if ignored is None else np.array(ignored)
    return Tracks(table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), box, marks)


def crowd(seed: int) -> tuple[Tracks, Tracks]:
    """People who walk at random, and a tracker that loses and mixes them up."""
    random = np.random.default_rng(seed)
    n, truth, found = int(random.integers(2, 8)), [], []
    place, speed, ids = random.uniform(0, 150, (n, 2)), random.normal(0, 3, (n, 2)), np.arange(n)
    for frame in range(1, 60):
        place += speed
        if random.random() < 0.1:
            ids[random.integers(n)] = random.integers(100) + seed
        truth += [(frame, k, *place[k], 30, 60) for k in range(n) if random.random() < 0.9]
        used: set[int] = set()
        for k in range(n):
            if random.random() < 0.85 and int(ids[k]) not in used:
                used.add(int(ids[k]))
                x, y = place[k] + random.normal(0, 4, 2)
                found.append((frame, ids[k], x, y, 30 + random.normal(), 60))
    tables = [np.array(rows, dtype=np.float64) for rows in (truth, found)]
    first, second = (Tracks(t[:, 0].astype(np.int64), t[:, 1].astype(np.int64), t[:, 2:]) for t in tables)
    return first, second


# Computed with TrackEval 1.3 (HOTA, CLEAR, Identity) on the same boxes.
TRACKEVAL = {
    0: (0.482371, 0.555683, 0.418993, 0.791866, 0.670330, 0.667546, 0.749773, 14, 76),
    1: (0.477319, 0.544101, 0.419088, 0.788866, 0.679707, 0.634615, 0.751141, 5, 47),
    2: (0.532469, 0.550785, 0.514939, 0.791933, 0.796089, 0.705882, 0.750312, 2, 78),
    3: (0.452997, 0.542778, 0.378475, 0.787579, 0.613377, 0.676012, 0.743459, 7, 68),
}


@pytest.mark.parametrize("seed", TRACKEVAL)
def test_every_measure_agrees_with_trackeval(seed: int) -> None:
    scores = score_tracks(*crowd(seed)).as_dict()
    names = ("hota", "deta", "assa", "loca", "idf1", "mota", "motp", "switches", "fragmentations")
    assert [scores[name] for name in names] == pytest.approx(TRACKEVAL[seed], abs=1e-6)


def test_perfect_tracks_score_one_whatever_the_identities_are_called() -> None:
    truth = tracks([(f, i, 30 * i) for f in range(1, 6) for i in (1, 2)])
    renamed = tracks([(f, 70 + i, 30 * i) for f in range(1, 6) for i in (1, 2)])
    scores = score_tracks(truth, renamed)
    assert (scores.identity.idf1, scores.hota.hota, scores.clear.mota) == (1.0, 1.0, 1.0)


def test_a_new_number_in_the_second_camera_costs_identity_there_though_each_camera_is_perfect() -> None:
    truth = {c: tracks([(f, 1, 0) for f in range(1, 11)]) for c in ("a", "b")}
    found = {"a": truth["a"], "b": tracks([(f, 2, 0) for f in range(1, 11)])}
    scores = score_cameras(truth, found)
    assert [s.identity.idf1 for s in scores.cameras.values()] == [1.0, 1.0]
    assert scores.overall.identity.idf1 == 0.5
    assert scores.overall.hota.hota == pytest.approx(np.sqrt(0.5))
    assert scores.overall.clear.mota == 1.0  # nothing switches within a camera


def test_a_camera_that_found_nothing_counts_as_missed() -> None:
    truth = {c: tracks([(f, 1, 0) for f in range(1, 11)]) for c in ("a", "b")}
    scores = score_cameras(truth, {"a": truth["a"]})
    assert scores.overall.clear.misses == 10
    assert scores.overall.identity.idf1 == pytest.approx(2 * 10 / (2 * 10 + 10))
    assert scores.as_dict()["cameras"]["b"]["found"] == 0


def test_what_is_found_on_an_ignored_box_does_not_count() -> None:
    truth = tracks([(1, 1, 0), (1, 2, 100)], ignored=[False, True])
    found = tracks([(1, 5, 0), (1, 6, 102)])
    scores = score_tracks(truth, found)
    assert (scores.truths, scores.found, scores.clear.false_positives) == (1, 1, 0)


def test_without_boxes_there_is_no_score() -> None:
    scores = score_tracks(tracks([]), tracks([])).as_dict()
    assert all(np.isnan(scores[name]) for name in ("idf1", "hota", "mota"))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: score_tracks(tracks([(1, 1, 0), (1, 1, 50)]), tracks([])),
            "identity 1 is in frame 1 2 times",
        ),
        (lambda: score_tracks(tracks([]), tracks([]), least_iou=0), "least_iou is 0"),
        (lambda: score_cameras({"a": tracks([])}, {"b": tracks([])}), "tracks of b cannot be scored"),
    ],
)
def test_what_cannot_be_scored_is_refused_with_the_reason(call: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()  # type: ignore[operator]
