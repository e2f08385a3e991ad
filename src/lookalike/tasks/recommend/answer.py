"""What a recommendation says: the units, and for each why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

Origin = Literal["interest", "formula", "exploration"]
"""Where an answer came from: an interest of the person, a strategy's formula, or curiosity."""


class Reason(NamedTuple):
    """An example that speaks for an answer.

    Args:
        example: Its position among the examples.
        similarity: Cosine between the two.
        share: Its part of everything that speaks for the answer, above 0, at most 1.
        together: How much of that part comes from people who liked both, 0 to 1; the rest comes from looks.
    """

    example: int
    similarity: float
    share: float
    together: float


@dataclass(frozen=True, slots=True)
class Recommended:
    """Units in the order in which they are recommended.

    Args:
        units: int64 (m,), m at most k.
        scores: float32 (m,); what they mean depends on the strategy. They do not descend where slots, diversity or
            exploration had their say.
        interests: int64 (m,), which of the person's interests each answers, the most important is 0; -1: none.
        origins: One an answer.
        reasons: For each the examples that speak for it, the strongest first; none for what is explored.
    """

    units: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float32]
    interests: npt.NDArray[np.int64]
    origins: tuple[Origin, ...]
    reasons: tuple[tuple[Reason, ...], ...]

    def __len__(self) -> int:
        return len(self.units)


NOTHING = Recommended(
    np.empty(0, np.int64), np.empty(0, np.float32), np.empty(0, np.int64), origins=(), reasons=()
)
"""The answer of a strategy that has nothing to go by."""
