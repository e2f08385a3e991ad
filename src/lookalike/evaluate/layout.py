"""How well a 2-D layout keeps what the embeddings say: neighbourhoods and the large picture.

All measures are taken on a seeded sample of points against all points, so that they cost the same effort for each
point of any set; with a sample of all points they are exact.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.types import Embeddings
from lookalike.vectors.metrics import cosine_pairs, inner

NEIGHBOURS = 10
SAMPLE, COMPARISONS = 1000, 100_000_000
"""Points to measure at most, and comparisons with all points: fewer points of a set of more than 100,000."""

TRIPLETS = 20_000

BLOCK_VALUES = 1 << 22
"""Similarities that are held at a time."""


@dataclass(frozen=True, slots=True)
class LayoutQuality:
    """Measures of a layout; all are shares in [0, 1], higher is better.

    Args:
        trustworthiness: 1 when no stranger is among the nearest in the plane (Venna & Kaski 2001).
        continuity: 1 when no neighbour was torn away; the same with both spaces exchanged.
        neighbours_kept: Share of the k nearest embeddings that are also among the k nearest in the plane.
        triplets_kept: Share of random triplets (a, b, c) whose order of the distances ab and ac is the same in
            both spaces: the large picture; 0.5 is chance (Wang et al., arXiv:2012.04456).
        k: Neighbours that count.
        sample: Points measured.
    """

    trustworthiness: float
    continuity: float
    neighbours_kept: float
    triplets_kept: float
    k: int
    sample: int

    def to_dict(self) -> dict[str, float]:
        """The measures as plain types, rounded to what a sample supports."""
        return {name: round(value, 4) for name, value in asdict(self).items()}


def layout_quality(
    embeddings: Embeddings,
    layout: npt.NDArray[np.float32],
    *,
    k: int = NEIGHBOURS,
    sample: int | None = None,
    seed: int = 0,
) -> LayoutQuality | None:
    """Measure a layout.

    Args:
        embeddings: float32 (n, d), L2-normalised rows.
        layout: float32 (n, 2), their positions.
        k: Neighbours that count; fewer where n is small, since ranks need 2 n > 3 k + 1.
        sample: Points to measure at most; None: 1,000, fewer of more than 100,000.
        seed: Of the sample and the triplets.

    Returns:
        The measures; None with fewer than 4 points, which have no neighbourhoods.

    Raises:
        InputError: If shapes do not fit, or k or sample is below 1.
    """
    n = len(embeddings)
    if layout.shape != (n, 2):
        raise InputError(f"the layout has shape {layout.shape}: expected ({n}, 2), one row an embedding")
    if sample is None:
        sample = min(SAMPLE, max(1, COMPARISONS // max(1, n)))
    if k < 1 or sample < 1:
        raise InputError(f"k = {k} and sample = {sample}: expected both to be at least 1")
    if n < 4:
        return None
    k = min(k, (n - 1) // 2)
    rng = np.random.default_rng(seed)
    points = np.sort(rng.choice(n, size=min(sample, n), replace=False))
    strangers = torn = 0.0
    kept = 0
    size = max(1, BLOCK_VALUES // n)
    for first in range(0, len(points), size):
        own = points[first : first + size]
        high = _from_others(-inner(embeddings[own], embeddings), own)
        low = _from_others(_squared(layout[own], layout), own)
        entering, leaving = _nearest(low, k), _nearest(high, k)
        high_rank, low_rank = _ranks(high, entering), _ranks(low, leaving)
        strangers += float(np.maximum(0, high_rank - k).sum())
        torn += float(np.maximum(0, low_rank - k).sum())
        kept += int((high_rank <= k).sum())
    worst = len(points) * k * (2 * n - 3 * k - 1) / 2
    return LayoutQuality(
        trustworthiness=1 - strangers / worst,
        continuity=1 - torn / worst,
        neighbours_kept=kept / (len(points) * k),
        triplets_kept=_triplets_kept(embeddings, layout, rng),
        k=k,
        sample=len(points),
    )


def _from_others(distances: npt.NDArray[np.float32], own: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Distances (q, n), that of a point to itself made infinite."""
    distances[np.arange(len(own)), own] = np.inf
    return distances


def _nearest(distances: npt.NDArray[np.float32], k: int) -> npt.NDArray[np.int64]:
    """The k nearest positions, int64 (q, k), in no particular order."""
    return np.argpartition(distances, k - 1, axis=1)[:, :k]


def _ranks(distances: npt.NDArray[np.float32], positions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Ranks of positions by distance from 1 on, int64 (q, k); equal distances share the best rank."""
    asked = np.take_along_axis(distances, positions, axis=1)
    ordered = np.sort(distances, axis=1)
    return 1 + np.stack([np.searchsorted(*pair) for pair in zip(ordered, asked, strict=True)])


def _squared(points: npt.NDArray[np.float32], all_points: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Squared distances in the plane, float32 (q, n)."""
    across = points[:, 0, None] - all_points[:, 0]
    down = points[:, 1, None] - all_points[:, 1]
    squared: npt.NDArray[np.float32] = across * across + down * down
    return squared


def _triplets_kept(
    embeddings: Embeddings, layout: npt.NDArray[np.float32], rng: np.random.Generator
) -> float:
    n = len(embeddings)
    first = rng.integers(n, size=TRIPLETS)
    steps = np.sort(rng.integers(1, n, size=(2, TRIPLETS)), axis=0)
    b, c = (first + steps) % n
    different = steps[0] != steps[1]
    first, b, c = first[different], b[different], c[different]
    agree = 0
    for start in range(0, len(first), 1024):
        block = slice(start, start + 1024)
        own, others = first[block], np.column_stack([b[block], c[block]])
        similarity = cosine_pairs(embeddings[own], embeddings[others])
        apart = ((layout[own][:, None] - layout[others]) ** 2).sum(axis=2)
        agree += int(((similarity[:, 0] > similarity[:, 1]) == (apart[:, 0] < apart[:, 1])).sum())
    return agree / len(first)
