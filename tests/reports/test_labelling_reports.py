"""Reports on labels: pictures are pictures, text is escaped, edges are said."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

from lookalike.evaluate.classification_report import ClassificationReport, classification_report
from lookalike.reports.labelling import confusion_picture, reliability_picture, review_report, training_report

PROVENANCE: dict[str, Any] = {
    "examples": 90,
    "labels": ["a", "b", "<c>"],
    "method": "linear",
    "regularisation": 0.01,
    "candidates": [
        {"method": "linear", "regularisation": 0.01, "log_loss": 0.5, "macro_recall": 0.9, "accuracy": 0.9},
        {
            "method": "prototypes",
            "regularisation": None,
            "log_loss": 0.7,
            "macro_recall": 0.8,
            "accuracy": 0.8,
        },
    ],
    "cross_validated": 90,
    "folds": 5,
    "false_reject_rate": 0.05,
    "rejection_threshold": 0.61,
    "rejection_neighbours": 5,
    "seed": 0,
}


def report(classes: int = 3) -> ClassificationReport:
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.ones(classes), 90)
    truth = np.array([random.choice(classes, p=row) for row in probabilities])
    names = ["a", "b", "<c>", *(f"class {n}" for n in range(3, classes))]
    return classification_report(names, truth, probabilities.argmax(axis=1), probabilities, probabilities)


def test_pictures_are_png_and_the_same_twice() -> None:
    for draw in (confusion_picture, reliability_picture):
        data = draw(report())
        assert Image.open(io.BytesIO(data)).format == "PNG"
        assert draw(report()) == data


def test_a_matrix_of_many_classes_stays_a_picture_one_can_look_at() -> None:
    width, height = Image.open(io.BytesIO(confusion_picture(report(60)))).size
    assert max(width, height) < 2400


def test_names_are_escaped_and_the_chosen_candidate_is_marked() -> None:
    page = training_report("<name>", report(), PROVENANCE)
    assert "<c>" not in page
    assert "&lt;c&gt;" in page
    assert "&lt;name&gt;" in page
    assert page.count("chosen") == 1
    assert "5.0% of the items of known classes" in page


def test_a_classifier_that_could_not_be_judged_says_so() -> None:
    page = training_report("x", None, PROVENANCE | {"candidates": [], "rejection_threshold": None})
    assert "nothing is known of its quality" in page
    assert "it takes 19 examples" in page
    assert "data:image" not in page


def test_an_empty_review_says_so() -> None:
    about = dict.fromkeys(
        ("collection", "version", "fingerprint", "method", "labelled", "seed", "checked"), 0
    )
    about |= {"unlabelled": 0, "accuracy_out_of_fold": 1.0}
    page = review_report(
        {"errors": [], "errors_found": 0, "to_label": [], "outliers": [], "provenance": about}, {}
    )
    assert "No label confidently belongs to another class" in page
    assert "Every item that was looked at has a label" in page
