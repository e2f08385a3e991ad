"""Calibration of the match strength on real pictures: the packaged sample, products left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import lookalike
from lookalike.types import Embeddings
from lookalike.vectors.metrics import cosine
from lookalike.vectors.strength import Background

FOLDS = 10


def embedded(folder: Path) -> tuple[Embeddings, np.ndarray]:
    """Embeddings of a folder's pictures and the product of each."""
    paths = sorted(folder.glob("*.jpg"))
    return lookalike.embed(paths), np.array([path.stem.rpartition("_")[0] for path in paths])


@pytest.fixture(scope="module")
def gallery(sample: Path) -> tuple[Embeddings, np.ndarray]:
    return embedded(sample / "catalog")


@pytest.fixture(scope="module", params=["customer", "catalog"])
def queries(request: pytest.FixtureRequest, sample: Path) -> tuple[Embeddings, np.ndarray]:
    return embedded(sample / str(request.param))


def test_photos_of_unknown_products_pass_a_cutoff_as_often_as_it_says(
    gallery: tuple[Embeddings, np.ndarray], queries: tuple[Embeddings, np.ndarray]
) -> None:
    (items, products), (photos, wanted) = gallery, queries
    strengths = []
    for fold in np.array_split(np.random.default_rng(0).permutation(np.unique(products)), FOLDS):
        known, asked = items[~np.isin(products, fold)], photos[np.isin(wanted, fold)]
        best = cosine(asked, known).max(axis=1, keepdims=True)
        strengths.append(Background.fit(known).strength(asked, best, candidates=len(known)))
    passed = np.concatenate(strengths)
    assert (passed >= 0.95).mean() == pytest.approx(0.05, abs=0.05)
    assert (passed >= 0.8).mean() == pytest.approx(0.2, abs=0.08)
    assert (passed >= 0.5).mean() == pytest.approx(0.5, abs=0.15)


def test_other_views_of_a_product_pass_the_cutoff(gallery: tuple[Embeddings, np.ndarray]) -> None:
    items, products = gallery
    scores = cosine(items, items)
    others = (products[:, None] == products[None]) & ~np.eye(len(items), dtype=bool)
    best = np.where(others, scores, -1).max(axis=1, keepdims=True).astype(np.float32)
    strengths = Background.fit(items).strength(items, best, candidates=len(items))
    assert (strengths >= 0.95).mean() >= 0.7
