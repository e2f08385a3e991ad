"""One evaluation of retrieval, from embeddings and labels to a report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from lookalike.collection.evaluation.result import (
    ClassResult,
    RetrievalReport,
    ShownAnswer,
    Thumbnails,
    Variant,
    WorstQuery,
)
from lookalike.errors import InputError
from lookalike.evaluate.answers import Answer, inspect
from lookalike.evaluate.bootstrap import Interval, bootstrap_interval, paired_test
from lookalike.evaluate.labelled import LabelledTask, Measured, ScoreBlock, cosines, measure
from lookalike.evaluate.misses import Misses
from lookalike.types import Embeddings, Failure

SHOWN_CLASSES = 20
SHOWN_QUERIES = 12
SHOWN_ANSWERS = 5

FEW_LABELS = 20
"""With fewer labels than this, they are taken as the ones that matter, not as a sample of others."""

Values: TypeAlias = "dict[str, npt.NDArray[np.float64]]"
"""Each measure of each query, float64 (q,); NaN where the query has no answer."""

Names: TypeAlias = Callable[[Sequence[int]], Sequence[str]]
"""Names of gallery items by their places."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How to measure.

    Args:
        ks: Ranks to count recall at, ascending.
        level: Confidence of the intervals.
        resamples: Of the bootstrap.
        seed: Of the bootstrap and of every sample.
    """

    ks: tuple[int, ...] = (1, 5, 10)
    level: float = 0.95
    resamples: int = 2000
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.ks or any(isinstance(k, bool) or not isinstance(k, int) or k < 1 for k in self.ks):
            raise InputError(f"ranks {self.ks}: expected whole numbers of at least 1, such as 1, 5, 10")
        bootstrap_interval(
            [0.0, 1.0], level=self.level, resamples=self.resamples
        )  # refuses what it cannot use


@dataclass(frozen=True, slots=True)
class Trial:
    """Queries, gallery and truth.

    Args:
        queries: float32 (q, d), L2-normalised rows.
        gallery: float16 or float32 (n, d), rows of length about 1.
        task: What is relevant to what; labels are text.
        query_names: Id or path of each query.
        gallery_names: Gives ids or paths of gallery items.
        clusters: What resampling keeps together, a value a query; None: each query for itself.
        resampled_by: Name of that, for the provenance.
        thumbnails: Reads pictures for the report.
        failures: Pictures that could not be read.
    """

    queries: Embeddings
    gallery: npt.NDArray[Any]
    task: LabelledTask
    query_names: Sequence[str]
    gallery_names: Names
    clusters: Sequence[object] | None
    resampled_by: str
    thumbnails: Thumbnails
    failures: tuple[Failure, ...] = field(default=())


def chosen_clusters(labels: Sequence[object]) -> tuple[Sequence[object] | None, str]:
    """What resampling keeps together by default, and its name.

    Photos of one product rise and fall together, so queries of one label are resampled together. Where the labels
    are few they are not a sample of others, and each query is drawn for itself.
    """
    return (labels, "label") if len(set(labels) - {None}) >= FEW_LABELS else (None, "query")


def evaluate_trial(
    trial: Trial,
    settings: Settings,
    provenance: Mapping[str, Any],
    *,
    misses: Callable[[Measured], tuple[Misses, ...]] | None = None,
    rerankings: Mapping[str, ScoreBlock] | None = None,
    counted: Callable[[Values], Values] = dict,
) -> RetrievalReport:
    """Measure, and look at what went wrong.

    Args:
        trial: Queries, gallery and truth.
        settings: How to measure.
        provenance: What the report is told to depend on; ranks, resampling and seed are added.
        misses: Tells whose fault the misses are, from the measures of the exact search.
        rerankings: Name to scores of the same queries and items after a re-ranking.
        counted: What a protocol reports, from the measures of each query; by default all of them.

    Raises:
        InputError: If no query has an answer.
    """
    scores = cosines(trial.queries, trial.gallery)
    measured = measure(trial.task, scores, ks=settings.ks)
    answered = measured.relevant > 0
    if not answered.any():
        raise InputError(
            f"none of the {len(answered)} queries has an answer in the gallery of {len(trial.gallery)} items: check "
            "that both spell their labels alike, and that there are at least two items of a label"
        )
    labels = [label for label, known in zip(trial.task.query_labels, answered.tolist(), strict=True) if known]
    unlabelled = sum(label is None for label in trial.task.gallery_labels)
    values = counted(measured.values)
    variants = {
        name: counted(measure(trial.task, scores_of, ks=settings.ks).values)
        for name, scores_of in (rerankings or {}).items()
    }
    return RetrievalReport(
        measures=intervals(values, trial.clusters, settings),
        queries=int(answered.sum()),
        unanswerable=int((~answered).sum()),
        items=len(trial.gallery) - unlabelled,
        unlabelled=unlabelled,
        labels=len(set(labels)),
        classes=_classes(trial, measured, settings.ks[0]),
        worst=_worst(trial, measured, scores),
        misses=() if misses is None else misses(measured),
        reranked={
            name: compared(after, values, trial.clusters, settings) for name, after in variants.items()
        },
        failures=trial.failures,
        provenance={
            **provenance,
            "ks": list(settings.ks),
            "interval": f"bootstrap (BCa) over each {trial.resampled_by}",
            "level": settings.level,
            "resamples": settings.resamples,
            "seed": settings.seed,
        },
        per_query=values,
        thumbnails=trial.thumbnails,
    )


def intervals(
    values: Mapping[str, npt.NDArray[np.float64]], clusters: Sequence[object] | None, settings: Settings
) -> dict[str, Interval]:
    """The interval of each measure."""
    return {
        name: bootstrap_interval(
            column,
            level=settings.level,
            resamples=settings.resamples,
            seed=settings.seed,
            clusters=clusters,
        )
        for name, column in values.items()
    }


def compared(after: Values, before: Values, clusters: Sequence[object] | None, settings: Settings) -> Variant:
    """A re-ranking against the ranking without it."""
    gains = {
        name: paired_test(
            after[name],
            before[name],
            level=settings.level,
            resamples=settings.resamples,
            seed=settings.seed,
            clusters=clusters,
        )
        for name in after
    }
    return Variant(intervals(after, clusters, settings), gains)


def _classes(trial: Trial, measured: Measured, k: int) -> tuple[ClassResult, ...]:
    """The labels with the lowest mAP."""
    places: dict[object, list[int]] = {}
    for place, label in enumerate(trial.task.query_labels):
        if measured.relevant[place]:
            places.setdefault(label, []).append(place)
    results = [
        ClassResult(
            str(label),
            len(of_label),
            float(measured.values[f"recall@{k}"][of_label].mean()),
            float(measured.values["mAP"][of_label].mean()),
        )
        for label, of_label in places.items()
    ]
    return tuple(sorted(results, key=lambda r: (r.mean_average_precision, r.label))[:SHOWN_CLASSES])


def _worst(trial: Trial, measured: Measured, scores: ScoreBlock) -> tuple[WorstQuery, ...]:
    """Queries with the lowest average precision, one a label, so that one bad product does not fill the list."""
    precisions = measured.values["mAP"]
    chosen: dict[object, int] = {}
    for place in np.argsort(precisions, kind="stable").tolist():
        if measured.relevant[place] and measured.first[place] > 1:
            chosen.setdefault(trial.task.query_labels[place], place)
        if len(chosen) == SHOWN_QUERIES:
            break
    inspected = inspect(trial.task, scores, list(chosen.values()), top=SHOWN_ANSWERS)
    return tuple(
        WorstQuery(
            trial.query_names[query.query],
            str(trial.task.query_labels[query.query]),
            float(precisions[query.query]),
            tuple(_shown(trial, answer) for answer in query.got),
            None if query.missed is None else _shown(trial, query.missed),
        )
        for query in inspected
    )


def _shown(trial: Trial, answer: Answer) -> ShownAnswer:
    return ShownAnswer(
        trial.gallery_names([answer.place])[0],
        str(trial.task.gallery_labels[answer.place]),
        answer.rank,
        answer.score,
        answer.right,
    )
