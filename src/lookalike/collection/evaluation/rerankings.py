"""The re-rankings of a search, reported by an evaluation beside the plain ranking."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.evaluate.labelled import NOT_IN_GALLERY, ScoreBlock, cosines
from lookalike.evaluate.ranks import Scores
from lookalike.tasks.rerank import K1, K2, ORIGINAL, RERANKINGS, SHORTLIST, TRUSTED, Reranking, reordered
from lookalike.types import Embeddings, Rows
from lookalike.vectors.metrics import normalise
from lookalike.vectors.neighbours import ArrayVectors, Exact, Mask
from lookalike.vectors.reranking import ALPHA, Nearest, Similarities

NAMES = tuple(name for name in RERANKINGS if name != "none")

PARAMETERS: dict[Reranking, dict[str, Any]] = {
    "alpha-qe": {"answers": TRUSTED, "alpha": ALPHA},
    "dba": {"neighbours": TRUSTED, "alpha": ALPHA},
    "k-reciprocal": {"k1": K1, "k2": K2, "original": ORIGINAL},
}

ABOVE = 2.0
"""Lifts the scores of a shortlist above every cosine."""


def check_rerankings(names: Sequence[Reranking]) -> None:
    """Refuse names that are none.

    Raises:
        InputError: Lists those that are.
    """
    if isinstance(names, str) or any(name not in NAMES for name in names):
        raise InputError(f"rerank {names!r}: expected a list of some of {', '.join(NAMES)}")


def describe_rerankings(names: Sequence[Reranking]) -> dict[str, Any]:
    """What the chosen re-rankings depend on, for a result's provenance."""
    return {name: {"shortlist": SHORTLIST, **PARAMETERS[name]} for name in names}


def rerankings(
    names: Sequence[Reranking], queries: Embeddings, gallery: npt.NDArray[Any], own: npt.NDArray[np.int64]
) -> dict[str, ScoreBlock]:
    """Scores of the same queries and items after each re-ranking, as a search with ``rerank=`` orders them.

    Args:
        names: Which.
        queries: float32 (q, d), L2-normalised rows.
        gallery: float16 or float32 (n, d), rows of length about 1.
        own: int64 (q,), the place of each query in the gallery, or -1; it takes no part in its own answer.
    """
    plain = cosines(queries, gallery)
    index = Exact(ArrayVectors(gallery))

    def block(method: Reranking, part: slice) -> Scores:
        scores = plain(part).astype(np.float64)
        for query, of_query, itself in zip(queries[part], scores, own[part].tolist(), strict=True):
            best = _best(of_query, itself, SHORTLIST)
            order = reordered(
                method,
                query[None],
                best,
                of_query[best].astype(np.float32),
                nearest=_neighbours(index, itself),
                take=lambda rows: normalise(gallery[rows]),
            )
            of_query[best[order]] = ABOVE + np.linspace(1, 0, len(order))
        return scores

    return {name: partial(block, name) for name in names}


def _neighbours(index: Exact, itself: int) -> Nearest:
    """Finds neighbours among all items but the query itself."""
    allowed: Mask | None = None
    if itself != NOT_IN_GALLERY:
        allowed = np.ones(len(index), dtype=np.bool_)
        allowed[itself] = False

    def nearest(vectors: Embeddings, k: int) -> tuple[Rows, Similarities]:
        found = index.search(vectors, k, allowed)
        return found.positions, found.scores

    return nearest


def _best(scores: npt.NDArray[np.float64], itself: int, count: int) -> Rows:
    """Places of the best answers but the query itself, best first."""
    order: Rows = np.argsort(-scores, kind="stable")[: count + 1]
    others: Rows = order[order != itself][:count]
    return others
