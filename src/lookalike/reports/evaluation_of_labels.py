"""The pages of ``lookalike evaluate classification`` and ``clustering``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lookalike.evaluate.classification_report import ClassificationReport
from lookalike.reports.evaluation import measure_chart
from lookalike.reports.labelling import confusion_picture, reliability_picture
from lookalike.reports.page import Section, page, paragraph, picture, table


def classification_page(evaluation: Mapping[str, Any], report: ClassificationReport) -> str:
    """The report of an evaluation of a classifier.

    Args:
        evaluation: What ``ClassificationEvaluation.to_dict`` gives.
        report: Its measures of all held-out items.
    """
    accuracy = evaluation["measures"]["accuracy"]
    lead = (
        f"{accuracy['estimate']:.1%} of {evaluation['items']:,} items get the right one of {len(report.classes)} "
        f"labels, between {accuracy['low']:.1%} and {accuracy['high']:.1%} with {accuracy['level']:.0%} confidence; "
        "none of them was seen in training."
    )
    sections = [
        Section("", measure_chart({"": evaluation["measures"]}) + _measures(report)),
        Section("Confidence", picture(reliability_picture(report), alt="reliability diagram", width=460)),
        Section("What is taken for what", picture(confusion_picture(report), alt="confusion matrix")),
        Section("Labels", _classes(report)),
    ]
    if evaluation["unknowns"] is not None:
        sections.insert(2, Section("Unknowns", _unknowns(evaluation["unknowns"])))
    provenance = evaluation["provenance"]
    return page(f"Classification of {provenance['collection']}", lead, sections, provenance)


def _measures(report: ClassificationReport) -> str:
    rows = [
        ("accuracy", report.accuracy),
        ("macro recall", report.macro_recall),
        ("macro F1", report.macro_f1),
        ("log loss", report.log_loss),
        ("Brier score", report.brier),
        ("expected calibration error", report.ece),
        ("the same before calibration", report.ece_uncalibrated),
    ]
    return table(["measure", "mean"], [(name, f"{value:.3f}") for name, value in rows], right=["mean"])


def _unknowns(unknowns: Mapping[str, Any]) -> str:
    explained = paragraph(
        f"Each class was left out of training in turn: {unknowns['unknown']:,} items of classes that the classifier "
        f"did not know, against {unknowns['known']:,} of classes that it knew."
    )
    rows = [
        ("AUROC", f"{unknowns['auroc']:.3f}"),
        ("unknown items that pass where 95 % of the known do (FPR@95)", f"{unknowns['fpr95']:.3f}"),
        (f"known items rejected, {unknowns['asked']:.0%} asked", f"{unknowns['false_rejects']:.3f}"),
        ("unknown items rejected", f"{unknowns['rejected']:.3f}"),
    ]
    return explained + table(["measure", "value"], rows, right=["value"])


def _classes(report: ClassificationReport) -> str:
    ordered = sorted(report.classes, key=lambda row: (row.recall is None, row.recall or 0.0, row.label))
    rows = [
        (row.label, row.support, *(_share(value) for value in (row.recall, row.precision, row.f1)))
        for row in ordered
    ]
    columns = ["label", "items", "recall", "precision", "F1"]
    return table(columns, rows, right=columns[1:])


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def clustering_page(evaluation: Mapping[str, Any]) -> str:
    """The report of an evaluation of clusters.

    Args:
        evaluation: What ``ClusteringEvaluation.to_dict`` gives.
    """
    apart, provenance = evaluation["singletons"], evaluation["provenance"]
    lead = (
        f"AMI {apart['ami']:.3f} between {evaluation['clusters']:,} clusters and {evaluation['labels']:,} labels of "
        f"{provenance['label']}, over {apart['items']:,} items; {evaluation['noise']:,} of them belong to no cluster."
    )
    sections = [Section("", _agreement(evaluation))]
    if evaluation["mixed"]:
        rows = [
            (m["name"], m["items"], m["label"], f"{m['share']:.0%}", m["labels"]) for m in evaluation["mixed"]
        ]
        columns = ["cluster", "items", "mostly", "share", "labels"]
        body = table(columns, rows, right=["items", "share", "labels"])
        sections.append(Section("Clusters that mix labels most", body))
    if evaluation["split"]:
        rows = [
            (e["label"], e["items"], e["clusters"], f"{e['share']:.0%}", e["noise"])
            for e in evaluation["split"]
        ]
        columns = ["label", "items", "clusters", "in the largest", "noise"]
        sections.append(Section("Labels that are divided most", table(columns, rows, right=columns[1:])))
    return page(f"Clusters of {provenance['collection']}", lead, sections, provenance)


def _agreement(evaluation: Mapping[str, Any]) -> str:
    apart, dropped = evaluation["singletons"], evaluation["dropped"]
    rows = [
        (name, _share(apart[key]), _share(None if dropped is None else dropped[key]))
        for name, key in (
            ("adjusted mutual information", "ami"),
            ("adjusted Rand index", "ari"),
            ("normalised mutual information", "nmi"),
            ("purity", "purity"),
        )
    ]
    columns = ["measure", "noise as singletons", "noise left out"]
    facts = [
        ("silhouette by cosine distance", _share(evaluation["silhouette"])),
        ("stability (ARI of 80 % subsamples)", _share(evaluation["stability"])),
        ("share of items in a cluster", _share(evaluation["coverage"])),
    ]
    return table(columns, rows, right=columns[1:]) + table(["", "value"], facts, right=["value"])
