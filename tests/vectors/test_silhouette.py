from __future__ import annotations

import numpy as np
from sklearn.metrics import silhouette_samples

from clustered_vectors import clustered
from lookalike.vectors.silhouette import NOISE, group_sums, silhouettes


def test_silhouettes_are_those_of_the_definition() -> None:
    embeddings = clustered(200)
    labels = np.random.default_rng(1).integers(6, size=200)
    expected = silhouette_samples(embeddings.astype(np.float64), labels, metric="cosine")
    assert np.allclose(silhouettes(embeddings, labels), expected, atol=1e-5)
    rows = np.array([3, 77, 150])
    assert np.allclose(silhouettes(embeddings, labels, rows=rows), expected[rows], atol=1e-5)


def test_noise_and_lonely_items_have_none_and_noise_is_no_group() -> None:
    embeddings = clustered(60)
    labels = np.random.default_rng(1).integers(3, size=60)
    labels[:10] = NOISE
    labels[10] = 3
    values = silhouettes(embeddings, labels)
    assert (values[:11] == 0).all()
    expected = silhouette_samples(embeddings[10:].astype(np.float64), labels[10:], metric="cosine")
    assert np.allclose(values[10:], expected, atol=1e-5)


def test_one_group_and_copies_stand_apart_from_nothing() -> None:
    assert not silhouettes(clustered(20), np.zeros(20, dtype=np.int64)).any()
    copies = np.repeat(clustered(1), 10, axis=0)
    assert not silhouettes(copies, np.arange(10) % 2).any()


def test_sums_leave_noise_out() -> None:
    embeddings = clustered(10)
    labels = np.array([0, 0, 1, 1, 1, NOISE, 3, 3, 3, 3])
    sums = group_sums(embeddings, labels, 4)
    assert np.allclose(sums[1], embeddings[2:5].sum(axis=0), atol=1e-5) and not sums[2].any()
