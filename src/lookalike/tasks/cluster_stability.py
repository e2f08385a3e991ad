"""Stability of a clustering: does it come out again when a fifth of the items is left out?

Ben-Hur, Elisseeff & Guyon, "A stability based method for discovering structure in clustered data", 2002,
doi:10.1142/9789812799623_0002; agreement is the adjusted Rand index (Hubert & Arabie 1985, doi:10.1007/BF01908075).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from os import cpu_count

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.vectors.silhouette import NOISE, Labels

SHARE = 0.8
RUNS = 4
MOST_THREADS = 4
"""Subsamples that are clustered side by side."""

LEFT_OUT = -2
FEWEST = 5
"""A subsample of fewer items says nothing about clusters."""


def stability(
    n: int,
    cluster: Callable[[npt.NDArray[np.int64], int], Labels],
    *,
    share: float = SHARE,
    runs: int = RUNS,
    seed: int = 0,
) -> float | None:
    """Mean pairwise adjusted Rand index of clusterings of random subsamples, over the items they have in common.

    Noise counts as clusters of one item each.

    Args:
        n: Number of items.
        cluster: ``cluster(rows, seed)`` clusters the items ``rows``, int64 (m,) ascending, to labels int64 (m,);
            called from several threads.
        share: Of the items in a subsample, in (0, 1).
        runs: Number of subsamples, at least 2.
        seed: Of the subsamples, and passed on to each run with its number added.

    Returns:
        1 when every subsample gives the same clusters, about 0 when they agree by chance only; None with
        fewer than 5 items in a subsample.

    Raises:
        InputError: If the share or the number of runs is out of range.
    """
    from sklearn.metrics import adjusted_rand_score

    if not 0 < share < 1 or runs < 2:
        raise InputError(
            f"stability of {runs} runs on {share} of the items: expected 2 or more, above 0 and below 1"
        )
    rng = np.random.default_rng(seed)
    size = round(share * n)
    if size < FEWEST:
        return None
    subsamples = [np.sort(rng.choice(n, size=size, replace=False)).astype(np.int64) for _ in range(runs)]

    def answer(run: int) -> Labels:
        whole = np.full(n, LEFT_OUT, dtype=np.int64)
        whole[subsamples[run]] = apart(cluster(subsamples[run], seed + run))
        return whole

    with ThreadPoolExecutor(min(MOST_THREADS, cpu_count() or 1)) as pool:
        answers = list(pool.map(answer, range(runs)))
    agreements = []
    for one, other in combinations(answers, 2):
        both = (one != LEFT_OUT) & (other != LEFT_OUT)
        agreements.append(adjusted_rand_score(one[both], other[both]))
    return float(np.mean(agreements))


def apart(labels: Labels) -> Labels:
    """Labels in which every noise item is a cluster by itself."""
    single = labels.copy()
    noise = np.flatnonzero(labels == NOISE)
    single[noise] = labels.max(initial=NOISE) + 1 + np.arange(len(noise))
    return single
