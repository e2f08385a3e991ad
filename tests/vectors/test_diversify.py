from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustered_vectors import clustered
from lookalike.errors import InputError
from lookalike.vectors.diversify import mmr
from lookalike.vectors.metrics import cosine


def naive_mmr(relevance: np.ndarray, embeddings: np.ndarray, k: int, diversity: float) -> list[int]:
    """The definition, one candidate at a time."""
    chosen: list[int] = []
    while len(chosen) < min(k, len(relevance)):
        best, best_value = -1, -np.inf
        for i in range(len(relevance)):
            if i in chosen:
                continue
            closest = max((float(cosine(embeddings[j][None], embeddings)[0][i]) for j in chosen), default=0.0)
            value = (1 - diversity) * float(relevance[i]) - (diversity * closest if chosen else 0.0)
            if not chosen:
                value = float(relevance[i])
            if value > best_value:
                best, best_value = i, value
        chosen.append(best)
    return chosen


@given(st.integers(0, 10_000), st.integers(0, 12), st.integers(1, 15), st.floats(0, 1))
def test_choices_are_those_of_the_definition(seed: int, n: int, k: int, diversity: float) -> None:
    embeddings = clustered(n + 1, dimensions=8, clusters=3, seed=seed)[:n]
    relevance = np.random.default_rng(seed).random(n).astype(np.float32)
    assert mmr(relevance, embeddings, k, diversity).tolist() == naive_mmr(relevance, embeddings, k, diversity)


def test_no_diversity_ranks_by_relevance() -> None:
    relevance = np.float32([0.1, 0.9, 0.5, 0.9])
    assert mmr(relevance, clustered(4), 4, 0.0).tolist() == [1, 3, 2, 0]


def test_a_copy_of_the_first_comes_last_when_diversity_counts() -> None:
    embeddings = clustered(5, clusters=5, seed=1)
    embeddings[1] = embeddings[0]
    assert mmr(np.float32([0.9, 0.9, 0.5, 0.5, 0.5]), embeddings, 5, 0.9).tolist()[-1] == 1


@pytest.mark.parametrize(("k", "diversity", "n"), [(0, 0.5, 4), (2, 1.1, 4), (2, -0.1, 4), (2, 0.5, 3)])
def test_wrong_arguments_are_refused(k: int, diversity: float, n: int) -> None:
    with pytest.raises(InputError, match="do not fit"):
        mmr(np.ones(4, np.float32), clustered(n), k, diversity)
