"""Recommendations as a page: what is recommended and why, and the interests of the person."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lookalike.reports.page import Section, Tile, grid, page, paragraph, table

MEMBERS = 8
"""Examples that are shown of an interest: what stands for it, and what speaks for an answer."""

MOST_INTERESTS = 12

Thumbnails = Callable[[Sequence[str]], Mapping[str, bytes]]


def report(answer: Mapping[str, Any], thumbnails: Thumbnails) -> str:
    """The report as an HTML page.

    Args:
        answer: ``Recommendations.to_dict()``.
        thumbnails: Reads WebP bytes by id; ids that are gone are left out.
    """
    recommended, interests = answer["recommendations"], answer["interests"]
    examples: Mapping[str, str] = answer["examples"]
    ids = [each["id"] for each in recommended]
    pictures = thumbnails(list(dict.fromkeys([*ids, *examples.values()])))
    sections = [Section("Recommended", _answers(recommended, answer["provenance"], pictures))]
    shown = interests[:MOST_INTERESTS]
    sections += [
        Section(
            f"Interest {number}: {interest['importance']:.0%}",
            _members(interest, recommended, number, examples, pictures),
        )
        for number, interest in enumerate(shown)
    ]
    if len(interests) > len(shown):
        rest = sum(interest["importance"] for interest in interests[MOST_INTERESTS:])
        sections.append(
            Section(
                "", paragraph(f"{len(interests) - len(shown)} smaller interests make the other {rest:.0%}.")
            )
        )
    if recommended:
        sections.append(Section("Why each", _reasons(recommended)))
    whom = f"for {answer['user']}" if answer["user"] else "for the examples given"
    made_of = f", made of {len(interests)} interests" if interests else ""
    lead = f"{len(recommended)} recommendations {whom}{made_of}, by the strategy {answer['provenance']['strategy']}."
    return page("Recommendations", lead, sections, answer["provenance"])


def _answers(
    recommended: Sequence[Mapping[str, Any]], provenance: Mapping[str, Any], pictures: Mapping[str, bytes]
) -> str:
    if not recommended:
        return paragraph("Nothing in the collection is left to recommend.")
    group_by = provenance["parameters"].get("group_by")
    return grid(
        [
            Tile(
                picture=pictures[each["id"]],
                caption=_caption(each, group_by),
                badge="" if each["interest"] is None else str(each["interest"]),
                detail=_why(each),
            )
            for each in recommended
            if each["id"] in pictures
        ]
    )


def _caption(each: Mapping[str, Any], group_by: str | None) -> str:
    value = None if group_by is None else each["attributes"].get(group_by)
    return str(each["id"]) if value is None else str(value)


def _why(each: Mapping[str, Any]) -> str:
    if not each["because"]:
        return "exploring"
    reason = each["because"][0]
    event = f" ({reason['event']})" if reason["event"] else ""
    company = ", liked together" if reason["together"] > 0.5 else ""
    return f"because of {reason['id']}{event}: {reason['similarity']:.0%} alike{company}"


def _members(
    interest: Mapping[str, Any],
    recommended: Sequence[Mapping[str, Any]],
    number: int,
    examples: Mapping[str, str],
    pictures: Mapping[str, bytes],
) -> str:
    answers = sum(each["interest"] == number for each in recommended)
    reasons = {because["id"] for each in recommended for because in each["because"]}
    names = [
        interest["medoid"],
        *(name for name in interest["members"] if name != interest["medoid"] and name in reasons),
    ]
    tiles = [
        Tile(pictures[examples[name]], name, badge="stands for it" if name == interest["medoid"] else "")
        for name in names[:MEMBERS]
        if examples.get(name) in pictures
    ]
    text = f"{len(interest['members'])} liked; {answers} of the recommendations answer it."
    return paragraph(text) + (grid(tiles) if tiles else "")


def _reasons(recommended: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        [
            rank,
            each["id"],
            f"{each['score']:.3f}",
            "; ".join(
                f"{reason['id']} ({reason['share']:.0%} of it, {reason['similarity']:.0%} alike, "
                f"{reason['together']:.0%} by company)"
                for reason in each["because"]
            )
            or "exploring",
        ]
        for rank, each in enumerate(recommended, start=1)
    ]
    return table(["", "item", "score", "what speaks for it"], rows, right=["", "score"])
