"""``lookalike classify``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import lookalike
from lookalike.cli.grammar import DONE
from lookalike.cli.output import print_json, print_table
from lookalike.collection.label_review import Review
from lookalike.collection.tagger import Tagger
from lookalike.errors import InputError


def train(options: argparse.Namespace) -> int:
    """Learn labels."""
    wanted = _labels(options)
    if wanted is None:
        raise InputError("classify train needs labels: --label ATTR, or --labels FILE")
    with lookalike.open(options.collection) as collection:
        tagger = collection.train_classifier(
            **wanted,
            name=options.name,
            method=options.method,
            group_by=options.group_by,
            where=options.where,
            class_weights=options.class_weights,
            false_reject_rate=options.false_reject_rate,
            seed=options.seed,
        )
        written = tagger.save_html(options.html) if options.html else None
    if options.json:
        report = None if tagger.report is None else tagger.report.as_dict()
        document = {"name": tagger.name, "labels": tagger.labels, "report": report}
        print_json({**document, "provenance": tagger.provenance, **_html(written)})
        return DONE
    _print_training(tagger)
    _say(written)
    return DONE


def predict(options: argparse.Namespace) -> int:
    """Label pictures, or items."""
    if options.write == bool(options.images):
        raise InputError("classify predict needs either images or --write")
    if options.images and (options.where or options.attribute or options.overwrite or options.on):
        raise InputError("--where, --attribute, --overwrite and --on go with --write")
    with lookalike.open(options.collection) as collection:
        if options.write:
            done = collection.predict_labels(
                options.name,
                where=options.where,
                attribute=options.attribute,
                overwrite=options.overwrite,
                on=options.on,
                progress=not options.json,
            )
            if options.json:
                print_json(asdict(done))
                return DONE
            print_table(done.attribute, ["label", "items"], list(done.counts.items()), right=["items"])
            print(f"{done.items} items: {done.attribute}, {done.confidence_attribute}")
            return DONE
        tagger = collection.classifier(options.name)
        found = tagger.predict(options.images)
    if options.json:
        predictions = [{"input": i, **asdict(p)} for i, p in zip(options.images, found, strict=True)]
        print_json({"classifier": tagger.name, "predictions": predictions, "provenance": tagger.provenance})
        return DONE
    rows = [
        [image, each.label, f"{each.confidence:.3f}", ", ".join(f"{n} {p:.2f}" for n, p in each.alternatives)]
        for image, each in zip(options.images, found, strict=True)
    ]
    print_table(tagger.name, ["", "label", "confidence", "most probable"], rows, right=["confidence"])
    return DONE


def review(options: argparse.Namespace) -> int:
    """Likely label errors, what to label next, outliers."""
    wanted = _labels(options) or {}
    with lookalike.open(options.collection) as collection:
        found: Review = collection.review_labels(
            **wanted,
            name=options.name,
            group_by=options.group_by,
            where=options.where,
            count=options.count,
            seed=options.seed,
        )
        written = found.save_html(options.html) if options.html else None
    if options.json:
        print_json({**found.to_dict(), **_html(written)})
        return DONE
    _print_review(found)
    _say(written)
    return DONE


def _labels(options: argparse.Namespace) -> dict[str, Any] | None:
    """Where labels come from, as arguments of the collection's methods."""
    if options.labels is not None:
        return {"labels": Path(options.labels), "key": options.key, "column": options.label}
    return None if options.label is None else {"labels": options.label}


def _html(written: Path | None) -> dict[str, str]:
    return {} if written is None else {"html": str(written)}


def _say(written: Path | None) -> None:
    if written is not None:
        print(f"report: {written}", file=sys.stderr)


def _print_training(tagger: Tagger) -> None:
    about, report = tagger.provenance, tagger.report
    columns = ["", "method", "C", "log loss", "macro recall", "accuracy"]
    candidates = [
        [
            "*" if (each.method, each.regularisation) == (about["method"], about["regularisation"]) else "",
            each.method,
            "" if each.regularisation is None else f"{each.regularisation:g}",
            *(f"{value:.3f}" for value in (each.log_loss, each.macro_recall, each.accuracy)),
        ]
        for each in tagger.classifier.candidates
    ]
    if candidates:
        print_table("candidates, cross-validated (* chosen)", columns, candidates, right=columns[2:])
    if report is not None:
        rows = [
            [row.label, *map(_share, (row.precision, row.recall, row.f1)), row.support]
            for row in report.classes
        ]
        headings = ["class", "precision", "recall", "F1", "checked"]
        print_table("classes, out of fold", headings, rows, right=headings[1:])
        print(
            f"accuracy {report.accuracy:.3f}, macro recall {report.macro_recall:.3f}, "
            f"ECE {report.ece_uncalibrated:.3f} -> {report.ece:.3f}"
        )
    else:
        print("nothing could be held out, so nothing is known of its quality: label more items")
    print(
        f"saved as {tagger.name!r}: {about['method']}, {about['examples']} examples, {len(tagger.labels)} classes"
    )


def _print_review(found: Review) -> None:
    errors = [[e.id, e.label, e.suggested, f"{e.self_confidence:.3f}"] for e in found.errors]
    title = f"likely wrong labels: {found.errors_found} of {found.provenance['checked']} checked"
    _print_list(title, ["id", "label", "rather", "confidence"], errors)
    next_ones = [[t.id, t.likeliest, f"{t.probability:.3f}"] for t in found.to_label]
    _print_list("label these next", ["id", "perhaps", "probability"], next_ones)
    strange = [[o.id, o.label, _share(o.within), _share(o.outside)] for o in found.outliers]
    _print_list("like nothing else", ["id", "label", "within", "outside"], strange)


def _print_list(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    if rows:
        print_table(title, columns, rows, right=columns[2:])
    else:
        print(f"{title}: none")


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
