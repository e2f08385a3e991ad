from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from walkers import FIRST, SECOND, looks, to_picture, tracklet, walk

from lookalike.errors import InputError
from lookalike.tracking.association import AssociationSettings, associate
from lookalike.tracking.cameras import Camera
from lookalike.tracking.gates import gates, learn_crossings
from lookalike.tracking.neighbourhoods import reciprocal_similarity
from lookalike.tracking.online import OnlineAssociation

PEOPLE = 12
CAMERAS = [
    Camera("a", "a.mp4", "video", overlaps=("b",)),
    Camera("b", "b.mp4", "video", overlaps=("a",)),
    Camera("c", "c.mp4", "video", overlaps=()),
]


def place(seed: int, *, noise: float) -> tuple[list, np.ndarray, np.ndarray]:
    """Everybody walks before a and b at one time, and 20 s later before c; two are there at any time."""
    random = np.random.default_rng(seed)
    tracklets, people = [], []
    for person in range(PEOPLE):
        start = 4.0 * person
        way = walk(random, 8.0)
        for camera, matrix in (("a", FIRST), ("b", SECOND)):
            feet = to_picture(matrix, way)
            tracklets.append(tracklet(camera, person + 1, feet, start, first_frame=int(10 * start) + 1))
            people.append(person)
        feet = to_picture(FIRST, walk(random, 6.0))
        tracklets.append(tracklet("c", person + 1, feet, start + 28, first_frame=int(10 * start) + 281))
        people.append(person)
    truth = np.array(people)
    return tracklets, truth, looks(random, truth, noise=noise)


def agreement(groups: np.ndarray, truth: np.ndarray) -> float:
    """F1 of pairs."""
    upper = np.triu(np.ones((len(truth), len(truth)), np.bool_), 1)
    found, right = (groups[:, None] == groups[None]) & upper, (truth[:, None] == truth[None]) & upper
    return 2 * np.count_nonzero(found & right) / (np.count_nonzero(found) + np.count_nonzero(right))


@pytest.mark.parametrize("seed", range(3))
def test_everybody_is_found_again_in_all_cameras(seed: int) -> None:
    tracklets, truth, embeddings = place(seed, noise=0.5)
    found = associate(tracklets, embeddings, CAMERAS)
    assert agreement(found.identity, truth) == 1.0
    assert found.identity[0] == 0
    assert ("a", "b") in found.gates.homographies


@pytest.mark.parametrize("seed", range(3))
def test_common_ground_finds_those_whom_appearance_alone_does_not(seed: int) -> None:
    tracklets, truth, embeddings = place(seed, noise=1.3)
    views = [at for at, t in enumerate(tracklets) if t.camera != "c"]
    some, names = [tracklets[at] for at in views], embeddings[views]
    alone = associate(some, names, CAMERAS, settings=AssociationSettings(use_gates=False))
    with_place = associate(some, names, CAMERAS)
    # those who were before both cameras at one time are one person there; who comes back later is another matter
    pairs = with_place.identity.reshape(-1, 2)
    assert np.mean(pairs[:, 0] == pairs[:, 1]) > 0.9
    assert agreement(with_place.identity, truth[views]) > agreement(alone.identity, truth[views]) + 0.1


def test_nobody_is_twice_in_a_frame_or_at_two_places_at_once_though_all_look_alike() -> None:
    tracklets, _, _ = place(0, noise=0.5)
    alike = np.ones((len(tracklets), 4), np.float32) / 2
    found = associate(tracklets, alike, CAMERAS)
    same = found.identity[:, None] == found.identity[None]
    assert not (same & found.gates.cannot).any()
    assert found.gates.reasons["one camera, one frame"] > 0
    assert found.gates.reasons["too far apart to travel"] > 0


def test_corrections_hold_and_those_that_contradict_are_refused() -> None:
    tracklets, truth, embeddings = place(1, noise=0.5)
    found = associate(tracklets, embeddings, CAMERAS, must=[(0, 3)], cannot=[(6, 8)])
    assert found.identity[0] == found.identity[3]
    assert found.identity[6] != found.identity[8]
    with pytest.raises(InputError, match="take one of the corrections back"):
        associate(tracklets, embeddings, CAMERAS, must=[(0, 3), (3, 6)], cannot=[(0, 6)])
    with pytest.raises(InputError, match="two different numbers"):
        associate(tracklets, embeddings, CAMERAS, must=[(0, 99)])
    with pytest.raises(InputError, match="one row each"):
        associate(tracklets, embeddings[:-1], CAMERAS)
    assert truth[0] != truth[3]


def test_the_same_input_gives_the_same_identities_and_few_tracklets_are_no_trouble() -> None:
    tracklets, _, embeddings = place(2, noise=0.9)
    first, second = (associate(tracklets, embeddings, CAMERAS).identity for _ in range(2))
    assert first.tolist() == second.tolist()
    for n in range(4):
        assert len(associate(tracklets[:n], embeddings[:n], CAMERAS).identity) == n


def test_a_stricter_rate_of_false_matches_matches_less() -> None:
    tracklets, _, embeddings = place(0, noise=1.0)
    counts = [
        len(np.unique(associate(tracklets, embeddings, CAMERAS, settings=s).identity))
        for s in (AssociationSettings(false_match_rate=rate, reassign=False) for rate in (0.2, 0.001))
    ]
    assert counts[0] <= counts[1]


def test_travel_times_are_learned_from_crossings_or_taken_from_the_cameras() -> None:
    tracklets, truth, embeddings = place(0, noise=0.5)
    learned = learn_crossings(tracklets, truth)
    assert learned["b", "c"] == learned["c", "b"] == pytest.approx(0.5 * (28 - 7.9), abs=0.1)
    assert ("a", "b") not in learned
    similarity = (embeddings @ embeddings.T).astype(np.float64)
    said = [replace(CAMERAS[0], neighbours={"c": (60.0, 90.0)}), *CAMERAS[1:]]
    known = gates(tracklets, said, similarity)
    said = [replace(CAMERAS[0], neighbours={"c": (18.0, 24.0)}), *CAMERAS[1:]]
    expected = gates(tracklets, said, similarity).expected
    assert expected[0, 2]  # 20 s from a to c
    assert not expected[0, 8]  # 28 s
    assert not expected[1, 2]  # nothing is said of b
    assert known.cannot[0, 2]  # the first person is before c 20 s after a
    assert not gates(tracklets, CAMERAS, similarity, crossings=learned).cannot[0, 2]


def test_neighbourhoods_sharpen_what_noise_blurs() -> None:
    random = np.random.default_rng(5)
    people = np.repeat(np.arange(10), 6)
    embeddings = looks(random, people, noise=1.2, d=24).astype(np.float64)
    plain = embeddings @ embeddings.T
    sharp = reciprocal_similarity(plain)
    upper = np.triu(np.ones(plain.shape, np.bool_), 1)
    same = people[:, None] == people[None]

    def separation(values: np.ndarray) -> float:
        one, two = values[upper & same], values[upper & ~same]
        return float((one.mean() - two.mean()) / np.sqrt((one.var() + two.var()) / 2))

    assert sharp == pytest.approx(sharp.T)
    assert separation(sharp) > 1.15 * separation(plain)
    with pytest.raises(InputError, match="at least 1"):
        reciprocal_similarity(plain, k1=0)


@pytest.mark.parametrize("given", [True, False])
def test_online_identities_agree_with_the_people_and_only_change_by_a_merge_that_is_told(given: bool) -> None:
    scores = []
    for seed in range(5):
        tracklets, truth, embeddings = place(seed, noise=0.4)
        line = associate(tracklets, embeddings, CAMERAS).cosine_threshold if given else None
        online, known = OnlineAssociation(CAMERAS, threshold=line), {}
        for at in sorted(range(len(tracklets)), key=lambda at: tracklets[at].end):
            t = tracklets[at]
            before = dict(known)
            known[t.camera, t.number] = online.observe(t.camera, t.number, t.start, t.end, embeddings[at])
            merged = {e.identity: e.into for e in online.events() if e.change == "merged"}
            for key in before:
                now = online.identity_of(*key)
                assert now == before[key] or now == merged[before[key]]
                known[key] = now
        scores.append(agreement(np.array([known[t.camera, t.number] for t in tracklets]), truth))
    assert np.mean(scores) > 0.93


def test_online_memory_is_bounded_and_what_is_forgotten_is_told() -> None:
    random = np.random.default_rng(0)
    online = OnlineAssociation(CAMERAS, memory_seconds=100.0, most_identities=5)
    for number in range(50):
        online.observe("a", number, 10.0 * number, 10.0 * number + 5, looks(random, np.array([0]))[0])
        assert len(online) <= 5
    events = online.events()
    assert sum(e.change == "new" for e in events) == 50
    assert sum(e.change == "forgotten" for e in events) == 45
    assert online.identity_of("a", 0) is None
    assert online.events() == []


def test_a_track_keeps_its_identity_while_it_grows() -> None:
    random = np.random.default_rng(1)
    online = OnlineAssociation(CAMERAS)
    for end in (1.0, 2.0, 3.0):
        identity = online.observe("a", 7, 0.0, end, looks(random, np.array([0]))[0])
    assert (identity, len(online)) == (1, 1)
    with pytest.raises(InputError, match="before it starts"):
        online.observe("a", 8, 5.0, 4.0, looks(random, np.array([0]))[0])
    with pytest.raises(InputError, match="expected one kind"):
        online.observe("a", 8, 5.0, 6.0, np.ones(3, np.float32))
