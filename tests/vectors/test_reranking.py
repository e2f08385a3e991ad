"""Re-ranking does what its papers say, and gains where a gallery holds several pictures of one thing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clustered_vectors import clustered
from lookalike.errors import InputError
from lookalike.types import Embeddings, Rows
from lookalike.vectors.metrics import cosine, normalise
from lookalike.vectors.reranking import alpha_query_expansion, database_augmentation, k_reciprocal


class Shelf:
    """Groups of five on a sphere, with queries further off than their members are from each other."""

    def __init__(self, groups: int = 40, seed: int = 0) -> None:
        random = np.random.default_rng(seed)
        centres = normalise(random.standard_normal((groups, 16)))
        self.groups = np.repeat(np.arange(groups), 5)
        self.vectors = normalise(centres[self.groups] + 0.17 * random.standard_normal((groups * 5, 16)))
        self.queries = normalise(centres + 0.27 * random.standard_normal((groups, 16)))

    def nearest(self, vectors: Embeddings, k: int) -> tuple[Rows, np.ndarray]:
        scores = cosine(vectors, self.vectors)
        order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        return order, np.take_along_axis(scores, order, axis=1)

    def take(self, rows: Rows) -> Embeddings:
        return self.vectors[rows]

    def precision(self, scores: np.ndarray) -> float:
        """Share of own items among the five best of each query."""
        order = np.argsort(-scores, axis=1, kind="stable")[:, :5]
        return float(np.mean(self.groups[order] == np.arange(len(scores))[:, None]))


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    return Shelf()


def test_an_expanded_query_is_the_formula() -> None:
    query, neighbours = clustered(1, dimensions=8)[0], clustered(4, dimensions=8, seed=3)
    scores = np.array([0.9, 0.5, 0.1, -0.4], np.float32)
    expected = query + sum(max(s, 0) ** 2 * x for s, x in zip(scores.tolist(), neighbours, strict=True))
    got = alpha_query_expansion(query, neighbours, scores, alpha=2)
    np.testing.assert_allclose(got, expected / np.linalg.norm(expected), atol=1e-6)
    both = alpha_query_expansion(np.stack([query, neighbours[0]]), neighbours, scores, alpha=2)
    np.testing.assert_allclose(both[0], got, atol=1e-7)


def test_expansion_finds_more_of_a_group_than_the_query_alone(shelf: Shelf) -> None:
    plain = cosine(shelf.queries, shelf.vectors)
    rows, scores = shelf.nearest(shelf.queries, 3)
    expanded = np.stack(
        [
            alpha_query_expansion(q, shelf.take(r), s)
            for q, r, s in zip(shelf.queries, rows, scores, strict=True)
        ]
    )
    assert shelf.precision(cosine(expanded, shelf.vectors)) >= shelf.precision(plain) + 0.05


def test_augmentation_finds_more_of_a_group_and_does_not_depend_on_blocks(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    augmented = database_augmentation(shelf.vectors, shelf.nearest, shelf.take)
    plain = shelf.precision(cosine(shelf.queries, shelf.vectors))
    assert shelf.precision(cosine(shelf.queries, augmented)) >= plain + 0.05
    monkeypatch.setattr("lookalike.vectors.reranking.BLOCK", 7)
    again = database_augmentation(shelf.vectors, shelf.nearest, shelf.take)
    np.testing.assert_allclose(again, augmented, atol=1e-6)


def test_augmentation_is_the_formula_and_takes_no_neighbour_where_there_is_none(shelf: Shelf) -> None:
    def padded(vectors: Embeddings, k: int) -> tuple[Rows, np.ndarray]:
        rows, scores = shelf.nearest(vectors, k - 1)
        return np.pad(rows, ((0, 0), (0, 1)), constant_values=-1), np.pad(
            scores, ((0, 0), (0, 1)), constant_values=-np.inf
        )

    got = database_augmentation(shelf.vectors[:9], padded, shelf.take, k=4, alpha=1)
    rows, scores = shelf.nearest(shelf.vectors[:9], 3)
    expected = shelf.vectors[:9] + np.einsum("bk,bkd->bd", np.maximum(scores, 0), shelf.vectors[rows])
    np.testing.assert_allclose(got, normalise(expected), atol=1e-6)


def test_k_reciprocal_finds_more_of_a_group(shelf: Shelf) -> None:
    similarities = cosine(shelf.vectors, shelf.vectors)
    plain = cosine(shelf.queries, shelf.vectors)
    again = np.stack([k_reciprocal(scores, similarities, k1=6, k2=3) for scores in plain])
    assert shelf.precision(again) >= shelf.precision(plain) + 0.05


def naive_k_reciprocal(distances: np.ndarray, k1: int, k2: int, original: float) -> np.ndarray:
    """The steps of the paper with sets, for the query in row 0."""
    n = len(distances)
    ranked = [sorted(range(n), key=lambda j, i=i: (j != i, distances[i, j], j)) for i in range(n)]

    def mutual(i: int, k: int) -> set[int]:
        return {j for j in ranked[i][: k + 1] if i in ranked[j][: k + 1]}

    soft = np.zeros((n, n))
    for i in range(n):
        near = mutual(i, k1)
        grown = set(near)
        for j in near:
            small = mutual(j, max(1, round(k1 / 2)))
            if len(small & near) > 2 / 3 * len(small):
                grown |= small
        for j in grown:
            soft[i, j] = np.exp(-distances[i, j])
        soft[i] /= soft[i].sum()
    if k2 > 1:
        soft = np.stack([soft[ranked[i][:k2]].mean(axis=0) for i in range(n)])
    jaccard = [
        1 - np.minimum(soft[0], soft[j]).sum() / np.maximum(soft[0], soft[j]).sum() for j in range(1, n)
    ]
    return 1 - ((1 - original) * np.array(jaccard) + original * distances[0, 1:])


@settings(max_examples=40, deadline=None)
@given(
    m=st.integers(1, 25),
    k1=st.integers(1, 12),
    k2=st.integers(1, 6),
    original=st.sampled_from([0.0, 0.3, 1.0]),
    seed=st.integers(0, 99),
)
def test_k_reciprocal_is_the_papers_definition(m: int, k1: int, k2: int, original: float, seed: int) -> None:
    vectors = clustered(m + 1, dimensions=6, clusters=4, seed=seed)
    similarities = cosine(vectors, vectors)
    distances = np.maximum(1 - similarities.astype(np.float64), 0)
    distances = (distances + distances.T) / 2
    np.fill_diagonal(distances, 0)
    got = k_reciprocal(1 - distances[0, 1:], 1 - distances[1:, 1:], k1=k1, k2=k2, original=original)
    scaled = distances / np.where(
        distances.max(axis=1, keepdims=True) > 0, distances.max(axis=1, keepdims=True), 1
    )
    np.testing.assert_allclose(got, naive_k_reciprocal(scaled, k1, k2, original), atol=1e-9)


def test_with_all_weight_on_the_distance_the_order_stays(shelf: Shelf) -> None:
    scores = cosine(shelf.queries[:1], shelf.vectors)[0]
    again = k_reciprocal(scores, cosine(shelf.vectors, shelf.vectors), original=1)
    np.testing.assert_array_equal(np.argsort(-again, kind="stable"), np.argsort(-scores, kind="stable"))


def test_a_shortlist_of_none_has_no_scores() -> None:
    assert k_reciprocal(np.empty(0), np.empty((0, 0))).shape == (0,)


def test_wrong_arguments_are_refused_with_what_is_right(shelf: Shelf) -> None:
    vectors = shelf.vectors[:3]
    with pytest.raises(InputError, match="alpha is -1"):
        alpha_query_expansion(vectors[0], vectors, np.ones(3), alpha=-1)
    with pytest.raises(InputError, match=r"expected \(d,\)"):
        alpha_query_expansion(vectors[0], vectors, np.ones(2))
    with pytest.raises(InputError, match="k = 0"):
        database_augmentation(vectors, shelf.nearest, shelf.take, k=0)
    with pytest.raises(InputError, match="do not fit"):
        k_reciprocal(np.ones(3), np.ones((2, 2)))
    with pytest.raises(InputError, match="k1 0"):
        k_reciprocal(np.ones(3), np.ones((3, 3)), k1=0)
