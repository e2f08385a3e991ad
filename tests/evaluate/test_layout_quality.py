from __future__ import annotations

import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from clustered_vectors import clustered
from lookalike.errors import InputError
from lookalike.evaluate.layout import layout_quality
from lookalike.vectors.metrics import normalise


def flat(n: int = 300, seed: int = 0) -> np.ndarray:
    """Points of a small cap of the sphere, which a plane holds nearly as they are."""
    return np.random.default_rng(seed).uniform(-0.1, 0.1, (n, 2)).astype(np.float32)


def on_the_sphere(plane: np.ndarray) -> np.ndarray:
    return normalise(np.column_stack([plane, np.ones(len(plane))]))


def test_trustworthiness_and_continuity_agree_with_scikit_learn() -> None:
    embeddings = clustered(400)
    layout = embeddings[:, :2].copy()
    quality = layout_quality(embeddings, layout, sample=400, k=7)
    assert quality is not None
    assert quality.trustworthiness == pytest.approx(
        trustworthiness(embeddings, layout, n_neighbors=7), abs=1e-5
    )
    assert quality.continuity == pytest.approx(trustworthiness(layout, embeddings, n_neighbors=7), abs=1e-5)


def test_a_faithful_layout_is_nearly_perfect() -> None:
    plane = flat()
    quality = layout_quality(on_the_sphere(plane), plane, sample=300)
    assert quality is not None
    assert min(quality.trustworthiness, quality.continuity) > 0.999
    assert quality.neighbours_kept > 0.97 and quality.triplets_kept > 0.99


def test_a_shuffled_layout_is_chance() -> None:
    plane = flat()
    quality = layout_quality(on_the_sphere(plane), plane[::-1].copy(), sample=300)
    assert quality is not None
    assert abs(quality.triplets_kept - 0.5) < 0.05
    assert quality.neighbours_kept < 0.1
    assert quality.trustworthiness < 0.6


def test_a_sample_comes_close_to_all() -> None:
    embeddings = clustered(2000)
    layout = embeddings[:, :2].copy()
    whole, part = (
        layout_quality(embeddings, layout, sample=2000),
        layout_quality(embeddings, layout, sample=400),
    )
    assert whole is not None and part is not None
    assert part.sample == 400
    assert part.trustworthiness == pytest.approx(whole.trustworthiness, abs=0.02)


@pytest.mark.parametrize("n", [0, 1, 3])
def test_too_few_points_have_no_measures(n: int) -> None:
    assert layout_quality(clustered(5)[:n], np.zeros((n, 2), dtype=np.float32)) is None


def test_the_smallest_measurable_set() -> None:
    plane = flat(4)
    quality = layout_quality(on_the_sphere(plane), plane)
    assert quality is not None and quality.k == 1 and quality.sample == 4
    assert 0 <= quality.trustworthiness <= 1


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(InputError, match=r"expected \(5, 2\)"):
        layout_quality(clustered(5), np.zeros((4, 2), dtype=np.float32))
    with pytest.raises(InputError, match="at least 1"):
        layout_quality(clustered(5), np.zeros((5, 2), dtype=np.float32), k=0)
