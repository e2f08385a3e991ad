"""What is known of a person's taste: examples, each with how much it was liked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.types import Embeddings

MOST_EXAMPLES = 500
"""Examples that a profile is made of: those that weigh most. More of them change no answer that is seen."""

OUTSIDE = -1
"""The unit of an example that is not in the catalogue, such as an uploaded picture."""


@dataclass(frozen=True, slots=True)
class Examples:
    """What a person liked and disliked, one entry a unit.

    Args:
        units: int64 (n,), numbers of units of the catalogue, each at most once; OUTSIDE for a picture that is not
            in it.
        vectors: float32 (n, d), L2-normalised rows.
        weights: float64 (n,), as they count today; above 0 liked, below 0 disliked.

    Raises:
        InputError: If the lengths differ, a weight is not finite, or a unit appears twice.
    """

    units: npt.NDArray[np.int64]
    vectors: Embeddings
    weights: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        n = len(self.units)
        if self.vectors.ndim != 2 or any(len(each) != n for each in (self.vectors, self.weights)):
            raise InputError(
                f"{n} units, vectors of shape {self.vectors.shape} and {len(self.weights)} weights are no examples: "
                "expected one of each an example"
            )
        if not np.isfinite(self.weights).all():
            raise InputError("a weight of an example is not finite: expected numbers")
        inside = self.units[self.units != OUTSIDE]
        if len(np.unique(inside)) != len(inside):
            raise InputError("a unit is an example twice: sum its weights with `summed` first")

    def __len__(self) -> int:
        return len(self.units)

    @property
    def liked(self) -> npt.NDArray[np.int64]:
        """Positions of the liked ones, int64, those that weigh most first, at most MOST_EXAMPLES."""
        return _heaviest(self.weights)

    @property
    def disliked(self) -> npt.NDArray[np.int64]:
        """Positions of the disliked ones, int64, those that weigh most first, at most MOST_EXAMPLES."""
        return _heaviest(-self.weights)


def summed(
    units: npt.NDArray[np.int64], weights: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Events brought together by what they were about.

    Args:
        units: int64 (e,), the unit of each event.
        weights: float64 (e,), decayed.

    Returns:
        The units, int64 (n,) ascending, and the sum of each one's weights, float64 (n,).
    """
    distinct, of = np.unique(units, return_inverse=True)
    total = np.bincount(of, weights=weights, minlength=len(distinct))
    return distinct, total.astype(np.float64)


def _heaviest(weights: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    order = np.argsort(-weights, kind="stable")[:MOST_EXAMPLES].astype(np.int64)
    return order[weights[order] > 0]
