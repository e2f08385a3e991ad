"""Telling items that are like none of the examples: the similarity to the k-th nearest example.

An item is unknown when fewer than k examples are at least as similar to it as a threshold (Sun et al. 2022,
https://arxiv.org/abs/2204.06507). The threshold is a conformal quantile (Vovk et al. 2005; Angelopoulos and Bates
2021, https://arxiv.org/abs/2107.07511) of what the examples themselves reach, each without the examples of its own
group: an item of a known class that comes later is rejected with at most the probability asked for.

The similarity was chosen by measurement over maximum probability, maximum logit and energy, also in combination:
see ``python -m benchmarks classification``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.tasks.classify.examples import Codes, Examples, stratified_sample
from lookalike.types import Embeddings, Rows
from lookalike.vectors.metrics import inner
from lookalike.vectors.neighbours import ArrayVectors, exact_range

REJECTION_NEIGHBOURS = 5
"""k where classes have so many examples: one wrong label or copy does not make a stranger known."""

MOST_CALIBRATED = 5_000
"""Examples whose own similarity is measured."""

BLOCK_SCORES = 1 << 22
"""Similarities that are held at a time: 16 MiB as float32."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """Examples and how similar to them an item has to be.

    Args:
        embeddings: float32 (m, d), the examples, L2-normalised.
        rows: int64 (m,), their row numbers.
        k: The similarity to the k-th nearest counts.
        threshold: Cosine; an item below it is unknown. -inf: there were too few examples to promise the rate.
        known: float32 (q,), ascending: what examples of known classes reach.
        rate: The false-reject rate that was asked for.
    """

    embeddings: Embeddings
    rows: Rows
    k: int
    threshold: float
    known: npt.NDArray[np.float32]
    rate: float

    def similarity(self, embeddings: Embeddings) -> npt.NDArray[np.float32]:
        """Cosine of each item with its k-th nearest example, float32 (n,)."""
        source, found = ArrayVectors(self.embeddings), np.empty(len(embeddings), dtype=np.float32)
        k = min(self.k, len(self.rows))
        for first in range(0, len(embeddings), 1024):
            part = embeddings[first : first + 1024]
            nearest = exact_range(source, part, k, 0, len(self.rows), unit=True)
            found[first : first + 1024] = nearest.scores[:, k - 1]
        return found

    def rejects(self, similarity: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
        """Which items are unknown, bool (n,)."""
        return similarity < self.threshold

    def confidence(self, similarity: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Share of the known examples that are better known than an item, in [0, 1]: 1 - its conformal p-value."""
        at_most = np.searchsorted(self.known, similarity, side="right")
        return 1 - (at_most + 1) / (len(self.known) + 1)


def fit_rejection(data: Examples, references: Rows, rate: float, *, seed: int) -> Rejection:
    """Learn the threshold from the examples.

    Args:
        data: The examples.
        references: Positions of those that items will be compared with, ascending.
        rate: False-reject rate, in (0, 1).
        seed: Of the draw, where there are more than :data:`MOST_CALIBRATED`.

    Raises:
        InputError: If the rate is outside (0, 1).
    """
    if not 0 < rate < 1:
        raise InputError(f"false_reject_rate {rate}: expected a share from 0 (reject nothing) to below 1")
    k = usual_k(data)
    spread = np.bincount(np.unique(np.stack([data.codes, data.groups]), axis=1)[0], minlength=data.classes)
    fair = np.flatnonzero(spread[data.codes] > 1)  # the only one of its class has nothing to be similar to
    drawn = fair[stratified_sample(data.codes[fair], max(MOST_CALIBRATED, data.classes), seed=seed)]
    known = np.sort(_left_out(data, drawn, references, k))
    rank = int(np.floor(rate * (len(known) + 1) + 1e-9))
    threshold = float(known[rank - 1]) if rank >= 1 else -np.inf
    return Rejection(data.embeddings[references], data.rows[references], k, threshold, known, rate)


def usual_k(data: Examples) -> int:
    """k: the median number of examples of a class, 1 to 5."""
    sizes = np.bincount(data.codes)
    return int(np.clip(np.median(sizes[sizes > 0]), 1, REJECTION_NEIGHBOURS))


def _left_out(data: Examples, drawn: Rows, references: Rows, k: int) -> npt.NDArray[np.float32]:
    """Similarity of drawn examples to their k-th nearest reference of another group."""
    found = np.empty(len(drawn), dtype=np.float32)
    first = 0
    for positions, similar in others(data.embeddings, data.groups, drawn, references):
        kth = min(k, similar.shape[1])
        found[first : first + len(positions)] = -np.partition(-similar, kth - 1, axis=1)[:, kth - 1]
        first += len(positions)
    return found[np.isfinite(found)]


def others(
    embeddings: Embeddings, groups: Codes, queries: Rows, references: Rows
) -> Iterator[tuple[Rows, npt.NDArray[np.float32]]]:
    """Cosines of some examples with references, block by block, -inf for references of the example's own group.

    Args:
        embeddings: float32 (n, d), L2-normalised.
        groups: int64 (n,).
        queries: int64 (q,), positions.
        references: int64 (m,), positions.

    Yields:
        Positions (b,) of queries and float32 (b, m).
    """
    gallery, own = embeddings[references], groups[references]
    size = max(1, BLOCK_SCORES // max(1, len(references)))
    for first in range(0, len(queries), size):
        part = queries[first : first + size]
        similar = inner(embeddings[part], gallery)
        similar[groups[part][:, None] == own[None]] = -np.inf
        yield part, similar
