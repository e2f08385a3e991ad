"""Scores of classes to probabilities that can be believed.

A model's own probabilities are over- or under-confident, and a model that was trained with balanced class weights
believes that every class is equally frequent. Both are put right on out-of-fold scores, in two steps:

1. One scale for all scores (temperature scaling, Guo et al. 2017, https://arxiv.org/abs/1706.04599) and one offset a
   class (bias-corrected temperature scaling, Alexandari et al. 2020, https://arxiv.org/abs/1901.06852), which make
   the true classes likeliest.
2. A slope and a shift of the log-odds of the label (Platt 1999), which make the confidence in it likeliest. The first
   step weighs all classes against each other; where no scale fits all of them, it is the confidence that is off
   (Gupta and Ramdas 2022, "Top-label calibration", https://arxiv.org/abs/2107.08353). The other classes share what
   is left as before.

All are found by maximum a posteriori: Gaussian priors hold them near what changes nothing, decide when there are few
examples and are forgotten when there are many. Their standard deviations are 1 for the logarithm of the scale and the
offsets, and 0.1 for the second step, which sees the same few examples a second time.

The label stays the model's own choice: calibration says how often it is right, it does not change it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lookalike.tasks.classify.examples import Codes

Scores = npt.NDArray[np.float64]

MOST_LOG_SCALE = 8.0
"""Scales between 1/3000 and 3000: what separates a few examples perfectly would ask for an infinite one."""

CONFIDENCE_DEVIATION = 0.1
"""Prior standard deviation of the second step. Of 0.1 to 0.5 the one that raised the calibration error of none of eight
data sets (rooms, people, digits, tables) beyond chance at 5 examples a class; 0.2 gains twice as much on digits and
costs half of that on rooms."""

LEAST_PROBABILITY = 1e-300


@dataclass(frozen=True, slots=True)
class Calibration:
    """Scale and offsets of scores; slope and shift of the confidence.

    Args:
        scale: What scores are multiplied with; 1 / temperature.
        offsets: float64 (c,), added afterwards.
        fitted: Whether they were learned; otherwise they are the model's default and nothing vouches for them.
        slope: What the log-odds of the label are multiplied with.
        shift: Added to them afterwards.
    """

    scale: float
    offsets: npt.NDArray[np.float64]
    fitted: bool = True
    slope: float = 1.0
    shift: float = 0.0

    @classmethod
    def identity(cls, classes: int) -> Calibration:
        """Leaves scores as they are."""
        return cls(1.0, np.zeros(classes), fitted=False)

    def probabilities(self, scores: Scores) -> Scores:
        """float64 (n, c): rows that sum to 1."""
        scaled = softmax(self.scale * scores + self.offsets)
        return _with_confidence(scaled, scores.argmax(axis=1), self.slope, self.shift)


def softmax(scores: Scores) -> Scores:
    """Probabilities of scores, float64 (n, c)."""
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    total: Scores = shifted / shifted.sum(axis=1, keepdims=True)
    return total


def fit_calibration(scores: Scores, codes: Codes, groups: Codes) -> Calibration:
    """Learn both steps from scores of examples that the model was not trained on.

    Args:
        scores: float64 (n, c), out-of-fold.
        codes: int64 (n,), the true classes.
        groups: int64 (n,); what counts as evidence against the priors is the number of groups, since views of one
            thing say little more than one of them.

    Returns:
        The calibration; classes that no example is of keep offset 0.
    """
    scaled = fit_scale(scores, codes, groups)
    slope, shift = fit_confidence(scaled.probabilities(scores), scores.argmax(axis=1), codes, groups)
    return replace(scaled, slope=slope, shift=shift)


def fit_scale(scores: Scores, codes: Codes, groups: Codes) -> Calibration:
    """The first step alone; arguments as for :func:`fit_calibration`."""
    from scipy.optimize import minimize

    n, classes = scores.shape
    if not n:
        return Calibration.identity(classes)
    evidence = len(np.unique(groups))
    seen = np.bincount(codes, minlength=classes) > 0
    at = np.arange(n)

    def loss(parameters: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        scale, offsets = np.exp(parameters[0]), parameters[1:]
        probabilities = softmax(scale * scores + offsets)
        likelihood = np.log(np.maximum(probabilities[at, codes], LEAST_PROBABILITY)).mean()
        residual = probabilities
        residual[at, codes] -= 1
        slope = np.r_[scale * np.sum(residual * scores) / n, residual.sum(axis=0) * seen / n]
        prior = 0.5 / evidence
        return -likelihood + prior * float(parameters @ parameters), slope + 2 * prior * parameters

    found = minimize(
        loss,
        np.zeros(classes + 1),
        jac=True,
        method="L-BFGS-B",
        bounds=[(-MOST_LOG_SCALE, MOST_LOG_SCALE), *[(None, None)] * classes],
        options={"maxiter": 500},
    )
    return Calibration(float(np.exp(found.x[0])), found.x[1:].astype(np.float64))


def fit_confidence(probabilities: Scores, labels: Codes, codes: Codes, groups: Codes) -> tuple[float, float]:
    """The second step alone.

    Args:
        probabilities: float64 (n, c), of the first step.
        labels: int64 (n,), what the model says.
        codes, groups: int64 (n,).

    Returns:
        Slope and shift of the log-odds of the label.
    """
    from scipy.optimize import minimize

    log_odds = _log_odds(probabilities, labels)
    known = np.isfinite(log_odds)
    if not known.any():
        return 1.0, 0.0
    log_odds, right = log_odds[known], (labels == codes)[known]
    prior = 0.5 / len(np.unique(groups[known]))

    def loss(parameters: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        slope = np.exp(CONFIDENCE_DEVIATION * parameters[0])
        moved = slope * log_odds + CONFIDENCE_DEVIATION * parameters[1]
        residual = _sigmoid(moved) - right
        likelihood = -np.logaddexp(0, np.where(right, -moved, moved)).mean()
        gradient = CONFIDENCE_DEVIATION * np.array([slope * np.mean(residual * log_odds), residual.mean()])
        return -likelihood + prior * float(parameters @ parameters), gradient + 2 * prior * parameters

    found = CONFIDENCE_DEVIATION * minimize(loss, np.zeros(2), jac=True, method="L-BFGS-B").x
    return float(np.exp(found[0])), float(found[1])


def cross_fitted(scores: Scores, codes: Codes, groups: Codes, folds: Codes) -> Scores:
    """Calibrated probabilities of each fold by a calibration of the others, so that measures on them are honest.

    Args:
        scores: float64 (n, c), out-of-fold.
        codes, groups: int64 (n,).
        folds: int64 (n,), no -1 among them.
    """
    probabilities = np.empty_like(scores)
    for fold in np.unique(folds):
        held = folds == fold
        calibration = fit_calibration(scores[~held], codes[~held], groups[~held])
        probabilities[held] = calibration.probabilities(scores[held])
    return probabilities


def _with_confidence(probabilities: Scores, labels: Codes, slope: float, shift: float) -> Scores:
    """Move the log-odds of the labels; the other classes share what is left as before."""
    if slope == 1 and shift == 0:
        return probabilities
    log_odds = _log_odds(probabilities, labels)
    movable = np.isfinite(log_odds)
    found = probabilities.copy()
    sure = _sigmoid(slope * log_odds[movable] + shift)
    at, own = np.flatnonzero(movable), labels[movable]
    before = probabilities[at, own]
    found[at] *= ((1 - sure) / (1 - before))[:, None]
    found[at, own] = sure
    total: Scores = found / found.sum(axis=1, keepdims=True)
    return total


def _log_odds(probabilities: Scores, labels: Codes) -> npt.NDArray[np.float64]:
    """Of the label against all others, float64 (n,); infinite where nothing is left for one of the two."""
    sure = np.take_along_axis(probabilities, labels[:, None], axis=1)[:, 0]
    with np.errstate(divide="ignore"):
        odds: npt.NDArray[np.float64] = np.log(sure) - np.log1p(-np.minimum(sure, 1.0))
    return odds


def _sigmoid(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    found: npt.NDArray[np.float64] = np.exp(-np.logaddexp(0, -values))
    return found
