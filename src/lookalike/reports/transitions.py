"""How people or things go from camera to camera: how often, and how long it takes."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from itertools import pairwise
from statistics import median
from typing import Any, NamedTuple

from lookalike.reports.clock import lasting
from lookalike.reports.timeline import svg

MOST_ARROWS = 24
MOST_CAMERAS = 12
"""On the picture, the busiest; the table has all."""

RADIUS = 30
"""Of the circle that stands for a camera."""


class Transition(NamedTuple):
    """Going from one camera to another.

    Args:
        origin, target: Names of cameras; equal where somebody left and came back.
        times: How often.
        together: Of these, how often both saw it at a time.
        shortest, typical, longest: Seconds from the last sighting of one to the first of the other, 0 where both saw
            it at a time; ``typical`` is the median.
    """

    origin: str
    target: str
    times: int
    together: int
    shortest: float
    typical: float
    longest: float


def transitions(identities: Sequence[Mapping[str, Any]]) -> list[Transition]:
    """Count them.

    Args:
        identities: As ``Identity.to_dict()`` gives them.

    Returns:
        The most frequent first.
    """
    waits: dict[tuple[str, str], list[float]] = defaultdict(list)
    for identity in identities:
        visits = sorted(identity["visits"], key=lambda visit: (visit["start"], visit["end"]))
        for before, after in pairwise(visits):
            wait = datetime.fromisoformat(after["start"]) - datetime.fromisoformat(before["end"])
            waits[before["camera"], after["camera"]].append(wait.total_seconds())
    found = []
    for (origin, target), seconds in waits.items():
        passed = sorted(max(0.0, each) for each in seconds)
        together = sum(each <= 0 for each in seconds)
        found.append(
            Transition(origin, target, len(seconds), together, passed[0], median(passed), passed[-1])
        )
    return sorted(found, key=lambda each: (-each.times, each.origin, each.target))


def diagram(cameras: Sequence[str], found: Sequence[Transition], colours: Mapping[str, str]) -> str:
    """A picture: cameras on a circle, an arrow for each way, as thick as it is frequent, with count and median.

    Args:
        cameras: Names in their order.
        found: The transitions; those from a camera to itself are left to the table.
        colours: Of the cameras.

    Returns:
        Inline SVG; empty where nobody went from one camera to another.
    """
    ways = [each for each in found if each.origin != each.target][:MOST_ARROWS]
    if not ways:
        return ""
    busy: dict[str, int] = defaultdict(int)
    for each in ways:
        busy[each.origin] += each.times
        busy[each.target] += each.times
    shown = [name for name in cameras if name in sorted(busy, key=lambda n: (-busy[n], n))[:MOST_CAMERAS]]
    ways = [each for each in ways if each.origin in shown and each.target in shown]
    around = max(150.0, 40.0 * len(shown))
    wide, high = 2 * around + 320, 2 * around + 2 * RADIUS + 70
    if len(shown) == 2:
        high = 220.0
    places = _places(shown, wide / 2, high / 2, around)
    most = max(each.times for each in ways)
    arrows = [_arrow(each, places, most, colours[each.origin]) for each in ways]
    nodes = [_node(name, *places[name], colours[name]) for name in shown]
    label = "; ".join(f"{each.origin} to {each.target}: {_said(each)}" for each in ways)
    return svg([*(shape for shape, _ in arrows), *nodes, *(text for _, text in arrows)], wide, high, label)


def _places(names: Sequence[str], x: float, y: float, around: float) -> dict[str, tuple[float, float]]:
    """Centres on a circle, the first on the left, clockwise; two lie side by side."""
    turn = 2 * math.pi / len(names)
    return {
        name: (x - around * math.cos(number * turn), y - around * math.sin(number * turn))
        for number, name in enumerate(names)
    }


def _arrow(
    way: Transition, places: Mapping[str, tuple[float, float]], most: int, colour: str
) -> tuple[str, str]:
    """The arrow and its text. Arrows bend to their right, so that both directions can be told apart."""
    (x1, y1), (x2, y2) = places[way.origin], places[way.target]
    length = math.hypot(x2 - x1, y2 - y1)
    ux, uy = (x2 - x1) / length, (y2 - y1) / length
    bend = 0.16 * length
    cx, cy = (x1 + x2) / 2 - uy * bend, (y1 + y2) / 2 + ux * bend
    sx, sy = _towards(x1, y1, cx, cy, RADIUS + 2)
    width = 1.5 + 5.0 * math.sqrt(way.times / most)
    head = 5.0 + 1.7 * width
    tx, ty = _towards(x2, y2, cx, cy, RADIUS + 2)
    bx, by = _towards(x2, y2, cx, cy, RADIUS + 2 + head)
    px, py = -(ty - by) / head, (tx - bx) / head
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in (
        (tx, ty), (bx + px * head / 2, by + py * head / 2), (bx - px * head / 2, by - py * head / 2)
    ))  # fmt: skip
    title = escape(f"{way.origin} to {way.target}: {_said(way)}")
    shape = (
        f'<g style="stroke:{colour};fill:none;opacity:.85"><title>{title}</title>'
        f'<path d="M{sx:.1f} {sy:.1f}Q{cx:.1f} {cy:.1f} {bx:.1f} {by:.1f}" stroke-width="{width:.1f}"/>'
        f'<polygon points="{points}" style="fill:{colour};stroke:none"/></g>'
    )
    at = 0.4  # of the way: in the middle, arrows across would meet with their texts
    mx, my = (
        (1 - at) ** 2 * start + 2 * at * (1 - at) * control + at**2 * end
        for start, control, end in ((x1, cx, x2), (y1, cy, y2))
    )
    return shape, _outlined(mx, my + 4, f"{way.times} · {_time(way)}")


def _towards(x: float, y: float, other_x: float, other_y: float, by: float) -> tuple[float, float]:
    length = math.hypot(other_x - x, other_y - y)
    return x + (other_x - x) / length * by, y + (other_y - y) / length * by


def _node(name: str, x: float, y: float, colour: str) -> str:
    inside = len(name) <= 6
    circle = (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{RADIUS}" stroke-width="3" '
        f'style="fill:var(--card);stroke:{colour}"/>'
    )
    shown = name if len(name) <= 24 else name[:23] + "…"
    return circle + _outlined(x, y + (5 if inside else RADIUS + 17), shown, bold=True)


def _outlined(x: float, y: float, text: str, *, bold: bool = False) -> str:
    """Text with the page's colour around it, so that lines below do not disturb it."""
    weight = ' font-weight="600"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle" font-size="13"{weight} '
        'style="fill:var(--ink);stroke:var(--page);stroke-width:4px;paint-order:stroke">'
        f"{escape(text)}</text>"
    )


def _time(way: Transition) -> str:
    return "at once" if way.together > way.times / 2 else lasting(way.typical)


def _said(way: Transition) -> str:
    return f"{way.times} times, {_time(way)}"
