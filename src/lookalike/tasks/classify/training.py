"""Training: every candidate is cross-validated, the best is calibrated on what it said of examples it had not seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.tasks.classify.calibration import (
    Calibration,
    Scores,
    cross_fitted,
    fit_calibration,
    softmax,
)
from lookalike.tasks.classify.classifier import Candidate, Classifier, OutOfFold
from lookalike.tasks.classify.examples import (
    NEVER_HELD_OUT,
    Codes,
    Examples,
    assign_folds,
    examples,
    stratified_sample,
)
from lookalike.tasks.classify.models import (
    METHODS,
    STRENGTHS,
    ClassWeights,
    Method,
    Model,
    checked_weights,
    fit_linear_path,
    fit_neighbours,
    fit_prototypes,
)
from lookalike.tasks.classify.rejection import fit_rejection
from lookalike.types import Rows
from lookalike.vectors.threads import one_thread_each

MOST_CROSS_VALIDATED = 10_000
"""Examples that the choice and the calibration are made on; the model itself learns from all."""

MOST_VOTERS = 32_768
"""Examples that may vote: 168 MB at 1,280 dimensions."""

MOST_COMPARED = 8_192
"""Examples that rejection compares with: of more, a sample tells as well (Sun et al. 2022) in less time."""

UNVALIDATED_STRENGTH = 1e-2
"""C of a linear probe where nothing can be held out."""


Choice: TypeAlias = "tuple[Method, float | None]"
"""A method and, for a linear probe, its C."""

CANDIDATES: tuple[Choice, ...] = (
    *(("linear", strength) for strength in STRENGTHS),
    ("neighbours", None),
    ("prototypes", None),
)


class CrossValidated(NamedTuple):
    """What candidates said of examples that they had not seen.

    Args:
        positions: int64 (m,), of the examples, ascending.
        folds: int64 (m,).
        scores: Of each candidate, float64 (m, c).
    """

    positions: Rows
    folds: Codes
    scores: dict[Choice, Scores]


class Chosen(NamedTuple):
    """The candidate that is taken.

    Args:
        choice: It.
        calibration: Of its scores.
        candidates: How every candidate did; () when nothing could be held out.
        out_of_fold: What it said of examples that it had not seen; None likewise.
    """

    choice: Choice
    calibration: Calibration
    candidates: tuple[Candidate, ...]
    out_of_fold: OutOfFold | None

    def provenance(self) -> dict[str, Any]:
        """How it was chosen and calibrated."""
        judged = self.out_of_fold
        return {
            "method": self.choice[0],
            "chosen_by": "nothing could be held out: no class has two groups of examples"
            if judged is None
            else "least cross-validated log loss after calibration",
            "regularisation": self.choice[1],
            "cross_validated": 0 if judged is None else len(judged.positions),
            "folds": 0 if judged is None else int(judged.folds.max()) + 1,
            "calibrated": self.calibration.fitted,
            "calibration_scale": self.calibration.scale,
            "calibration_slope": self.calibration.slope,
            "calibration_shift": self.calibration.shift,
            "candidates": [each._asdict() for each in self.candidates],
        }


@one_thread_each()
def train(
    embeddings: npt.ArrayLike,
    labels: Sequence[str],
    *,
    method: Method | Literal["auto"] = "auto",
    groups: Sequence[object] | npt.NDArray[np.generic] | None = None,
    rows: Rows | None = None,
    class_weights: ClassWeights | None = "balanced",
    false_reject_rate: float = 0.05,
    seed: int = 0,
    fingerprint: str = "",
) -> Classifier:
    """Learn to label embeddings from labelled ones.

    Candidates are a linear probe (C by cross-validation), the votes of the 20 nearest examples, and class prototypes
    for a few examples a class. The one with the least cross-validated log loss, after calibration, is taken; the
    scores of all are in ``candidates``. Nothing but the examples is looked at.

    Args:
        embeddings: float (n, d), normalised here.
        labels: n names, two different ones at least. A class may have a single example: it is learned from it, but
            nothing can be said of how well; when every class has, prototypes are used, uncalibrated.
        method: ``linear``, ``neighbours``, ``prototypes``, or ``auto`` to choose.
        groups: n hashable values; examples of one group (views of one product) never stand on both sides of a fold.
        rows: int64 (n,), what identifies the examples when the classifier is saved; 0 to n - 1 by default.
        class_weights: ``balanced``: every class counts the same in training and in the choice of the label;
            ``none``: every example does. Confidences are calibrated to the frequencies of the examples either way.
        false_reject_rate: Share of items of known classes that may be rejected as unknown, 0 (reject nothing) to
            below 1.
        seed: Of folds, samples and the solver.
        fingerprint: Of the embeddings' encoder; kept with the classifier.

    Returns:
        The classifier.

    Raises:
        InputError: If an argument is wrong or there are fewer than two classes.
    """
    data = examples(embeddings, labels, groups=groups, rows=rows)
    weights = checked_weights(class_weights)
    if method != "auto" and method not in METHODS:
        raise InputError(f"method {method!r} is not known: choose auto, {', '.join(METHODS)}")
    if not 0 <= false_reject_rate < 1:
        raise InputError(
            f"false_reject_rate {false_reject_rate}: expected a share from 0 (reject nothing) to below 1"
        )
    judged = _choose(data, method, weights, seed=seed)
    voters = stratified_sample(data.codes, max(MOST_VOTERS, data.classes), seed=seed)
    model = _fit(data, judged.choice, weights, voters, seed=seed)
    rejection = None
    if false_reject_rate:
        compared = stratified_sample(data.codes, max(MOST_COMPARED, data.classes), seed=seed)
        rejection = fit_rejection(data, compared, false_reject_rate, seed=seed)
    used = judged.choice[0]
    return Classifier(
        labels=data.labels,
        method=used,
        model=model,
        calibration=judged.calibration,
        rejection=rejection,
        fingerprint=fingerprint,
        candidates=judged.candidates,
        out_of_fold=judged.out_of_fold,
        provenance={
            **judged.provenance(),
            "class_weights": weights,
            "examples": len(data),
            "groups": len(np.unique(data.groups)),
            "false_reject_rate": false_reject_rate,
            "rejection_threshold": rejection.threshold
            if rejection is not None and np.isfinite(rejection.threshold)
            else None,
            "rejection_neighbours": None if rejection is None else rejection.k,
            "voters": len(voters) if used == "neighbours" else None,
            "rejection_compares_with": None if rejection is None else len(rejection.rows),
            "seed": seed,
        },
    )


def _choose(data: Examples, method: Method | Literal["auto"], weights: ClassWeights, *, seed: int) -> Chosen:
    """The best candidate by cross-validation, calibrated on what it said of examples it had not seen."""
    tried = [each for each in CANDIDATES if method in ("auto", each[0])]
    validated = cross_validate(data, tried, weights, seed=seed)
    candidates = _candidates(validated, data)
    if not candidates:
        only: Method = "prototypes" if method == "auto" else method
        strength = UNVALIDATED_STRENGTH if only == "linear" else None
        return Chosen((only, strength), Calibration.identity(data.classes), (), None)
    best = min(candidates, key=lambda each: each.log_loss)
    choice: Choice = (best.method, best.regularisation)
    at = validated.positions
    calibration = fit_calibration(validated.scores[choice], data.codes[at], data.groups[at])
    return Chosen(choice, calibration, tuple(candidates), _out_of_fold(data, validated, choice))


def cross_validate(
    data: Examples,
    tried: Sequence[Choice],
    weights: ClassWeights,
    *,
    seed: int,
    most: int = MOST_CROSS_VALIDATED,
) -> CrossValidated:
    """Scores of every candidate for examples of folds that it was not trained on.

    Args:
        data: The examples.
        tried: The candidates.
        weights: As for :func:`train`.
        seed: Of the sample, the folds and the solver.
        most: Examples that are used at most, drawn so that small classes lose nothing before large ones do.
    """
    drawn = stratified_sample(data.codes, max(most, 2 * data.classes), seed=seed)
    part = data.subset(drawn)
    folds, count = assign_folds(part, seed=seed)
    held = np.flatnonzero(folds != NEVER_HELD_OUT)
    scores: dict[Choice, Scores] = {}
    for fold in range(count):
        asked = folds == fold
        models = _fit_all(part.subset(~asked), tried, weights, seed=seed)
        for name, model in models.items():
            table = scores.setdefault(name, np.empty((len(part), data.classes)))
            table[asked] = model.scores(part.embeddings[asked])
    return CrossValidated(drawn[held], folds[held], {name: table[held] for name, table in scores.items()})


@one_thread_each()
def out_of_fold_probabilities(
    embeddings: npt.ArrayLike,
    labels: Sequence[str],
    like: Classifier,
    *,
    groups: Sequence[object] | npt.NDArray[np.generic] | None = None,
    seed: int = 0,
) -> OutOfFold:
    """What a classifier's kind says of every example when it has not seen it: the base of a review of labels.

    Args:
        embeddings: float (n, d), normalised here.
        labels: n names.
        like: Whose method, C and class weights are used.
        groups: As for :func:`train`.
        seed: Of the folds and the solver.

    Raises:
        InputError: If an argument is wrong, or no class has two groups, so that nothing can be held out.
    """
    data = examples(embeddings, labels, groups=groups)
    choice: Choice = (like.method, like.provenance["regularisation"])
    weights = checked_weights(like.provenance["class_weights"])
    validated = cross_validate(data, [choice], weights, seed=seed, most=len(data))
    if not validated.scores:
        raise InputError(
            "no class has two examples (two groups of them), so no label can be checked against others: "
            "label more items"
        )
    return _out_of_fold(data, validated, choice)


def _fit_all(
    data: Examples, tried: Sequence[Choice], weights: ClassWeights, *, seed: int
) -> dict[Choice, Model]:
    strengths = [strength for method, strength in tried if method == "linear" and strength is not None]
    models: dict[Choice, Model] = {}
    if strengths:
        for probe in fit_linear_path(data, strengths, weights, seed=seed):
            models["linear", probe.regularisation] = probe
    if ("neighbours", None) in tried:
        models["neighbours", None] = fit_neighbours(data, weights)
    if ("prototypes", None) in tried:
        models["prototypes", None] = fit_prototypes(data, weights)
    return models


def _fit(data: Examples, choice: Choice, weights: ClassWeights, voters: Rows, *, seed: int) -> Model:
    """The model itself, from all examples; where examples vote, from those that may."""
    learned_from = data.subset(voters) if choice[0] == "neighbours" else data
    return _fit_all(learned_from, [choice], weights, seed=seed)[choice]


def _candidates(validated: CrossValidated, data: Examples) -> list[Candidate]:
    """How well each candidate did, in the order they were tried."""
    codes, groups = data.codes[validated.positions], data.groups[validated.positions]
    found = []
    for (method, strength), scores in validated.scores.items():
        probabilities = cross_fitted(scores, codes, groups, validated.folds)
        own = probabilities[np.arange(len(codes)), codes]
        right = scores.argmax(axis=1) == codes
        sizes = np.bincount(codes, minlength=data.classes)
        recalls = np.bincount(codes, right, data.classes)[sizes > 0] / sizes[sizes > 0]
        log_loss = float(-np.log(np.maximum(own, 1e-12)).mean())
        found.append(Candidate(method, strength, log_loss, float(recalls.mean()), float(right.mean())))
    return found


def _out_of_fold(data: Examples, validated: CrossValidated, choice: Choice) -> OutOfFold:
    scores, at = validated.scores[choice], validated.positions
    codes = data.codes[at]
    return OutOfFold(
        positions=at,
        folds=validated.folds,
        codes=codes,
        predicted=scores.argmax(axis=1).astype(np.int64),
        probabilities=cross_fitted(scores, codes, data.groups[at], validated.folds),
        uncalibrated=softmax(scores),
    )
