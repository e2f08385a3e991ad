from __future__ import annotations

import numpy as np
import pytest

from clustered_vectors import clustered
from lookalike.errors import InputError
from lookalike.types import Embeddings
from lookalike.vectors.metrics import cosine, normalise
from lookalike.vectors.strength import Background

CUTOFF = 0.95


def catalogue(seed: int, *, products: int = 400, views: int = 4) -> tuple[Embeddings, np.ndarray]:
    """Views of products that belong to a dozen kinds, and the product of each view."""
    rng = np.random.default_rng(seed)
    scale = np.arange(1, 97) ** -0.25
    kinds = 0.5 * rng.standard_normal((12, 96)) * scale + 0.35
    centres = kinds[rng.integers(12, size=products)] + rng.standard_normal((products, 96)) * scale
    product = np.repeat(np.arange(products), views)
    views_of = centres[product] + 0.4 * rng.standard_normal((products * views, 96)) * scale
    return normalise(views_of @ rng.standard_normal((96, 128))), product


def best_of(scores: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    return np.where(allowed, scores, -np.inf).max(axis=1, keepdims=True).astype(np.float32)


@pytest.mark.parametrize(("products", "views"), [(100, 3), (400, 4)])
@pytest.mark.parametrize("seed", [0, 1])
def test_queries_without_a_relative_pass_the_cutoff_in_about_one_case_of_twenty(
    seed: int, products: int, views: int
) -> None:
    vectors, product = catalogue(seed, products=products, views=views)
    background = Background.fit(vectors)
    scores, related = cosine(vectors, vectors), product[:, None] == product[None]
    alone = best_of(scores, ~related)
    false_alarms = (background.strength(vectors, alone, candidates=len(vectors)) >= CUTOFF).mean()
    assert false_alarms <= 0.10
    met = best_of(scores, related & ~np.eye(len(vectors), dtype=bool))
    assert (background.strength(vectors, met, candidates=len(vectors)) >= CUTOFF).mean() >= 0.75


def test_independent_directions_pass_the_cutoff_as_often_as_promised() -> None:
    rng = np.random.default_rng(0)
    vectors = normalise(rng.standard_normal((2000, 512)))
    queries = normalise(rng.standard_normal((1000, 512)))
    background = Background.fit(vectors)
    best = cosine(queries, vectors).max(axis=1, keepdims=True)
    for cutoff in (0.5, 0.8, 0.95):
        passed = (background.strength(queries, best, candidates=2000) >= cutoff).mean()
        assert passed == pytest.approx(1 - cutoff, abs=0.4 * (1 - cutoff) + 0.02)


@pytest.mark.parametrize("n", [0, 1, 49, 50, 51, 600])
def test_strength_rises_with_the_score_and_stays_within_bounds(n: int) -> None:
    vectors = clustered(600)
    background = Background.fit(vectors[:n])
    scores = np.linspace(-1, 1, 401, dtype=np.float32)
    strengths = background.strength(vectors[0], scores, candidates=max(1, n))
    assert ((strengths >= 0) & (strengths <= 1)).all()
    between = (strengths[1:] > 1e-300) & (strengths[:-1] < 1 - 1e-12)
    assert between.sum() > 20
    assert (np.diff(strengths)[between] > 0).all()
    assert (np.diff(strengths) >= 0).all()


def test_more_candidates_make_the_same_score_less_surprising() -> None:
    vectors = clustered(600)
    background = Background.fit(vectors)
    strengths = [
        background.strength(vectors[0], np.float32([0.9]), candidates=n)[0] for n in (1, 100, 10_000)
    ]
    assert strengths[0] > strengths[1] > strengths[2]


def test_copies_of_one_image_do_not_break_it() -> None:
    vectors = np.repeat(clustered(1), 200, axis=0)
    strengths = Background.fit(vectors).strength(vectors[0], np.float32([0.2, 1.0, -np.inf]), candidates=200)
    assert np.isfinite(strengths).all()
    assert strengths[2] == 0
    assert strengths[0] <= strengths[1]


def test_a_query_with_many_relatives_does_not_hide_a_copy() -> None:
    vectors = clustered(1000, clusters=200, spread=0.8)
    vectors[:80] = normalise(vectors[0] + 0.1 * np.random.default_rng(0).standard_normal((80, 32)))
    strengths = Background.fit(vectors).strength(vectors[0], np.float32([1.0, 0.5]), candidates=1000)
    assert strengths[0] > 0.8
    assert strengths[1] < 0.1


def test_the_same_sample_comes_from_the_same_seed() -> None:
    vectors = clustered(3000)
    ours, theirs, other = (Background.fit(vectors, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(ours.sample, theirs.sample)
    assert not np.array_equal(ours.sample, other.sample)
    assert len(ours.sample) == 2000


def test_many_queries_get_what_each_gets_alone() -> None:
    vectors = clustered(600)
    background = Background.fit(vectors)
    scores = cosine(vectors[:5], vectors[:7])
    together = background.strength(vectors[:5], scores, candidates=600)
    for query, row, expected in zip(vectors[:5], scores, together, strict=True):
        np.testing.assert_allclose(
            background.strength(query, row, candidates=600), expected, rtol=1e-4, atol=1e-12
        )


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="do not fit"):
        Background.fit(clustered(60)).strength(clustered(2), np.zeros((3, 4), np.float32), candidates=60)
