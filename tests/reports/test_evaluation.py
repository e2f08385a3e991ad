from __future__ import annotations

import math
from typing import Any

from lookalike.reports.evaluation import comparison_page, retrieval_page


def interval(estimate: float, low: float, high: float) -> dict[str, Any]:
    return {"estimate": estimate, "low": low, "high": high, "level": 0.95, "count": 3, "clusters": 3}


def report(**more: Any) -> dict[str, Any]:
    return {
        "measures": {"recall@1": interval(0.5, 0.25, 0.75), "mAP": interval(0.4, math.nan, math.nan)},
        "queries": 3,
        "unanswerable": 2,
        "items": 1,
        "unlabelled": 0,
        "labels": 2,
        "misses": [],
        "reranked": {},
        "classes": [],
        "worst": [],
        "failures": [],
        "provenance": {"dataset": "here", "ks": [1]},
    } | more


def test_the_lead_says_the_answer_and_who_is_left_out() -> None:
    page = retrieval_page(report(), {})
    assert "recall@1 is 0.500, between 0.250 and 0.750 with 95% confidence: 3 queries to 1 item." in page
    assert "2 queries have no answer and are left out." in page
    assert "not known" in page  # the interval of one cluster


def test_names_and_labels_are_text() -> None:
    evil = "<script>alert(1)</script>"
    classes = [{"label": evil, "queries": 1, "recall": 0.0, "mean_average_precision": 0.0}]
    failures = [{"uri": evil, "reason": evil}]
    page = retrieval_page(report(classes=classes, failures=failures), {})
    assert evil not in page
    assert "&lt;script&gt;" in page


def test_a_reranking_is_shown_beside_the_plain_ranking() -> None:
    gain = {"difference": 0.1, "low": 0.05, "high": 0.2, "p_value": 0.004, "level": 0.95, "count": 3}
    variant = {
        "measures": {"recall@1": interval(0.6, 0.3, 0.9), "mAP": interval(0.5, 0.2, 0.7)},
        "gains": {"recall@1": gain, "mAP": gain},
    }
    page = retrieval_page(report(reranked={"k-reciprocal": variant}), {})
    assert page.count("k-reciprocal") == 2
    assert "+0.100" in page
    assert "0.0040" in page


def test_pictures_that_are_gone_leave_no_gap() -> None:
    shown = {"name": "a", "label": "x", "rank": 1, "score": 0.5, "right": False}
    worst = [{"name": "q", "label": "x", "average_precision": 0.1, "got": [shown], "wanted": None}]
    assert "Queries that do worst" in retrieval_page(report(worst=worst), {})


def test_a_comparison_names_both_sides() -> None:
    result = {"difference": -0.1, "low": -0.2, "high": 0.05, "p_value": 0.2, "level": 0.95, "count": 3}
    page = comparison_page(
        {
            "names": ["one", "other"],
            "differences": {"recall@1": result},
            "reports": [report(), report()],
            "provenance": {},
        }
    )
    assert "one against other on the same 3 queries" in page
    assert "-0.100" in page
