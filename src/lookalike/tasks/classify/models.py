"""The three classifiers on frozen embeddings: linear probe, nearest neighbours, prototypes.

Each gives scores of classes, float64 (n, c): logits, of which the greatest is the label. A class that a model has no
example of gets the score :data:`ABSENT`.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.tasks.classify.calibration import Scores
from lookalike.tasks.classify.examples import Codes, Examples
from lookalike.types import Embeddings, Rows
from lookalike.vectors.metrics import inner, normalise
from lookalike.vectors.neighbours import ArrayVectors, exact_range

Method = Literal["linear", "neighbours", "prototypes"]
METHODS: tuple[Method, ...] = ("linear", "neighbours", "prototypes")

ClassWeights = Literal["balanced", "none"]

ABSENT = -30.0
"""Score of a class without examples: about 1e-13 as a probability."""

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Values of C to choose from: from hardly more than class means to hardly any penalty."""

NEIGHBOURS = 20
VOTE_TEMPERATURE = 0.07
"""k and temperature of DINO's evaluation (Caron et al. 2021, https://arxiv.org/abs/2104.14294)."""

PRIOR_VOTES = 0.05
"""Votes that are spread over all classes beside the neighbours' one, so that no class is impossible."""

PROTOTYPE_SCALE = 5.0
"""What half the squared distance to a prototype is multiplied with, until calibration learns the scale. With one
example a class it stays: pictures wanted 3 to 6, digits 7 (least ECE, one shot)."""

MOST_ITERATIONS = 300
TOLERANCE = 1e-3
LEAST_DEVIATION = 1e-6
BATCH = 1024
"""Items that are scored at a time."""


class Model(Protocol):
    """What gives scores of classes."""

    def scores(self, embeddings: Embeddings) -> Scores:
        """Scores float64 (n, c) of embeddings float32 (n, d), L2-normalised."""


@dataclass(frozen=True, slots=True)
class LinearProbe:
    """Multinomial logistic regression on standardised embeddings.

    Args:
        mean, deviation: float32 (d,), of the examples; what embeddings are standardised with.
        weights: float32 (c, d).
        bias: float64 (c,); :data:`ABSENT` where a class has no example.
        regularisation: The C it was fitted with, inverse strength of the L2 penalty.
        converged: Whether the solver reached its tolerance.
    """

    mean: npt.NDArray[np.float32]
    deviation: npt.NDArray[np.float32]
    weights: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float64]
    regularisation: float
    converged: bool = True

    def scores(self, embeddings: Embeddings) -> Scores:
        """Logits."""
        found = np.empty((len(embeddings), len(self.bias)))
        for first in range(0, len(embeddings), BATCH):
            part = (embeddings[first : first + BATCH] - self.mean) / self.deviation
            found[first : first + BATCH] = inner(part, self.weights) + self.bias
        return found


def fit_linear_path(
    data: Examples, strengths: Sequence[float], weights: ClassWeights, *, seed: int
) -> list[LinearProbe]:
    """Linear probes for several C, each started from the one before.

    Args:
        data: The examples.
        strengths: Values of C, ascending.
        weights: ``balanced``: every class counts the same; ``none``: every example does.
        seed: Of the solver.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    present = np.unique(data.codes)
    if len(present) < 2:
        return [_only_class(data, int(present[0]), strength) for strength in strengths]
    mean, deviation = _spread(data.embeddings)
    standardised = data.embeddings - mean
    standardised /= deviation
    regression = LogisticRegression(
        class_weight="balanced" if weights == "balanced" else None,
        max_iter=MOST_ITERATIONS,
        tol=TOLERANCE,
        warm_start=True,
        random_state=seed,
    )
    probes = []
    for strength in strengths:
        regression.set_params(C=strength)
        with warnings.catch_warnings():  # said by `converged` instead
            warnings.simplefilter("ignore", ConvergenceWarning)
            regression.fit(standardised, data.codes)
        coefficients, intercept = regression.coef_, regression.intercept_
        if len(coefficients) == 1:  # two classes: one row of log-odds, for the second
            coefficients = np.concatenate([-coefficients, coefficients]) / 2
            intercept = np.concatenate([-intercept, intercept]) / 2
        full = np.zeros((data.classes, data.embeddings.shape[1]), dtype=np.float32)
        bias = np.full(data.classes, ABSENT)
        full[regression.classes_] = coefficients
        bias[regression.classes_] = intercept
        converged = bool(np.max(regression.n_iter_) < MOST_ITERATIONS)
        probes.append(LinearProbe(mean, deviation, full, bias, strength, converged))
    return probes


def _spread(embeddings: Embeddings) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Mean and standard deviation of each dimension, summed in float64 a block at a time."""
    mean = embeddings.mean(axis=0, dtype=np.float64)
    squares = np.zeros_like(mean)
    for first in range(0, len(embeddings), BATCH):
        squares += np.square(embeddings[first : first + BATCH] - mean).sum(axis=0)
    deviation = np.maximum(np.sqrt(squares / len(embeddings)), LEAST_DEVIATION)
    return mean.astype(np.float32), deviation.astype(np.float32)


def _only_class(data: Examples, code: int, strength: float) -> LinearProbe:
    """What a fold learns that holds a single class, because groups keep the others together."""
    d = data.embeddings.shape[1]
    bias = np.full(data.classes, ABSENT)
    bias[code] = 0.0
    zeros = np.zeros((data.classes, d), dtype=np.float32)
    return LinearProbe(zeros[0], np.ones(d, dtype=np.float32), zeros, bias, strength)


@dataclass(frozen=True, slots=True)
class NearestNeighbours:
    """Votes of the nearest examples, weighted by exp(cosine / 0.07), as in DINO's evaluation.

    Args:
        embeddings: float32 (m, d), the examples, L2-normalised.
        codes: int64 (m,), their classes.
        rows: int64 (m,), their row numbers.
        class_weights: float64 (c,), what a vote for each class counts.
    """

    embeddings: Embeddings
    codes: Codes
    rows: Rows
    class_weights: npt.NDArray[np.float64]

    @property
    def k(self) -> int:
        """How many neighbours vote."""
        return min(NEIGHBOURS, len(self.codes))

    def scores(self, embeddings: Embeddings) -> Scores:
        """Logarithms of the shares of votes."""
        classes = len(self.class_weights)
        found = np.empty((len(embeddings), classes))
        source = ArrayVectors(self.embeddings)
        for first in range(0, len(embeddings), BATCH):
            part = embeddings[first : first + BATCH]
            nearest = exact_range(source, part, self.k, 0, len(self.codes), unit=True)
            relative = (nearest.scores - nearest.scores[:, :1]).astype(np.float64)
            voters = self.codes[nearest.positions]
            votes = np.exp(relative / VOTE_TEMPERATURE) * self.class_weights[voters]
            cells = np.arange(len(part))[:, None] * classes + voters
            table = np.bincount(cells.ravel(), votes.ravel(), len(part) * classes).reshape(-1, classes)
            shares = table / table.sum(axis=1, keepdims=True)
            found[first : first + BATCH] = np.log((shares + PRIOR_VOTES / classes) / (1 + PRIOR_VOTES))
        return found


def fit_neighbours(data: Examples, weights: ClassWeights) -> NearestNeighbours:
    """Keep the examples as voters."""
    sizes = np.bincount(data.codes, minlength=data.classes)
    counts = np.ones(data.classes)
    if weights == "balanced":
        counts = np.where(sizes > 0, len(data) / np.maximum(sizes, 1) / np.count_nonzero(sizes), 0.0)
    return NearestNeighbours(data.embeddings, data.codes, data.rows, counts)


@dataclass(frozen=True, slots=True)
class Prototypes:
    """Nearest class mean of centred, normalised embeddings: SimpleShot's CL2N
    (Wang et al. 2019, https://arxiv.org/abs/1911.04623).

    Args:
        centre: float32 (d,), the mean of the examples.
        means: float32 (c, d), of the centred and normalised examples of each class.
        prior: float64 (c,), added to the scores; :data:`ABSENT` where a class has no example.
        single_rows: int64 (c,): the row number of the only example of a class, or -1. Such a mean is that item's
            vector, so what is saved is the row number.
    """

    centre: npt.NDArray[np.float32]
    means: npt.NDArray[np.float32]
    prior: npt.NDArray[np.float64]
    single_rows: Rows

    def scores(self, embeddings: Embeddings) -> Scores:
        """Half the negative squared distances to the class means, scaled."""
        found = np.empty((len(embeddings), len(self.prior)))
        lengths = np.einsum("cd,cd->c", self.means, self.means).astype(np.float64)
        for first in range(0, len(embeddings), BATCH):
            part = centred(embeddings[first : first + BATCH], self.centre)
            distances = 1 + lengths - 2 * inner(part, self.means).astype(np.float64)
            found[first : first + BATCH] = -PROTOTYPE_SCALE * distances / 2 + self.prior
        return found


def centred(embeddings: Embeddings, centre: npt.NDArray[np.float32]) -> Embeddings:
    """Directions of embeddings as seen from a centre, float32 (n, d), L2-normalised; the centre itself keeps its own.

    Args:
        embeddings: float32 (n, d).
        centre: float32 (d,).
    """
    shifted = embeddings - centre
    still = ~shifted.any(axis=1)
    shifted[still] = embeddings[still]
    return normalise(shifted)


def fit_prototypes(data: Examples, weights: ClassWeights) -> Prototypes:
    """Means of the classes; with weights ``none`` frequent classes are likelier."""
    centre = data.embeddings.mean(axis=0, dtype=np.float64).astype(np.float32)
    directions = centred(data.embeddings, centre)
    sizes = np.bincount(data.codes, minlength=data.classes)
    means = np.zeros((data.classes, directions.shape[1]), dtype=np.float32)
    single = np.full(data.classes, -1, dtype=np.int64)
    order = np.argsort(data.codes, kind="stable")
    for code, members in zip(
        np.flatnonzero(sizes), np.split(order, np.cumsum(sizes[sizes > 0])[:-1]), strict=True
    ):
        means[code] = directions[members].mean(axis=0, dtype=np.float64)
        if len(members) == 1:
            single[code] = data.rows[members[0]]
    prior = np.full(data.classes, ABSENT)
    share = sizes / len(data)
    prior[sizes > 0] = 0.0 if weights == "balanced" else np.log(share[sizes > 0])
    return Prototypes(centre, means, prior, single)


def checked_weights(weights: object) -> ClassWeights:
    """Refuse class weights that are not known."""
    if weights == "balanced":
        return "balanced"
    if weights == "none" or weights is None:
        return "none"
    raise InputError(f"class_weights {weights!r} is not known: choose balanced or none")
