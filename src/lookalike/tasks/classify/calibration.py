"""Scores of classes to probabilities that can be believed.

A model's own probabilities are over- or under-confident, and a model that was trained with balanced class weights
believes that every class is equally frequent. Both are put right on out-of-fold scores: one scale for all scores
(temperature scaling, Guo et al. 2017, https://arxiv.org/abs/1706.04599) and one offset a class (bias-corrected
temperature scaling, Alexandari et al. 2020, https://arxiv.org/abs/1901.06852), found by maximum a posteriori: the
offsets and the logarithm of the scale are held near 0 by a Gaussian prior of standard deviation 1, which decides
when there are few examples and is forgotten when there are many.

The label stays the model's own choice: calibration says how often it is right, it does not change it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.tasks.classify.examples import Codes

Scores = npt.NDArray[np.float64]

MOST_LOG_SCALE = 8.0
"""Scales between 1/3000 and 3000: what separates a few examples perfectly would ask for an infinite one."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Scale and offsets.

    Args:
        scale: What scores are multiplied with; 1 / temperature.
        offsets: float64 (c,), added afterwards.
        fitted: Whether they were learned; otherwise they are the model's default and nothing vouches for them.
    """

    scale: float
    offsets: npt.NDArray[np.float64]
    fitted: bool = True

    @classmethod
    def identity(cls, classes: int) -> Calibration:
        """Leaves scores as they are."""
        return cls(1.0, np.zeros(classes), fitted=False)

    def probabilities(self, scores: Scores) -> Scores:
        """float64 (n, c): rows that sum to 1."""
        return softmax(self.scale * scores + self.offsets)


def softmax(scores: Scores) -> Scores:
    """Probabilities of scores, float64 (n, c)."""
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    total: Scores = shifted / shifted.sum(axis=1, keepdims=True)
    return total


def fit_calibration(scores: Scores, codes: Codes, groups: Codes) -> Calibration:
    """Learn the scale and the offsets from scores of examples that the model was not trained on.

    Args:
        scores: float64 (n, c), out-of-fold.
        codes: int64 (n,), the true classes.
        groups: int64 (n,); what counts as evidence against the prior is the number of groups, since views of one
            thing say little more than one of them.

    Returns:
        The calibration; classes that no example is of keep offset 0.
    """
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
        likelihood = np.log(np.maximum(probabilities[at, codes], 1e-300)).mean()
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
