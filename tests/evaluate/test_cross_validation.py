from __future__ import annotations

import numpy as np
import pytest

from lookalike.errors import InputError
from lookalike.evaluate.cross_validation import judge_held_out


def points(classes: int, each: int, *, spread: float, seed: int = 0) -> tuple[np.ndarray, list[str]]:
    """Embeddings around one direction a class."""
    rng = np.random.default_rng(seed)
    centres = np.repeat(rng.normal(0, 1, (classes, 16)), each, axis=0)
    return centres + spread * rng.normal(0, 1, centres.shape), [
        f"c{n}" for n in range(classes) for _ in range(each)
    ]


def test_separate_classes_are_learned_and_strangers_told() -> None:
    vectors, labels = points(6, 20, spread=0.25)
    judged = judge_held_out(vectors, labels, method="prototypes")
    assert judged.report.accuracy >= 0.98
    assert judged.right.mean() == judged.report.accuracy
    assert judged.recall_shares.mean() == pytest.approx(judged.report.macro_recall)
    assert judged.unknowns is not None
    assert judged.unknowns.auroc >= 0.98
    assert judged.unknowns.fpr95 <= 0.1
    assert judged.unknowns.false_rejects == pytest.approx(0.05, abs=0.05)
    assert judged.unknowns.known + judged.unknowns.unknown == len(labels)


def test_nothing_is_learned_from_labels_without_a_pattern() -> None:
    rng = np.random.default_rng(1)
    labels = rng.choice(["a", "b"], 200).tolist()
    judged = judge_held_out(rng.normal(0, 1, (200, 16)), labels, method="linear", false_reject_rate=0)
    assert judged.report.accuracy == pytest.approx(0.5, abs=0.1)
    assert judged.unknowns is None


def test_views_of_one_product_never_judge_each_other() -> None:
    rng = np.random.default_rng(2)
    products = np.repeat(np.arange(60), 4)
    vectors = rng.normal(0, 1, (60, 32))[products] + 0.05 * rng.normal(0, 1, (240, 32))
    labels = [f"c{n}" for n in rng.integers(0, 4, 60)[products]]
    divided = judge_held_out(vectors, labels, method="neighbours", false_reject_rate=0)
    together = judge_held_out(
        vectors, labels, groups=products.tolist(), method="neighbours", false_reject_rate=0
    )
    assert divided.report.accuracy >= 0.6
    assert together.report.accuracy <= 0.4
    assert len(set(together.groups.tolist())) == 60


def test_classes_with_one_group_are_left_out_and_counted() -> None:
    vectors, labels = points(3, 6, spread=0.2)
    labels[-6:] = ["lonely", *["c1"] * 5]
    judged = judge_held_out(vectors, labels, method="prototypes")
    assert judged.left_out == 1
    assert len(judged.positions) == 17


def test_what_cannot_be_judged_is_refused() -> None:
    with pytest.raises(InputError, match="nothing can be held out"):
        judge_held_out(np.eye(2), ["a", "b"])
    with pytest.raises(InputError, match="at least two"):
        judge_held_out(np.eye(2), ["a", "a"])
