from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.sparse import csr_array

from clustered_vectors import clustered
from lookalike.tasks import joined_communities
from lookalike.tasks.joined_communities import JoinedCommunities
from lookalike.tasks.leiden import contracted, leiden
from lookalike.vectors.graph import fuzzy_graph, nearest_others

FALLING = (256.0, 64.0, 16.0, 4.0)


@pytest.fixture(scope="module")
def graph() -> csr_array:
    return fuzzy_graph(nearest_others(clustered(2000, clusters=60, spread=0.8), 10))


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Numbers of items of the graphs that were split."""
    seen: list[int] = []

    def watched(graph: csr_array, resolution: float, *, seed: int) -> np.ndarray:
        seen.append(graph.shape[0])
        return leiden(graph, resolution, seed=seed)

    monkeypatch.setattr(joined_communities, "leiden", watched)
    return seen


def test_only_the_finest_resolution_looks_at_the_whole_graph(graph: csr_array, sizes: list[int]) -> None:
    joined = JoinedCommunities(graph, seed=0)
    counts = [len(set(joined.at(resolution).tolist())) for resolution in FALLING]
    assert sizes == [2000, *counts[:-1]] and counts == sorted(counts, reverse=True)


def test_communities_are_joined_and_never_torn(graph: csr_array) -> None:
    joined = JoinedCommunities(graph, seed=0)
    found = [joined.at(resolution) for resolution in FALLING]
    for finer, coarser in pairwise(found):
        pairs = np.unique(np.column_stack([finer, coarser]), axis=0)
        assert len(pairs) == len(set(finer.tolist()))  # each finer community lies in one coarser


def modularity(graph: csr_array, labels: np.ndarray, resolution: float) -> float:
    """Of a split (Reichardt & Bornholdt 2006)."""
    share = contracted(graph, labels).toarray() / graph.sum()
    return float(share.trace() - resolution * (share.sum(axis=0) ** 2).sum())


def test_joined_communities_have_nearly_the_modularity_of_those_of_the_whole_graph(graph: csr_array) -> None:
    joined = JoinedCommunities(graph, seed=0)
    for resolution in FALLING:
        whole = modularity(graph, leiden(graph, resolution), resolution)
        assert modularity(graph, joined.at(resolution), resolution) >= whole - 0.03 * abs(whole)


def test_a_resolution_between_two_joins_the_finer_one_s(graph: csr_array, sizes: list[int]) -> None:
    joined = JoinedCommunities(graph, seed=0)
    joined.at(256.0)
    finer = len(set(joined.at(64.0).tolist()))
    joined.at(16.0)
    joined.at(32.0)
    assert sizes[-1] == finer
    joined.at(512.0)  # finer than all before
    assert sizes[-1] == 2000


def test_what_was_found_is_remembered_and_the_same_seed_gives_the_same(
    graph: csr_array, sizes: list[int]
) -> None:
    joined, other = JoinedCommunities(graph, seed=3), JoinedCommunities(graph, seed=3)
    for resolution in FALLING:
        assert np.array_equal(joined.at(resolution), other.at(resolution))
    before = len(sizes)
    joined.at(16.0)
    assert len(sizes) == before
