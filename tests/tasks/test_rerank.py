"""Re-ranking by name: a second look at the first answers, deterministic, and never a worse shortlist."""

from __future__ import annotations

import numpy as np
import pytest

from clustered_vectors import clustered
from lookalike.errors import InputError
from lookalike.tasks.rerank import RERANKINGS, SHORTLIST, Reranking, reordered
from lookalike.tasks.search import find
from lookalike.types import Embeddings, Rows
from lookalike.vectors.metrics import cosine, normalise

METHODS = RERANKINGS[1:]


class Shelf:
    """Sixty things of five views each; rows are not positions."""

    def __init__(self) -> None:
        random = np.random.default_rng(0)
        centres = normalise(random.standard_normal((60, 16)))
        self.things = np.repeat(np.arange(60), 5)
        self.vectors = normalise(centres[self.things] + 0.16 * random.standard_normal((300, 16)))
        self.queries = normalise(centres + 0.25 * random.standard_normal((60, 16)))

    def nearest_each(self, vectors: Embeddings, k: int) -> tuple[Rows, np.ndarray]:
        scores = cosine(vectors, self.vectors)
        order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        return order + 500, np.take_along_axis(scores, order, axis=1)

    def nearest(self, query: Embeddings, k: int) -> tuple[Rows, np.ndarray]:
        rows, scores = self.nearest_each(query[None], k)
        return rows[0], scores[0]

    def take(self, rows: Rows) -> Embeddings:
        return self.vectors[rows - 500]

    def answer(self, query: Embeddings, method: Reranking, k: int = 5, **options: object) -> Rows:
        def reorder(rows: Rows, scores: np.ndarray) -> np.ndarray:
            return reordered(method, query[None], rows, scores, nearest=self.nearest_each, take=self.take)

        def strength(scores: np.ndarray) -> np.ndarray:
            return (scores.astype(np.float64) + 1) / 2

        return find(query, self.nearest, strength, k=k, reorder=reorder, **options).rows  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    return Shelf()


def precision(shelf: Shelf, method: Reranking) -> float:
    found = [shelf.things[shelf.answer(query, method) - 500] for query in shelf.queries]
    return float(np.mean(np.array(found) == np.arange(60)[:, None]))


@pytest.mark.parametrize("method", METHODS)
def test_more_views_of_one_thing_come_first(shelf: Shelf, method: Reranking) -> None:
    assert precision(shelf, method) >= precision(shelf, "none") + 0.04


@pytest.mark.parametrize("method", METHODS)
def test_the_first_answers_change_places_and_the_others_keep_theirs(shelf: Shelf, method: Reranking) -> None:
    query = shelf.queries[3]
    plain, _ = shelf.nearest(query, 300)
    again = shelf.answer(query, method, k=300)
    assert again.tolist() != plain.tolist()
    assert set(again[:SHORTLIST].tolist()) == set(plain[:SHORTLIST].tolist())
    assert again[SHORTLIST:].tolist() == plain[SHORTLIST:].tolist()


@pytest.mark.parametrize("method", METHODS)
def test_how_many_are_asked_for_changes_nothing(shelf: Shelf, method: Reranking) -> None:
    many = shelf.answer(shelf.queries[5], method, k=40)
    assert shelf.answer(shelf.queries[5], method, k=3).tolist() == many[:3].tolist()


def test_groups_are_shown_by_their_first_item_in_the_new_order(shelf: Shelf) -> None:
    def group_of(rows: Rows) -> list[int]:
        return [int(shelf.things[row - 500]) for row in rows]

    one_by_one = shelf.answer(shelf.queries[7], "k-reciprocal", k=300)
    grouped = shelf.answer(shelf.queries[7], "k-reciprocal", k=60, group_of=group_of)
    first = {}
    for row in one_by_one.tolist():
        first.setdefault(int(shelf.things[row - 500]), row)
    assert grouped.tolist() == list(first.values())


def test_an_excluded_item_says_nothing_of_the_others(shelf: Shelf) -> None:
    query = shelf.vectors[0]
    assert 500 not in shelf.answer(query, "alpha-qe", exclude=[500]).tolist()


def test_the_strength_asked_for_is_that_of_the_query_not_of_the_new_order(shelf: Shelf) -> None:
    strong = shelf.answer(shelf.queries[1], "k-reciprocal", k=300, min_strength=0.7)
    scores = cosine(shelf.queries[1][None], shelf.take(strong))[0]
    assert 0 < len(strong) < 300
    assert ((scores + 1) / 2 >= 0.7).all()


@pytest.mark.parametrize("method", RERANKINGS)
@pytest.mark.parametrize("count", [0, 1, 2])
def test_short_answers_stay_whole(shelf: Shelf, method: Reranking, count: int) -> None:
    rows, scores = shelf.nearest(shelf.queries[0], 2)
    order = reordered(
        method, shelf.queries[:1], rows[:count], scores[:count], nearest=shelf.nearest_each, take=shelf.take
    )
    assert sorted(order.tolist()) == list(range(count))


def test_an_unknown_name_and_a_double_order_are_refused(shelf: Shelf) -> None:
    with pytest.raises(InputError, match="alpha-qe, dba, k-reciprocal"):
        shelf.answer(clustered(1, dimensions=16)[0], "best")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="choose one"):
        shelf.answer(shelf.queries[0], "dba", diversity=0.5, vectors=shelf.take)
