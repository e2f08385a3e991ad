"""Pairs to groups, so that no chain joins strangers.

If A is a copy of B and B of C, connected components put A and C together, however different they are. Here a group is
complete: every pair of its members was compared and lies below the threshold (complete linkage: Defays 1977,
https://doi.org/10.1093/comjnl/20.4.364). Pairs are taken best first, and two groups are joined only if all pairs across
them hold; otherwise they stay apart.
"""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.tasks.duplicate_threshold import Joins
from lookalike.types import Rows


class Group(NamedTuple):
    """Copies of one picture.

    Args:
        members: int64 (m,), ascending rows, m at least 2.
        residual: Of the weakest pair.
    """

    members: Rows
    residual: float


def components(first: Rows, second: Rows) -> list[Rows]:
    """Rows that pairs connect, directly or by others.

    Args:
        first, second: int64 (n,), the pairs.

    Returns:
        Ascending rows of each component, components by their first row.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not len(first):
        return []
    rows, positions = np.unique(np.concatenate([first, second]), return_inverse=True)
    left, right = positions[: len(first)], positions[len(first) :]
    edges = coo_array((np.ones(len(left), dtype=np.int8), (left, right)), shape=(len(rows), len(rows)))
    labels = connected_components(edges, directed=False)[1]
    order = np.argsort(labels, kind="stable")
    parts = np.split(rows[order], np.flatnonzero(np.diff(labels[order])) + 1)
    return sorted(parts, key=lambda part: int(part[0]))


def spanning_forest(first: Rows, second: Rows, residuals: npt.NDArray[np.floating], items: int) -> Joins:
    """The minimum spanning forest: the joins that are needed to connect what pairs connect.

    Args:
        first, second: int64 (n,), the pairs, no pair twice.
        residuals: float (n,), at least 0; inf: no pair.
        items: Number of pictures that were searched.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import minimum_spanning_tree

    real = np.isfinite(residuals)
    if not real.any():
        return Joins(np.empty(0), first[:0], second[:0], items)
    rows, positions = np.unique(np.concatenate([first[real], second[real]]), return_inverse=True)
    left, right = np.split(positions, 2)
    weights = residuals[real].astype(np.float64) + 1  # a sparse matrix has no edges of weight 0
    graph = coo_array((weights, (left, right)), shape=(len(rows), len(rows))).tocsr()
    forest = minimum_spanning_tree(graph).tocoo()
    low, high = rows[np.minimum(forest.row, forest.col)], rows[np.maximum(forest.row, forest.col)]
    order = np.lexsort((high, low, forest.data))
    return Joins(forest.data[order] - 1, low[order], high[order], items)


def uncompared(component: Rows, first: Rows, second: Rows) -> tuple[Rows, Rows]:
    """Pairs of a component that were not compared yet.

    Args:
        component: int64 (m,), ascending rows.
        first, second: int64 (n,), the pairs that were, of these rows.

    Returns:
        int64 (p,) each, the lower row first.
    """
    known = set(zip(np.minimum(first, second).tolist(), np.maximum(first, second).tolist(), strict=True))
    missing = [pair for pair in combinations(component.tolist(), 2) if pair not in known]
    pairs = np.array(missing, dtype=np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def complete_groups(
    first: Rows, second: Rows, residuals: npt.NDArray[np.floating], threshold: float
) -> list[Group]:
    """Groups in which every pair was compared and holds.

    Args:
        first, second: int64 (n,), the pairs compared, no pair twice.
        residuals: float (n,), of each.
        threshold: The largest residual of copies.

    Returns:
        Groups of two members or more, by their first row.
    """
    holds = np.flatnonzero(residuals <= threshold)
    low, high = np.minimum(first, second)[holds], np.maximum(first, second)[holds]
    values = residuals[holds]
    order = np.lexsort((high, low, values))
    known = dict(zip(zip(low.tolist(), high.tolist(), strict=True), values.tolist(), strict=True))
    group_of: dict[int, int] = {}
    members: dict[int, list[int]] = {}
    weakest: dict[int, float] = {}
    for a, b in zip(low[order].tolist(), high[order].tolist(), strict=True):
        ours, theirs = (group_of.setdefault(row, row) for row in (a, b))
        if ours == theirs:
            continue
        left, right = members.setdefault(ours, [ours]), members.setdefault(theirs, [theirs])
        across = [known.get((min(x, y), max(x, y))) for x in left for y in right]
        held = [value for value in across if value is not None]
        if len(held) < len(across):
            continue
        weakest[ours] = max(weakest.get(ours, 0.0), weakest.pop(theirs, 0.0), *held)
        left += members.pop(theirs)
        for row in right:
            group_of[row] = ours
    found = [
        Group(np.array(sorted(rows), dtype=np.int64), weakest[number])
        for number, rows in members.items()
        if len(rows) > 1
    ]
    return sorted(found, key=lambda group: int(group.members[0]))
