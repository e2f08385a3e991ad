from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lookalike.tasks.recommend.selection import interleaved, shared_slots, varied
from lookalike.vectors.metrics import normalise


@given(st.lists(st.integers(0, 3), min_size=1, max_size=40), st.integers(1, 12), st.floats(1, 3))
def test_no_interest_takes_more_than_its_slots_while_another_has_candidates(
    owners: list[int], k: int, slots: float
) -> None:
    importance = np.array([0.5, 0.25, 0.15, 0.1])
    taken = shared_slots(np.arange(len(owners)), np.array(owners), importance, k, slots)
    assert len(taken) == len(set(taken.tolist())) == min(k, len(owners))
    own = np.bincount(np.array(owners)[taken], minlength=4)
    left = np.bincount(owners, minlength=4) - own
    most = np.ceil(importance * k * slots)
    for interest in range(4):
        if own[interest] > most[interest]:  # only because nobody else could take the slot
            assert all(
                left[other] == 0 or own[other] >= most[other] for other in range(4) if other != interest
            )


def test_slots_without_limit_keep_the_order() -> None:
    order = np.array([3, 1, 2, 0])
    taken = shared_slots(order, np.zeros(4, dtype=np.int64), np.array([1.0]), 3, math.inf)
    assert taken.tolist() == [3, 1, 2]


def test_a_small_interest_gets_its_place_before_a_great_one_takes_all() -> None:
    owners = np.array([0] * 10 + [1])
    taken = shared_slots(np.arange(11), owners, np.array([0.4, 0.6]), 10, 1.0)
    assert 10 in taken.tolist()[:5]


def test_diversity_prefers_what_is_unlike_the_first() -> None:
    vectors = normalise(np.array([[1, 0, 0], [1, 0.01, 0], [1, 0, 0.01], [0, 1, 0]], dtype=np.float32))
    scores = np.array([1.0, 0.99, 0.98, 0.5])
    assert varied(scores, vectors, 2, 0.0).tolist() == [0, 1, 2, 3]
    order = varied(scores, vectors, 2, 0.8)
    assert order[:2].tolist() == [0, 3]
    assert sorted(order.tolist()) == [0, 1, 2, 3]


@given(st.integers(0, 30), st.integers(0, 30))
def test_two_kinds_are_interleaved_evenly(first: int, second: int) -> None:
    places = interleaved(first, second)
    assert len(places) == first + second
    assert places.sum() == second
    if second:
        share = second / (first + second)
        for end in range(len(places) + 1):
            assert abs(places[:end].sum() - share * end) < 1


def test_copies_are_ordered_too_when_nothing_new_is_left() -> None:
    vectors = normalise(np.repeat(np.eye(2, 3), 20, axis=0))
    order = varied(np.linspace(1, 0, 40), vectors, 40, 0.7)
    assert sorted(order.tolist()) == list(range(40))
    assert {order[0] // 20, order[1] // 20} == {0, 1}
    left = [at for at in range(40) if at not in order[:2].tolist()]
    assert order[2:].tolist() == left  # by score, since nothing is new any more
