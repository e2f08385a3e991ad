"""Mean and covariance in one pass are those of all the vectors at once."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.covariance import OAS

from clustered_vectors import clustered
from lookalike.errors import InputError
from lookalike.vectors import covariance
from lookalike.vectors.covariance import CovarianceAccumulator, oas_shrinkage

VECTORS = clustered(700, dimensions=12)


@settings(deadline=None, max_examples=40)
@given(cuts=st.lists(st.integers(0, 700), max_size=5), merged=st.integers(0, 6))
def test_any_cut_and_any_merge_gives_the_same(cuts: list[int], merged: int) -> None:
    edges = [0, *sorted(cuts), 700]
    blocks = [VECTORS[a:b] for a, b in pairwise(edges)]
    seen, other = CovarianceAccumulator(12), CovarianceAccumulator(12)
    for at, block in enumerate(blocks):
        (seen if at < merged else other).update(block)
    seen.merge(other)
    wide = VECTORS.astype(np.float64)
    assert seen.count == 700
    np.testing.assert_allclose(seen.mean, wide.mean(axis=0), atol=1e-13)
    np.testing.assert_allclose(seen.covariance(), np.cov(wide.T, bias=True), atol=1e-13)
    np.testing.assert_allclose(seen.second_moment(), wide.T @ wide / 700, atol=1e-13)


def test_a_large_mean_does_not_drown_a_small_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(covariance, "BLOCK", 64)
    rng = np.random.default_rng(0)
    vectors = (4096 + rng.integers(0, 2, (1000, 3))).astype(np.float32)
    seen = CovarianceAccumulator.of(vectors)
    np.testing.assert_allclose(seen.covariance(), np.cov(vectors.astype(np.float64).T, bias=True), rtol=1e-9)


def test_a_stream_is_as_good_as_an_array() -> None:
    streamed = CovarianceAccumulator.of(VECTORS[first : first + 100] for first in range(0, 700, 100))
    whole = CovarianceAccumulator.of(VECTORS)
    np.testing.assert_allclose(streamed.covariance(), whole.covariance(), atol=1e-14)


def test_shrinkage_brings_a_small_sample_nearer_to_the_truth() -> None:
    rng = np.random.default_rng(1)
    scales = np.linspace(0.5, 1.5, 40)
    truth = np.diag(scales**2)
    sample = CovarianceAccumulator.of((rng.standard_normal((30, 40)) * scales).astype(np.float32))
    found = sample.covariance()
    rho = oas_shrinkage(found, 30)
    shrunk = (1 - rho) * found + rho * np.trace(found) / 40 * np.eye(40)
    assert 0 < rho < 1
    assert np.linalg.norm(shrunk - truth) < 0.5 * np.linalg.norm(found - truth)


def test_shrinkage_agrees_with_scikit_learn_but_for_the_terms_it_leaves_out() -> None:
    vectors = clustered(150, dimensions=100)
    ours = oas_shrinkage(CovarianceAccumulator.of(vectors).covariance(), 150)
    assert ours == pytest.approx(OAS().fit(vectors.astype(np.float64)).shrinkage_, rel=0.02)


def test_shrinkage_ends_with_many_vectors_and_is_whole_where_nothing_stands_out() -> None:
    assert oas_shrinkage(np.diag([1.0, 2.0, 3.0]), 10**7) < 1e-5
    assert oas_shrinkage(np.eye(5), 100) == 1
    assert oas_shrinkage(np.zeros((5, 5)), 100) == 1


def test_what_cannot_be_learned_from_is_refused() -> None:
    with pytest.raises(InputError, match="no vectors"):
        CovarianceAccumulator.of(iter([]))
    with pytest.raises(InputError, match="no vectors"):
        CovarianceAccumulator(3).covariance()
    with pytest.raises(InputError, match=r"expected \(n, 3\)"):
        CovarianceAccumulator(3).update(VECTORS)
    with pytest.raises(InputError, match="not finite"):
        CovarianceAccumulator(2).update(np.float32([[0, np.nan]]))
    with pytest.raises(InputError, match="4 dimensions"):
        CovarianceAccumulator(3).merge(CovarianceAccumulator(4))
