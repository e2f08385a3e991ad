"""Maximal marginal relevance: the next answer is relevant and unlike those already chosen.

Carbonell & Goldstein, "The use of MMR, diversity-based reranking for reordering documents and producing
summaries", SIGIR 1998, https://doi.org/10.1145/290941.291025.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.types import Embeddings
from lookalike.vectors.metrics import cosine


def mmr(
    relevance: npt.NDArray[np.float32], embeddings: Embeddings, k: int, diversity: float
) -> npt.NDArray[np.int64]:
    """Choose k of n candidates one after another, each maximising

    (1 - diversity) * relevance - diversity * max cosine with those already chosen.

    The pool must be larger than k: among exactly k candidates diversity could only change their order.

    Args:
        relevance: float32 (n,), such as the cosine with the query.
        embeddings: float32 (n, d), L2-normalised rows.
        k: At least 1; all n come back when there are fewer.
        diversity: 0 ranks by relevance alone, 1 ignores it after the first.

    Returns:
        int64 (min(k, n),), indices in the order chosen; of equal candidates the first.

    Raises:
        InputError: If k < 1, diversity is outside [0, 1], or the lengths differ.
    """
    n = len(relevance)
    if k < 1 or not 0 <= diversity <= 1 or len(embeddings) != n:
        raise InputError(
            f"k = {k}, diversity = {diversity}, {len(embeddings)} embeddings and {n} candidates do not fit: "
            "expected k >= 1, diversity from 0 to 1, and one embedding a candidate"
        )
    if n == 0:
        return np.empty(0, dtype=np.int64)
    weights = relevance.astype(np.float64)
    chosen = [int(np.argmax(weights))]
    left = np.ones(n, dtype=bool)
    closest = np.full(n, -1.0)
    while len(chosen) < min(k, n):
        left[chosen[-1]] = False
        closest = np.maximum(closest, cosine(embeddings[chosen[-1]][None], embeddings)[0])
        value = np.where(left, (1 - diversity) * weights - diversity * closest, -np.inf)
        chosen.append(int(np.argmax(value)))
    return np.array(chosen, dtype=np.int64)
