"""Reports of a reduction: what each size keeps, as a table and as quality against bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lookalike.evaluate.reduction import SizeRow
from lookalike.reports.page import Section, page, paragraph, picture, table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WORDS = {"f32": "float32", "f16": "float16", "i8": "int8", "binary": "bits, ranked by int8"}
"""Precisions as people read them."""


def report(rows: Sequence[SizeRow], chosen: SizeRow | None, provenance: Mapping[str, object]) -> str:
    """The whole page as HTML.

    Args:
        rows: As measured, full vectors first.
        chosen: The row of what is used; None: nothing was chosen.
        provenance: What it depends on.
    """
    centred = provenance.get("compared_with") == "centred"
    neighbours = provenance.get("neighbours", 10)
    against = (
        "The method takes the mean away first, so it is compared with the full vectors centred. "
        "Full kept compares with the full vectors as they are: how much of an answer stays."
        if centred
        else "It is compared with the full vectors as they are."
    )
    columns, body = cells(rows)
    sections = [
        Section(
            "Quality against bytes",
            picture(plot(rows, chosen), alt="Share of neighbours kept against bytes of a vector", width=760),
        ),
        Section(
            "Every size",
            paragraph(
                f"Kept: the share of a full vector's {neighbours} nearest neighbours that are still among the nearest "
                f"{neighbours}, with its 95 % bootstrap interval. {against}"
            )
            + table(columns, body, right=columns),
        ),
    ]
    hidden = ("rows", "chosen")
    shown = {name: value for name, value in provenance.items() if name not in hidden and value is not None}
    return page("Smaller vectors", _lead(rows, chosen), sections, shown)


def cells(rows: Sequence[SizeRow]) -> tuple[list[str], list[list[str]]]:
    """Columns and rows of the table, as text."""
    columns = ["method", "dims", "precision", "variance", "kept", "interval", "bytes", "full kept"]
    ranked = any(row.mean_average_precision is not None for row in rows)
    body = []
    for row in rows:
        line = [
            row.method,
            str(row.dimensions),
            WORDS[row.precision],
            _percent(row.explained_variance),
            _percent(row.kept),
            f"{100 * row.kept_low:.1f} to {100 * row.kept_high:.1f}",
            f"{row.bytes_per_vector:,}",
            _percent(row.unchanged),
        ]
        if ranked:
            value = row.mean_average_precision
            line.append("" if value is None else f"{value:.3f}")
        body.append(line)
    return [*columns, "mAP"] if ranked else columns, body


def plot(rows: Sequence[SizeRow], chosen: SizeRow | None) -> bytes:
    """Quality against bytes as PNG: neighbours kept and, where labels were given, mean average precision.

    Args:
        rows: As measured.
        chosen: Marked; None: nothing is.
    """
    from lookalike.reports.figures import figure, png

    ranked = any(row.mean_average_precision is not None for row in rows)
    drawn = figure(10.5 if ranked else 7.6, 4.2)
    panels = drawn.subplots(1, 2 if ranked else 1, squeeze=False)[0]
    _panel(panels[0], rows, chosen, "kept", "neighbours kept, %")
    if ranked:
        _panel(panels[1], rows, chosen, "mean_average_precision", "mean average precision, %")
    panels[0].legend(loc="lower right")
    return png(drawn)


def _panel(axes: Axes, rows: Sequence[SizeRow], chosen: SizeRow | None, what: str, title: str) -> None:
    from lookalike.reports.figures import ACCENT, COLOURS, INK

    precisions = list(dict.fromkeys(row.precision for row in rows))
    for colour, precision in zip((COLOURS[2], COLOURS[0], COLOURS[1], COLOURS[3]), precisions, strict=False):
        mine = [row for row in rows if row.precision == precision and getattr(row, what) is not None]
        line = sorted((row for row in mine if row.method != "none"), key=lambda row: row.bytes_per_vector)
        sizes, values = [row.bytes_per_vector for row in line], [100 * getattr(row, what) for row in line]
        if line:
            axes.plot(
                sizes, values, "o-", color=colour, markersize=3.5, linewidth=1.4, label=WORDS[precision]
            )
        if what == "kept" and line:
            low = [100 * row.kept_low for row in line]
            high = [100 * row.kept_high for row in line]
            axes.fill_between(sizes, low, high, color=colour, alpha=0.12, linewidth=0)
        full = [row for row in mine if row.method == "none"]
        axes.plot(
            [row.bytes_per_vector for row in full],
            [100 * getattr(row, what) for row in full],
            "s",
            color=colour,
            markersize=5,
            markerfacecolor="none",
            label=None if line else WORDS[precision],
        )
    axes.plot([], [], "s", color=INK, markersize=5, markerfacecolor="none", label="full vectors")
    value = None if chosen is None else getattr(chosen, what)
    if chosen is not None and value is not None:
        axes.plot([chosen.bytes_per_vector], [100 * value], "*", color=ACCENT, markersize=15, zorder=5)
        axes.annotate(
            f"{chosen.dimensions} x {WORDS[chosen.precision]}",
            (chosen.bytes_per_vector, 100 * value),
            xytext=(8, -18),
            textcoords="offset points",
            color=ACCENT,
            fontweight="bold",
            bbox={"facecolor": "#ffffff", "edgecolor": "none", "pad": 1.0, "alpha": 0.8},
        )
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(lambda size, _: f"{size:,.0f}")
    axes.set_xlabel("bytes of a vector")
    axes.set_title(title)


def _lead(rows: Sequence[SizeRow], chosen: SizeRow | None) -> str:
    full = rows[0]
    if chosen is None:
        return (
            f"What {full.dimensions} dimensions can be reduced to, measured on the collection's own vectors."
        )
    return (
        f"{chosen.dimensions} dimensions in {WORDS[chosen.precision]} keep {chosen.kept:.1%} of the neighbours and "
        f"take {chosen.bytes_per_vector:,} bytes; {full.dimensions} in {WORDS[full.precision]} take "
        f"{full.bytes_per_vector:,}."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
