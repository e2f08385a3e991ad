"""Pieces of one track: joined again where they look like one thing.

A track is cut wherever the tracker may have gone over to somebody else (:mod:`lookalike.tracking.following`). Mostly
it has not. Two pieces stay apart only if they look no more alike than two things do that the same cameras saw at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.tracking.tracklets import Tracklet, conflicts, continued
from lookalike.types import Embeddings

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

ALIKE = 0.9
"""Share of the pairs of different things that look less alike than the line."""

ENOUGH = 20
"""Pairs seen at once that make a line; with fewer it lies at 0, the cosine of two things that are nothing like."""


def pieces_of_one(tracklets: Sequence[Tracklet], embeddings: Embeddings) -> Integers:
    """Which tracklets of one track are to be joined.

    Args:
        tracklets: n of any cameras.
        embeddings: float32 (n, d), L2-normalised rows.

    Returns:
        int64 (n,), the same number for pieces of one thing, from 0 in order of first appearance.
    """
    n = len(tracklets)
    if len(embeddings) != n:
        raise InputError(f"embeddings {embeddings.shape} for {n} tracklets: expected one row each")
    first, second = np.nonzero(np.triu(conflicts(tracklets)))
    seen_at_once = np.einsum("nd,nd->n", embeddings[first], embeddings[second])
    line = float(np.quantile(seen_at_once, ALIKE)) if len(seen_at_once) >= ENOUGH else 0.0
    group = np.arange(n)
    for before, after in continued(tracklets):
        if float(embeddings[before] @ embeddings[after]) > line:
            group[group == group[after]] = group[before]
    return np.unique(group, return_inverse=True)[1].astype(np.int64)


def joined(tracklets: Sequence[Tracklet], groups: Integers) -> list[Tracklet]:
    """Join tracklets of one camera that are one.

    Args:
        tracklets: n of any cameras.
        groups: int64 (n,), from 0; those of one group are pieces of one track.

    Returns:
        One tracklet a group, numbered by its first piece.
    """
    result = []
    for group in range(int(groups.max()) + 1 if len(groups) else 0):
        pieces = [tracklets[at] for at in np.flatnonzero(groups == group).tolist()]
        pieces.sort(key=lambda piece: piece.start)
        head = pieces[0]
        result.append(
            Tracklet(
                head.camera,
                head.number,
                np.concatenate([piece.frame for piece in pieces]),
                np.concatenate([piece.time for piece in pieces]),
                np.concatenate([piece.box for piece in pieces]),
                np.concatenate([piece.confidence for piece in pieces]),
                np.concatenate([piece.seen for piece in pieces]),
                head.category,
                head.track,
            )
        )
    return result
