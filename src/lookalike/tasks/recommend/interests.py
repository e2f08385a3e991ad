"""A person's interests: what they liked, grouped by looks, each group with a picture that stands for it.

Pal et al., "PinnerSage: multi-modal user embedding framework for recommendations at Pinterest", KDD 2020,
https://arxiv.org/abs/2007.03634: actions are clustered by Ward's method, cut by distance so that the number of
interests is the person's own; each is represented by its medoid, and its importance is the sum of its members'
decayed weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.tasks.recommend.examples import Examples
from lookalike.tasks.recommend.taste import Taste
from lookalike.vectors.metrics import inner


@dataclass(frozen=True, slots=True)
class Interest:
    """One thing that a person likes.

    Args:
        medoid: Position of the example that is most like the others.
        members: int64 (m,), positions of its examples, those that weigh most first.
        importance: Its share of everything liked, above 0; the interests of a person sum to 1.
    """

    medoid: int
    members: npt.NDArray[np.int64]
    importance: float


def interests_of(examples: Examples, taste: Taste, spread: float) -> tuple[Interest, ...]:
    """Group what was liked.

    Args:
        examples: What is known; dislikes are left out.
        taste: Gives the cut.
        spread: Mean of 1 - cosine between strangers.

    Returns:
        The interests, the most important first; none if nothing was liked.
    """
    liked = examples.liked
    if not len(liked):
        return ()
    likeness = inner(examples.vectors[liked], examples.vectors[liked]).astype(np.float64)
    weights = examples.weights[liked]
    labels = _ward(likeness, taste.cut * float(np.sqrt(2.0 * spread)))
    found = []
    for label in range(labels.max() + 1):
        members = np.flatnonzero(labels == label)
        close = likeness[np.ix_(members, members)] @ weights[members]
        found.append(
            Interest(
                medoid=int(liked[members[np.argmax(close)]]),
                members=liked[members],
                importance=float(weights[members].sum() / weights.sum()),
            )
        )
    return tuple(sorted(found, key=lambda interest: -interest.importance))


def _ward(likeness: npt.NDArray[np.float64], cut: float) -> npt.NDArray[np.int64]:
    """Labels 0.. of Ward's clusters whose merging distance is at most ``cut``; from cosines (n, n)."""
    n = len(likeness)
    if n == 1:
        return np.zeros(1, dtype=np.int64)
    from scipy.cluster.hierarchy import fcluster, linkage

    distances = np.sqrt(np.maximum(2.0 - 2.0 * likeness[np.triu_indices(n, 1)], 0.0))
    labels: npt.NDArray[np.int64] = fcluster(linkage(distances, "ward"), cut, "distance").astype(np.int64) - 1
    return labels
