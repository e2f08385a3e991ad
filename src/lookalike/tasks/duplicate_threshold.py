"""Where to draw the line between edits and other pictures, learned from the collection itself.

What has to be known is how often different pictures would fall below a residual t. The collection tells. Candidate
pairs are thinned to the joins of their minimum spanning forest, so that two sets of copies that resemble each other
count once and not once for every pair across them. Joins of pictures that are no edits of each other (turned views,
other things on the same background) have residuals above 0.25, where next to no edit lies, and thin out downwards. The
lower tail of such a law is a power (the extreme-value argument behind Hill's estimator: Hill 1975,
https://doi.org/10.1214/aos/1176343247):

    expected false joins(t) = N * (t - 0.03)^a / (0.57^a - 0.22^a),      N joins with residuals in (0.25, 0.6],

where 0.03 is what two pictures taken apart differ by at the least, from noise and compression alone. The exponent a is
estimated from those N joins and averaged over its posterior (prior: log-normal about 3), so that few joins give a wide
and therefore careful answer. The threshold is the largest t at which

    expected false pairs(t) = expected false joins(t) * max(1, s^2 / 4) <= (1 - precision) * pairs found below t,

the estimate of a false discovery rate (Storey 2002, https://doi.org/10.1111/1467-9868.00346), and at which also of the
joins next to the line at most half are expected to be false (a local rate: Efron 2008,
https://arxiv.org/abs/0808.0572). s is the mean number of pictures in what is connected below t: a false join of two
sets of copies makes s^2 false pairs, of which complete linkage (``lookalike.tasks.duplicate_groups``) lets through
about a quarter (measured). Where fewer than ten pairs are found, ten are reckoned with, up to a tenth of a false one:
otherwise the only copy in a small collection could never be believed. The precision stated is that of the pairs really
found.

How many edits stay below the line is measured by editing some of the collection's own pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.types import Rows

Residuals = npt.NDArray[np.floating]

TAIL = (0.25, 0.6)
"""Residuals of joins from which the tail of different pictures is learned."""

LEAST_DIFFERENCE = 0.03
"""Residual that different pictures have at the least; half of all edits lie below 0.05."""

GRID = np.round(np.arange(0.03, 0.2501, 0.005), 3)
"""Residuals that a threshold is chosen from; beyond, different pictures prevail."""

BESIDE = 0.8
"""Joins between this share of a threshold and itself are those next to the line."""

FEWEST_PAIRS, SMALL_RISK = 10, 0.1
"""So many pairs are reckoned with where fewer were found, unless that lets more than this share of a false one pass."""

LET_THROUGH = 0.25
"""Share of the pairs across two sets of copies, falsely joined, that complete linkage lets through."""

_EXPONENTS = np.arange(0.5, 10.01, 0.1)
_PRIOR_EXPONENT, _PRIOR_SPREAD = 3.0, 0.4


class Joins(NamedTuple):
    """The minimum spanning forest of the pairs that were compared.

    Args:
        residuals: float64 (n,), ascending.
        first, second: int64 (n,), the rows that each connects.
        items: Number of pictures that were searched, those without a join among them.
    """

    residuals: npt.NDArray[np.float64]
    first: Rows
    second: Rows
    items: int


@dataclass(frozen=True, slots=True)
class Threshold:
    """A line, and what is expected of it.

    Args:
        residual: Pairs up to this are copies.
        pairs: Pairs within what joins below it connect.
        expected_false: How many of those are expected to be different pictures.
        recall: Share of edits of the collection's own pictures that stay below it; None when none were made.
        learned: False when the user gave it.
    """

    residual: float
    pairs: int
    expected_false: float
    recall: float | None
    learned: bool

    @property
    def similarity(self) -> float:
        """The line as a similarity, 1 for the same picture."""
        return 1 - self.residual

    @property
    def precision(self) -> float | None:
        """Expected share of pairs that are copies; None when there is none."""
        return max(0.0, 1 - self.expected_false / self.pairs) if self.pairs else None


def choose_threshold(joins: Joins, precision: float, edits: Residuals) -> Threshold:
    """The largest residual that keeps the precision asked for.

    Args:
        joins: Of all candidate pairs that were compared (:func:`lookalike.tasks.duplicate_groups.spanning_forest`).
        precision: Share of the pairs that must be copies, above 0 and below 1.
        edits: float (m,), of edits of the collection's own pictures; may be empty.

    Raises:
        InputError: If precision is out of range.
    """
    if not 0 < precision < 1:
        raise InputError(
            f"precision {precision} is no share: expected a number above 0 and below 1, such as 0.99"
        )
    false = expected_false(joins.residuals, GRID)
    pairs, each = _pairs_below(joins, GRID)
    good = each * false <= np.maximum(
        (1 - precision) * pairs, min(SMALL_RISK, (1 - precision) * FEWEST_PAIRS)
    )
    near = _below(joins, GRID) - _below(joins, BESIDE * GRID)
    good &= false - expected_false(joins.residuals, BESIDE * GRID) <= np.maximum(near, 1) / 2
    chosen = float(GRID[np.flatnonzero(good)[-1]]) if good.any() else 0.0
    return describe_threshold(joins, chosen, edits, learned=True)


def describe_threshold(
    joins: Joins, residual: float, edits: Residuals, *, learned: bool = False
) -> Threshold:
    """What is to be expected of a line.

    Args:
        joins: As in :func:`choose_threshold`.
        residual: The line.
        edits: As in :func:`choose_threshold`.
        learned: Whether it was chosen there.
    """
    line = np.array([residual])
    pairs, each = _pairs_below(joins, line)
    return Threshold(
        residual=residual,
        pairs=int(pairs[0]),
        expected_false=float(each[0] * expected_false(joins.residuals, line)[0]),
        recall=float(np.mean(edits <= residual)) if len(edits) else None,
        learned=learned,
    )


def expected_false(residuals: Residuals, lines: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """How many joins of different pictures are expected up to each line.

    Args:
        residuals: float (n,), of all joins.
        lines: float64 (t,).

    Returns:
        float64 (t,), one join more assumed in the tail than was seen, so that no tail is not taken for none.
    """
    low, high = TAIL
    tail = residuals[(residuals > low) & (residuals <= high)].astype(np.float64)
    shares = _share(lines)[:, None] ** _EXPONENTS / (1 - _share(low) ** _EXPONENTS)
    posterior = _posterior(tail)
    expected: npt.NDArray[np.float64] = (len(tail) + 1) * (shares @ posterior)
    return expected


def _posterior(tail: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Probability of each exponent, given residuals of the tail."""
    a = _EXPONENTS
    likelihood = len(tail) * (np.log(a) - np.log(1 - _share(TAIL[0]) ** a))
    likelihood += (a - 1) * np.log(_share(tail)).sum()
    prior = -0.5 * ((np.log(a) - np.log(_PRIOR_EXPONENT)) / _PRIOR_SPREAD) ** 2 - np.log(a)
    weight = np.exp(likelihood + prior - (likelihood + prior).max())
    probability: npt.NDArray[np.float64] = weight / weight.sum()
    return probability


def _share(residuals: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Where residuals lie between the least difference, 0, and the end of the tail, 1."""
    above = np.maximum(0.0, np.asarray(residuals, np.float64) - LEAST_DIFFERENCE)
    share: npt.NDArray[np.float64] = above / (TAIL[1] - LEAST_DIFFERENCE)
    return share


def _below(joins: Joins, lines: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """How many joins are at most each line."""
    return np.searchsorted(joins.residuals, lines, side="right")


def _pairs_below(
    joins: Joins, lines: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Pairs within what joins up to each line connect, and false pairs that a false join makes there."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    rows, ends = np.unique(np.concatenate([joins.first, joins.second]), return_inverse=True)
    left, right = np.split(ends, 2)
    pairs = np.zeros(len(lines))
    for number, count in enumerate(_below(joins, lines)):
        edges = (np.ones(count, dtype=np.int8), (left[:count], right[:count]))
        graph = coo_array(edges, shape=(len(rows), len(rows)))
        sizes = np.bincount(connected_components(graph, directed=False)[1]) if len(rows) else np.zeros(1)
        pairs[number] = (sizes * (sizes - 1)).sum() / 2
    mean_size = joins.items / np.maximum(1, joins.items - _below(joins, lines))
    return pairs, np.maximum(1, LET_THROUGH * mean_size**2)
