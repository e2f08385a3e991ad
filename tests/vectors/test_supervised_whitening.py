"""What is learned from groups finds their members, and is the discriminant analysis of the textbooks."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from lookalike.errors import InputError
from lookalike.evaluate.retrieval import mean_average_precision
from lookalike.types import Embeddings
from lookalike.vectors.metrics import cosine, normalise
from lookalike.vectors.supervised_whitening import LEAST_DIMENSIONS, fit_lda


def views(groups: int, each: int, d: int, seed: int) -> tuple[Embeddings, np.ndarray]:
    """Views of things that differ in all directions, and vary within a group in a few, strongly."""
    random = np.random.default_rng(seed)
    nuisance = random.standard_normal((d // 8, d))
    labels = np.repeat(np.arange(groups), each)
    things = random.standard_normal((groups, d))[labels]
    pose = random.standard_normal((len(labels), d // 8)) @ nuisance
    return normalise(things + pose + 0.5 * random.standard_normal(things.shape)), labels


def own_map(queries: Embeddings, asked: np.ndarray, gallery: Embeddings, labels: np.ndarray) -> float:
    return mean_average_precision(cosine(queries, gallery), asked[:, None] == labels[None])


def test_members_are_found_that_pose_hid() -> None:
    embeddings, labels = views(60, 6, 64, seed=0)
    learn = np.arange(len(labels)) % 6 < 4
    mean, matrix = fit_lda(embeddings[learn], labels[learn])
    mapped = normalise((embeddings - mean) @ matrix)
    before = own_map(embeddings[~learn], labels[~learn], embeddings[learn], labels[learn])
    after = own_map(mapped[~learn], labels[~learn], mapped[learn], labels[learn])
    assert before < 0.5
    assert after > 0.8


def test_groups_that_were_not_learned_from_are_helped_too() -> None:
    embeddings, labels = views(120, 6, 64, seed=1)
    known = labels < 60
    mean, matrix = fit_lda(embeddings[known], labels[known])
    mapped = normalise((embeddings[~known] - mean) @ matrix)
    others = labels[~known]
    asks = np.arange(len(others)) % 6 == 0
    before = own_map(embeddings[~known][asks], others[asks], embeddings[~known][~asks], others[~asks])
    after = own_map(mapped[asks], others[asks], mapped[~asks], others[~asks])
    assert after > before + 0.3


def test_with_little_shrinkage_it_spans_what_scikit_learn_finds() -> None:
    pixels, digits = load_digits(return_X_y=True)
    embeddings = normalise(pixels[:, (pixels > 0).mean(axis=0) > 0.1])
    mean, matrix = fit_lda(embeddings, digits, shrinkage=1e-9)
    reference = LinearDiscriminantAnalysis(solver="eigen").fit(embeddings.astype(np.float64), digits)
    ours = (embeddings - mean) @ matrix[:, :9]
    theirs = reference.transform(embeddings)
    correlations = np.linalg.svd(np.linalg.qr(ours)[0].T @ np.linalg.qr(theirs - theirs.mean(axis=0))[0])[1]
    assert correlations.min() > 0.99


def test_the_scatter_within_groups_is_alike_in_every_direction_kept() -> None:
    embeddings, labels = views(40, 30, 32, seed=2)
    mean, matrix = fit_lda(embeddings, labels, shrinkage=1e-9)
    mapped = (embeddings - mean) @ matrix
    within = mapped - np.stack([mapped[labels == g].mean(axis=0) for g in range(40)])[labels]
    np.testing.assert_allclose(within.T @ within / len(labels), np.eye(matrix.shape[1]), atol=1e-3)


def test_few_groups_leave_room_for_what_else_varies() -> None:
    embeddings, labels = views(4, 100, LEAST_DIMENSIONS + 64, seed=3)
    _, matrix = fit_lda(embeddings, labels)
    assert matrix.shape == (LEAST_DIMENSIONS + 64, LEAST_DIMENSIONS)
    assert np.linalg.matrix_rank(matrix) == LEAST_DIMENSIONS
    narrow, labels = views(4, 100, 16, seed=3)
    assert fit_lda(narrow, labels)[1].shape == (16, 16)


def test_the_order_of_rows_and_the_names_of_groups_change_nothing() -> None:
    embeddings, labels = views(30, 5, 24, seed=4)
    order = np.random.default_rng(0).permutation(len(labels))
    mean, matrix = fit_lda(embeddings, labels)
    again = fit_lda(embeddings[order], np.array([f"thing {label:02}" for label in labels])[order])
    np.testing.assert_allclose(again[0], mean, atol=1e-7)
    np.testing.assert_allclose(again[1], matrix, atol=1e-4 * np.abs(matrix).max())
    np.testing.assert_array_equal(fit_lda(embeddings, labels)[1], matrix)


@pytest.mark.parametrize(
    ("groups", "shrinkage", "message"),
    [
        (np.zeros(10), 0.4, "at least two"),
        (np.arange(10), 0.4, "several views"),
        (np.arange(9), 0.4, "do not fit"),
        (np.arange(10) // 2, 0.0, "shrinkage is 0"),
    ],
)
def test_groups_that_teach_nothing_are_refused(groups: np.ndarray, shrinkage: float, message: str) -> None:
    embeddings = normalise(np.random.default_rng(0).standard_normal((10, 6)))
    with pytest.raises(InputError, match=message):
        fit_lda(embeddings, groups, shrinkage=shrinkage)
