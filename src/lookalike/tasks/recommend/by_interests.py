"""The strategy ``interests``: what speaks for a candidate, interest by interest.

For a candidate c and an interest g with examples i of weight w_i (all liked examples sum to 1):

    looks(g, c)     = sum over i in g of w_i * K(i, c),    K(i, c) = exp(-(1 - cos(i, c)) / (sharpness * spread))
    together(g, c)  = sum over i in g of w_i * B(i, c),    B learned from what people liked together
    score(c)        = sum over g of together(g, c)
                      + looks * (max over g of looks(g, c) - beta * max over disliked j of |w_j| * K(j, c))

K is a soft "looks the same": an interest speaks for a candidate through those of its examples that look much like
it, and the candidate answers the interest that says most. So two interests never meet in a mean that is neither.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.tasks.recommend.answer import Reason
from lookalike.tasks.recommend.catalogue import ENOUGH, Catalogue, Units
from lookalike.tasks.recommend.examples import Examples
from lookalike.tasks.recommend.interests import Interest
from lookalike.tasks.recommend.selection import pool_size
from lookalike.tasks.recommend.taste import Taste
from lookalike.tasks.recommend.together import Together
from lookalike.types import Embeddings
from lookalike.vectors.metrics import inner

SEARCHED, SEARCHED_BESIDE = 8, 4
"""Interests whose neighbours are searched, the most important ones; fewer, and half as many neighbours of each, where
company proposes most candidates. Scores hear all interests."""

PER_SLOT, LEAST, MOST_MET = 2, 10, 20
"""Neighbours that an interest proposes: so many for each slot that it may take, these on top, and as many more as it
has members, up to a limit: they are nearest of all, and no answers."""

WIDER = 5
"""Factor by which it proposes more where diversity chooses among them."""

MOST_REASONS = 3
"""Examples that are named for an answer."""

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Heard:
    """What the examples say of candidates.

    Args:
        candidates: int64 (n,).
        vectors: float32 (n, d), of the candidates.
        order: int64 (m,), positions of the liked examples, interest by interest.
        starts: int64 (g,), where each interest begins in ``order``.
        likeness: float64 (m, n), cosines of the liked examples with the candidates.
        looks, together: float64 (m, n), what each liked example says.
        against: float64 (n,), what the disliked examples say.
    """

    candidates: Units
    vectors: Embeddings
    order: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    likeness: Matrix
    looks: Matrix
    together: Matrix
    against: npt.NDArray[np.float64]

    @property
    def scores(self) -> npt.NDArray[np.float64]:
        """float64 (n,)."""
        by_looks = np.add.reduceat(self.looks, self.starts, axis=0).max(axis=0)
        total: npt.NDArray[np.float64] = by_looks + self.together.sum(axis=0) - self.against
        return total

    @property
    def owners(self) -> npt.NDArray[np.int64]:
        """int64 (n,), the interest that says most for each candidate."""
        said = np.add.reduceat(self.looks + self.together, self.starts, axis=0)
        return np.asarray(said.argmax(axis=0), dtype=np.int64)

    def reasons(self, position: int) -> tuple[Reason, ...]:
        """The examples that say most for one candidate; those without a say are left out."""
        looks, together = self.looks[:, position], np.maximum(self.together[:, position], 0.0)
        said = looks + together
        total = float(said.sum())
        strongest = np.argsort(-said, kind="stable")[:MOST_REASONS]
        return tuple(
            Reason(
                example=int(self.order[at]),
                similarity=float(self.likeness[at, position]),
                share=float(said[at] / total),
                together=float(together[at] / said[at]),
            )
            for at in strongest.tolist()
            if said[at] > 0
        )


def candidates_of(
    examples: Examples,
    interests: tuple[Interest, ...],
    catalogue: Catalogue,
    together: Together | None,
    taste: Taste,
    *,
    k: int,
    widening: int,
    exclude: Units,
) -> Units:
    """Units that an interest looks like or that go together with what was liked, int64 ascending.

    Args:
        examples, interests: Of the person; at least one interest.
        catalogue: Where the neighbours are looked for.
        together: What goes together; None: not known or not asked for.
        taste: Says how many slots an interest may take.
        k: How many are wanted in the end.
        widening: Factor by which more are proposed than usual.
        exclude: Units that are no answer.
    """
    searched = interests[: SEARCHED if together is None else SEARCHED_BESIDE]
    slots = k * min(1.0, taste.slots * searched[0].importance)
    met = min(MOST_MET, max(len(interest.members) for interest in searched))
    wanted = math.ceil(PER_SLOT * (WIDER if taste.diversity else 1) * slots) + LEAST + met
    near, _ = catalogue.nearest(
        examples.vectors[[interest.medoid for interest in searched]],
        widening * (wanted if together is None else wanted // 2),
        recall=ENOUGH,
    )
    found = [near[near >= 0]]
    if together is not None:
        found.append(_company(examples, catalogue, together, widening * pool_size(k), exclude))
    return np.setdiff1d(np.concatenate(found), exclude)


def _company(
    examples: Examples, catalogue: Catalogue, together: Together, count: int, exclude: Units
) -> Units:
    """The units that go best with what was liked, in no order."""
    liked = examples.liked
    inside = liked[examples.units[liked] >= 0]
    company, scores = together.affinity(examples.units[inside], examples.weights[inside])
    no_answer = np.zeros(len(catalogue), dtype=bool)
    no_answer[exclude] = True
    fit = np.flatnonzero((scores > 0) & ~no_answer[company] & catalogue.allowed(company))
    if len(fit) > count:
        fit = fit[np.argpartition(-scores[fit], count)[:count]]
    return company[fit]


def hear(
    examples: Examples,
    interests: tuple[Interest, ...],
    candidates: Units,
    catalogue: Catalogue,
    together: Together | None,
    taste: Taste,
) -> Heard:
    """Let every example say what it thinks of every candidate."""
    order = np.concatenate([interest.members for interest in interests])
    starts = np.cumsum([0, *(len(interest.members) for interest in interests[:-1])])
    vectors = catalogue.vectors(candidates)
    total = float(examples.weights[order].sum())
    weights = examples.weights[order] / total
    likeness = inner(examples.vectors[order], vectors).astype(np.float64)
    width = taste.sharpness * catalogue.spread
    by_looks = 1.0 if together is None else taste.looks
    looks = by_looks * weights[:, None] * np.exp((likeness - 1.0) / width)
    against = np.zeros(len(candidates))
    disliked = examples.disliked
    if len(disliked):
        unlike = inner(examples.vectors[disliked], vectors).astype(np.float64)
        said = -examples.weights[disliked, None] / total * np.exp((unlike - 1.0) / width)
        against = by_looks * taste.beta * said.max(axis=0)
    company = (
        np.zeros_like(looks)
        if together is None
        else weights[:, None] * together.among(examples.units[order], candidates)
    )
    return Heard(candidates, vectors, order, starts, likeness, looks, company, against)
