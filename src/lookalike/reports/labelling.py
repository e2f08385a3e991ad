"""Reports on labels: how good a classifier is, and what a review of labels found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lookalike.evaluate.classification_report import ClassificationReport, Curve
from lookalike.reports.figures import ACCENT, INK, SOFT, figure, png
from lookalike.reports.page import Section, Tile, grid, page, paragraph, picture, table

MOST_IN_MATRIX = 30
"""Classes that a confusion matrix has room for; of more, those with most items are shown."""

MOST_NUMBERS = 16
"""Classes up to which every cell of the matrix has its number."""

FOOTER = ("collection", "name", "method", "fingerprint", "version", "collection_version", "seed")


def confusion_picture(report: ClassificationReport) -> bytes:
    """The confusion matrix as PNG: rows are true classes, coloured by share of the row, cells with counts."""
    matrix = report.confusion_matrix()
    support = np.array([row.support for row in report.classes])
    shown = np.sort(np.argsort(-support, kind="stable")[:MOST_IN_MATRIX])
    matrix, names = matrix[np.ix_(shown, shown)], [report.labels[code] for code in shown]
    shares = matrix / np.maximum(support[shown][:, None], 1)
    side = max(3.4, 1.8 + 0.42 * len(shown))
    drawing = figure(side + 0.6, side)
    axes = drawing.add_subplot()
    axes.grid(visible=False)
    image = axes.imshow(shares, cmap="Greens", vmin=0, vmax=1)
    axes.set_xticks(range(len(names)), [_short(name) for name in names], rotation=45, ha="right", fontsize=8)
    axes.set_yticks(range(len(names)), [_short(name) for name in names], fontsize=8)
    axes.set_xlabel("predicted", color=SOFT)
    axes.set_ylabel("labelled", color=SOFT)
    if len(names) <= MOST_NUMBERS:
        for row, column in np.argwhere(matrix):
            colour = "#ffffff" if shares[row, column] > 0.6 else INK
            axes.text(
                column, row, str(matrix[row, column]), ha="center", va="center", color=colour, fontsize=7
            )
    bar = drawing.colorbar(image, ax=axes, shrink=0.7)
    bar.set_label("share of the labelled class", fontsize=8, color=SOFT)
    bar.ax.tick_params(labelsize=7)
    bar.outline.set_visible(False)
    return png(drawing)


def reliability_picture(report: ClassificationReport) -> bytes:
    """Reliability diagram as PNG: accuracy by confidence, before and after calibration."""
    drawing = figure(4.6, 3.9)
    axes = drawing.add_subplot()
    axes.plot([0, 1], [0, 1], color=SOFT, linewidth=0.8, linestyle="--", label="confidence = accuracy")
    for curve, colour, what in (
        (report.reliability_uncalibrated, "#b9bcc2", f"before, ECE {report.ece_uncalibrated:.3f}"),
        (report.reliability, ACCENT, f"calibrated, ECE {report.ece:.3f}"),
    ):
        _draw_curve(axes, curve, colour, what)
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="confidence", ylabel="accuracy", aspect="equal")
    axes.legend(loc="lower right", fontsize=8)
    return png(drawing)


def _draw_curve(axes: Any, curve: Curve, colour: str, what: str) -> None:
    confidence, accuracy, size = (np.array(part, dtype=float) for part in zip(*curve, strict=True))
    axes.plot(confidence, accuracy, color=colour, linewidth=1.2, zorder=2)
    axes.scatter(confidence, accuracy, s=12 + 140 * size / size.sum(), color=colour, label=what, zorder=3)


def training_report(name: str, report: ClassificationReport | None, provenance: Mapping[str, Any]) -> str:
    """The page on a classifier.

    Args:
        name: Of the classifier.
        report: Measured on examples it had not seen; None when nothing could be held out.
        provenance: What it depends on, candidates among it.
    """
    examples, classes = provenance["examples"], len(provenance["labels"])
    lead = f"{classes} classes from {examples:,} examples, by {_method(provenance)}. " + (
        "Nothing could be held out, so nothing is known of its quality: label more items."
        if report is None
        else f"Of examples it had not seen, {report.accuracy:.1%} got their label "
        f"(mean recall of the classes {report.macro_recall:.1%}); confidences are off by {report.ece:.3f} on average."
    )
    sections = [Section("Candidates", _candidates(provenance))] if provenance["candidates"] else []
    if report is not None:
        sections += [
            Section("Confidence", _confidence(report)),
            Section("Confusions", _confusions(report)),
            Section("Classes", _classes(report)),
        ]
    sections.append(Section("Unknowns", paragraph(_unknowns(provenance))))
    footer = {key: provenance[key] for key in FOOTER if key in provenance}
    return page(f"Classifier {name}", lead, sections, footer)


def _method(provenance: Mapping[str, Any]) -> str:
    names = {
        "linear": "a linear probe",
        "neighbours": "the votes of the nearest examples",
        "prototypes": "class prototypes",
    }
    strength = provenance.get("regularisation")
    return names[provenance["method"]] + (f" (C = {strength:g})" if strength is not None else "")


def _candidates(provenance: Mapping[str, Any]) -> str:
    rows = [
        [
            "chosen" if _is_chosen(each, provenance) else "",
            each["method"],
            "" if each["regularisation"] is None else f"{each['regularisation']:g}",
            f"{each['log_loss']:.3f}",
            f"{each['macro_recall']:.3f}",
            f"{each['accuracy']:.3f}",
        ]
        for each in provenance["candidates"]
    ]
    columns = ["", "method", "C", "log loss", "macro recall", "accuracy"]
    said = (
        f"Cross-validated on {provenance['cross_validated']:,} examples in {provenance['folds']} folds; "
        "the least log loss after calibration decides."
    )
    return paragraph(said) + table(columns, rows, right=columns[2:])


def _is_chosen(candidate: Mapping[str, Any], provenance: Mapping[str, Any]) -> bool:
    return (candidate["method"], candidate["regularisation"]) == (
        provenance["method"],
        provenance["regularisation"],
    )


def _confidence(report: ClassificationReport) -> str:
    rows = [
        ["accuracy", f"{report.accuracy:.3f}"],
        ["macro recall", f"{report.macro_recall:.3f}"],
        ["macro F1", f"{report.macro_f1:.3f}"],
        ["log loss", f"{report.log_loss:.3f}"],
        ["Brier score", f"{report.brier:.3f}"],
        ["ECE, 15 bins", f"{report.ece:.3f}"],
        ["ECE, bins of equal size", f"{report.ece_adaptive:.3f}"],
        ["ECE before calibration", f"{report.ece_uncalibrated:.3f}"],
    ]
    drawing = picture(
        reliability_picture(report),
        alt="accuracy by confidence",
        caption="A point on the dashed line: predictions of that confidence are right that often. "
        "The larger the point, the more predictions.",
        width=460,
    )
    return drawing + table(["measure", "value"], rows, right=["value"])


def _confusions(report: ClassificationReport) -> str:
    drawing = picture(confusion_picture(report), alt="confusion matrix")
    names = report.labels
    wrong = sorted((each for each in report.confusions if each[0] != each[1]), key=lambda each: -each[2])[:10]
    rows = [[names[true], names[given], count] for true, given, count in wrong]
    return drawing + (table(["labelled", "taken for", "items"], rows, right=["items"]) if rows else "")


def _classes(report: ClassificationReport) -> str:
    rows = [
        [row.label, *(_share(value) for value in (row.precision, row.recall, row.f1)), row.support]
        for row in report.classes
    ]
    columns = ["class", "precision", "recall", "F1", "checked"]
    return table(columns, rows, right=columns[1:])


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _unknowns(provenance: Mapping[str, Any]) -> str:
    rate = provenance["false_reject_rate"]
    if not rate:
        return "Every item gets a label: rejection was switched off."
    threshold = provenance["rejection_threshold"]
    if threshold is None:
        return (
            f"There are too few examples to promise a false-reject rate of {rate:.1%}, so nothing is rejected: "
            f"it takes {int(np.ceil(1 / rate)) - 1} examples of classes that have several."
        )
    k = provenance["rejection_neighbours"]
    return (
        f'"unknown" is what fewer than {k} of the examples are similar to by a cosine of {threshold:.3f}: '
        f"{rate:.1%} of the items of known classes are expected to be called so."
    )


def review_report(review: Mapping[str, Any], thumbnails: Mapping[str, bytes]) -> str:
    """The page on a review.

    Args:
        review: As ``Review.to_dict`` gives it.
        thumbnails: By item id; items without one are left out.
    """
    about = review["provenance"]
    lead = (
        f"{review['errors_found']:,} of {about['checked']:,} labels confidently belong to another class, to a "
        f"classifier that gives {about['accuracy_out_of_fold']:.0%} of items their label: the lower this is, the more "
        f"of the list are its own mistakes. {about['unlabelled']:,} items have no label."
    )
    errors = [
        (each["id"], each["label"], f"{each['self_confidence']:.0%}", f"rather {each['suggested']}")
        for each in review["errors"]
    ]
    next_ones = [
        (each["id"], each["id"], f"{each['probability']:.0%}", f"perhaps {each['likeliest']}")
        for each in review["to_label"]
    ]
    strange = [
        (each["id"], each["label"], "", f"own {_cosine(each['within'])}, others {_cosine(each['outside'])}")
        for each in review["outliers"]
    ]
    sections = [
        Section(
            "Likely wrong labels",
            _gallery(
                errors,
                thumbnails,
                "Caption: the label; badge: its probability to a classifier that had not seen the item.",
                "No label confidently belongs to another class.",
            ),
        ),
        Section(
            "Label these next",
            _gallery(
                next_ones,
                thumbnails,
                "Uncertain, and different from each other.",
                "Every item that was looked at has a label.",
            ),
        ),
        Section(
            "Like nothing else",
            _gallery(
                strange,
                thumbnails,
                "Far from the items of their own label and from all others: cosine with the 5th nearest of each.",
                "Nothing to compare.",
            ),
        ),
    ]
    footer = {
        name: about[name] for name in ("collection", "version", "fingerprint", "method", "labelled", "seed")
    }
    return page("Review of labels", lead, sections, footer)


def _gallery(
    entries: Sequence[tuple[str, str, str, str]], thumbnails: Mapping[str, bytes], said: str, otherwise: str
) -> str:
    tiles = [
        Tile(thumbnails[id], caption, badge, detail if caption == id else f"{detail} · {id}")
        for id, caption, badge, detail in entries
        if id in thumbnails
    ]
    return paragraph(said) + grid(tiles) if tiles else paragraph(otherwise)


def _cosine(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _short(name: str, most: int = 18) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"
