"""Reducers: the directions that theory says, the same for the same input, and fewer dimensions are a prefix."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from clustered_vectors import clustered
from lookalike.errors import InputError
from lookalike.types import Embeddings
from lookalike.vectors.covariance import CovarianceAccumulator
from lookalike.vectors.metrics import normalise
from lookalike.vectors.reduction import Method, Reducer, fit_reducer

UNSUPERVISED: tuple[Method, ...] = ("pca", "whiten", "svd", "random")
VECTORS = clustered(900, dimensions=24)


def cosines(vectors: Embeddings) -> np.ndarray:
    wide = vectors.astype(np.float64)
    return wide @ wide.T


def test_pca_finds_the_directions_of_scikit_learn() -> None:
    reducer, peer = fit_reducer(VECTORS, 8), PCA(8).fit(VECTORS.astype(np.float64))
    alike = np.abs(np.einsum("dm,md->m", reducer.matrix, peer.components_))
    np.testing.assert_allclose(alike, 1, atol=1e-5)
    np.testing.assert_allclose(reducer.mean, peer.mean_, atol=1e-6)
    rho = reducer.parameters["shrinkage"]
    np.testing.assert_allclose(
        reducer.explained, (1 - rho) * peer.explained_variance_ratio_ + rho / 24, atol=1e-5
    )
    ours = reducer.project(VECTORS) * np.sign(np.einsum("dm,md->m", reducer.matrix, peer.components_))
    np.testing.assert_allclose(ours, peer.transform(VECTORS), atol=1e-5)


@pytest.mark.parametrize("method", ["pca", "whiten", "svd"])
def test_signs_do_not_depend_on_the_order_of_the_vectors(method: Method) -> None:
    order = np.random.default_rng(3).permutation(len(VECTORS))
    one, other = fit_reducer(VECTORS, method=method), fit_reducer(VECTORS[order], method=method)
    np.testing.assert_allclose(one.matrix, other.matrix, atol=1e-4)
    greatest = np.abs(one.matrix).argmax(axis=0)
    assert (one.matrix[greatest, np.arange(one.dimensions)] > 0).all()


@pytest.mark.parametrize("method", UNSUPERVISED)
def test_the_same_input_gives_the_same_bytes(method: Method) -> None:
    first, second = fit_reducer(VECTORS, 5, method=method), fit_reducer(VECTORS, 5, method=method)
    assert first.to_bytes() == second.to_bytes()
    assert first.fingerprint == second.fingerprint


@pytest.mark.parametrize("method", UNSUPERVISED)
def test_a_stream_teaches_what_the_array_teaches(method: Method) -> None:
    whole = fit_reducer(VECTORS, 6, method=method)
    blocks = (VECTORS[first : first + 70] for first in range(0, len(VECTORS), 70))
    streamed = fit_reducer(blocks, 6, method=method)
    moments = fit_reducer(CovarianceAccumulator.of(VECTORS), 6, method=method)
    np.testing.assert_allclose(streamed.matrix, whole.matrix, atol=1e-5)
    np.testing.assert_array_equal(moments.matrix, whole.matrix)


@pytest.mark.parametrize("method", UNSUPERVISED)
def test_fewer_dimensions_are_the_first_ones(method: Method) -> None:
    most, few = fit_reducer(VECTORS, 12, method=method), fit_reducer(VECTORS, 4, method=method)
    np.testing.assert_array_equal(most.truncated(4).matrix, few.matrix)
    np.testing.assert_array_equal(normalise(most.project(VECTORS)[:, :4]), few.transform(VECTORS))
    with pytest.raises(InputError, match="1 to 4"):
        few.truncated(5)


@pytest.mark.parametrize("method", ["svd", "random"])
def test_a_rotation_to_all_dimensions_keeps_every_cosine(method: Method) -> None:
    reducer = fit_reducer(VECTORS, method=method)
    assert reducer.dimensions == 24
    assert reducer.reference == "full"
    np.testing.assert_allclose(cosines(reducer.transform(VECTORS)), cosines(VECTORS), atol=1e-6)
    assert reducer.explained.sum() == pytest.approx(1, abs=1e-5)


def test_pca_to_all_dimensions_keeps_the_cosines_about_the_mean() -> None:
    reducer = fit_reducer(VECTORS)
    assert reducer.reference == "centred"
    centred = normalise(VECTORS - VECTORS.mean(axis=0, dtype=np.float64))
    np.testing.assert_allclose(cosines(reducer.transform(VECTORS)), cosines(centred), atol=1e-5)


def test_whitened_components_vary_alike_and_small_ones_are_not_blown_up() -> None:
    plenty = fit_reducer(VECTORS, method="whiten").project(VECTORS)
    spread = plenty.std(axis=0)
    assert spread.min() > 0.85 * spread.max()
    few = clustered(26, dimensions=24)
    reducer = fit_reducer(few, method="whiten")
    gain = np.linalg.norm(reducer.matrix, axis=0)
    variances = np.linalg.eigvalsh(np.cov(few.astype(np.float64).T))[::-1]
    assert np.sqrt(variances[0] / variances[23]) > 20
    assert gain.max() / gain.min() < 4


def test_few_vectors_teach_no_more_directions_than_they_have() -> None:
    assert fit_reducer(VECTORS[:10]).dimensions == 9
    assert fit_reducer(VECTORS[:10], method="svd").dimensions == 10
    assert fit_reducer(VECTORS[:10]).explained.sum() < 0.9  # shrunk: ten vectors are not the whole truth
    with pytest.raises(InputError, match="at most 9"):
        fit_reducer(VECTORS[:10], 12)


def test_a_seed_decides_a_random_projection() -> None:
    one, same, other = (fit_reducer(VECTORS, 8, method="random", seed=seed) for seed in (4, 4, 5))
    np.testing.assert_array_equal(one.matrix, same.matrix)
    assert one.fingerprint != other.fingerprint
    np.testing.assert_allclose(one.matrix.T @ one.matrix, np.eye(8), atol=1e-6)


@settings(deadline=None, max_examples=30)
@given(first=st.integers(0, 880), count=st.integers(1, 20))
def test_a_vector_is_reduced_alike_in_a_batch_of_any_size(first: int, count: int) -> None:
    reducer = fit_reducer(VECTORS, 7)
    np.testing.assert_allclose(
        reducer.transform(VECTORS[first : first + count]),
        reducer.transform(VECTORS)[first : first + count],
        rtol=0,
        atol=1e-7,
    )


def test_reduced_vectors_have_length_one_also_where_there_is_no_direction() -> None:
    reducer = fit_reducer(VECTORS, 5)
    reduced = reducer.transform(np.vstack([VECTORS[:3], reducer.mean]))
    np.testing.assert_allclose(np.linalg.norm(reduced, axis=1), 1, atol=1e-6)
    assert reduced.dtype == np.float32
    same = np.repeat(VECTORS[:1], 5, axis=0)
    assert np.isfinite(fit_reducer(same).transform(same)).all()


def test_bytes_hold_all_of_it() -> None:
    reducer = fit_reducer(VECTORS, 5, method="whiten")
    again = Reducer.from_bytes(reducer.to_bytes())
    np.testing.assert_array_equal(again.transform(VECTORS), reducer.transform(VECTORS))
    assert (again.method, again.parameters) == (reducer.method, reducer.parameters)
    np.testing.assert_array_equal(again.explained, reducer.explained)
    for broken in (b"", b"nonsense", reducer.to_bytes()[:-30]):
        with pytest.raises(InputError, match="no reducer"):
            Reducer.from_bytes(broken)


def test_wrong_arguments_are_refused_with_what_is_right() -> None:
    with pytest.raises(InputError, match="pca, whiten, svd, random, discriminant"):
        fit_reducer(VECTORS, method="umap")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="needs the group"):
        fit_reducer(VECTORS, method="discriminant")
    with pytest.raises(InputError, match="learns nothing from groups"):
        fit_reducer(VECTORS, groups=np.zeros(900))
    with pytest.raises(InputError, match="length 24"):
        fit_reducer(VECTORS, 3).transform(VECTORS[:, :20])
