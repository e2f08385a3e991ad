"""What can be recommended: units with a vector each, and who is near whom among those that are allowed."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.types import Embeddings
from lookalike.vectors.metrics import cosine

Units = npt.NDArray[np.int64]
"""Numbers of units of a catalogue: int64 (n,), 0 to len(catalogue) - 1."""

STRANGERS = 512
"""Units that are compared to learn how far apart strangers are."""

ENOUGH = 0.9
"""Recall of neighbours that are candidates only: what is missed was hardly nearer than what is found."""

LEAST_SPREAD = 1e-3
"""Of a catalogue whose units are all alike."""


class Catalogue(Protocol):
    """Units, and which of them may be recommended now."""

    @property
    def spread(self) -> float:
        """Mean of 1 - cosine between strangers."""

    @property
    def by_unit(self) -> bool:
        """Whether neighbours are found by the units' own vectors; else by those of their items."""

    def __len__(self) -> int:
        """How many units there are, allowed or not."""

    def units(self) -> Units:
        """The allowed units, ascending."""

    def allowed(self, units: Units) -> npt.NDArray[np.bool_]:
        """Which of these units are allowed, bool (n,)."""

    def vectors(self, units: Units) -> Embeddings:
        """float32 (n, d), L2-normalised rows."""

    def nearest(
        self, queries: Embeddings, count: int, *, recall: float | None = None
    ) -> tuple[Units, npt.NDArray[np.float32]]:
        """The nearest allowed units of each query.

        Args:
            queries: float32 (q, d), L2-normalised rows.
            count: How many at most.
            recall: Share of the true neighbours that is enough; None: as searches have it.

        Returns:
            Units int64 (q, count) and cosines float32 (q, count), best first, padded with -1.
        """


class ArrayCatalogue:
    """A catalogue in memory, searched exactly.

    Args:
        vectors: float32 (n, d), L2-normalised rows.
        allowed: bool (n,); None: all.
        spread: As :func:`spread_of` gives it, where that is known already.
    """

    def __init__(
        self,
        vectors: Embeddings,
        allowed: npt.NDArray[np.bool_] | None = None,
        *,
        spread: float | None = None,
    ) -> None:
        if allowed is not None and allowed.shape != (len(vectors),):
            raise InputError(
                f"a mask of shape {allowed.shape} does not fit {len(vectors)} units: expected one flag a unit"
            )
        self._vectors = vectors
        self._mask = np.ones(len(vectors), dtype=bool) if allowed is None else allowed
        self._units = np.flatnonzero(self._mask).astype(np.int64)
        self._spread = spread_of(vectors) if spread is None else spread

    @property
    def spread(self) -> float:
        """Mean of 1 - cosine between strangers."""
        return self._spread

    @property
    def by_unit(self) -> bool:
        """Yes."""
        return True

    def __len__(self) -> int:
        return len(self._vectors)

    def units(self) -> Units:
        """The allowed units, ascending."""
        return self._units

    def allowed(self, units: Units) -> npt.NDArray[np.bool_]:
        """Which of these units are allowed."""
        return self._mask[units]

    def vectors(self, units: Units) -> Embeddings:
        """float32 (n, d)."""
        return self._vectors[units]

    def nearest(
        self, queries: Embeddings, count: int, *, recall: float | None = None
    ) -> tuple[Units, npt.NDArray[np.float32]]:
        """The nearest allowed units of each query, exactly whatever would be enough; of equally near ones the first."""
        del recall
        found = min(count, len(self._units))
        units = np.full((len(queries), count), -1, dtype=np.int64)
        scores = np.full((len(queries), count), -1.0, dtype=np.float32)
        if found:
            among = cosine(
                queries, self._vectors if len(self._units) == len(self) else self._vectors[self._units]
            )
            best = np.argsort(-among, axis=1, kind="stable")[:, :found]
            units[:, :found] = self._units[best]
            scores[:, :found] = np.take_along_axis(among, best, axis=1)
        return units, scores


def spread_of(vectors: Embeddings, *, seed: int = 0) -> float:
    """How far apart strangers are: the mean of 1 - cosine between different units of a sample.

    Args:
        vectors: float32 (n, d), L2-normalised rows.
        seed: Of the sample.

    Returns:
        Above 0; 1 where there are fewer than two units.
    """
    if len(vectors) < 2:
        return 1.0
    chosen = np.random.default_rng(seed).permutation(len(vectors))[:STRANGERS]
    sample = np.asarray(vectors[chosen], dtype=np.float64)
    n = len(sample)
    total = sample.sum(axis=0)
    among = (total @ total - np.einsum("nd,nd->", sample, sample)) / (n * (n - 1))
    return max(1.0 - float(among), LEAST_SPREAD)
