from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.errors import InputError
from lookalike.evaluate.recommendation import (
    UnitFacts,
    catalogue_coverage,
    intra_list_diversity,
    measure_lists,
    self_information,
)
from lookalike.evaluate.recommendation_split import UnitLists
from lookalike.vectors.metrics import normalise


def lists_of(rows: list[list[int]]) -> UnitLists:
    starts = np.cumsum([0, *map(len, rows)]).astype(np.int64)
    return UnitLists(starts, np.array([unit for row in rows for unit in row], dtype=np.int64))


def facts(units: int, rare: list[int] | None = None) -> UnitFacts:
    rng = np.random.default_rng(units)
    flags = np.zeros(units, dtype=bool)
    flags[rare or []] = True
    vectors = normalise(rng.standard_normal((units, 5)))
    return UnitFacts(vectors, self_information(rng.integers(0, 9, units), 9), flags)


def test_values_computed_by_hand() -> None:
    lists = np.array([[4, 1, 0], [2, 3, -1]])
    values = measure_lists(lists, lists_of([[0, 1, 2, 3], [5]]), facts(6, rare=[1, 2, 5]))
    best = 1 + 1 / math.log2(3) + 0.5
    assert values["recall@3"] == pytest.approx([2 / 4, 0])
    assert values["ndcg@3"] == pytest.approx([(1 / math.log2(3) + 0.5) / best, 0])
    assert values["hit@3"].tolist() == [1, 0]
    assert values["mrr"].tolist() == [0.5, 0]
    assert values["recall_rare@3"].tolist() == [0.5, 0]
    assert catalogue_coverage(lists, 6) == 5 / 6


def test_a_perfect_short_list_has_all_measures_at_one() -> None:
    values = measure_lists(np.array([[3, 1]]), lists_of([[0, 1, 2, 3]]), facts(4))
    assert values["ndcg@2"].tolist() == [1]
    assert values["recall@2"].tolist() == [0.5]  # two of four: a list of two holds no more
    assert values["mrr"].tolist() == [1]
    assert math.isnan(values["recall_rare@2"][0])


def test_novelty_is_the_mean_self_information() -> None:
    information = self_information(np.array([7, 3, 0]), 7)
    assert information.tolist() == [0, 1, 3]
    known = UnitFacts(normalise(np.eye(3)), information, np.zeros(3, dtype=bool))
    assert measure_lists(np.array([[1, 2, -1]]), lists_of([[0]]), known)["novelty"].tolist() == [2]


def test_diversity_of_opposites_equals_and_nothing() -> None:
    vectors = normalise([[1, 0], [-1, 0], [2, 0], [0, 1]])
    lists = np.array([[0, 1], [0, 2], [0, 3], [1, -1], [-1, -1]])
    assert intra_list_diversity(lists, vectors) == pytest.approx([2, 0, 1, math.nan, math.nan], nan_ok=True)


@st.composite
def answers(draw: st.DrawFn) -> tuple[np.ndarray, list[list[int]], list[int]]:
    units, k = draw(st.integers(1, 12)), draw(st.integers(1, 8))
    lists, wanted = [], []
    for _ in range(draw(st.integers(1, 5))):
        order = draw(st.permutations(range(units)))[: draw(st.integers(0, k))]
        lists.append([*order, *[-1] * (k - len(order))])
        wanted.append(sorted(draw(st.sets(st.integers(0, units - 1), min_size=1))))
    rare = sorted(draw(st.sets(st.integers(0, units - 1))))
    return np.array(lists, dtype=np.int64).reshape(len(lists), k), wanted, rare


@settings(deadline=None)
@given(answers())
def test_every_measure_equals_its_plain_definition(
    case: tuple[np.ndarray, list[list[int]], list[int]],
) -> None:
    lists, wanted, rare = case
    k = lists.shape[1]
    known = facts(12, rare)
    values = measure_lists(lists, lists_of(wanted), known)
    for row, (listed, relevant) in enumerate(zip(lists.tolist(), wanted, strict=True)):
        listed = [unit for unit in listed if unit >= 0]
        ranks = [rank for rank, unit in enumerate(listed, 1) if unit in relevant]
        best = sum(1 / math.log2(rank + 1) for rank in range(1, min(k, len(relevant)) + 1))
        pairs = [(a, b) for n, a in enumerate(listed) for b in listed[n + 1 :]]
        apart = [1 - float(known.vectors[a] @ known.vectors[b]) for a, b in pairs]
        rarely = set(relevant) & set(rare)
        expected = {
            f"recall@{k}": len(ranks) / len(relevant),
            f"ndcg@{k}": sum(1 / math.log2(rank + 1) for rank in ranks) / best,
            f"hit@{k}": float(bool(ranks)),
            "mrr": 1 / ranks[0] if ranks else 0.0,
            "intra_list_diversity": sum(apart) / len(apart) if apart else math.nan,
            "novelty": sum(known.surprise[u] for u in listed) / len(listed) if listed else math.nan,
            f"recall_rare@{k}": len(rarely & set(listed)) / len(rarely) if rarely else math.nan,
        }
        for name, value in expected.items():
            assert values[name][row] == pytest.approx(value, nan_ok=True, abs=1e-6), name


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(InputError, match="one row of k units a user"):
        measure_lists(np.zeros((2, 3), np.int64), lists_of([[0]]), facts(3))
    with pytest.raises(InputError, match="without relevant units"):
        measure_lists(np.zeros((2, 3), np.int64), lists_of([[0], []]), facts(3))
