"""A second look at the first answers of a query, by a name that users choose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.types import Embeddings, Rows
from lookalike.vectors.metrics import cosine
from lookalike.vectors.reranking import Nearest, alpha_query_expansion, database_augmentation, k_reciprocal

Reranking: TypeAlias = Literal["none", "alpha-qe", "dba", "k-reciprocal"]
"""How the first answers are ordered anew.

- ``none``: by the query alone.
- ``alpha-qe``: by the query joined with its 3 best answers (alpha query expansion). A millisecond.
- ``dba``: by the answers joined with their own 3 neighbours (database augmentation). A search for each answer
  looked at.
- ``k-reciprocal``: by how far query and answer share their neighbours. Some milliseconds.
"""

RERANKINGS: tuple[Reranking, ...] = get_args(Reranking)

SHORTLIST = 100
"""Answers that are looked at again; those after them keep their places."""

TRUSTED = 3
"""Answers that expand a query, and neighbours that augment an answer (itself among them). More than the views that
there are of a thing join strangers to it: with three views each, 5 lost 6 points of recall@1 and 3 lost 4."""

K1, K2, ORIGINAL = 10, 3, 0.5
"""Of the k-reciprocal encoding. Zhong et al. take 20, 6 and 0.3 for tens of pictures of one person; these suit a few
pictures of one thing (measured with five)."""


def check_reranking(name: object) -> None:
    """Refuse a name that is none.

    Raises:
        InputError: Lists those that are.
    """
    if name not in RERANKINGS:
        raise InputError(f"rerank {name!r} is not known: choose one of {', '.join(RERANKINGS)}")


def reordered(
    method: Reranking,
    queries: Embeddings,
    rows: Rows,
    scores: npt.NDArray[np.float32],
    *,
    nearest: Nearest,
    take: Callable[[Rows], Embeddings],
) -> npt.NDArray[np.int64]:
    """A new order of a query's first answers.

    Args:
        method: How.
        queries: float32 (w, d), L2-normalised: the vectors of the query; an item's score is its best.
        rows: int64 (m,), the answers, best first.
        scores: float32 (m,), their scores.
        nearest: Finds items of the gallery; see :data:`lookalike.vectors.reranking.Nearest`.
        take: Embeddings of rows, float32 (m, d).

    Returns:
        int64 (m,), positions among the answers; equal ones stay in the order they had.

    Raises:
        InputError: If the method is not known.
    """
    check_reranking(method)
    if method == "none" or len(rows) < 2:
        return np.arange(len(rows), dtype=np.int64)
    vectors = take(rows)
    if method == "k-reciprocal":
        again = k_reciprocal(scores, cosine(vectors, vectors), k1=K1, k2=K2, original=ORIGINAL)
    elif method == "alpha-qe":
        expanded = alpha_query_expansion(queries, vectors[:TRUSTED], scores[:TRUSTED])
        again = cosine(expanded, vectors).max(axis=0).astype(np.float64)
    else:
        augmented = database_augmentation(vectors, nearest, take, k=TRUSTED)
        again = cosine(queries, augmented).max(axis=0).astype(np.float64)
    return np.argsort(-again, kind="stable").astype(np.int64)
