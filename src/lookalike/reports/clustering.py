"""Clusters as a page: each with its name, size and the pictures that stand for it; what belongs nowhere; a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lookalike.reports.page import Section, Tile, grid, page, paragraph, table

MOST_CLUSTERS = 100
"""Clusters that are shown with pictures, the largest."""

REPRESENTATIVES = 12
MOST_NOISE = 48


Thumbnails = Callable[[Sequence[str]], Mapping[str, bytes]]


def report(answer: Mapping[str, Any], thumbnails: Thumbnails) -> str:
    """The report as an HTML page.

    Args:
        answer: ``Groups.to_dict()``.
        thumbnails: Reads WebP bytes by id; ids that are gone are left out.
    """
    sizes: Mapping[int, int] = answer["sizes"]
    order = sorted(sizes, key=lambda label: (-sizes[label], label))
    sections = [Section("What was found", _summary(answer, len(order)))]
    shown = _representatives(answer, order[:MOST_CLUSTERS])
    sections += [
        Section(f"{answer['names'][label]}: {sizes[label]:,}", _tiles(answer, ids, thumbnails))
        for label, ids in shown.items()
    ]
    noise: Sequence[str] = answer["noise"]
    if noise:
        more = paragraph(f"The first {MOST_NOISE} are shown.") if len(noise) > MOST_NOISE else ""
        sections.append(
            Section(f"In no cluster: {len(noise):,}", more + _tiles(answer, noise[:MOST_NOISE], thumbnails))
        )
    if order:
        sections.append(Section("All clusters", _table(answer, order)))
    lead = (
        f"{len(order):,} clusters of {len(answer['labels']):,} items; {len(noise):,} belong to none. "
        f"{answer['reason'][:1].upper()}{answer['reason'][1:]}."
    )
    return page("Clusters", lead, sections, answer["provenance"])


def _representatives(answer: Mapping[str, Any], order: Sequence[int]) -> dict[int, list[str]]:
    """Ids that stand for each cluster: its medoid, then those that belong most strongly."""
    members: dict[int, list[str]] = {label: [] for label in order}
    for id, label in answer["labels"].items():
        if label in members:
            members[label].append(id)
    strengths, medoids = answer["strengths"], answer["medoids"]
    return {
        label: sorted(ids, key=lambda id: (id != medoids.get(label), -strengths[id], id))[:REPRESENTATIVES]
        for label, ids in members.items()
    }


def _summary(answer: Mapping[str, Any], clusters: int) -> str:
    rows: list[tuple[str, object]] = [
        ("method", answer["method"]),
        ("clusters", clusters),
        ("items", len(answer["labels"])),
        ("items in no cluster", len(answer["noise"])),
        ("items that came after clustering", len(answer["assigned"])),
    ]
    sizes = sorted(answer["sizes"].values())
    if sizes:
        extent = f"{sizes[0]}, {sizes[len(sizes) // 2]}, {sizes[-1]}"
        rows.append(("items of the smallest, the median and the largest cluster", extent))
    rows.append(("silhouette: how far clusters stand apart, -1 to 1", answer["silhouette"]))
    if answer["stability"] is not None:
        rows.append(("stability: the same clusters come out of 80 % of the items, to 1", answer["stability"]))
    note = ""
    if clusters > MOST_CLUSTERS:
        note = paragraph(f"Pictures are shown of the {MOST_CLUSTERS} largest clusters.")
    return table(["", "value"], rows, right=["value"]) + note


def _table(answer: Mapping[str, Any], order: Sequence[int]) -> str:
    columns = ["cluster", "name", "items", "medoid", "cohesion"]
    rows = [
        (label, *(answer[of].get(label, "") for of in ("names", "sizes", "medoids", "cohesion")))
        for label in order
    ]
    return table(columns, rows, right=["cluster", "items", "cohesion"])


def _tiles(answer: Mapping[str, Any], ids: Sequence[str], thumbnails: Thumbnails) -> str:
    pictures = thumbnails(ids)
    return grid([_tile(answer, id, pictures[id]) for id in ids if id in pictures])


def _tile(answer: Mapping[str, Any], id: str, picture: bytes) -> Tile:
    label, strength = answer["labels"][id], answer["strengths"][id]
    badge = "medoid" if answer["medoids"].get(label) == id else ""
    return Tile(
        picture, id, badge=badge, detail=f"strength {strength:.2f}" if label in answer["names"] else ""
    )
