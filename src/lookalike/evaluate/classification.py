"""How well labels and their confidences fit the truth.

Classes are numbers 0 to c - 1 everywhere. ``truth`` is int64 (n,): the class of each item; ``predicted`` is int64
(n,), -1 where an item was rejected as unknown, which is never right; ``probabilities`` is float (n, c), rows that
sum to 1. How unknowns are told apart is measured on scores of which a greater one means better known.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError

Codes = npt.NDArray[np.int64]
Floats = npt.NDArray[np.floating[Any]]

BINS = 15
"""Of the expected calibration error, as in Guo et al. 2017."""

LEAST_PROBABILITY = 1e-12
"""What a probability of 0 counts as in a logarithm."""


class ClassScores(NamedTuple):
    """Quality of each class; NaN where a class has no item (recall), no prediction (precision) or neither (F1).

    Args:
        precision: float64 (c,), share of the items that were given the class which belong to it.
        recall: float64 (c,), share of the items of the class which were given it.
        f1: float64 (c,), harmonic mean of the two.
        support: int64 (c,), items of the class.
    """

    precision: npt.NDArray[np.float64]
    recall: npt.NDArray[np.float64]
    f1: npt.NDArray[np.float64]
    support: Codes


class Reliability(NamedTuple):
    """How often predictions of about the same confidence are right; empty bins are left out.

    Args:
        confidence: float64 (b,), mean confidence of each bin.
        accuracy: float64 (b,), share of its predictions that are right.
        size: int64 (b,), predictions in it.
    """

    confidence: npt.NDArray[np.float64]
    accuracy: npt.NDArray[np.float64]
    size: Codes


def accuracy(truth: Codes, predicted: Codes) -> float:
    """Share of items whose predicted class is the true one; NaN without items."""
    _check_codes(truth, predicted)
    return float(np.mean(truth == predicted)) if len(truth) else float("nan")


def confusion_matrix(truth: Codes, predicted: Codes, classes: int) -> Codes:
    """How often items of one class were given each class.

    Args:
        truth, predicted: int64 (n,); rejected items (-1) are left out.
        classes: Number of classes c.

    Returns:
        int64 (c, c): true classes are rows, predicted ones columns.

    Raises:
        InputError: If shapes differ or a true class is outside 0 to c - 1.
    """
    _check_codes(truth, predicted)
    if len(truth) and (truth.min() < 0 or max(truth.max(), predicted.max()) >= classes):
        raise InputError(f"classes outside 0 to {classes - 1}: expected numbers of the {classes} classes")
    kept = predicted >= 0
    cells = np.bincount(truth[kept] * classes + predicted[kept], minlength=classes * classes)
    return cells.reshape(classes, classes).astype(np.int64)


def class_scores(truth: Codes, predicted: Codes, classes: int) -> ClassScores:
    """Precision, recall, F1 and support of each class; rejected items count as missed.

    Args:
        truth, predicted: int64 (n,).
        classes: Number of classes c.
    """
    confusion = confusion_matrix(truth, predicted, classes)
    right = np.diag(confusion).astype(np.float64)
    support = np.bincount(truth, minlength=classes).astype(np.int64)
    given = confusion.sum(axis=0)
    with np.errstate(invalid="ignore"):
        return ClassScores(right / given, right / support, 2 * right / (given + support), support)


def macro_recall(truth: Codes, predicted: Codes, classes: int) -> float:
    """Mean recall of the classes that have items (balanced accuracy): every class counts the same."""
    return _mean_known(class_scores(truth, predicted, classes).recall)


def macro_f1(truth: Codes, predicted: Codes, classes: int) -> float:
    """Mean F1 of the classes that have items or predictions."""
    return _mean_known(class_scores(truth, predicted, classes).f1)


def negative_log_likelihood(probabilities: Floats, truth: Codes) -> float:
    """Mean of -ln(probability of the true class), in nats; a proper score: 0 is best.

    Args:
        probabilities: float (n, c).
        truth: int64 (n,).
    """
    _check_probabilities(probabilities, truth)
    own = probabilities[np.arange(len(truth)), truth]
    return float(-np.mean(np.log(np.maximum(own, LEAST_PROBABILITY))))


def brier_score(probabilities: Floats, truth: Codes) -> float:
    """Mean squared distance of the probabilities from the truth as 0 and 1, summed over classes; in [0, 2].

    Brier 1950, https://doi.org/10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2

    Args:
        probabilities: float (n, c).
        truth: int64 (n,).
    """
    _check_probabilities(probabilities, truth)
    error = probabilities.astype(np.float64)
    error[np.arange(len(truth)), truth] -= 1
    return float(np.mean(np.sum(error**2, axis=1)))


def reliability(
    confidences: Floats, right: npt.NDArray[np.bool_], *, bins: int = BINS, adaptive: bool = False
) -> Reliability:
    """Confidence against accuracy, bin by bin: what a reliability diagram shows.

    Args:
        confidences: float (n,), the probability that each prediction is right, in [0, 1].
        right: bool (n,), whether it is.
        bins: How many.
        adaptive: Bins of equal numbers of predictions instead of equal width.

    Raises:
        InputError: If shapes differ, a confidence is outside [0, 1], or bins < 1.
    """
    if confidences.shape != right.shape or confidences.ndim != 1 or bins < 1:
        raise InputError(
            f"confidences {confidences.shape}, right {right.shape}, {bins} bins: expected (n,), (n,), at least 1"
        )
    if not len(confidences):
        return Reliability(np.empty(0), np.empty(0), np.empty(0, dtype=np.int64))
    if not (confidences.min() >= 0 and confidences.max() <= 1 + 1e-6):
        raise InputError("a confidence is outside [0, 1]: expected probabilities")
    if adaptive:
        order = np.argsort(confidences, kind="stable")
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order)) * bins // len(order)
    else:  # bins (0, 1/b], (1/b, 2/b], ... as the paper has them
        place = np.clip(np.ceil(confidences.astype(np.float64) * bins).astype(np.int64) - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    used = count > 0
    sure = np.bincount(place, weights=confidences, minlength=bins)[used] / count[used]
    hits = np.bincount(place, weights=right, minlength=bins)[used] / count[used]
    return Reliability(sure, hits, count[used].astype(np.int64))


def expected_calibration_error(
    confidences: Floats, right: npt.NDArray[np.bool_], *, bins: int = BINS, adaptive: bool = False
) -> float:
    """Mean distance of confidence and accuracy over bins, weighted by their size (ECE), in [0, 1].

    Guo et al. 2017, "On Calibration of Modern Neural Networks", https://arxiv.org/abs/1706.04599; with
    ``adaptive`` bins as in Nguyen and O'Connor 2015, https://arxiv.org/abs/1508.05154. The estimate is biased
    upwards for few predictions: even perfect confidences show about sqrt(bins / n) / 3. NaN without predictions.

    Args:
        confidences: float (n,), in [0, 1].
        right: bool (n,).
        bins: 15 is usual.
        adaptive: Bins of equal numbers of predictions instead of equal width.
    """
    curve = reliability(confidences, right, bins=bins, adaptive=adaptive)
    if not len(curve.size):
        return float("nan")
    return float(np.average(np.abs(curve.confidence - curve.accuracy), weights=curve.size))


def auroc(known: Floats, unknown: Floats) -> float:
    """Probability that a known item scores higher than an unknown one, equal scores half: area under the ROC.

    Args:
        known: float (n,), scores of items of known classes; greater means better known.
        unknown: float (m,), scores of the others.

    Returns:
        In [0, 1], 0.5 by chance; NaN when either is empty.
    """
    if not len(known) or not len(unknown):
        return float("nan")
    ordered = np.sort(unknown)
    below = np.searchsorted(ordered, known, side="left")
    up_to = np.searchsorted(ordered, known, side="right")
    return float(np.mean(below + up_to) / (2 * len(unknown)))


def fpr_at_tpr(known: Floats, unknown: Floats, *, tpr: float = 0.95) -> float:
    """Share of unknown items that pass the highest cutoff which lets ``tpr`` of the known ones pass (FPR@95).

    Args:
        known: float (n,), scores of items of known classes; greater means better known.
        unknown: float (m,).
        tpr: Share of the known items that have to pass, in (0, 1].

    Returns:
        In [0, 1], less is better; NaN when either is empty.

    Raises:
        InputError: If tpr is outside (0, 1].
    """
    if not 0 < tpr <= 1:
        raise InputError(f"tpr {tpr} is no share: expected a number above 0 and at most 1, such as 0.95")
    if not len(known) or not len(unknown):
        return float("nan")
    needed = int(np.ceil(tpr * len(known) - 1e-9))
    cutoff = np.sort(known)[len(known) - needed]
    return float(np.mean(unknown >= cutoff))


def _mean_known(values: npt.NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def _check_codes(truth: Codes, predicted: Codes) -> None:
    if truth.shape != predicted.shape or truth.ndim != 1:
        raise InputError(
            f"truth {truth.shape} and predicted {predicted.shape} do not fit: expected (n,) of each"
        )


def _check_probabilities(probabilities: Floats, truth: Codes) -> None:
    if probabilities.ndim != 2 or truth.shape != probabilities.shape[:1] or not len(truth):
        raise InputError(
            f"probabilities {probabilities.shape} and truth {truth.shape} do not fit: expected (n, c) and (n,), n > 0"
        )
