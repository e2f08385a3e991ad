"""Identities as a page: who was where when, how they went from camera to camera, and what they look like."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from lookalike.reports.clock import lasting, span, stay
from lookalike.reports.page import Section, Tile, grid, page, paragraph, table
from lookalike.reports.rates import rate_text
from lookalike.reports.timeline import Bar, camera_colours, legend, timeline
from lookalike.reports.transitions import Transition, diagram, transitions

MOST_LANES = 200
"""Identities of the overview, those with the most sightings."""

MOST_SHOWN = 60
"""Identities with pictures and a timeline of their own."""

PICTURES = 8
"""Of one identity, the best of different stays."""

Crops = Callable[[Sequence[str]], Mapping[str, bytes]]


def report(answer: Mapping[str, Any], crops: Crops) -> str:
    """The report as an HTML page.

    Args:
        answer: ``Identities.to_dict()``.
        crops: Reads WebP bytes by the id of a tracklet; those that are gone are left out.
    """
    identities: Sequence[Mapping[str, Any]] = answer["identities"]
    cameras: Sequence[str] = answer["cameras"]
    colours = camera_colours(cameras)
    sections = []
    if identities:
        first = min(_time(each["first"]) for each in identities)
        last = max(_time(each["last"]) for each in identities)
        sections = [
            Section("When and where", _overview(identities, colours, first, last)),
            Section("From camera to camera", _ways(identities, cameras, colours)),
            *_each(identities, cameras, colours, crops),
            Section("All identities", _table(identities)),
        ]
    return page("Identities", _lead(identities, cameras), sections, answer["provenance"])


def called(identity: Mapping[str, Any]) -> str:
    """An identity's id with its name, or with whom it looks like."""
    if identity["name"] is not None:
        return f"{identity['name']} ({identity['id']})"
    recognised = identity["recognised"]
    return identity["id"] if recognised is None else f"{identity['id']} ({recognised['name']}?)"


def visit_bar(visit: Mapping[str, Any], lane: int, colours: Mapping[str, str], of: str = "") -> Bar:
    """A visit on a timeline."""
    start, end = _time(visit["start"]), _time(visit["end"])
    long = lasting((end - start).total_seconds())
    about = f"{of + ', ' if of else ''}{visit['camera']}, {stay(start, end)}, {long}, {visit['tracklet']}"
    return Bar(lane, start, end, colours[visit["camera"]], about)


def _lead(identities: Sequence[Mapping[str, Any]], cameras: Sequence[str]) -> str:
    if not identities:
        return f"Nobody was seen by {_several(len(cameras), 'camera')} in what was asked for."
    first = min(_time(each["first"]) for each in identities)
    last = max(_time(each["last"]) for each in identities)
    several = sum(len(each["cameras"]) > 1 for each in identities)
    named = sum(each["name"] is not None for each in identities)
    return (
        f"{_several(len(identities), 'identity', 'identities')}, {several:,} of them in more than one of "
        f"{_several(len(cameras), 'camera')}, {named:,} with a name; {span(first, last)} UTC. Which stays belong "
        "together was decided by looks, time and place, and is sometimes wrong: look before you act on it."
    )


def _overview(
    identities: Sequence[Mapping[str, Any]], colours: Mapping[str, str], first: datetime, last: datetime
) -> str:
    shown = _busiest(identities, MOST_LANES)
    bars = [
        visit_bar(visit, lane, colours, called(identity))
        for lane, identity in enumerate(shown)
        for visit in identity["visits"]
    ]
    drawn = timeline(
        [called(each) for each in shown],
        bars,
        first,
        last,
        label=f"Stays of {len(shown)} identities over time",
    )
    note = ""
    if len(shown) < len(identities):
        note = paragraph(f"The {len(shown)} with the most sightings; the table at the end has all.")
    return legend(colours) + note + drawn


def _ways(identities: Sequence[Mapping[str, Any]], cameras: Sequence[str], colours: Mapping[str, str]) -> str:
    found = transitions(identities)
    if not found:
        return paragraph("Nobody was seen twice.")
    about = paragraph(
        "How often somebody was seen by one camera and then by another, and the median of the time between: from the "
        "last sighting of the one to the first of the other. At once: both saw them at a time."
    )
    columns = ["from", "to", "times", "both at a time", "shortest", "median", "longest"]
    return (
        about
        + diagram(cameras, found, colours)
        + table(columns, [_way(each) for each in found], right=columns[2:])
    )


def _way(each: Transition) -> tuple[object, ...]:
    times = (lasting(seconds) for seconds in (each.shortest, each.typical, each.longest))
    return each.origin, each.target, each.times, each.together, *times


def _each(
    identities: Sequence[Mapping[str, Any]],
    cameras: Sequence[str],
    colours: Mapping[str, str],
    crops: Crops,
) -> list[Section]:
    """A section for each of those that are shown."""
    shown = _busiest(identities, MOST_SHOWN)
    chosen = {each["id"]: _pictured(each) for each in shown}
    pictures = crops([visit["tracklet"] for visits in chosen.values() for visit in visits])
    sections = []
    for identity in shown:
        seen = [name for name in cameras if name in identity["cameras"]]
        bars = [visit_bar(visit, seen.index(visit["camera"]), colours) for visit in identity["visits"]]
        first, last = _time(identity["first"]), _time(identity["last"])
        drawn = ""
        if len(bars) > 1:
            drawn = timeline(seen, bars, first, last, label=f"Where {called(identity)} was over time")
        tiles = [
            Tile(pictures[visit["tracklet"]], f"{visit['camera']}, {_when(visit)}", detail=visit["tracklet"])
            for visit in chosen[identity["id"]]
            if visit["tracklet"] in pictures
        ]
        sections.append(Section(called(identity), _about(identity) + drawn + (grid(tiles) if tiles else "")))
    return sections


def _about(identity: Mapping[str, Any]) -> str:
    visits = identity["visits"]
    text = (
        f"{_several(len(visits), 'stay')} with {identity['sightings']:,} sightings, "
        f"{span(_time(identity['first']), _time(identity['last']))}."
    )
    recognised = identity["recognised"]
    if recognised is not None:
        text += (
            f" Looks like {recognised['name']} of the gallery: similarity {recognised['similarity']:.2f}, which "
            f"{rate_text(recognised['false_match_rate'])} of comparisons with somebody else reach."
        )
    return paragraph(text)


def _pictured(identity: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The stays with the best pictures, in order of time; each camera's best before any camera's second."""
    by_camera: dict[str, int] = {}
    ranked = []
    for visit in sorted(identity["visits"], key=lambda visit: (-visit["quality"], visit["tracklet"])):
        turn = by_camera.get(visit["camera"], 0)
        by_camera[visit["camera"]] = turn + 1
        ranked.append((turn, -visit["quality"], visit["tracklet"], visit))
    best = [visit for *_, visit in sorted(ranked, key=lambda each: each[:3])[:PICTURES]]
    return sorted(best, key=lambda visit: (visit["start"], visit["tracklet"]))


def _table(identities: Sequence[Mapping[str, Any]]) -> str:
    columns = [
        "identity",
        "name",
        "first",
        "last",
        "cameras",
        "stays",
        "sightings",
        "looks like",
        "similarity",
    ]
    rows = []
    for each in identities:
        recognised = each["recognised"] or {}
        times = (f"{_time(each[key]):%Y-%m-%d %H:%M:%S}" for key in ("first", "last"))
        rows.append(
            (
                each["id"],
                each["name"],
                *times,
                each["cameras"],
                len(each["visits"]),
                each["sightings"],
                recognised.get("name"),
                recognised.get("similarity"),
            )
        )
    return table(columns, rows, right=["stays", "sightings", "similarity"])


def _busiest(identities: Sequence[Mapping[str, Any]], most: int) -> list[Mapping[str, Any]]:
    """Those with the most sightings, in the order in which they came."""
    ranked = sorted(identities, key=lambda each: (-each["sightings"], each["id"]))[:most]
    kept = {each["id"] for each in ranked}
    return [each for each in identities if each["id"] in kept]


def _when(visit: Mapping[str, Any]) -> str:
    return stay(_time(visit["start"]), _time(visit["end"]))


def _several(count: int, one: str, many: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
