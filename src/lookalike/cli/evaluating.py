"""``lookalike evaluate``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import lookalike
from lookalike.cli.grammar import DONE, SOME_FAILED
from lookalike.cli.output import print_json, print_table
from lookalike.collection.evaluation.result import Comparison, RetrievalReport
from lookalike.collection.evaluation.sources import compare_encoders, evaluate_retrieval
from lookalike.errors import InputError

SHOWN = 8
"""Labels and queries that a table lists; --json and --html have more."""


def index(options: argparse.Namespace) -> int:
    """Recall and latency of the index against the exact search."""
    with lookalike.open(options.collection) as collection:
        report = collection.evaluate_index(k=options.k, queries=options.queries, recall=options.recall)
    if options.json:
        print_json(asdict(report))
        return DONE
    print_table("index against exact search", ["", ""], list(asdict(report).items()))
    return DONE


def retrieval(options: argparse.Namespace) -> int:
    """Measure retrieval, or compare two encoders."""
    chosen: dict[str, Any] = {
        "label": options.label,
        "layout": options.layout,
        "label_pattern": options.label_pattern,
        "queries": options.queries,
        "group_by": options.group_by,
        "ks": options.k and sorted(set(options.k)),
        "resample_by": options.resample_by,
        "level": options.level,
        "resamples": options.resamples,
        "most_queries": options.most_queries,
        "seed": options.seed,
        "workers": options.workers,
        "progress": not options.json,
    }
    result: RetrievalReport | Comparison
    if options.against is None:
        result = evaluate_retrieval(
            options.source, encoder=options.encoder, rerank=options.rerank, recall=options.recall, **chosen
        )
        failures = result.failures
    else:
        result = _compared(options, chosen)
        failures = result.reports[0].failures
    written = result.save_html(options.html) if options.html else None
    if options.json:
        print_json(result.to_dict() | ({"html": str(written)} if written else {}))
    else:
        _print_comparison(result) if isinstance(result, Comparison) else _print_report(result)
        for failure in failures[:SHOWN]:
            print(f"not read: {failure.uri}: {failure.reason}", file=sys.stderr)
        if written:
            print(f"report: {written}", file=sys.stderr)
    return SOME_FAILED if failures else DONE


def clustering(options: argparse.Namespace) -> int:
    """How well the saved clusters agree with an attribute."""
    with lookalike.open(options.collection) as collection:
        result = collection.evaluate_clustering(options.label)
    written = result.save_html(options.html) if options.html else None
    if options.json:
        print_json(result.to_dict() | ({"html": str(written)} if written else {}))
        return DONE
    report, apart, dropped = result.report, result.report.singletons, result.report.dropped
    rows = [
        (name, f"{getattr(apart, field):.3f}", "" if dropped is None else f"{getattr(dropped, field):.3f}")
        for name, field in (("AMI", "ami"), ("ARI", "ari"), ("NMI", "nmi"), ("purity", "purity"))
    ]
    title = (
        f"clustering: {report.clusters:,} clusters of {apart.items:,} items, {report.noise:,} of them noise, "
        f"against {result.labels:,} labels"
    )
    columns = ["", "noise as singletons", "noise left out"]
    print_table(title, columns, rows, right=columns[1:])
    facts = [
        ("silhouette", report.silhouette),
        ("stability", result.stability),
        ("coverage", report.coverage),
    ]
    print_table("", ["", ""], [(name, _share(value)) for name, value in facts], right=[""])
    mixed = [(m.name, m.items, m.label, f"{m.share:.0%}", m.labels) for m in result.mixed[:SHOWN]]
    columns = ["cluster", "items", "mostly", "share", "labels"]
    if mixed:
        print_table("clusters that mix labels most", columns, mixed, right=["items", "share", "labels"])
    if result.unclustered:
        print(f"{result.unclustered:,} items came after clustering and are left out", file=sys.stderr)
    if written:
        print(f"report: {written}", file=sys.stderr)
    return DONE


def classification(options: argparse.Namespace) -> int:
    """How good a classifier of an attribute would be."""
    with lookalike.open(options.collection) as collection:
        result = collection.evaluate_classification(
            options.label,
            group_by=options.group_by,
            where=options.where,
            method=options.method,
            false_reject_rate=options.false_reject_rate,
            most_items=options.most_items,
            level=options.level,
            resamples=options.resamples,
            seed=options.seed,
        )
    written = result.save_html(options.html) if options.html else None
    if options.json:
        print_json(result.to_dict() | ({"html": str(written)} if written else {}))
        return DONE
    report, unknowns = result.report, result.unknowns
    rows = [_measure(name, interval) for name, interval in result.measures.items()]
    rows += [
        (name, f"{value:.3f}", "")
        for name, value in (
            ("macro F1", report.macro_f1),
            ("calibration error (ECE)", report.ece),
            ("log loss", report.log_loss),
        )
    ]
    if unknowns is not None:
        rows += [
            ("unknowns: AUROC", f"{unknowns.auroc:.3f}", ""),
            ("unknowns: FPR@95", f"{unknowns.fpr95:.3f}", ""),
            (f"known items rejected ({unknowns.asked:.0%} asked)", f"{unknowns.false_rejects:.3f}", ""),
        ]
    title = f"classification: {result.items:,} items of {len(report.classes)} classes, none seen in training"
    print_table(title, ["", "mean", f"{options.level:.0%} interval"], rows, right=["mean"])
    worst = sorted(report.classes, key=lambda row: (row.recall is None, row.recall or 0.0))[:SHOWN]
    classes = [(row.label, row.support, _share(row.recall), _share(row.precision)) for row in worst]
    columns = ["label", "items", "recall", "precision"]
    print_table("labels that do worst", columns, classes, right=columns[1:])
    if result.left_out:
        print(f"{result.left_out:,} items of classes with one group are left out", file=sys.stderr)
    if written:
        print(f"report: {written}", file=sys.stderr)
    return DONE


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _compared(options: argparse.Namespace, chosen: Mapping[str, Any]) -> Comparison:
    if options.encoder is None:
        raise InputError("--against needs --encoder: the encoder that is compared with it")
    if options.rerank or options.recall is not None:
        raise InputError(
            "--rerank and --recall do not go with --against: encoders are compared by exact search"
        )
    return compare_encoders(options.source, [options.encoder, options.against], **chosen)


def _print_report(report: RetrievalReport) -> None:
    counts = f"{report.queries:,} queries to {report.items:,} items"
    rows = [_measure(name, interval) for name, interval in report.measures.items()]
    level = next(iter(report.measures.values())).level
    print_table(
        f"retrieval: {counts}", ["", "mean", f"{level:.0%} interval"], rows, right=["mean", "interval"]
    )
    for name, variant in report.reranked.items():
        gains = [
            (
                *_measure(m, variant.measures[m])[:2],
                f"{g.difference:+.3f}",
                f"{g.low:+.3f} to {g.high:+.3f}",
                f"{g.p_value:.4f}",
            )
            for m, g in variant.gains.items()
        ]
        print_table(f"with {name}", ["", "mean", "gain", "interval", "p"], gains, right=["mean", "gain", "p"])
    if report.misses:
        misses = [(m.k, m.found, m.model_misses, m.index_misses) for m in report.misses]
        columns = ["within", "answered right", "missed by the model", "missed by the index"]
        print_table("whose fault the misses are", columns, misses, right=columns)
    if report.classes:
        classes = [
            (c.label, c.queries, f"{c.recall:.3f}", f"{c.mean_average_precision:.3f}")
            for c in report.classes[:SHOWN]
        ]
        columns = ["label", "queries", f"recall@{report.provenance['ks'][0]}", "mAP"]
        print_table("labels that do worst", columns, classes, right=columns[1:])
    if report.unanswerable:
        print(f"{report.unanswerable:,} queries have no answer and are left out", file=sys.stderr)


def _print_comparison(comparison: Comparison) -> None:
    first, second = comparison.reports
    rows: Sequence[Sequence[Any]] = [
        (
            name,
            f"{first.measures[name].estimate:.3f}",
            f"{second.measures[name].estimate:.3f}",
            f"{result.difference:+.3f}",
            f"{result.low:+.3f} to {result.high:+.3f}",
            f"{result.p_value:.4f}",
        )
        for name, result in comparison.differences.items()
    ]
    columns = ["", *comparison.names, "difference", "interval", "p"]
    print_table(f"the same {first.queries:,} queries", columns, rows, right=columns[1:])


def _measure(name: str, interval: Any) -> tuple[str, str, str]:
    return name, f"{interval.estimate:.3f}", f"{interval.low:.3f} to {interval.high:.3f}"
