"""Everything that says how good a classifier is, measured on items it had not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.evaluate import classification as measures
from lookalike.evaluate.classification import Codes, Floats

Curve = tuple[tuple[float, float, int], ...]
"""Bins of a reliability diagram: mean confidence, accuracy, number of predictions."""


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One class: see :class:`lookalike.evaluate.classification.ClassScores`; None where nothing can be said."""

    label: str
    precision: float | None
    recall: float | None
    f1: float | None
    support: int


@dataclass(frozen=True, slots=True)
class ClassificationReport:
    """How good labels and confidences are.

    Args:
        items: How many were judged.
        accuracy, macro_recall, macro_f1: Of the labels.
        log_loss, brier: Of the calibrated probabilities.
        ece: Expected calibration error of the confidences, 15 bins of equal width.
        ece_adaptive: The same with 15 bins of equal numbers of items.
        ece_uncalibrated: ``ece`` before calibration.
        classes: Each class, in the order of the labels.
        confusions: (true class, predicted class, items), of all pairs that occur.
        reliability, reliability_uncalibrated: Bins of the reliability diagram.
    """

    items: int
    accuracy: float
    macro_recall: float
    macro_f1: float
    log_loss: float
    brier: float
    ece: float
    ece_adaptive: float
    ece_uncalibrated: float
    classes: tuple[ClassRow, ...]
    confusions: tuple[tuple[int, int, int], ...]
    reliability: Curve
    reliability_uncalibrated: Curve

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the classes."""
        return tuple(row.label for row in self.classes)

    def confusion_matrix(self) -> npt.NDArray[np.int64]:
        """int64 (c, c): true classes are rows, predicted ones columns."""
        table = np.zeros((len(self.classes), len(self.classes)), dtype=np.int64)
        for true, predicted, count in self.confusions:
            table[true, predicted] = count
        return table

    def summary(self) -> dict[str, float | int]:
        """The measures of the whole, without classes and curves."""
        return {name: value for name, value in asdict(self).items() if isinstance(value, int | float)}

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> ClassificationReport:
        """What :meth:`as_dict` gave, also after a way through JSON."""
        return cls(
            **{
                **plain,
                "classes": tuple(ClassRow(**row) for row in plain["classes"]),
                **{
                    name: tuple(tuple(row) for row in plain[name])
                    for name in ("confusions", "reliability", "reliability_uncalibrated")
                },
            }
        )


def classification_report(
    labels: Sequence[str], truth: Codes, predicted: Codes, probabilities: Floats, uncalibrated: Floats
) -> ClassificationReport:
    """Judge predictions.

    Args:
        labels: c names.
        truth, predicted: int64 (n,), classes.
        probabilities: float (n, c), calibrated.
        uncalibrated: float (n, c), as the model has them by itself.

    Raises:
        InputError: If shapes do not fit or there is no item.
    """
    at, right = np.arange(len(truth)), truth == predicted
    sure, before = probabilities[at, predicted], uncalibrated[at, predicted]
    scores = measures.class_scores(truth, predicted, len(labels))
    confusion = measures.confusion_matrix(truth, predicted, len(labels))
    return ClassificationReport(
        items=len(truth),
        accuracy=measures.accuracy(truth, predicted),
        macro_recall=measures.macro_recall(truth, predicted, len(labels)),
        macro_f1=measures.macro_f1(truth, predicted, len(labels)),
        log_loss=measures.negative_log_likelihood(probabilities, truth),
        brier=measures.brier_score(probabilities, truth),
        ece=measures.expected_calibration_error(sure, right),
        ece_adaptive=measures.expected_calibration_error(sure, right, adaptive=True),
        ece_uncalibrated=measures.expected_calibration_error(before, right),
        classes=tuple(
            ClassRow(
                label,
                _known(scores.precision[code]),
                _known(scores.recall[code]),
                _known(scores.f1[code]),
                int(scores.support[code]),
            )
            for code, label in enumerate(labels)
        ),
        confusions=tuple(
            (int(true), int(given), int(confusion[true, given])) for true, given in np.argwhere(confusion)
        ),
        reliability=_curve(sure, right),
        reliability_uncalibrated=_curve(before, right),
    )


def _known(value: np.float64) -> float | None:
    return None if np.isnan(value) else float(value)


def _curve(confidences: Floats, right: npt.NDArray[np.bool_]) -> Curve:
    curve = measures.reliability(confidences, right)
    return tuple(zip(curve.confidence.tolist(), curve.accuracy.tolist(), curve.size.tolist(), strict=True))
