"""Communities of a graph by the Leiden algorithm, and their order.

Traag, Waltman & van Eck, "From Louvain to Leiden", 2019, doi:10.1038/s41598-019-41695-z, maximising modularity with a
resolution (Reichardt & Bornholdt 2006). The engine is graspologic-native.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lookalike.vectors.silhouette import NOISE, Labels

if TYPE_CHECKING:
    from scipy.sparse import csr_array

ROUNDS = 2
"""Full cycles of local moving, refinement and aggregation; a third changes next to nothing (measured)."""

ABSORBING_PASSES = 5


def leiden(graph: csr_array, resolution: float, *, seed: int = 0) -> Labels:
    """Split a graph into communities.

    Args:
        graph: float64 (n, n) CSR, symmetric, no negative weight. The diagonal is weight inside an item that stands
            for several, as :func:`contracted` makes them.
        resolution: Greater than 0; 1 is plain modularity, more gives more and smaller communities.
        seed: Of the order in which items are moved.

    Returns:
        int64 (n,), the community of each item; one without edges is a community by itself.
    """
    from graspologic_native import leiden_csr

    n = graph.shape[0]
    if graph.nnz == 0:
        return np.arange(n, dtype=np.int64)
    if graph.diagonal().any():
        return compressed(leiden(_inside_as_edges(graph), resolution, seed=seed)[:n])
    _, found = leiden_csr(
        graph.indptr.astype(np.int64),
        graph.indices.astype(np.int32),
        graph.data.astype(np.float64),
        n,
        resolution=float(resolution),
        iterations=ROUNDS,
        seed=seed,
    )
    labels = np.full(n, NOISE, dtype=np.int64)
    labels[np.fromiter(found.keys(), dtype=np.int64, count=len(found))] = np.fromiter(
        found.values(), dtype=np.int64, count=len(found)
    )
    alone = labels == NOISE
    labels[alone] = labels.max() + 1 + np.arange(int(alone.sum()))
    return labels


def contracted(graph: csr_array, labels: Labels) -> csr_array:
    """The graph whose items are a graph's communities.

    A split of it has the same modularity as the split of the items that it stands for.

    Args:
        graph: float64 (n, n) CSR, symmetric.
        labels: int64 (n,), communities 0 to c - 1.

    Returns:
        float64 (c, c) CSR, symmetric, sorted: the weight from community to community, and on the diagonal the weight
        inside one, both ways round.
    """
    from scipy.sparse import csr_array

    n = len(labels)
    which = csr_array((np.ones(n), labels, np.arange(n + 1)), shape=(n, int(labels.max()) + 1))
    between = csr_array(which.T @ (graph @ which))
    between.sort_indices()
    return between


def _inside_as_edges(graph: csr_array) -> csr_array:
    """A graph without diagonal: each item has the weight inside it as an edge to a companion of its own.

    The engine leaves a diagonal out of an item's weight. Item and companion together weigh what they should, and the
    companion, which has no other edge, stays in the item's community as long as that one has less than 1 / resolution
    of all weight; in one that has more, no item would stay.
    """
    from scipy.sparse import block_array, csr_array, diags_array

    inside = graph.diagonal()
    others = graph - diags_array(inside)
    edges = diags_array(inside / 2)
    whole = csr_array(block_array([[others, edges], [edges, None]]))
    whole.eliminate_zeros()
    whole.sort_indices()
    return whole


def absorb_small(graph: csr_array, labels: Labels, min_size: int) -> Labels:
    """Give items of clusters that are too small to the large cluster they have most edge weight with.

    Args:
        graph: float64 (n, n) CSR, symmetric.
        labels: int64 (n,), clusters 0 to c - 1, -1 for noise.
        min_size: Least number of items of a cluster.

    Returns:
        int64 (n,), clusters numbered without gaps; -1 for items that no path of small steps joins to a large one.
    """
    from scipy.sparse import csr_array

    sizes = np.bincount(labels[labels != NOISE], minlength=1)
    large = (labels != NOISE) & (sizes[labels] >= min_size)
    labels = compressed(np.where(large, labels, NOISE))
    groups = int(labels.max(initial=NOISE)) + 1
    homeless = np.flatnonzero(labels == NOISE)
    for _ in range(ABSORBING_PASSES):
        settled = np.flatnonzero(labels != NOISE)
        if not len(homeless) or not len(settled):
            break
        which = csr_array((np.ones(len(settled)), (settled, labels[settled])), shape=(len(labels), groups))
        shares = (graph[homeless] @ which).tocsr()
        shares.sort_indices()
        joined = np.diff(shares.indptr) > 0
        if not joined.any():
            break
        labels[homeless[joined]] = np.asarray(shares[np.flatnonzero(joined)].argmax(axis=1)).ravel()
        homeless = homeless[~joined]
    return labels


def compressed(labels: Labels) -> Labels:
    """The same clusters numbered 0, 1, 2... without gaps, in their order; noise stays noise."""
    present, places = np.unique(labels, return_inverse=True)
    return (places - int(len(present) > 0 and present[0] == NOISE)).astype(np.int64)


def by_size(labels: Labels) -> Labels:
    """The same clusters numbered by size, largest first, equal ones by their first item; noise stays noise."""
    tidy = compressed(labels)
    kept = tidy[tidy != NOISE]
    sizes = np.bincount(kept)
    groups, first = np.unique(tidy, return_index=True)
    starts = first[groups != NOISE]
    rank = np.empty(len(sizes), dtype=np.int64)
    rank[np.lexsort((starts, -sizes))] = np.arange(len(sizes))
    ordered = np.full(len(tidy), NOISE, dtype=np.int64)
    ordered[tidy != NOISE] = rank[kept]
    return ordered
