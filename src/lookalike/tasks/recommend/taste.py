"""What decides a recommendation besides the examples."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError

Strategy = Literal["interests", "average_vector", "best_score", "sum_scores", "discover", "context"]
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)

HALF_LIFE = 30.0
"""Days after which an event counts half, where nothing better is known of a collection."""

SECONDS_A_DAY = 86_400.0

MOST_HALF_LIVES = 500.0
"""After so many an event fades no more: what is all that is known of a person must not vanish from numbers."""


@dataclass(frozen=True, slots=True)
class Taste:
    """Settings of a recommendation.

    The lengths ``sharpness`` and ``cut`` are in units of how far apart strangers are in the collection, so that
    they mean the same for every encoder.

    Args:
        strategy: ``interests``, or one of Qdrant's: see :mod:`lookalike.tasks.recommend.formulas`.
        sharpness: An example speaks for what it looks like with exp(-(1 - cosine) / (sharpness * spread)), where
            spread is the mean of 1 - cosine between strangers. Smaller: only for what looks very much alike.
        cut: Ward's distance below which actions belong to one interest, in units of sqrt(2 * spread), the Euclidean
            distance of strangers.
        beta: How strongly the best disliked example is subtracted from the best liked.
        looks: Weight of what an item looks like beside what other people's interactions say of it.
        together: Whether what others did is used, where the collection knows it.
        slots: An interest takes at most so many times its share of the answer (rounded up); ``inf``: any number.
        diversity: 0: by score; towards 1 the answers differ more from each other. By a determinantal point
            process (Chen et al. 2018, https://arxiv.org/abs/1709.05135) over a pool larger than k.
        exploration: Share of the answer that is given to exploring; None: (1 - n / 10) / 2 for a person who liked
            n things, none from ten on. Who liked nothing yet gets nothing else.

    Raises:
        InputError: If a setting is out of its range.
    """

    strategy: Strategy = "interests"
    sharpness: float = 0.1
    cut: float = 1.1
    beta: float = 0.5
    looks: float = 0.05
    together: bool = True
    slots: float = 2.0
    diversity: float = 0.0
    exploration: float | None = None

    def __post_init__(self) -> None:
        if self.strategy not in STRATEGIES:
            raise InputError(
                f"strategy {self.strategy!r} is not known: choose one of {', '.join(STRATEGIES)}"
            )
        for name in ("sharpness", "cut", "beta", "looks", "slots", "diversity"):
            if isinstance(getattr(self, name), bool) or not isinstance(getattr(self, name), Real):
                raise InputError(f"{name} {getattr(self, name)!r}: expected a number")
        share: object = self.exploration
        if share is not None and not isinstance(share, Real):
            raise InputError(f"exploration {share!r}: expected a number from 0 to 1, or None")
        for name in ("sharpness", "cut"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise InputError(f"{name} {getattr(self, name)}: expected a number above 0")
        for name in ("beta", "looks"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) >= 0):
                raise InputError(f"{name} {getattr(self, name)}: expected a number of at least 0")
        if not self.slots >= 1:
            raise InputError(f"slots {self.slots}: expected a number of at least 1, its share of the answer")
        if not 0 <= self.diversity <= 1:
            raise InputError(f"diversity {self.diversity}: expected a number from 0 to 1")
        if self.exploration is not None and not 0 <= self.exploration <= 1:
            raise InputError(
                f"exploration {self.exploration}: expected a share from 0 to 1, or None to go by what is known"
            )


def decayed(
    weights: npt.NDArray[np.float64], ages: npt.NDArray[np.float64], half_life: float | None
) -> npt.NDArray[np.float64]:
    """Weights of events as they count today: w * 0.5 ** (age / half_life).

    Args:
        weights: float64 (n,).
        ages: float64 (n,), days; an event of the future counts as of today.
        half_life: Days; None: time takes nothing away.

    Returns:
        float64 (n,).

    Raises:
        InputError: If the half-life is not above 0.
    """
    if half_life is None:
        return weights.copy()
    if not half_life > 0:
        raise InputError(
            f"half-life {half_life}: expected days, a number above 0, or None to let nothing decay"
        )
    half_lives = np.clip(ages / half_life, 0.0, MOST_HALF_LIVES)
    faded: npt.NDArray[np.float64] = weights * 0.5**half_lives
    return faded
