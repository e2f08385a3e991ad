"""Where one person or thing was, as a page: every stay in order of time, with camera, interval and picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from math import isnan
from typing import Any

from lookalike.reports.clock import lasting, span, stay
from lookalike.reports.identities import visit_bar
from lookalike.reports.page import Section, Tile, grid, page, paragraph, table
from lookalike.reports.rates import rate_text, strength_text
from lookalike.reports.timeline import camera_colours, legend, timeline

MOST_PICTURES = 300

Crops = Callable[[Sequence[str]], Mapping[str, bytes]]


def report(answer: Mapping[str, Any], crops: Crops, query: bytes | None) -> str:
    """The report as an HTML page.

    Args:
        answer: ``Following.to_dict()``.
        crops: Reads WebP bytes by the id of a tracklet; those that are gone are left out.
        query: The picture that was asked for; None when it was none.
    """
    visits: Sequence[Mapping[str, Any]] = answer["visits"]
    sections = []
    if answer["asked_by"] == "image":
        sections.append(Section("What was asked for", _question(answer, query)))
    if visits:
        sections.append(Section("Where it was", _lanes(answer)))
        sections.append(Section("Every stay, in order of time", _stays(visits, crops)))
    if answer["candidates"]:
        sections.append(Section("Most similar identities", _candidates(answer["candidates"])))
    return page(f"Following {followed(answer)}", _lead(answer), sections, answer["provenance"])


def followed(answer: Mapping[str, Any]) -> str:
    """What was followed: a name with its identity, either, or ``unknown``."""
    if answer["identity"] is None:
        return str(answer["name"] or "a picture")
    named = answer["name"] not in (None, answer["identity"])
    return f"{answer['name']} ({answer['identity']})" if named else str(answer["identity"])


def _lead(answer: Mapping[str, Any]) -> str:
    visits: Sequence[Mapping[str, Any]] = answer["visits"]
    image = answer["asked_by"] == "image"
    if not visits:
        if image:
            return "Nobody who was seen looks enough like the picture: unknown."
        return "Not seen in what was asked for."
    first, last = _time(visits[0]["start"]), max(_time(visit["end"]) for visit in visits)
    cameras = list(dict.fromkeys(visit["camera"] for visit in visits))
    stays = f"{len(visits):,} {'stay' if len(visits) == 1 else 'stays'}"
    text = f"{stays} in {', '.join(cameras)}; {span(first, last)} UTC."
    return text + " A match is a hint and no proof: somebody has to look at it." if image else text


def _question(answer: Mapping[str, Any], query: bytes | None) -> str:
    shown = "" if query is None else grid([Tile(query, "the picture that was asked for")])
    line = answer["line"]
    if line is None:
        return shown + paragraph("There is nothing to compare it with.")
    text = (
        f"A match needs a similarity of {line['cosine']:.2f}. It is estimated that "
        f"{rate_text(line['false_match_rate'])} of comparisons with somebody else reach it (from "
        f"{line['different']:,} pairs known to be different), "
    )
    if line["miss_rate"] is None or isnan(line["miss_rate"]):
        return shown + paragraph(
            text + "and unknown how many with the right one do not: no pair is known to be the same."
        )
    return shown + paragraph(
        text + f"and that {rate_text(line['miss_rate'])} of comparisons with the right one do not (from "
        f"{line['same']:,} pairs known to be the same)."
    )


def _lanes(answer: Mapping[str, Any]) -> str:
    visits: Sequence[Mapping[str, Any]] = answer["visits"]
    seen = [name for name in answer["cameras"] if any(visit["camera"] == name for visit in visits)]
    colours = camera_colours(answer["cameras"])
    bars = [visit_bar(visit, seen.index(visit["camera"]), colours) for visit in visits]
    first, last = _time(visits[0]["start"]), max(_time(visit["end"]) for visit in visits)
    drawn = timeline(seen, bars, first, last, label=f"Where {followed(answer)} was over time")
    return legend({name: colours[name] for name in seen}) + drawn


def _stays(visits: Sequence[Mapping[str, Any]], crops: Crops) -> str:
    shown = visits[:MOST_PICTURES]
    pictures = crops([visit["tracklet"] for visit in shown])
    tiles = [
        Tile(pictures[visit["tracklet"]], f"{visit['camera']}, {_when(visit)}", detail=_strength(visit))
        for visit in shown
        if visit["tracklet"] in pictures
    ]
    note = paragraph(f"Pictures of the first {MOST_PICTURES}.") if len(visits) > len(shown) else ""
    columns = [
        "camera",
        "interval",
        "duration",
        "sightings",
        "similarity",
        "strength",
        "identity",
        "tracklet",
    ]
    rows = [
        (
            visit["camera"],
            _when(visit),
            lasting((_time(visit["end"]) - _time(visit["start"])).total_seconds()),
            visit["sightings"],
            visit["similarity"],
            None if visit["strength"] is None else strength_text(visit["strength"]),
            visit["identity"],
            visit["tracklet"],
        )
        for visit in visits
    ]
    return note + (grid(tiles) if tiles else "") + table(columns, rows, right=columns[2:6])


def _strength(visit: Mapping[str, Any]) -> str:
    similarity, strength = visit["similarity"], visit["strength"]
    if similarity is None:
        return str(visit["tracklet"])
    return f"similarity {similarity:.2f}" + (
        "" if strength is None else f", strength {strength_text(strength)}"
    )


def _candidates(candidates: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (each["identity"], each["name"], each["similarity"], "yes" if each["matched"] else "no")
        for each in candidates
    ]
    return table(["identity", "name", "similarity", "match"], rows, right=["similarity"])


def _when(visit: Mapping[str, Any]) -> str:
    return stay(_time(visit["start"]), _time(visit["end"]))


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
