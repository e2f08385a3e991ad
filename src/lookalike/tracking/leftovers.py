"""Tracklets that grouping left alone, and which identity some of its tracklets clearly point to."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

WITNESSES = 2
"""Tracklets of an identity whose evidence counts: the best so many."""

CLEARLY = 1.0
"""Log odds by which the best identity has to lead the next."""


def reassigned(groups: Integers, evidence: Floats, cannot: npt.NDArray[np.bool_]) -> Integers:
    """Give tracklets that are alone to an identity, or leave them.

    Mean evidence over a whole identity fails for a short tracklet seen from behind: a few tracklets of the identity
    show the same view. Evidence of the two best of them has to speak for it, and clearly more than for any other
    identity. Constraints hold as before. The surest goes first.

    Args:
        groups: int64 (n,).
        evidence: float64 (n, n), log odds of being one thing.
        cannot: bool (n, n).

    Returns:
        int64 (n,), with fewer groups, perhaps.
    """
    result = groups.copy()
    counts = np.bincount(groups) if len(groups) else np.empty(0, np.int64)
    alone = [int(at) for at in np.flatnonzero(counts[groups] == 1)] if len(groups) else []
    while alone:
        offers = [(*_offer(at, result, evidence, cannot), at) for at in alone]
        lead, group, at = max(offers, key=lambda offer: (offer[0], -offer[2]))
        if lead <= 0:
            break
        result[at] = group
        alone.remove(at)
    return result


def _offer(at: int, groups: Integers, evidence: Floats, cannot: npt.NDArray[np.bool_]) -> tuple[float, int]:
    """How surely a tracklet belongs to its best group (at most 0: it does not), and that group."""
    scores: list[tuple[float, int]] = []
    for group in np.unique(groups).tolist():
        members = np.flatnonzero(groups == group)
        if group == groups[at] or len(members) < WITNESSES or cannot[at, members].any():
            continue
        scores.append((float(np.sort(evidence[at, members])[-WITNESSES:].mean()), group))
    if not scores:
        return 0.0, -1
    scores.sort(reverse=True)
    lead = scores[0][0] - max(0.0, scores[1][0] + CLEARLY if len(scores) > 1 else 0.0)
    return min(lead, scores[0][0]), scores[0][1]
