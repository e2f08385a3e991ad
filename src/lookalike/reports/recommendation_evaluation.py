"""The page of ``lookalike evaluate recommendation``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lookalike.reports.figures import ACCENT, SOFT, figure, png
from lookalike.reports.page import Section, page, paragraph, picture, table

_Evaluation = Mapping[str, Any]

BAR_INCHES, LEAST_INCHES = 0.3, 0.9


def recommendation_page(evaluation: _Evaluation) -> str:
    """The report of an evaluation of recommendation.

    Args:
        evaluation: What ``RecommendationEvaluation.to_dict`` gives.
    """
    k, strategies = evaluation["k"], evaluation["strategies"]
    sections = [Section("", _chart(strategies, evaluation["reference"], k) + _measures(strategies, k))]
    if evaluation["comparisons"]:
        sections.append(Section(f"{evaluation['reference']} against the others", _comparisons(evaluation)))
    if any(f"recall_rare@{k}" in result["intervals"] for result in strategies.values()):
        sections.append(Section("New and rare ones", _rare(evaluation)))
    if evaluation["cold"]["strategies"]:
        sections.append(Section("Users without a past", _cold(evaluation)))
    sections.append(Section("What it was measured on", _counts(evaluation)))
    provenance = dict(evaluation["provenance"])
    if provenance["together"] is not None:  # how its settings were chosen fills a page of its own
        provenance["together"] = {
            name: value
            for name, value in provenance["together"].items()
            if not isinstance(value, Mapping | list | tuple)
        }
    return page(f"Recommendation on {provenance['collection']}", _lead(evaluation), sections, provenance)


def _lead(evaluation: _Evaluation) -> str:
    name, k = evaluation["reference"], evaluation["k"]
    result = evaluation["strategies"][name]
    recall = result["intervals"][f"recall@{k}"]
    return (
        f"Of what {evaluation['users']:,} users wanted after {evaluation['split']}, {name} has "
        f"{result[f'recall@{k}']:.1%} in lists of {k} out of {evaluation['units']:,}, between {recall['low']:.1%} and "
        f"{recall['high']:.1%} with {recall['level']:.0%} confidence. Nothing from then on was known to any row."
    )


def _chart(strategies: Mapping[str, Any], reference: str, k: int) -> str:
    """Recall and nDCG side by side with error bars, a row a strategy."""
    names = list(strategies)
    drawing = figure(7.6, LEAST_INCHES + BAR_INCHES * len(names))
    for column, measure in enumerate((f"recall@{k}", f"ndcg@{k}")):
        axes = drawing.add_subplot(1, 2, column + 1)
        for place, name in enumerate(names):
            mean, interval = strategies[name][measure], strategies[name]["intervals"][measure]
            ends = [[max(mean - interval["low"], 0.0)], [max(interval["high"] - mean, 0.0)]]
            if interval["low"] != interval["low"]:  # one user says nothing about the spread
                ends = [[0.0], [0.0]]
            colour = ACCENT if name == reference else SOFT
            axes.errorbar([mean], [place], xerr=ends, fmt="o", color=colour, capsize=3, markersize=4.5)
        axes.set_yticks(range(len(names)), names if column == 0 else [""] * len(names))
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_xlim(left=0)
        axes.grid(visible=False, axis="y")
        axes.set_title(measure.replace("ndcg", "nDCG"), loc="left", fontsize=10.5)
    level = strategies[reference]["intervals"][f"recall@{k}"]["level"]
    return picture(
        png(drawing),
        alt="recall and nDCG with error bars",
        caption=f"bars: {level:.0%} confidence",
        width=760,
    )


def _measures(strategies: Mapping[str, Any], k: int) -> str:
    measures = (f"recall@{k}", f"ndcg@{k}", f"hit@{k}", "mrr", "coverage", "intra_list_diversity", "novelty")
    heads = (f"recall@{k}", f"nDCG@{k}", f"hit@{k}", "MRR", "coverage", "diversity", "novelty, bits")
    rows = [
        (name, *(_number(result[measure]) for measure in measures)) for name, result in strategies.items()
    ]
    return table(["strategy", *heads], rows, right=heads)


def _comparisons(evaluation: _Evaluation) -> str:
    explained = paragraph(
        "Differences over the same users. Where an interval keeps away from zero, other users would show the "
        "difference as well."
    )
    rows: list[Sequence[object]] = []
    for name, measures in evaluation["comparisons"].items():
        for first, (measure, result) in enumerate(measures.items()):
            rows.append(
                (
                    "" if first else name,
                    measure.replace("ndcg", "nDCG"),
                    f"{result['difference']:+.3f}",
                    _range(result),
                    f"{result['p_value']:.4f}",
                )
            )
    columns = ["against", "measure", "difference", "interval", "p"]
    return explained + table(columns, rows, right=columns[2:])


def _rare(evaluation: _Evaluation) -> str:
    measure = f"recall_rare@{evaluation['k']}"
    asked = [result["intervals"].get(measure) for result in evaluation["strategies"].values()]
    users = next((interval["count"] for interval in asked if interval), 0)
    explained = paragraph(
        f"{evaluation['rare_units']:,} of {evaluation['units']:,} had fewer than 5 interactions before the split; "
        f"{users:,} users wanted one of them afterwards."
    )
    rows = [
        (name, _number(result[measure]), _range(result["intervals"][measure]))
        for name, result in evaluation["strategies"].items()
        if measure in result["intervals"]
    ]
    columns = ["strategy", f"recall@{evaluation['k']} of these", "interval"]
    return explained + table(columns, rows, right=columns[1:])


def _cold(evaluation: _Evaluation) -> str:
    k, cold = evaluation["k"], evaluation["cold"]
    explained = paragraph(
        f"{cold['users']:,} users had done nothing before the split. Strategies that go by what a user did have "
        "nothing to say to them."
    )
    return explained + _measures(cold["strategies"], k)


def _counts(evaluation: _Evaluation) -> str:
    names = {
        "interactions": "interactions that were read",
        "repeated": "of these repeated, counted once",
        "of_unknown_items": "of these of items that the collection does not have, left out",
        "before_split": "before the split, known to every row",
        "from_split_on": "from the split on",
        "users_before_split": "users before the split",
        "relevant_units": "new to their user and wanted after the split",
    }
    counts = evaluation["counts"]
    rows: list[Sequence[object]] = [(text, counts[name]) for name, text in names.items()]
    rows.append(("users without a past", evaluation["cold"]["users"]))
    return table(["", "count"], rows, right=["count"])


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _range(value: Mapping[str, Any]) -> str:
    return f"{value['low']:.3f} to {value['high']:.3f}" if value["low"] == value["low"] else "not known"
