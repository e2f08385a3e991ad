"""Learning what goes together: for every unit, a ridge regression of who likes it on who likes its nearest units.

This is SLIM with feature selection (Ning & Karypis, "SLIM: Sparse Linear Methods for Top-N Recommender Systems", ICDM
2011, https://doi.org/10.1109/ICDM.2011.134) in the closed form of ridge regression, as in EASE (Steck, WWW 2019,
arXiv:1905.03375) and its sparse approximation (Steck, "Markov Random Fields for Collaborative Filtering", NeurIPS 2019,
arXiv:1910.09645): a unit is explained by few others, so that nothing of size units x units is ever held.

The Gram matrix is made in blocks of rows, twice: once to find each unit's nearest, once to gather the small systems of
equations. Time grows with the sum of squares of how many units each user liked, which is why that number is capped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.tasks.recommend.together import Floats, Scores, Together
from lookalike.types import Rows
from lookalike.vectors.threads import one_thread_each

if TYPE_CHECKING:
    from scipy.sparse import csr_array

NEIGHBOURS = 50
RIDGE = 2.0
"""In units of :func:`fit_together`; what is taken where nothing can be validated."""

SHRINKAGE = 20.0
"""Users whose likes a cosine must outweigh: two units that one person liked are no neighbours for it."""

MOST_LIKED = 500
"""Units of one user that teach: the work grows with the square, and whoever likes everything tells little."""

GRAM_BLOCK = 4_000_000
"""Entries of the Gram matrix made at a time: some 100 MB with what makes them."""

SYSTEMS_MEMORY = 256 * 2**20
"""Bytes of small systems gathered in one pass over the Gram matrix."""

SOLVED = 512
"""Systems solved at a time."""

LEAST_LIKING = 1e-6
"""Of the sum of one user's weights for one unit: less, as decay leaves it after years, is none."""

NOBODY = -1
"""In a list of neighbours: there are no more."""


class Likes(NamedTuple):
    """Who likes what how much.

    Args:
        matrix: float64 CSR (users, units): log(1 + liking).
        squares: float64 (units,), sum of squares of each column: the diagonal of the Gram matrix.
        support: float64 (units,), users who like each unit.
        events: Positive events that it was made of.
    """

    matrix: csr_array
    squares: Floats
    support: Floats
    events: int


def fit_together(
    user: Rows,
    unit: Rows,
    weight: Floats,
    *,
    units: int,
    neighbours: int = NEIGHBOURS,
    ridge: float = RIDGE,
    most_liked: int = MOST_LIKED,
) -> Together:
    """Learn what goes together from everyone's interactions.

    Weights of one user and unit are summed, of the sums the logarithm log(1 + w) is taken; weights that are not
    positive teach nothing. The penalty of a coefficient is ``ridge * sqrt(s_i * mean s)`` with s the sum of squares of
    a unit's column: without a scale of the data, and between penalising popular and rare units alike and in
    proportion to their popularity.

    Args:
        user: int64 (e,), any numbers of at least 0.
        unit: int64 (e,), 0 to units - 1.
        weight: float64 (e,), what each event weighs.
        units: How many there are.
        neighbours: Other units that explain a unit, at most.
        ridge: Strength of the penalty, > 0; :func:`..together_validation.validate_together` chooses it.
        most_liked: Units of one user that teach: those with the greatest sums, of equal ones those named last.

    Returns:
        The model; the same for the same events in the same order.

    Raises:
        InputError: If an argument is wrong.
    """
    return fit_several(
        user, unit, weight, units=units, neighbours=neighbours, ridges=(ridge,), most_liked=most_liked
    )[0]


@one_thread_each()
def fit_several(
    user: Rows,
    unit: Rows,
    weight: Floats,
    *,
    units: int,
    neighbours: int = NEIGHBOURS,
    ridges: Sequence[float],
    most_liked: int = MOST_LIKED,
) -> list[Together]:
    """Fit for several penalties, at little more than the cost of one.

    Args:
        user, unit, weight, units, neighbours, most_liked: As in :func:`fit_together`.
        ridges: At least one.

    Raises:
        InputError: If an argument is wrong.
    """
    if not ridges or not all(np.isfinite(ridge) and ridge > 0 for ridge in ridges):
        raise InputError(f"ridge {list(ridges)} does not penalise: expected numbers > 0")
    if neighbours < 1 or most_liked < 1:
        raise InputError(f"neighbours = {neighbours} and most_liked = {most_liked}: expected at least 1 each")
    likes = matrix_of_likes(user, unit, weight, units=units, most_liked=most_liked)
    nearest, products = _nearest(likes, neighbours)
    coefficients = _solved(likes, nearest, products, ridges)
    return [
        _model(likes, nearest, columns, neighbours, float(ridge))
        for ridge, columns in zip(ridges, coefficients, strict=True)
    ]


def _model(likes: Likes, nearest: Rows, columns: Scores, neighbours: int, ridge: float) -> Together:
    """The rows of B from what was learned of each of its columns."""
    n, m = nearest.shape
    entries = np.flatnonzero((nearest != NOBODY) & (columns != 0))
    entries = entries[np.argsort(nearest.ravel()[entries], kind="stable")]
    lengths = np.bincount(nearest.ravel()[entries], minlength=n)
    return Together(
        indptr=np.concatenate([[0], np.cumsum(lengths)]),
        indices=(entries // m).astype(np.int32),
        data=columns.ravel()[entries],
        support=likes.support,
        neighbours=neighbours,
        ridge=ridge,
        users=likes.matrix.shape[0],
        events=likes.events,
    )


def matrix_of_likes(user: Rows, unit: Rows, weight: Floats, *, units: int, most_liked: int) -> Likes:
    """Sum what each user did to each unit.

    Args:
        user, unit, weight, units, most_liked: As in :func:`fit_together`.

    Raises:
        InputError: If the arrays do not fit, a number is out of range, or a weight is not finite.
    """
    from scipy.sparse import csr_array

    user, unit, weight = checked_events(user, unit, weight, units=units)
    positive = weight > 0
    user, unit, weight = user[positive], unit[positive], weight[positive]
    user = np.unique(user, return_inverse=True)[1]
    order = np.argsort(user * units + unit, kind="stable")
    user, unit, weight = user[order], unit[order], weight[order]
    starts = np.flatnonzero(np.diff(user * units + unit, prepend=-1))
    sums = np.add.reduceat(weight, starts) if len(starts) else weight
    last = order[np.append(starts[1:], len(order)) - 1] if len(starts) else order
    taught = sums >= LEAST_LIKING
    user, unit, sums, last = user[starts][taught], unit[starts][taught], sums[taught], last[taught]
    kept = _greatest_of_each(user, sums, last, most_liked)
    user, unit, liking = user[kept], unit[kept], np.log1p(sums[kept])
    users, user = np.unique(user, return_inverse=True)
    matrix = csr_array((liking, (user, unit)), shape=(len(users), units))
    squares = np.asarray(np.bincount(unit, liking * liking, units), dtype=np.float64)
    return Likes(matrix, squares, np.bincount(unit, minlength=units).astype(np.float64), int(positive.sum()))


def checked_events(user: Rows, unit: Rows, weight: Floats, *, units: int) -> tuple[Rows, Rows, Floats]:
    """Events as arrays of the right types.

    Raises:
        InputError: If they are not.
    """
    if units < 1:
        raise InputError(f"units = {units}: expected at least 1")
    user, unit = np.asarray(user), np.asarray(unit)
    weight = np.asarray(weight, dtype=np.float64)
    if user.ndim != 1 or user.shape != unit.shape or user.shape != weight.shape:
        raise InputError(
            f"user {user.shape}, unit {unit.shape} and weight {weight.shape} do not fit: expected one number each "
            "for every event"
        )
    if len(user) and (user.dtype.kind not in "iu" or unit.dtype.kind not in "iu"):
        raise InputError(f"user is {user.dtype} and unit {unit.dtype}: expected whole numbers")
    if len(user) and (user.min() < 0 or unit.min() < 0 or unit.max() >= units):
        raise InputError(
            f"users from {user.min()}, units {unit.min()} to {unit.max()}: expected users of at least 0 and units "
            f"from 0 to {units - 1}"
        )
    if not np.isfinite(weight).all():
        raise InputError(f"{np.count_nonzero(~np.isfinite(weight))} weights are not finite numbers")
    return user.astype(np.int64), unit.astype(np.int64), weight


def _greatest_of_each(user: Rows, sums: Floats, last: Rows, most: int) -> npt.NDArray[np.int64]:
    """Which entries to keep so that no user has more than ``most``; users ascending."""
    counts = np.bincount(user)
    if not len(user) or counts.max() <= most:
        return np.arange(len(user))
    order = np.lexsort((-last, -sums, user))
    rank = np.arange(len(user)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.sort(order[rank < most])


def _gram_rows(likes: Likes, rows: Rows) -> Iterator[tuple[int, npt.NDArray[np.int32], Floats]]:
    """Rows of the Gram matrix, each as columns and values, made a bounded block at a time."""
    if not len(rows):
        return
    transposed = likes.matrix.T.tocsr()
    liked = np.diff(likes.matrix.indptr).astype(np.float64)
    reached = np.add.reduceat(np.append(liked[transposed.indices], 0.0), transposed.indptr[:-1])
    reached[np.diff(transposed.indptr) == 0] = 0.0
    work = np.cumsum(np.minimum(reached[rows], likes.matrix.shape[1]))
    bounds = np.flatnonzero(np.diff(work // GRAM_BLOCK, prepend=-1))
    for first, end in zip(bounds, np.append(bounds[1:], len(rows)), strict=True):
        block = transposed[rows[first:end]] @ likes.matrix
        for place, row in enumerate(rows[first:end].tolist()):
            own = slice(block.indptr[place], block.indptr[place + 1])
            yield row, block.indices[own], block.data[own]


def _nearest(likes: Likes, most: int) -> tuple[npt.NDArray[np.int64], Floats]:
    """The nearest others of every unit by shrunk cosine, ascending; -1 where there are fewer.

    Returns:
        units int64 (n, m) and their Gram products with the unit float64 (n, m), 0 where there is none.
    """
    n = likes.matrix.shape[1]
    found = np.full((n, min(most, max(n - 1, 1))), NOBODY, dtype=np.int64)
    products = np.zeros(found.shape)
    lengths = np.sqrt(likes.squares)
    shrinkage = SHRINKAGE * likes.squares.sum() / max(1.0, likes.support.sum())
    for row, columns, values in _gram_rows(likes, np.flatnonzero(likes.support)):
        cosines = values / (lengths[row] * lengths[columns] + shrinkage)
        cosines[columns == row] = 0.0
        if len(columns) > found.shape[1]:
            best = np.argpartition(-cosines, found.shape[1] - 1)[: found.shape[1]]
        else:
            best = np.flatnonzero(columns != row)
        best = best[cosines[best] > 0]
        best = best[np.argsort(columns[best])]
        found[row, : len(best)] = columns[best]
        products[row, : len(best)] = values[best]
    return found, products


def _solved(
    likes: Likes, nearest: npt.NDArray[np.int64], products: Floats, ridges: Sequence[float]
) -> list[npt.NDArray[np.float32]]:
    """Coefficients float32 (n, m) of every unit's neighbours, for each ridge."""
    n, m = nearest.shape
    found = [np.zeros((n, m), dtype=np.float32) for _ in ridges]
    known = likes.squares[likes.support > 0]
    penalty = np.append(np.sqrt(likes.squares * (known.mean() if len(known) else 1.0)), 1.0)
    some = max(1, SYSTEMS_MEMORY // (4 * m * m))
    learnt = np.flatnonzero(nearest[:, 0] != NOBODY)
    for start in range(0, len(learnt), some):
        chunk = learnt[start : start + some]
        systems = _systems(likes, nearest[chunk])
        for first in range(0, len(chunk), SOLVED):
            batch = chunk[first : first + SOLVED]
            gram = systems[first : first + SOLVED].astype(np.float64)
            for ridge, columns in zip(ridges, found, strict=True):
                penalised = gram.copy()
                penalised[:, np.arange(m), np.arange(m)] += ridge * penalty[nearest[batch]]
                columns[batch] = np.linalg.solve(penalised, products[batch][..., None])[..., 0]
        del systems  # before the next chunk's are made
    return found


def _systems(likes: Likes, nearest: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """The Gram matrix of each unit's neighbours among themselves, float32 (c, m, m); 0 where there is none."""
    count, m = nearest.shape
    systems = np.zeros((count, m, m), dtype=np.float32)
    order = np.argsort(nearest, axis=None, kind="stable")
    order = order[np.searchsorted(nearest.ravel()[order], 0) :]
    needed, starts = np.unique(nearest.ravel()[order], return_index=True)
    ends = np.append(starts[1:], len(order))
    scratch = np.zeros(likes.matrix.shape[1] + 1)  # the last one, at NOBODY, stays 0
    for place, (_, columns, values) in enumerate(_gram_rows(likes, needed)):
        scratch[columns] = values
        which, slot = np.divmod(order[starts[place] : ends[place]], m)
        systems[which, slot] = scratch[nearest[which]]
        scratch[columns] = 0.0
    return systems
