"""Whose fault a wrong answer is: the model's, which puts strangers nearer, or the index's, which did not look."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError

Hits = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Misses:
    """What became of the queries that have an answer, at one rank.

    Args:
        k: The rank.
        queries: Queries with an answer.
        found: Queries for which the index has a relevant item among its first k.
        model_misses: Queries for which not even the exact search has one: a better index does not help.
        index_misses: Queries for which the exact search has one and the index has not: a higher ``recall=``
            of the search, or a rebuilt index, helps.
        lucky: Of the found: queries for which only the index has one, since it left out nearer strangers.
    """

    k: int
    queries: int
    found: int
    model_misses: int
    index_misses: int
    lucky: int


def decompose(exact: Hits, index: Hits, k: int) -> Misses:
    """Split the misses at rank k.

    Args:
        exact: float (q,), 1 where the exact search has a relevant item among its first k, 0 where not, NaN
            where the query has no answer.
        index: float (q,), the same of the index.
        k: The rank.

    Raises:
        InputError: If the two are not of the same queries.
    """
    if exact.shape != index.shape or exact.ndim != 1:
        raise InputError(f"exact {exact.shape} and index {index.shape} do not fit: expected (q,) of each")
    answered = ~np.isnan(exact)
    if (np.isnan(index) == answered).any():
        raise InputError("exact and index disagree on which queries have an answer: expected the same truth")
    right, got = exact[answered] > 0, index[answered] > 0
    return Misses(
        k,
        int(answered.sum()),
        int(got.sum()),
        int((~right & ~got).sum()),
        int((right & ~got).sum()),
        int((~right & got).sum()),
    )
