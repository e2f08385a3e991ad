from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array, diags_array

from clustered_vectors import clustered
from lookalike.tasks.leiden import absorb_small, by_size, compressed, contracted, leiden
from lookalike.vectors.graph import fuzzy_graph, nearest_others


def edges(pairs: list[tuple[int, int, float]], n: int) -> csr_array:
    one, other, weight = (np.array(each) for each in zip(*pairs, strict=True))
    half = csr_array((weight.astype(np.float64), (one, other)), shape=(n, n))
    return (half + half.T).tocsr()


def cliques(*sizes: int) -> csr_array:
    """Groups that are wholly joined, each to the next by one weak edge."""
    pairs, first = [], 0
    for size in sizes:
        members = range(first, first + size)
        pairs += [(a, b, 1.0) for a in members for b in members if a < b]
        if first:
            pairs.append((first - 1, first, 0.1))
        first += size
    return edges(pairs, first)


def test_groups_that_are_joined_inside_are_found() -> None:
    assert leiden(cliques(5, 7, 6), 1.0).tolist() in (
        [a] * 5 + [b] * 7 + [c] * 6
        for a in range(3)
        for b in range(3)
        for c in range(3)
        if len({a, b, c}) == 3
    )


def test_items_without_edges_are_alone() -> None:
    lonely = csr_array((4, 4))
    assert sorted(leiden(lonely, 1.0).tolist()) == [0, 1, 2, 3]
    some = edges([(0, 1, 1.0), (1, 2, 1.0), (0, 2, 1.0)], 5)
    labels = leiden(some, 1.0)
    assert labels[0] == labels[1] == labels[2] and len(set(labels.tolist())) == 3


def test_more_resolution_gives_more_communities_and_a_seed_the_same() -> None:
    graph = fuzzy_graph(nearest_others(clustered(600), 10))
    counts = [len(set(leiden(graph, r).tolist())) for r in (0.25, 4.0, 64.0)]
    assert counts == sorted(counts) and counts[0] < counts[-1]
    assert np.array_equal(leiden(graph, 4.0, seed=3), leiden(graph, 4.0, seed=3))


def modularity(graph: csr_array, labels: np.ndarray, resolution: float) -> float:
    """Of a split, with the diagonal as weight inside an item (Reichardt & Bornholdt 2006)."""
    everything = graph.sum()
    between = contracted(graph, labels).toarray()
    return float(between.trace() / everything - resolution * ((between.sum(axis=0) / everything) ** 2).sum())


def test_a_graph_of_communities_has_the_weight_between_and_inside_them() -> None:
    graph = edges([(0, 1, 1.0), (1, 2, 2.0), (2, 3, 4.0), (0, 3, 0.5)], 4)
    between = contracted(graph, np.array([0, 0, 1, 1]))
    assert between.toarray().tolist() == [[2.0, 2.5], [2.5, 8.0]]
    assert between.has_sorted_indices


def test_a_split_of_communities_has_the_modularity_of_the_split_of_their_items() -> None:
    graph = fuzzy_graph(nearest_others(clustered(600), 10))
    parts = leiden(graph, 64.0)
    small = contracted(graph, parts)
    joined = leiden(small, 4.0)
    assert len(set(joined.tolist())) < small.shape[0] < 600
    assert modularity(small, joined, 4.0) == pytest.approx(modularity(graph, joined[parts], 4.0))
    assert modularity(graph, joined[parts], 4.0) > 0.98 * modularity(graph, leiden(graph, 4.0), 4.0)


def test_the_weight_inside_an_item_counts() -> None:
    """Two items with one edge join when they weigh little, and not when they stand for much."""
    light = edges([(0, 1, 1.0), (2, 3, 1.0)], 4)
    heavy = csr_array(light + diags_array([40.0, 40.0, 0.0, 0.0]))
    assert leiden(light, 1.0).tolist() in ([0, 0, 1, 1], [1, 1, 0, 0])
    labels = leiden(heavy, 1.0).tolist()
    assert labels[0] != labels[1] and labels[2] == labels[3] and sorted(set(labels)) == [0, 1, 2]


def test_small_clusters_join_the_large_one_they_have_most_to_do_with() -> None:
    graph = edges(
        [(0, 1, 1.0), (1, 2, 1.0), (3, 4, 1.0), (4, 5, 1.0), (2, 6, 0.2), (3, 6, 0.7), (6, 7, 1.0)], 9
    )
    labels = absorb_small(graph, np.array([0, 0, 0, 1, 1, 1, 2, 2, 3]), 3)
    assert labels.tolist() == [0, 0, 0, 1, 1, 1, 1, 1, -1]  # 7 follows 6; 8 is joined to nobody


def test_clusters_are_numbered_by_size() -> None:
    assert compressed(np.array([7, -1, 3, 7])).tolist() == [1, -1, 0, 1]
    assert by_size(np.array([4, 4, 9, 9, 9, -1, 2, 2])).tolist() == [1, 1, 0, 0, 0, -1, 2, 2]
    assert by_size(np.array([-1, -1])).tolist() == [-1, -1]
