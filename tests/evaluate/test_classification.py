"""Measures of labels and confidences: against scikit-learn, by hand, and at the edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from lookalike.errors import InputError
from lookalike.evaluate import classification as measures
from lookalike.evaluate.classification_report import ClassificationReport, classification_report

CLASSES = 4


def outcome(seed: int, n: int = 200) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.ones(CLASSES), n)
    truth = np.array([random.choice(CLASSES, p=row) for row in probabilities])
    return truth, probabilities.argmax(axis=1), probabilities


@given(st.integers(0, 10_000))
def test_labels_are_measured_as_scikit_learn_does(seed: int) -> None:
    truth, predicted, _ = outcome(seed)
    scores = measures.class_scores(truth, predicted, CLASSES)
    theirs = metrics.precision_recall_fscore_support(
        truth, predicted, labels=range(CLASSES), zero_division=np.nan
    )
    for own, other in zip(scores, theirs, strict=True):
        np.testing.assert_allclose(own, other)
    assert measures.accuracy(truth, predicted) == metrics.accuracy_score(truth, predicted)
    np.testing.assert_array_equal(
        measures.confusion_matrix(truth, predicted, CLASSES),
        metrics.confusion_matrix(truth, predicted, labels=range(CLASSES)),
    )
    assert measures.macro_recall(truth, predicted, CLASSES) == pytest.approx(np.nanmean(theirs[1]))
    assert measures.macro_f1(truth, predicted, CLASSES) == pytest.approx(np.nanmean(theirs[2]))


@given(st.integers(0, 10_000))
def test_probabilities_are_measured_as_scikit_learn_does(seed: int) -> None:
    truth, _, probabilities = outcome(seed)
    own = measures.negative_log_likelihood(probabilities, truth)
    assert own == pytest.approx(metrics.log_loss(truth, probabilities, labels=range(CLASSES)))
    brier = metrics.brier_score_loss(truth, probabilities, labels=range(CLASSES), scale_by_half=False)
    assert measures.brier_score(probabilities, truth) == pytest.approx(brier)


@given(st.lists(st.integers(0, 9), min_size=1), st.lists(st.integers(0, 9), min_size=1))
def test_auroc_counts_ties_half_as_scikit_learn_does(known: list[int], unknown: list[int]) -> None:
    truth = [1] * len(known) + [0] * len(unknown)
    theirs = metrics.roc_auc_score(truth, known + unknown)
    assert measures.auroc(np.array(known, float), np.array(unknown, float)) == pytest.approx(theirs)


def test_fpr_at_95_lets_exactly_95_of_100_known_pass() -> None:
    known, unknown = np.arange(100.0), np.array([4.9, 5.0, 200.0, -1.0])
    assert measures.fpr_at_tpr(known, unknown) == 0.5  # the cutoff is 5: 95 known are at or above it
    assert measures.fpr_at_tpr(known, unknown, tpr=1) == 0.75


def test_ece_of_two_bins_by_hand() -> None:
    confidences = np.array([0.9, 0.9, 0.6, 0.6])
    right = np.array([True, False, True, True])
    # bins of 15: 0.9 lies in one (accuracy 0.5), 0.6 in another (accuracy 1)
    assert measures.expected_calibration_error(confidences, right) == pytest.approx((0.4 + 0.4) / 2)
    assert measures.expected_calibration_error(confidences, right, bins=1) == pytest.approx(0.0)


def test_ece_of_honest_confidences_vanishes_with_many_predictions() -> None:
    random = np.random.default_rng(0)
    confidences = random.uniform(0.2, 1, 200_000)
    right = random.random(len(confidences)) < confidences
    for adaptive in (False, True):
        assert measures.expected_calibration_error(confidences, right, adaptive=adaptive) < 0.006
        assert measures.expected_calibration_error(confidences**2, right, adaptive=adaptive) > 0.1


def test_adaptive_bins_hold_equal_numbers() -> None:
    curve = measures.reliability(np.linspace(0, 0.01, 150), np.zeros(150, dtype=bool), adaptive=True)
    assert curve.size.tolist() == [10] * 15


def test_a_rejected_item_is_missed_but_confused_with_nothing() -> None:
    truth, predicted = np.array([0, 0, 1]), np.array([0, -1, 1])
    assert measures.accuracy(truth, predicted) == pytest.approx(2 / 3)
    assert measures.confusion_matrix(truth, predicted, 2).tolist() == [[1, 0], [0, 1]]
    assert measures.class_scores(truth, predicted, 2).recall.tolist() == [0.5, 1.0]


def test_a_report_survives_json() -> None:
    import json

    truth, predicted, probabilities = outcome(3)
    report = classification_report(list("abcd"), truth, predicted, probabilities, probabilities)
    assert ClassificationReport.from_dict(json.loads(json.dumps(report.as_dict()))) == report
    assert report.confusion_matrix().sum() == report.items == 200
    assert report.ece == report.ece_uncalibrated


@pytest.mark.parametrize(
    "call",
    [
        lambda: measures.accuracy(np.zeros(2, int), np.zeros(3, int)),
        lambda: measures.confusion_matrix(np.array([5]), np.array([0]), 2),
        lambda: measures.brier_score(np.zeros((2, 3)), np.zeros(3, int)),
        lambda: measures.expected_calibration_error(np.array([1.5]), np.array([True])),
        lambda: measures.fpr_at_tpr(np.ones(1), np.ones(1), tpr=0),
    ],
)
def test_what_does_not_fit_is_refused(call: object) -> None:
    with pytest.raises(InputError, match="expected"):
        call()  # type: ignore[operator]
