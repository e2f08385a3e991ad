"""Mean and covariance of vectors of any number, in one pass, and how far a sample's covariance can be trusted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.types import Embeddings

BLOCK = 2048
"""Rows that are widened to float64 at a time."""

Doubles = npt.NDArray[np.float64]


class CovarianceAccumulator:
    """Mean and scatter of the vectors seen so far, in float64.

    Blocks are centred by their own mean before they are multiplied, and joined by the pairwise update of
    Chan, Golub & LeVeque 1979 (https://doi.org/10.1080/00031305.1983.10483115), so that nothing cancels where
    the mean is large against the spread. The same blocks in the same order give the same numbers.

    Args:
        dimensions: Length of a vector.

    Example:
        >>> seen = CovarianceAccumulator(2)
        >>> seen.update(np.float32([[0, 0], [2, 0]]))
        >>> seen.mean.tolist(), seen.covariance().tolist()
        ([1.0, 0.0], [[1.0, 0.0], [0.0, 0.0]])
    """

    def __init__(self, dimensions: int) -> None:
        self.count = 0
        self.mean: Doubles = np.zeros(dimensions)
        self._scatter: Doubles = np.zeros((dimensions, dimensions))

    @classmethod
    def of(cls, vectors: Embeddings | Iterable[Embeddings]) -> Self:
        """Of an array float32 (n, d), or of the blocks of a stream, each float32 (m, d).

        Raises:
            InputError: If there is no block, or as :meth:`update`.
        """
        blocks = iter([vectors] if isinstance(vectors, np.ndarray) else vectors)
        first = next(blocks, None)
        if first is None:
            raise InputError("there are no vectors to learn from: add images first")
        if first.ndim != 2:
            raise InputError(f"vectors have shape {first.shape}: expected (n, d), one row a vector")
        seen = cls(first.shape[1])
        seen.update(first)
        for block in blocks:
            seen.update(block)
        return seen

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return len(self.mean)

    def update(self, vectors: Embeddings) -> None:
        """Take in more vectors.

        Args:
            vectors: float32 (n, d).

        Raises:
            InputError: If their length is another or one is not finite.
        """
        if vectors.ndim != 2 or vectors.shape[1] != self.dimensions:
            raise InputError(f"vectors have shape {vectors.shape}: expected (n, {self.dimensions})")
        for first in range(0, len(vectors), BLOCK):
            block = vectors[first : first + BLOCK].astype(np.float64)
            if not np.isfinite(block).all():
                raise InputError("a vector is not finite: leave it out, or look at the image it came from")
            mean = block.mean(axis=0)
            block -= mean
            self._join(len(block), mean, block.T @ block)

    def merge(self, other: CovarianceAccumulator) -> None:
        """Take in what another one has seen.

        Raises:
            InputError: If its vectors have another length.
        """
        if other.dimensions != self.dimensions:
            raise InputError(
                f"the other's vectors have {other.dimensions} dimensions: expected {self.dimensions}"
            )
        self._join(other.count, other.mean, other._scatter)

    def _join(self, count: int, mean: Doubles, scatter: Doubles) -> None:
        total = self.count + count
        if not count:
            return
        delta = mean - self.mean
        self._scatter += scatter
        self._scatter += np.outer(delta, delta) * (self.count * count / total)
        self.mean = self.mean + delta * (count / total)
        self.count = total

    def covariance(self) -> Doubles:
        """Covariance (d, d), the maximum-likelihood estimate: divided by n.

        Raises:
            InputError: If no vector was seen.
        """
        self._refuse_nothing()
        return self._scatter / self.count

    def second_moment(self) -> Doubles:
        """Mean of x x^T (d, d): the covariance about zero instead of the mean.

        Raises:
            InputError: If no vector was seen.
        """
        return self.covariance() + np.outer(self.mean, self.mean)

    def _refuse_nothing(self) -> None:
        if not self.count:
            raise InputError("there are no vectors to learn from: add images first")


def oas_shrinkage(covariance: Doubles, n: int) -> float:
    """How far to move a sample's covariance towards a multiple of the identity: (1 - rho) S + rho tr(S) / d I.

    The oracle-approximating shrinkage of Chen, Wiesel, Eldar & Hero 2010, https://arxiv.org/abs/0907.4698,
    equation 23. Unlike Ledoit-Wolf's it needs only S and n, so S may come from a stream.

    Args:
        covariance: float64 (d, d), the maximum-likelihood estimate.
        n: Vectors that it was estimated from.

    Returns:
        rho in [0, 1]; 1 where all directions vary alike or nothing varies.
    """
    d = len(covariance)
    trace, square = float(np.trace(covariance)), float(np.einsum("ij,ij->", covariance, covariance))
    above = (1 - 2 / d) * square + trace**2
    below = (n + 1 - 2 / d) * (square - trace**2 / d)
    return 1.0 if below <= 0 or above >= below else above / below
