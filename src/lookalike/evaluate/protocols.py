"""Published evaluation protocols, as their own code counts: revisited Oxford and Paris, GPR1200."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.evaluate.labelled import NOT_IN_GALLERY, LabelledTask, ScoreBlock, measure
from lookalike.evaluate.ranks import Scores, check_k, precision, precision_trapezoids, relevant_ranks

Difficulty: TypeAlias = Literal["easy", "medium", "hard"]
DIFFICULTIES: tuple[Difficulty, ...] = get_args(Difficulty)

GPR1200_PARTS = ("Landmarks", "iNat", "Sketch", "INSTRE", "SOP", "Faces")
"""The six sources of GPR1200, 200 categories each, in the order of their numbers."""

GPR1200_CATEGORIES_EACH = 200


class Judged(Protocol):
    """What the annotators of revisited Oxford or Paris said of one query.

    ``easy``, ``hard`` and ``junk`` are places in the gallery, counted from 0; images in none of them are negative.
    """

    @property
    def easy(self) -> Sequence[int]:
        """Clearly seen."""

    @property
    def hard(self) -> Sequence[int]:
        """Seen under difficult conditions."""

    @property
    def junk(self) -> Sequence[int]:
        """Too little is seen to say."""


@dataclass(frozen=True, slots=True)
class Setup:
    """One difficulty of the revisited protocol.

    Args:
        average_precision: float64 (q,), by trapezoids; NaN for a query without positives, which is skipped.
        precision_at: k to float64 (q,), precision among the first k.
    """

    average_precision: npt.NDArray[np.float64]
    precision_at: dict[int, npt.NDArray[np.float64]]

    @property
    def mean_average_precision(self) -> float:
        """mAP over the queries that have positives; NaN when none has."""
        return _mean(self.average_precision)

    @property
    def mean_precision_at(self) -> dict[int, float]:
        """mP@k over the queries that have positives."""
        return {k: _mean(values) for k, values in self.precision_at.items()}


def revisited(
    scores: Scores, judgements: Sequence[Judged], *, ks: Sequence[int] = (1, 5, 10)
) -> dict[Difficulty, Setup]:
    """The revisited Oxford and Paris protocol (Radenović et al. 2018, https://arxiv.org/abs/1803.11285).

    Easy counts easy images as positive and ignores hard and junk ones; medium counts easy and hard, and ignores
    junk; hard counts hard, and ignores easy and junk. What is ignored is taken out of the ranking. AP is the area
    by trapezoids, and a query without positives is skipped. Agrees with ``compute_map`` of the authors' code.

    Args:
        scores: float (q, n), similarity of each query with each gallery image.
        judgements: One a query.
        ks: Ranks of the mean precision.

    Raises:
        InputError: If numbers differ or a place lies outside the gallery.
    """
    for k in ks:
        check_k(k)
    if scores.ndim != 2 or len(scores) != len(judgements):
        raise InputError(
            f"scores {scores.shape} for {len(judgements)} queries: expected (q, n), a row a query"
        )
    easy, hard, junk = (
        _marked([getattr(judgement, kind) for judgement in judgements], scores.shape)
        for kind in ("easy", "hard", "junk")
    )
    setups: dict[Difficulty, tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]] = {
        "easy": (easy, hard | junk),
        "medium": (easy | hard, junk),
        "hard": (hard, easy | junk),
    }
    results: dict[Difficulty, Setup] = {}
    for difficulty, (positive, ignored) in setups.items():
        ranks = relevant_ranks(scores, positive & ~ignored, excluded=ignored)
        results[difficulty] = Setup(
            np.array([precision_trapezoids(of_query) for of_query in ranks]),
            {k: np.array([precision(of_query, k) for of_query in ranks]) for k in ks},
        )
    return results


@dataclass(frozen=True, slots=True)
class Gpr1200:
    """GPR1200's measure.

    Args:
        average_precision: float64 (n,), of each image as a query.
        parts: Mean over the queries of each of the six sources that are there.
    """

    average_precision: npt.NDArray[np.float64]
    parts: dict[str, float]

    @property
    def mean_average_precision(self) -> float:
        """mAP over all images."""
        return float(self.average_precision.mean())


def gpr1200(categories: Sequence[int], scores: ScoreBlock) -> Gpr1200:
    """The GPR1200 protocol (Schall et al. 2021, https://arxiv.org/abs/2111.13122).

    Every image is a query to all of them. As in the authors' code the query itself stays in the ranking, where it
    comes first and counts as relevant: with ten images a category no method scores below 0.1, and results
    compare only with others that were counted so.

    Args:
        categories: n numbers, 0 to 1199.
        scores: Gives scores (b, n) of a slice of the n images with all of them.

    Raises:
        InputError: If a category is no number of the data set.
    """
    numbers = np.asarray(categories, dtype=np.int64)
    limit = GPR1200_CATEGORIES_EACH * len(GPR1200_PARTS)
    if not len(numbers) or numbers.min() < 0 or numbers.max() >= limit:
        got = f"{numbers.min()} to {numbers.max()}" if len(numbers) else "none"
        raise InputError(f"categories of GPR1200 are numbers from 0 to {limit - 1}: got {got}")
    nowhere = np.full(len(numbers), NOT_IN_GALLERY, dtype=np.int64)
    labels = numbers.tolist()
    precisions = measure(LabelledTask(labels, labels, nowhere), scores).values["mAP"]
    of_part = numbers // GPR1200_CATEGORIES_EACH
    parts = {
        name: float(precisions[of_part == number].mean())
        for number, name in enumerate(GPR1200_PARTS)
        if (of_part == number).any()
    }
    return Gpr1200(precisions, parts)


def _marked(places: Sequence[Sequence[int]], shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    table = np.zeros(shape, dtype=bool)
    for row, of_query in zip(table, places, strict=True):
        wrong = [place for place in of_query if not 0 <= place < shape[1]]
        if wrong:
            raise InputError(
                f"place {wrong[0]} lies outside the gallery of {shape[1]} images: expected from 0"
            )
        row[list(of_query)] = True
    return table


def _mean(values: npt.NDArray[np.float64]) -> float:
    answered = values[~np.isnan(values)]
    return float(answered.mean()) if len(answered) else float("nan")
