"""The pages of ``lookalike evaluate``: measures with error bars, and the mistakes to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lookalike.reports.figures import ACCENT, COLOURS, SOFT, figure, png
from lookalike.reports.page import Section, Tile, grid, page, paragraph, picture, table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PLAIN = "as it is"
"""The ranking without any further step."""

SHOWN_CLASSES = 10

BAR_INCHES, LEAST_INCHES = 0.32, 1.2

_Report = Mapping[str, Any]


def retrieval_page(report: _Report, thumbnails: Mapping[str, bytes]) -> str:
    """The report of an evaluation of retrieval.

    Args:
        report: What ``RetrievalReport.to_dict`` gives.
        thumbnails: Pictures by name, of those that can be had.
    """
    measures = report["measures"]
    sections = [Section("", measure_chart(_variants(report)) + _measures(measures, report["reranked"]))]
    if report["misses"]:
        sections.append(Section("Whose fault the misses are", _misses(report["misses"])))
    if report["classes"]:
        sections.append(
            Section("Labels that do worst", _classes(report["classes"], report["provenance"]["ks"][0]))
        )
    if report["worst"]:
        sections.append(Section("Queries that do worst", _worst(report["worst"], thumbnails)))
    if report["failures"]:
        rows = [(failure["uri"], failure["reason"]) for failure in report["failures"]]
        sections.append(Section("Pictures that could not be read", table(["picture", "why"], rows)))
    provenance = report["provenance"]
    of = provenance.get("collection") or provenance.get("dataset")
    return page(f"Retrieval on {of}", _lead(report), sections, provenance)


def comparison_page(comparison: _Report) -> str:
    """The page of two encoders on the same queries.

    Args:
        comparison: What ``Comparison.to_dict`` gives.
    """
    first, second = comparison["names"]
    differences = comparison["differences"]
    lead = (
        f"{first} against {second} on the same {_count(comparison['reports'][0]['queries'], 'query', 'queries')}. "
        "A bar that keeps away from zero is a difference that other queries would show as well."
    )
    sections = [
        Section("", _difference_chart(differences, first, second)),
        Section("Differences", _differences(comparison)),
    ]
    return page(f"{first} against {second}", lead, sections, comparison["provenance"])


def _variants(report: _Report) -> dict[str, Mapping[str, Any]]:
    """The plain measures, and those of each re-ranking."""
    plain: dict[str, Mapping[str, Any]] = {PLAIN: report["measures"]}
    return plain | {name: variant["measures"] for name, variant in report["reranked"].items()}


def _lead(report: _Report) -> str:
    measures = report["measures"]
    name = next((n for n in ("recall@1", "medium mAP", "mAP") if n in measures), next(iter(measures)))
    value = measures[name]
    left_out = report["unanswerable"]
    aside = (
        f" {_count(left_out, 'query has', 'queries have')} no answer and are left out." if left_out else ""
    )
    return (
        f"{name} is {value['estimate']:.3f}, between {value['low']:.3f} and {value['high']:.3f} with "
        f"{value['level']:.0%} confidence: {_count(report['queries'], 'query', 'queries')} to "
        f"{_count(report['items'], 'item', 'items')}.{aside}"
    )


def measure_chart(variants: Mapping[str, Mapping[str, Any]]) -> str:
    """Measures with their intervals as error bars, in [0, 1].

    Args:
        variants: Name of a variant to its measures, each with ``estimate``, ``low``, ``high`` and ``level``; all
            variants have the same measures. The names are shown when there are several.
    """
    first = next(iter(variants.values()))
    names = list(first)
    drawing = figure(7.6, LEAST_INCHES + BAR_INCHES * len(names) * max(1, 0.6 * len(variants)))
    axes = drawing.add_subplot()
    for number, (variant, measures) in enumerate(variants.items()):
        shift = (number - (len(variants) - 1) / 2) * 0.8 / len(variants)
        bars = [measures[name] for name in names]
        _bars(axes, bars, "estimate", shift, COLOURS[number % len(COLOURS)], variant)
    _label_rows(axes, names)
    axes.set_xlim(0, 1)
    if len(variants) > 1:
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(variants))
    caption = f"bars: {first[names[0]]['level']:.0%} confidence"
    return picture(png(drawing), alt="measures with error bars", caption=caption, width=760)


def _difference_chart(differences: Mapping[str, Any], first: str, second: str) -> str:
    drawing = figure(7.6, LEAST_INCHES + BAR_INCHES * len(differences))
    axes = drawing.add_subplot()
    _bars(axes, list(differences.values()), "difference", 0.0, ACCENT, "")
    axes.axvline(0, color=SOFT, linewidth=1)
    _label_rows(axes, list(differences))
    axes.set_xlabel(f"{second} better    ←    difference    →    {first} better")
    return picture(png(drawing), alt="differences with error bars", width=760)


def _bars(
    axes: Axes, values: Sequence[Mapping[str, Any]], key: str, shift: float, colour: str, name: str
) -> None:
    centres = [value[key] for value in values]
    low = [_distance(value[key], value["low"]) for value in values]
    high = [_distance(value["high"], value[key]) for value in values]
    places = [place + shift for place in range(len(values))]
    axes.errorbar(
        centres, places, xerr=[low, high], fmt="o", color=colour, capsize=3, markersize=4.5, label=name
    )


def _label_rows(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")


def _distance(far: float, near: float) -> float:
    """Length of a half bar; none where the interval is not known (NaN)."""
    return max(far - near, 0.0) if far == far and near == near else 0.0


def _measures(measures: Mapping[str, Any], reranked: Mapping[str, Any]) -> str:
    rows: list[Sequence[object]] = []
    for name, value in measures.items():
        rows.append((name, PLAIN, _number(value["estimate"]), _range(value), "", ""))
        for variant, result in reranked.items():
            after, gain = result["measures"][name], result["gains"][name]
            rows.append(
                (
                    "",
                    variant,
                    _number(after["estimate"]),
                    _range(after),
                    _signed(gain["difference"]),
                    _p(gain),
                )
            )
    columns = ["measure", "ranking", "mean", "interval", "gain", "p"]
    if reranked:
        return table(columns, rows, right=["mean", "interval", "gain", "p"])
    plain = [(name, mean, interval) for name, _, mean, interval, _, _ in rows]
    return table(["measure", "mean", "interval"], plain, right=["mean", "interval"])


def _misses(misses: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (f"first {m['k']}", m["queries"], m["found"], m["model_misses"], m["index_misses"]) for m in misses
    ]
    columns = ["within", "queries", "answered right", "missed by the model", "missed by the index"]
    explained = paragraph(
        "What the exact search misses too is the model's: another encoder, region or re-ranking may help. What "
        "only the index misses, a higher recall of the search or a rebuilt index brings back."
    )
    return explained + table(columns, rows, right=columns[1:])


def _classes(classes: Sequence[Mapping[str, Any]], k: int) -> str:
    rows = [
        (c["label"], c["queries"], _number(c["recall"]), _number(c["mean_average_precision"]))
        for c in classes[:SHOWN_CLASSES]
    ]
    columns = ["label", "queries", f"recall@{k}", "mAP"]
    return table(columns, rows, right=columns[1:])


def _worst(queries: Sequence[Mapping[str, Any]], thumbnails: Mapping[str, bytes]) -> str:
    parts = [
        paragraph(
            "First the query, then what came, and last the best ranked answer of those that should have come."
        )
    ]
    for query in queries:
        tiles = [
            _tile(query["name"], query["label"], "query", f"AP {query['average_precision']:.3f}", thumbnails)
        ]
        tiles += [_answer(answer, f"{answer['rank']}", thumbnails) for answer in query["got"]]
        wanted = query["wanted"]
        if wanted is not None and wanted["rank"] > len(query["got"]):
            tiles.append(_answer(wanted, f"wanted: {wanted['rank']:,}", thumbnails))
        parts.append(grid([tile for tile in tiles if tile is not None]))
    return "".join(parts)


def _answer(answer: Mapping[str, Any], badge: str, thumbnails: Mapping[str, bytes]) -> Tile | None:
    mark = "✓ " if answer["right"] else ""
    return _tile(answer["name"], answer["label"], mark + badge, f"cosine {answer['score']:.3f}", thumbnails)


def _tile(name: str, label: str, badge: str, detail: str, thumbnails: Mapping[str, bytes]) -> Tile | None:
    data = thumbnails.get(name)
    return None if data is None else Tile(data, label, badge, f"{name.rpartition('/')[2]} · {detail}")


def _differences(comparison: _Report) -> str:
    first, second = comparison["reports"]
    rows = [
        (
            name,
            _number(first["measures"][name]["estimate"]),
            _number(second["measures"][name]["estimate"]),
            _signed(result["difference"]),
            _range(result),
            _p(result),
        )
        for name, result in comparison["differences"].items()
    ]
    columns = ["measure", *comparison["names"], "difference", "interval", "p"]
    return table(columns, rows, right=columns[1:])


def _number(value: float) -> str:
    return f"{value:.3f}"


def _signed(value: float) -> str:
    return f"{value:+.3f}"


def _range(value: Mapping[str, Any]) -> str:
    return f"{value['low']:.3f} to {value['high']:.3f}" if value["low"] == value["low"] else "not known"


def _p(value: Mapping[str, Any]) -> str:
    return f"{value['p_value']:.4f}"


def _count(number: int, one: str, several: str) -> str:
    return f"{number:,} {one if number == 1 else several}"
