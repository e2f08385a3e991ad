"""Who was where when, as a picture inside a page: lanes with bars over time.

It is drawn with the page's own colours, so that it is as readable on a dark page as on a light one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import NamedTuple

from lookalike.reports.clock import ticks
from lookalike.reports.figures import COLOURS

WIDTH = 1000
NAMES = 150
"""Units for the names of lanes, on the left."""

LANE, BAR, AXIS, END = 24, 16, 26, 36
LEAST_BAR = 2.5
"""Units of width: what was short is seen too."""

LONGEST_NAME = 21


class Bar(NamedTuple):
    """An interval in a lane.

    Args:
        lane: Its number, from 0 at the top.
        start, end: When, aware.
        colour: As CSS writes it.
        title: What it says when the pointer rests on it.
    """

    lane: int
    start: datetime
    end: datetime
    colour: str
    title: str


def camera_colours(cameras: Sequence[str]) -> dict[str, str]:
    """A colour for each camera, by its place in the list; they repeat where there are more cameras than colours."""
    return {name: COLOURS[number % len(COLOURS)] for number, name in enumerate(cameras)}


def timeline(
    lanes: Sequence[str], bars: Sequence[Bar], first: datetime, last: datetime, *, label: str
) -> str:
    """A timeline as inline SVG.

    Args:
        lanes: Names, from the top.
        bars: In any order.
        first, last: What the axis spans.
        label: What the picture shows, for those who do not see it.
    """
    seconds = max((last - first).total_seconds(), 1e-3)
    high = LANE * len(lanes)

    def x(time: datetime) -> float:
        share = (time - first).total_seconds() / seconds
        return NAMES + share * (WIDTH - NAMES - END)

    parts = []
    for at, text in ticks(first, last):
        parts.append(_line(x(at), 0, x(at), high + 4, "var(--line)"))
        parts.append(_text(x(at), high + 18, text, "middle", "var(--soft)"))
    for number, name in enumerate(lanes):
        if number % 2 == 0:
            parts.insert(
                0,
                f'<rect x="0" y="{number * LANE}" width="{WIDTH}" height="{LANE}" style="fill:var(--card)"/>',
            )
        parts.append(_name(name, number * LANE + LANE / 2 + 4))
    for bar, (level, levels) in zip(bars, _levels(bars), strict=True):
        left, wide = x(bar.start), max(LEAST_BAR, x(bar.end) - x(bar.start))
        thick = BAR / levels
        top = bar.lane * LANE + (LANE - BAR) / 2 + level * thick
        parts.append(
            f'<rect x="{left:.1f}" y="{top:.1f}" width="{wide:.1f}" height="{thick - (levels > 1):.1f}" '
            f'rx="{min(2.5, thick / 4):.1f}" fill="{bar.colour}"><title>{escape(bar.title)}</title></rect>'
        )
    return svg(parts, WIDTH, high + AXIS, label)


def _levels(bars: Sequence[Bar]) -> list[tuple[int, int]]:
    """The place of each bar among those of its lane at its time, from the top, and how many places there are."""
    order = sorted(range(len(bars)), key=lambda at: (bars[at].lane, bars[at].start, bars[at].end))
    places = [(0, 1)] * len(bars)
    together: list[int] = []
    ends: list[datetime] = []

    def close() -> None:
        for at in together:
            places[at] = (places[at][0], len(ends))

    for at in order:
        bar = bars[at]
        if together and (bars[together[0]].lane != bar.lane or max(ends) <= bar.start):
            close()
            together, ends = [], []
        free = next((level for level, end in enumerate(ends) if end <= bar.start), len(ends))
        ends[free : free + 1] = [bar.end]
        places[at] = (free, 1)
        together.append(at)
    close()
    return places


def svg(parts: Sequence[str], width: float, height: float, label: str) -> str:
    """Shapes as a picture that is as wide as the page, and can be moved sideways where the page is narrow."""
    return (
        f'<div class="wide"><svg role="img" aria-label="{escape(label)}" viewBox="0 0 {width:g} {height:g}" '
        f'style="display:block;width:100%;min-width:620px;max-width:{width * 1.2:g}px">\n'
        + "\n".join(parts)
        + "\n</svg></div>\n"
    )


def legend(colours: Mapping[str, str]) -> str:
    """What colours mean."""
    entries = "".join(
        f'<span style="white-space:nowrap;margin-right:1.1em"><span style="display:inline-block;width:.8em;height:.8em;'
        f'border-radius:2px;margin-right:.4em;background:{colour}"></span>{escape(name)}</span> '
        for name, colour in colours.items()
    )
    return f"<p>{entries}</p>\n"


def _name(name: str, y: float) -> str:
    shown = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
    return _text(NAMES - 10, y, shown, "end", "var(--ink)", title=name if shown != name else "")


def _text(x: float, y: float, text: str, anchor: str, colour: str, *, title: str = "") -> str:
    more = f"<title>{escape(title)}</title>" if title else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="12" style="fill:{colour}">'
        f"{more}{escape(text)}</text>"
    )


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" style="stroke:{colour}"/>'
