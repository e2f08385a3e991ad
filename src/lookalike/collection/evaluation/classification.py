"""A classifier of an attribute evaluated on items that it had not seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from lookalike.collection.labels import Labels, read_labels
from lookalike.encoders.spec import EncoderSpec
from lookalike.errors import InputError
from lookalike.evaluate.bootstrap import Interval, bootstrap_interval
from lookalike.evaluate.classification_report import ClassificationReport
from lookalike.evaluate.cross_validation import Unknowns, judge_held_out
from lookalike.store.base import Store
from lookalike.tasks.classify import stratified_sample
from lookalike.types import Rows

if TYPE_CHECKING:
    from lookalike.tasks.classify import ClassWeights, Method


@dataclass(frozen=True, slots=True)
class ClassificationEvaluation:
    """How good a classifier of an attribute would be.

    Args:
        measures: ``accuracy`` and ``macro recall``, each with its interval.
        report: These and the others of all held-out items: calibration, each class, confusions.
        unknowns: How well items of classes that were left out are told; None when nothing is rejected or there
            are fewer than three classes.
        items: Items that were judged.
        left_out: Items of classes with one group only, which cannot be judged.
        unlabelled: Items without a label.
        provenance: Everything the result depends on.
    """

    measures: Mapping[str, Interval]
    report: ClassificationReport
    unknowns: Unknowns | None
    items: int
    left_out: int
    unlabelled: int
    provenance: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The evaluation as plain types, for JSON."""
        return {
            "measures": {name: asdict(interval) for name, interval in self.measures.items()},
            "report": self.report.as_dict(),
            "unknowns": None if self.unknowns is None else asdict(self.unknowns),
            "items": self.items,
            "left_out": self.left_out,
            "unlabelled": self.unlabelled,
            "provenance": dict(self.provenance),
        }

    def save_html(self, path: str | PathLike[str]) -> Path:
        """Write the evaluation as one self-contained HTML file; returns its path."""
        from lookalike.reports.evaluation_of_labels import classification_page
        from lookalike.reports.page import write

        write(path, classification_page(self.to_dict(), self.report))
        return Path(path)


def evaluate_classifier(
    store: Store,
    rows: Rows,
    label: Labels,
    *,
    group_by: str | None,
    method: Method | Literal["auto"],
    class_weights: ClassWeights,
    false_reject_rate: float,
    most_items: int | None,
    level: float,
    resamples: int,
    seed: int,
) -> ClassificationEvaluation:
    """See ``Collection.evaluate_classification``; ``rows`` are the items to look at."""
    if most_items is not None and most_items < 1:
        raise InputError(f"most_items is {most_items}: expected at least 1, or None for all")
    labelled = read_labels(store, label, rows)
    kept = np.arange(len(labelled.rows))
    if most_items is not None and len(kept) > most_items:
        _, codes = np.unique(np.array(labelled.labels, dtype=object), return_inverse=True)
        kept = stratified_sample(codes.astype(np.int64), max(most_items, int(codes.max()) + 1), seed=seed)
    chosen = labelled.rows[kept].tolist()
    groups = None if group_by is None else store.column(group_by, chosen)
    space = store.space()
    judged = judge_held_out(
        store.vectors(chosen),
        [labelled.labels[n] for n in kept.tolist()],
        groups=None if groups is None else [None if group is None else str(group) for group in groups],
        method=method,
        class_weights=class_weights,
        false_reject_rate=false_reject_rate,
        seed=seed,
    )
    measures = {
        name: bootstrap_interval(
            values,
            level=level,
            resamples=resamples,
            seed=seed,
            clusters=judged.groups,
        )
        for name, values in (("accuracy", judged.right), ("macro recall", judged.recall_shares))
    }
    return ClassificationEvaluation(
        measures,
        judged.report,
        judged.unknowns,
        len(judged.positions),
        judged.left_out,
        len(labelled.unlabelled),
        {
            "collection": store.uri,
            "version": store.version(),
            "encoder": EncoderSpec.from_json(space.spec).name,
            "fingerprint": space.fingerprint,
            **labelled.source,
            "labelled_items": len(labelled.rows),
            "group_by": group_by,
            "method": method,
            "chosen_in_folds": list(judged.methods),
            "class_weights": class_weights,
            "false_reject_rate": false_reject_rate,
            "folds": len(judged.methods),
            "interval": f"bootstrap (BCa) over each {group_by or 'item'}",
            "level": level,
            "resamples": resamples,
            "seed": seed,
        },
    )
