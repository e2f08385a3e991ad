"""Groups by average linkage in which some pairs may never meet and others must."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Pairs = Sequence[tuple[int, int]]


def constrained_average_linkage(
    evidence: Floats, cannot: npt.NDArray[np.bool_], *, must: Pairs = (), least: float = 0.0
) -> Integers:
    """Merge the two groups with the greatest mean evidence until it falls to ``least``.

    A group that holds a pair that cannot be together never comes about: a hard constraint, not a penalty in a mean,
    which enough other pairs would outweigh. Pairs that must be together are merged first, whatever speaks against it.

    Args:
        evidence: float64 (n, n), symmetric; greater speaks for one thing.
        cannot: bool (n, n), symmetric.
        must: Pairs of numbers.
        least: Mean evidence above which groups are merged.

    Returns:
        int64 (n,), the group of each, numbered from 0 by first member.

    Raises:
        InputError: If shapes do not fit.
    """
    n = len(evidence)
    if evidence.shape != (n, n) or cannot.shape != (n, n):
        raise InputError(f"evidence {evidence.shape} and cannot {cannot.shape}: expected (n, n) of both")
    group = _must(n, must)
    total, count, apart = _condensed(evidence, cannot, group)
    alive = np.ones(len(total), dtype=np.bool_)
    names = np.arange(len(total))
    mean = np.where(apart, -np.inf, total / np.outer(count, count))
    np.fill_diagonal(mean, -np.inf)
    best = mean.argmax(axis=1) if len(mean) else np.empty(0, np.int64)
    value = mean[np.arange(len(mean)), best] if len(mean) else np.empty(0)
    while alive.sum() > 1:
        a = int(value.argmax())
        if not value[a] > least:
            break
        b = int(best[a])
        total[a] += total[b]
        total[:, a] += total[:, b]
        count[a] += count[b]
        apart[a] |= apart[b]
        apart[:, a] |= apart[:, b]
        alive[b] = False
        names[names == b] = a
        row = np.where(apart[a] | ~alive, -np.inf, total[a] / (count[a] * count))
        row[a] = -np.inf
        mean[a], mean[:, a] = row, row
        mean[b], mean[:, b], value[b] = -np.inf, -np.inf, -np.inf
        stale = alive & ((best == a) | (best == b))
        stale[a] = True
        best[stale] = mean[stale].argmax(axis=1)
        value[stale] = mean[stale, best[stale]]
        better = alive & (row > value)
        best[better], value[better] = a, row[better]
    return _numbered(names[group])


def _must(n: int, must: Pairs) -> Integers:
    """Groups of what must be together, numbered from 0."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    pairs = np.array(must, dtype=np.int64).reshape(-1, 2)
    links = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.int64)


def _condensed(
    evidence: Floats, cannot: npt.NDArray[np.bool_], group: Integers
) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """Sums of evidence, numbers of members and constraints between groups."""
    if not len(group):
        return np.empty((0, 0)), np.empty(0), np.empty((0, 0), dtype=np.bool_)
    members = np.zeros((int(group.max()) + 1, len(group)))
    members[group, np.arange(len(group))] = 1.0
    apart = members @ cannot.astype(np.float64) @ members.T > 0
    return members @ evidence @ members.T, members.sum(axis=1), apart


def _numbered(groups: Integers) -> Integers:
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    order = np.empty(len(first), dtype=np.int64)
    order[np.argsort(first, kind="stable")] = np.arange(len(first))
    return np.asarray(order[inverse], dtype=np.int64)
