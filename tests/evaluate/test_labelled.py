from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.errors import InputError
from lookalike.evaluate import labelled
from lookalike.evaluate.labelled import LabelledTask, measure
from lookalike.evaluate.retrieval import average_precision, by_group, hits_at_k, ndcg_at_k


def outside(q: int) -> np.ndarray:
    return np.full(q, -1, dtype=np.int64)


@given(st.integers(0, 10_000), st.integers(1, 7), st.integers(1, 12), st.booleans())
def test_measures_in_blocks_are_those_of_the_whole_matrix(seed: int, q: int, n: int, grouped: bool) -> None:
    rng = np.random.default_rng(seed)
    scores = np.round(rng.random((q, n)), 1)
    wanted, items = rng.integers(0, 3, q).tolist(), rng.integers(0, 3, n).tolist()
    groups = rng.integers(0, 4, n).tolist() if grouped else None
    relevant = np.array(wanted)[:, None] == np.array(items)
    whole, truth, out = scores, relevant, np.zeros_like(relevant)
    if groups is not None:
        whole, truth, out, _ = by_group(scores, relevant, groups)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(labelled, "BLOCK_SCORES", 2 * n)
        found = measure(LabelledTask(wanted, items, outside(q), groups), lambda part: scores[part], ks=(1, 3))
    assert found.values["recall@3"] == pytest.approx(hits_at_k(whole, truth, 3, excluded=out), nan_ok=True)
    assert found.values["mAP"] == pytest.approx(average_precision(whole, truth, excluded=out), nan_ok=True)
    assert found.values["nDCG@10"] == pytest.approx(ndcg_at_k(whole, truth, 10, excluded=out), nan_ok=True)
    assert found.relevant.tolist() == (truth & ~out).sum(axis=1).tolist()


def test_the_query_itself_is_no_answer() -> None:
    scores = np.array([[1.0, 0.9, 0.8], [0.9, 1.0, 0.2], [0.8, 0.2, 1.0]])
    task = LabelledTask("aab", "aab", np.arange(3))
    found = measure(task, lambda part: scores[part], ks=(1,))
    assert found.values["recall@1"][:2].tolist() == [1, 1]
    assert math.isnan(found.values["recall@1"][2])  # no other b
    assert found.first.tolist() == [1, 1, 0]


def test_items_without_a_label_count_neither_for_nor_against() -> None:
    scores = np.array([[0.9, 0.8, 0.1]])
    found = measure(LabelledTask(["a"], [None, "a", "b"], outside(1)), lambda part: scores[part], ks=(1,))
    assert found.values["recall@1"].tolist() == [1]
    unknown = measure(LabelledTask([None], [None, "a", "b"], outside(1)), lambda part: scores[part])
    assert math.isnan(unknown.values["mAP"][0])


def test_the_own_group_is_no_answer_when_another_product_of_the_category_is_wanted() -> None:
    scores = np.array([[1.0, 0.9, 0.1, 0.5]])
    labels, products = ["chair", "chair", "chair", "lamp"], ["p", "p", "q", "r"]
    own = np.array([0])
    with_own = measure(LabelledTask(["chair"], labels, own, products), lambda part: scores[part], ks=(1,))
    task = LabelledTask(["chair"], labels, own, products, leave_own_group=True)
    without = measure(task, lambda part: scores[part], ks=(1,))
    assert with_own.values["recall@1"].tolist() == [1]
    assert without.values["recall@1"].tolist() == [0]
    assert without.first.tolist() == [2]


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match="2 places for 1 queries"):
        LabelledTask(["a"], ["a"], outside(2))
    with pytest.raises(InputError, match="1 groups for 2 items"):
        LabelledTask(["a"], ["a", "b"], outside(1), ["g"])
    with pytest.raises(InputError, match="needs groups"):
        LabelledTask(["a"], ["a"], outside(1), leave_own_group=True)
    with pytest.raises(InputError, match="k = 0"):
        measure(LabelledTask(["a"], ["a"], outside(1)), lambda _: np.ones((1, 1)), ks=(0,))
