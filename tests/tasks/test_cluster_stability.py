from __future__ import annotations

import numpy as np
import pytest

from lookalike.errors import InputError
from lookalike.tasks.cluster_stability import apart, stability


def test_a_clustering_that_always_comes_out_again_is_stable() -> None:
    assert stability(100, lambda rows, _seed: rows // 10) == pytest.approx(1)


def test_a_clustering_by_chance_is_not() -> None:
    value = stability(400, lambda rows, seed: np.random.default_rng(seed).integers(5, size=len(rows)))
    assert value is not None and abs(value) < 0.05


def test_subsamples_are_four_fifths_of_the_items_in_order() -> None:
    seen: list[np.ndarray] = []

    def cluster(rows: np.ndarray, _seed: int) -> np.ndarray:
        seen.append(rows)
        return rows % 3

    stability(50, cluster)
    assert len(seen) == 4 and all(len(rows) == 40 and (np.diff(rows) > 0).all() for rows in seen)


def test_too_few_items_say_nothing_and_wrong_arguments_are_refused() -> None:
    assert stability(5, lambda rows, _seed: rows) is None
    with pytest.raises(InputError, match="expected 2 or more"):
        stability(100, lambda rows, _seed: rows, runs=1)


def test_noise_items_are_clusters_of_their_own() -> None:
    assert apart(np.array([0, -1, 1, -1])).tolist() == [0, 2, 1, 3]
