"""Scores to probabilities that can be believed."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.evaluate.classification import expected_calibration_error
from lookalike.tasks.classify import Classifier, train
from lookalike.tasks.classify.calibration import (
    Calibration,
    cross_fitted,
    fit_calibration,
    fit_scale,
    softmax,
)
from lookalike.vectors.metrics import normalise


def drawn(n: int, classes: int, scale: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Scores, and classes drawn from the probabilities that scale times them stands for."""
    random = np.random.default_rng(seed)
    scores = random.normal(0, 1, (n, classes))
    chances = softmax(scale * scores).cumsum(axis=1)
    return scores, (random.random((n, 1)) > chances[:, :-1]).sum(axis=1)


@pytest.mark.parametrize("scale", [0.5, 3.0])
def test_the_scale_that_scores_were_drawn_with_is_found_and_needs_no_second_step(scale: float) -> None:
    scores, codes = drawn(4000, 6, scale)
    found = fit_calibration(scores, codes, np.arange(4000))
    assert found.scale == pytest.approx(scale, rel=0.08)
    assert np.abs(found.offsets - found.offsets.mean()).max() < 0.15
    assert found.slope == pytest.approx(1, abs=0.1)
    assert found.shift == pytest.approx(0, abs=0.1)


def test_confidences_that_no_scale_puts_right_are_put_right_by_the_second_step() -> None:
    """Among the classes behind the first, scores say nothing; the scale that fits them makes labels too unsure."""
    random = np.random.default_rng(0)
    scores = random.normal(0, 3, (4000, 10))
    label = scores.argmax(axis=1)
    codes = np.where(random.random(4000) < 0.9, label, random.integers(0, 10, 4000))
    learn, test = np.arange(4000) < 2000, np.arange(4000) >= 2000
    first = fit_scale(scores[learn], codes[learn], np.arange(2000))
    both = fit_calibration(scores[learn], codes[learn], np.arange(2000))
    right = (codes == label)[test]
    before, after = (
        expected_calibration_error(each.probabilities(scores[test]).max(axis=1), right)
        for each in (first, both)
    )
    assert before > 0.1
    assert after < 0.7 * before


def test_a_few_examples_hardly_move_the_second_step() -> None:
    scores, codes = drawn(20, 4, 1.0, seed=3)
    found = fit_calibration(scores, codes, np.arange(20))
    assert abs(np.log(found.slope)) < 0.1
    assert abs(found.shift) < 0.1


def test_copies_of_one_thing_are_no_more_evidence_than_one() -> None:
    scores, codes = drawn(30, 3, 2.0, seed=1)
    once = fit_calibration(scores, codes, np.arange(30))
    often = fit_calibration(scores.repeat(8, axis=0), codes.repeat(8), np.arange(30).repeat(8))
    assert often.scale == pytest.approx(once.scale, rel=1e-3)
    assert often.shift == pytest.approx(once.shift, abs=1e-3)


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.floats(0.01, 300),
    slope=st.floats(0.5, 2),
    shift=st.floats(-1, 1),
)
def test_probabilities_sum_to_one_and_the_others_keep_their_proportions(
    seed: int, size: float, slope: float, shift: float
) -> None:
    scores = size * np.random.default_rng(seed).normal(0, 1, (20, 5))
    plain = Calibration(1.0, np.zeros(5)).probabilities(scores)
    moved = Calibration(1.0, np.zeros(5), slope=slope, shift=shift).probabilities(scores)
    np.testing.assert_allclose(moved.sum(axis=1), 1)
    assert (moved >= 0).all()
    assert np.isfinite(moved).all()
    label = scores.argmax(axis=1)
    for before, after, own in zip(plain, moved, label, strict=True):
        rest = np.flatnonzero((np.arange(5) != own) & (before > 1e-200))
        if len(rest) > 1 and after[rest].min() > 1e-200:
            np.testing.assert_allclose(
                after[rest] / after[rest[0]], before[rest] / before[rest[0]], rtol=1e-6
            )


def test_what_is_said_of_a_fold_does_not_depend_on_its_own_labels() -> None:
    scores, codes = drawn(500, 4, 1.5)
    groups, folds = np.arange(500), np.arange(500) % 5
    turned = np.where(folds == 2, (codes + 1) % 4, codes)
    plain, other = (cross_fitted(scores, each, groups, folds) for each in (codes, turned))
    np.testing.assert_array_equal(plain[folds == 2], other[folds == 2])
    assert np.abs(plain - other)[folds != 2].max() > 0.05


def test_a_classifier_stored_before_there_was_a_second_step_is_read() -> None:
    random = np.random.default_rng(0)
    vectors = normalise(3 * np.eye(3, 8)[np.arange(60) % 3] + random.normal(0, 0.8, (60, 8)))
    labels = [("aster", "broom", "clover")[code % 3] for code in range(60)]
    classifier = train(vectors, labels, method="linear", false_reject_rate=0)
    with np.load(io.BytesIO(classifier.to_bytes()), allow_pickle=False) as stored:
        arrays = dict(stored)
    facts = json.loads(arrays["facts"].tobytes())
    facts["format"] = 1
    del facts["calibration"]["slope"], facts["calibration"]["shift"]
    arrays["facts"] = np.frombuffer(json.dumps(facts).encode(), dtype=np.uint8)
    old = io.BytesIO()
    np.savez_compressed(old, **arrays)
    read = Classifier.from_bytes(old.getvalue(), lambda rows: (np.ones(len(rows), bool), vectors[rows]))
    assert (read.calibration.slope, read.calibration.shift) == (1.0, 0.0)
    assert read.calibration.scale == classifier.calibration.scale
    assert read.predict(vectors).labels == classifier.predict(vectors).labels
