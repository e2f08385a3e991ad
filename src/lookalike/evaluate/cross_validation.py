"""How good a classifier would be on items that it has not seen: trained and judged on different folds.

Everything that training chooses (method, C, calibration, threshold) is chosen anew inside each training part, so that
nothing of the judged items is known to it (nested cross-validation: Varma and Simon 2006,
https://doi.org/10.1186/1471-2105-7-91).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.evaluate.classification import auroc, fpr_at_tpr
from lookalike.evaluate.classification_report import ClassificationReport, classification_report
from lookalike.tasks.classify import ClassWeights, Method, train
from lookalike.tasks.classify.calibration import softmax
from lookalike.tasks.classify.examples import (
    NEVER_HELD_OUT,
    Examples,
    assign_folds,
    examples,
    stratified_sample,
)
from lookalike.tasks.classify.rejection import fit_rejection
from lookalike.tasks.classify.training import MOST_COMPARED

Similarities = npt.NDArray[np.float32]

LEAST_CLASSES_FOR_UNKNOWNS = 3
"""With fewer classes none can be left out and still leave two to learn."""


@dataclass(frozen=True, slots=True)
class Unknowns:
    """How well items of classes that were left out of training are told from items of known ones.

    Args:
        auroc: Probability that a known item is nearer to the examples than an unknown one.
        fpr95: Share of unknown items that pass where 95 % of the known ones do.
        asked: The false-reject rate that was asked for.
        false_rejects: Share of known items that were rejected.
        rejected: Share of unknown items that were rejected.
        known, unknown: How many were judged.
    """

    auroc: float
    fpr95: float
    asked: float
    false_rejects: float
    rejected: float
    known: int
    unknown: int


@dataclass(frozen=True, slots=True)
class HeldOut:
    """A classifier judged on items that it had not seen.

    Args:
        report: Accuracy, macro recall, calibration, each class.
        positions: int64 (m,), the items that were judged, among those given.
        right: float64 (m,), 1 where the label is right.
        recall_shares: float64 (m,), whose mean is the macro recall: right, weighted so that each class counts alike.
        groups: int64 (m,), the group of each.
        methods: What was chosen in each fold.
        unknowns: None when nothing is rejected or there are fewer than three classes.
        left_out: Items of classes that have one group only, which cannot be judged.
    """

    report: ClassificationReport
    positions: npt.NDArray[np.int64]
    right: npt.NDArray[np.float64]
    recall_shares: npt.NDArray[np.float64]
    groups: npt.NDArray[np.int64]
    methods: tuple[str, ...]
    unknowns: Unknowns | None
    left_out: int


def judge_held_out(
    embeddings: npt.ArrayLike,
    labels: Sequence[str],
    *,
    groups: Sequence[object] | None = None,
    method: Method | Literal["auto"] = "auto",
    class_weights: ClassWeights = "balanced",
    false_reject_rate: float = 0.05,
    seed: int = 0,
) -> HeldOut:
    """Train on all folds but one and judge that one, in turn.

    Args:
        embeddings: float (n, d), normalised here.
        labels: n names.
        groups: n hashable values: items of one group (views of one product) never stand on both sides of a split.
        method, class_weights, false_reject_rate: As for ``tasks.classify.train``.
        seed: Of folds, samples and the solver.

    Raises:
        InputError: If there are fewer than two classes, or no class has two groups.
    """
    data = examples(embeddings, labels, groups=groups)
    folds, count = assign_folds(data, seed=seed)
    held = np.flatnonzero(folds != NEVER_HELD_OUT)
    if not len(held):
        raise InputError(
            "no class has two examples (two groups of them), so nothing can be held out to judge: label more items"
        )
    probabilities = np.zeros((len(data), data.classes))
    uncalibrated = np.zeros_like(probabilities)
    methods = []
    for fold in range(count):
        asked, rest = np.flatnonzero(folds == fold), data.subset(folds != fold)
        classifier = train(
            rest.embeddings,
            [data.labels[code] for code in rest.codes.tolist()],
            groups=rest.groups,
            method=method,
            class_weights=class_weights,
            false_reject_rate=0.0,  # unknowns are judged below, with classes left out
            seed=seed,
        )
        columns = [data.labels.index(label) for label in classifier.labels]
        cells = (asked[:, None], np.array(columns)[None])
        probabilities[cells] = classifier.predict(data.embeddings[asked]).probabilities
        uncalibrated[cells] = softmax(classifier.model.scores(data.embeddings[asked]))
        methods.append(classifier.method)
    codes, given = data.codes[held], probabilities[held].argmax(axis=1).astype(np.int64)
    right = (codes == given).astype(np.float64)
    sizes = np.bincount(codes, minlength=data.classes)
    return HeldOut(
        classification_report(data.labels, codes, given, probabilities[held], uncalibrated[held]),
        held,
        right,
        right * len(held) / (sizes[codes] * np.count_nonzero(sizes)),
        data.groups[held],
        tuple(methods),
        _unknowns(data, folds, count, false_reject_rate, seed),
        len(data) - len(held),
    )


def _unknowns(
    data: Examples, folds: npt.NDArray[np.int64], count: int, rate: float, seed: int
) -> Unknowns | None:
    """Leave out each class in one of the folds, and ask how its items there differ from the others."""
    if not rate or data.classes < LEAST_CLASSES_FOR_UNKNOWNS:
        return None
    steps = max(count, 2)
    scores: tuple[list[Similarities], ...] = ([], [])  # of known items, of unknown ones
    rejected: tuple[list[npt.NDArray[np.bool_]], ...] = ([], [])
    for fold in range(count):
        strange = data.codes % steps == fold
        rest = data.subset((folds != fold) & ~strange)
        if len(np.unique(rest.codes)) < 2 or not strange.any():
            continue
        references = stratified_sample(rest.codes, max(MOST_COMPARED, data.classes), seed=seed)
        rejection = fit_rejection(rest, references, rate, seed=seed)
        for of, which in enumerate((~strange, strange)):
            similarity = rejection.similarity(data.embeddings[(folds == fold) & which])
            scores[of].append(similarity)
            rejected[of].append(rejection.rejects(similarity))
    if not all(sum(len(part) for part in parts) for parts in scores):
        return None
    near, far = (np.concatenate(parts) for parts in scores)
    return Unknowns(
        auroc(near, far),
        fpr_at_tpr(near, far),
        rate,
        float(np.concatenate(rejected[0]).mean()),
        float(np.concatenate(rejected[1]).mean()),
        len(near),
        len(far),
    )
