from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from clustered_vectors import clustered
from lookalike.errors import InputError
from lookalike.tasks import spherical_kmeans as module
from lookalike.tasks.spherical_kmeans import nearest_centroids, spherical_kmeans
from lookalike.vectors.metrics import normalise


def groups(n: int, k: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((k, 24))
    labels = rng.integers(k, size=n)
    return normalise(centres[labels] + 0.4 * rng.standard_normal((n, 24))), labels


def test_separate_groups_are_found() -> None:
    embeddings, truth = groups(1000, 12)
    found = spherical_kmeans(embeddings, 12)
    assert adjusted_rand_score(truth, found.labels) > 0.99
    assert np.allclose(np.linalg.norm(found.centroids, axis=1), 1, atol=1e-5)


def test_many_vectors_go_by_mini_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MANY", 2000)
    monkeypatch.setattr(module, "BATCH", 500)
    embeddings, truth = groups(6000, 12)
    assert adjusted_rand_score(truth, spherical_kmeans(embeddings, 12).labels) > 0.9


def test_the_same_seed_gives_the_same_clusters_with_any_number_of_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    embeddings = clustered(3000, dimensions=64)
    many = spherical_kmeans(embeddings, 50, seed=5)
    monkeypatch.setattr(module, "cpu_count", lambda: 1)
    with threadpool_limits(limits=1):
        one = spherical_kmeans(embeddings, 50, seed=5)
    assert np.array_equal(many.labels, one.labels) and np.array_equal(many.centroids, one.centroids)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 30), st.integers(0, 5))
def test_no_centroid_fits_a_vector_better_than_its_own(k: int, seed: int) -> None:
    embeddings = clustered(30, seed=seed)
    found = spherical_kmeans(embeddings, k, seed=seed)
    similar = embeddings @ found.centroids.T
    assert np.allclose(similar[np.arange(30), found.labels], similar.max(axis=1), atol=1e-5)
    assert found.similarity == pytest.approx(similar.max(axis=1).mean(), abs=1e-5)
    assert len(set(found.labels.tolist())) == k


def test_more_clusters_than_different_vectors_leave_some_empty() -> None:
    copies = np.repeat(clustered(3), 4, axis=0)
    found = spherical_kmeans(copies, 8)
    assert len(set(found.labels.tolist())) <= 8 and found.similarity == pytest.approx(1, abs=1e-5)


def test_a_number_of_clusters_that_cannot_be_is_refused() -> None:
    with pytest.raises(InputError, match="k = 11 clusters of 10 items"):
        spherical_kmeans(clustered(10), 11)
    with pytest.raises(InputError, match="0 starts"):
        spherical_kmeans(clustered(10), 2, restarts=0)


def test_the_next_centroid_is_known_too() -> None:
    centroids = np.eye(3, dtype=np.float32)
    near = nearest_centroids(normalise(np.array([[3.0, 1.0, 0.0]])), centroids)
    assert near.labels.tolist() == [0] and near.best[0] > near.second[0] > 0
    assert nearest_centroids(centroids, centroids[:1]).second.tolist() == [-1, -1, -1]
