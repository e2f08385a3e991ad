from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.tracking.leftovers import reassigned
from lookalike.tracking.linkage import constrained_average_linkage


def naive(evidence: np.ndarray, cannot: np.ndarray) -> list[list[int]]:
    """Average linkage written as its definition."""
    groups = [[at] for at in range(len(evidence))]
    while True:
        options = [
            (evidence[np.ix_(a, b)].mean(), i, j)
            for i, a in enumerate(groups)
            for j, b in enumerate(groups[:i])
            if not cannot[np.ix_(a, b)].any()
        ]
        if not options or max(options)[0] <= 0:
            return sorted(sorted(group) for group in groups)
        _, i, j = max(options)
        groups[j] += groups.pop(i)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 9), st.integers(0, 10_000))
def test_groups_are_those_of_the_definition_and_no_constraint_is_broken(n: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    evidence = random.normal(size=(n, n))
    evidence = evidence + evidence.T
    cannot = np.triu(random.random((n, n)) < 0.3, 1)
    cannot = cannot | cannot.T
    groups = constrained_average_linkage(evidence, cannot)
    assert not (cannot & (groups[:, None] == groups[None])).any()
    assert sorted(np.flatnonzero(groups == g).tolist() for g in np.unique(groups)) == naive(evidence, cannot)


def test_what_must_be_together_is_whatever_speaks_against_it() -> None:
    evidence = np.full((3, 3), -9.0)
    groups = constrained_average_linkage(evidence, np.ones((3, 3), np.bool_), must=[(0, 2)])
    assert groups.tolist() == [0, 1, 0]


def test_a_pair_that_cannot_be_is_not_outweighed_by_many_that_can() -> None:
    evidence = np.full((6, 6), 50.0)
    cannot = np.zeros((6, 6), np.bool_)
    cannot[0, 5] = cannot[5, 0] = True
    groups = constrained_average_linkage(evidence, cannot)
    assert groups[0] != groups[5]
    assert len(np.unique(groups)) == 2


def test_nothing_gives_no_groups() -> None:
    assert constrained_average_linkage(np.empty((0, 0)), np.empty((0, 0), np.bool_)).tolist() == []


def test_a_leftover_goes_to_the_identity_that_two_of_its_tracklets_point_to_unless_it_cannot() -> None:
    evidence = np.full((5, 5), -6.0)
    evidence[4, :2] = evidence[:2, 4] = 2.0
    groups = np.array([0, 0, 0, 1, 2])
    cannot = np.zeros((5, 5), np.bool_)
    assert reassigned(groups, evidence, cannot).tolist() == [0, 0, 0, 1, 0]
    cannot[4, 2] = cannot[2, 4] = True
    assert reassigned(groups, evidence, cannot).tolist() == [0, 0, 0, 1, 2]


def test_a_leftover_between_two_identities_stays_alone() -> None:
    evidence = np.full((5, 5), 2.0)
    groups = np.array([0, 0, 1, 1, 2])
    assert reassigned(groups, evidence, np.zeros((5, 5), np.bool_)).tolist() == [0, 0, 1, 1, 2]
