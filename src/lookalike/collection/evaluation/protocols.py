"""Reports of the published protocols that do not count as an evaluation by labels does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lookalike.collection.evaluation.rerankings import rerankings
from lookalike.collection.evaluation.result import RetrievalReport
from lookalike.collection.evaluation.retrieval import Settings, Trial, Values, compared, intervals
from lookalike.datasets.records import Judgement
from lookalike.errors import InputError
from lookalike.evaluate.labelled import ScoreBlock, cosines
from lookalike.evaluate.protocols import GPR1200_CATEGORIES_EACH, GPR1200_PARTS, revisited
from lookalike.tasks.rerank import Reranking


def revisited_report(
    trial: Trial,
    judgements: Sequence[Judgement],
    settings: Settings,
    provenance: Mapping[str, Any],
    *,
    rerank: Sequence[Reranking] = (),
) -> RetrievalReport:
    """Revisited Oxford or Paris: mAP and mP@k of the three setups.

    Raises:
        InputError: If a picture could not be read, since the protocol counts every one.
    """
    if trial.failures:
        failure = trial.failures[0]
        raise InputError(
            f"{failure.uri} cannot be read ({failure.reason}): the protocol counts every picture, so unpack the data "
            "set anew"
        )
    values = _revisited(cosines(trial.queries, trial.gallery), trial, judgements, settings)
    variants = {
        name: _revisited(scores, trial, judgements, settings)
        for name, scores in rerankings(rerank, trial.queries, trial.gallery, trial.task.own).items()
    }
    answered = np.array([bool(judgement.easy or judgement.hard) for judgement in judgements])
    return RetrievalReport(
        measures=intervals(values, None, settings),
        queries=int(answered.sum()),
        unanswerable=int((~answered).sum()),
        items=len(trial.gallery),
        unlabelled=0,
        labels=0,
        classes=(),
        worst=(),
        misses=(),
        reranked={name: compared(after, values, None, settings) for name, after in variants.items()},
        failures=(),
        provenance={
            **provenance,
            "protocol": "revisited Oxford and Paris (arXiv 1803.11285)",
            "ks": list(settings.ks),
            "interval": "bootstrap (BCa) over each query",
            "level": settings.level,
            "resamples": settings.resamples,
            "seed": settings.seed,
        },
        per_query=values,
        thumbnails=trial.thumbnails,
    )


def _revisited(
    scores: ScoreBlock, trial: Trial, judgements: Sequence[Judgement], settings: Settings
) -> Values:
    """AP and precision@k of each query and setup; setups in which no query has a positive are left out."""
    table = scores(slice(0, len(trial.queries)))
    values: Values = {}
    for name, setup in revisited(table, judgements, ks=settings.ks).items():
        if not np.isnan(setup.average_precision).all():
            values[f"{name} mAP"] = setup.average_precision
            values |= {f"{name} mP@{k}": column for k, column in setup.precision_at.items()}
    return values


def gpr1200_values(values: Values, categories: Sequence[object]) -> Values:
    """What GPR1200 reports: mAP of all queries, and of those of each of the six sources."""
    precisions = values["mAP"]
    part = np.array([int(str(category)) // GPR1200_CATEGORIES_EACH for category in categories])
    found: Values = {"mAP": precisions}
    for number, name in enumerate(GPR1200_PARTS):
        if (part == number).any():
            found[f"mAP {name}"] = np.where(part == number, precisions, np.nan)
    return found
