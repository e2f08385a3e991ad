from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clustered_vectors import clustered
from lookalike.errors import InputError
from lookalike.tasks.search import Nearest, compose, find
from lookalike.types import AttributeValue, Embeddings, Rows
from lookalike.vectors.diversify import mmr
from lookalike.vectors.metrics import cosine

ROW_OFFSET = 100
"""Rows are not positions: mixing them up shows."""


class Shelf:
    """Items in memory, searched exactly; remembers how much was asked for."""

    def __init__(self, vectors: Embeddings, groups: Sequence[AttributeValue] = ()) -> None:
        self.vectors, self.groups, self.asked = vectors, groups, []

    def nearest(self, query: Embeddings, k: int) -> tuple[Rows, np.ndarray]:
        self.asked.append(k)
        scores = cosine(query[None], self.vectors)[0]
        order = np.argsort(-scores, kind="stable")[:k]
        padding = k - len(order)
        rows = np.concatenate([order + ROW_OFFSET, np.full(padding, -1)]).astype(np.int64)
        return rows, np.concatenate([scores[order], np.full(padding, -np.inf)]).astype(np.float32)

    def group_of(self, rows: Rows) -> list[AttributeValue]:
        return [self.groups[row - ROW_OFFSET] for row in rows]

    def embeddings(self, rows: Rows) -> Embeddings:
        return self.vectors[rows - ROW_OFFSET]


def strength(scores: np.ndarray) -> np.ndarray:
    return ((scores + 1) / 2).astype(np.float64)


def naive(
    shelf: Shelf, query: Embeddings, k: int, exclude: set[int], weakest: float, grouped: bool
) -> list[int]:
    """The definition: all items by score, those that do not count left out."""
    rows, scores = shelf.nearest(query, len(shelf.vectors))
    answer, seen = [], set()
    for row, value in zip(rows.tolist(), strength(scores), strict=True):
        if row in exclude or value < weakest:
            continue
        if grouped and (group := shelf.groups[row - ROW_OFFSET]) is not None:
            if str(group) in seen:
                continue
            seen.add(str(group))
        answer.append(row)
    return answer[:k]


@settings(max_examples=150)
@given(st.data())
def test_the_answer_is_the_definitions(data: st.DataObject) -> None:
    n = data.draw(st.integers(0, 60))
    groups = data.draw(
        st.lists(st.sampled_from([None, "a", "b", "c", 4, ["x"], ["y", "x"]]), min_size=n, max_size=n)
    )
    shelf = Shelf(clustered(n + 1, dimensions=4, clusters=4)[:n], groups)
    query = clustered(1, dimensions=4, seed=data.draw(st.integers(0, 50)))[0]
    k, weakest, grouped = (
        data.draw(st.integers(1, 20)),
        data.draw(st.sampled_from([0, 0.5, 0.9])),
        data.draw(st.booleans()),
    )
    exclude = {row + ROW_OFFSET for row in data.draw(st.lists(st.integers(0, 60), max_size=3))}
    found = find(
        query,
        shelf.nearest,
        strength,
        k=k,
        exclude=sorted(exclude),
        min_strength=weakest,
        group_of=shelf.group_of if grouped else None,
    )
    assert found.rows.tolist() == naive(shelf, query, k, exclude, weakest, grouped)
    np.testing.assert_allclose(found.scores, cosine(query[None], shelf.embeddings(found.rows))[0], atol=1e-6)
    np.testing.assert_array_equal(found.strengths, strength(found.scores))


def test_k_groups_come_back_although_one_group_fills_the_first_candidates() -> None:
    vectors = clustered(500, clusters=1, spread=0.3)
    query = vectors[0]
    order = np.argsort(-cosine(query[None], vectors)[0])
    groups: list[AttributeValue] = ["common"] * 500
    for at in (300, 400, 450):
        groups[order[at]] = f"rare {at}"
    shelf = Shelf(vectors, groups)
    found = find(query, shelf.nearest, strength, k=4, group_of=shelf.group_of)
    assert shelf.group_of(found.rows) == ["common", "rare 300", "rare 400", "rare 450"]


def test_nothing_more_is_asked_for_once_items_are_too_weak() -> None:
    shelf = Shelf(clustered(5000))
    found = find(shelf.vectors[0], shelf.nearest, strength, k=10, min_strength=0.999999)
    assert found.rows.tolist() == [ROW_OFFSET]
    assert shelf.asked == [10]


def test_the_query_itself_is_left_out_and_k_others_come_back() -> None:
    shelf = Shelf(clustered(50))
    found = find(shelf.vectors[7], shelf.nearest, strength, k=10, exclude=[7 + ROW_OFFSET])
    assert len(found.rows) == 10
    assert 7 + ROW_OFFSET not in found.rows


def test_diversity_chooses_among_more_candidates_than_hits() -> None:
    shelf = Shelf(clustered(400, clusters=6, spread=0.2))
    query = shelf.vectors[0]
    plain = find(query, shelf.nearest, strength, k=8)
    varied = find(query, shelf.nearest, strength, k=8, diversity=0.6, vectors=shelf.embeddings)
    rows, scores = shelf.nearest(query, 100)
    assert varied.rows.tolist() == rows[mmr(scores, shelf.embeddings(rows), 8, 0.6)].tolist()
    assert set(varied.rows.tolist()) != set(plain.rows.tolist())


def test_groups_stay_single_under_diversity() -> None:
    groups: list[AttributeValue] = [f"product {i // 4}" for i in range(200)]
    shelf = Shelf(clustered(200), groups)
    found = find(
        shelf.vectors[0],
        shelf.nearest,
        strength,
        k=20,
        diversity=0.5,
        vectors=shelf.embeddings,
        group_of=shelf.group_of,
    )
    assert len(set(map(str, shelf.group_of(found.rows)))) == 20


def test_an_empty_collection_gives_no_hits() -> None:
    shelf = Shelf(clustered(1)[:0])
    found = find(clustered(1)[0], shelf.nearest, strength, k=3, diversity=0.5, vectors=shelf.embeddings)
    assert found.rows.tolist() == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"k": 0}, "k = 0"),
        ({"min_strength": 1.5}, "min_strength 1.5"),
        ({"diversity": -0.1}, "diversity -0.1"),
        ({"diversity": 0.5}, "pass vectors"),
    ],
)
def test_wrong_arguments_are_refused(arguments: dict[str, float], message: str) -> None:
    nearest: Nearest = Shelf(clustered(5)).nearest
    with pytest.raises(InputError, match=message):
        find(clustered(1)[0], nearest, strength, **{"k": 3} | arguments)  # type: ignore[arg-type]


def test_a_query_of_one_example_is_the_example() -> None:
    example = clustered(1)
    np.testing.assert_allclose(compose(example), example[0], atol=1e-6)


def test_negatives_push_away_and_positives_keep_pulling() -> None:
    positives, negatives = clustered(3, seed=1), clustered(2, seed=2)
    plain, pushed = compose(positives), compose(positives, negatives)
    assert np.linalg.norm(pushed) == pytest.approx(1, abs=1e-6)
    towards = negatives.mean(axis=0)
    assert pushed @ towards < plain @ towards
    assert pushed @ plain > 0
    np.testing.assert_array_equal(compose(positives, negatives[:0]), plain)


@pytest.mark.parametrize(
    ("positives", "negatives", "weight", "message"),
    [
        (np.empty((0, 3), np.float32), None, 0.5, "at least one positive"),
        (np.float32([[1, 0, 0]]), np.float32([[1, 0, 0]]), 1.0, "cancel"),
        (np.float32([[1, 0, 0], [-1, 0, 0]]), None, 0.5, "cancel"),
        (np.float32([[1, 0, 0]]), None, -1.0, "weight"),
    ],
)
def test_examples_that_make_no_query_are_refused(
    positives: Embeddings, negatives: Embeddings | None, weight: float, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        compose(positives, negatives, weight=weight)
