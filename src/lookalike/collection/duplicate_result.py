"""What a search for duplicates answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, Literal

DuplicateKind = Literal["exact", "near"]
"""``exact``: the same bytes; ``near``: edits of one picture, copies with the same bytes among them."""


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """Copies of one picture.

    Args:
        ids: The one to keep first, then the others from the best to the worst.
        kind: ``exact`` when all have the same bytes, else ``near``.
        similarity: Of the weakest pair, 1 for the same picture, at least the threshold.
        reason: Why the first is the one to keep.
        rows: The items' rows, in the order of the ids; a changed picture has another row.
    """

    ids: tuple[str, ...]
    kind: DuplicateKind
    similarity: float
    reason: str
    rows: tuple[int, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Groups of copies.

    Args:
        details: The groups with all that is known of them, by the id to keep.
        threshold: The least similarity of two copies, 0 to 1; None when only the same bytes counted.
        precision: Expected share of near pairs that are copies, estimated from the collection's background
            (:mod:`lookalike.tasks.duplicate_threshold`). None when there is no near pair.
        recall: Share of edits of some of the collection's own pictures that reach the threshold; None when only the
            same bytes counted.
        items: How many were searched.
        provenance: Everything that the answer depends on, with the numbers behind threshold and precision.
        thumbnails: Reads WebP bytes by id, as long as the collection is open; ids that are gone are left out.
    """

    details: tuple[DuplicateGroup, ...]
    threshold: float | None
    precision: float | None
    recall: float | None
    items: int
    provenance: Mapping[str, Any]
    thumbnails: Callable[[Sequence[str]], Mapping[str, bytes]] = field(repr=False, compare=False)

    @property
    def groups(self) -> list[list[str]]:
        """Ids of each group, the best one to keep first."""
        return [list(group.ids) for group in self.details]

    @property
    def others(self) -> list[str]:
        """All ids but the one to keep of each group."""
        return [id for group in self.details for id in group.ids[1:]]

    def __len__(self) -> int:
        return len(self.details)

    def to_dict(self) -> dict[str, Any]:
        """The answer as plain types, for JSON; without the thumbnails."""
        return {
            "groups": self.groups,
            "details": [
                {name: value for name, value in asdict(group).items() if name != "rows"}
                for group in self.details
            ],
            "items": self.items,
            "others": len(self.others),
            "threshold": self.threshold,
            "precision": self.precision,
            "recall": self.recall,
            "provenance": dict(self.provenance),
        }

    def save_html(self, path: str | PathLike[str]) -> Path:
        """Write a report: every group with its pictures side by side, the one to keep marked, and why.

        Returns:
            The path written.
        """
        from lookalike.reports.deduplication import report
        from lookalike.reports.page import write

        write(path, report(self.to_dict(), self.thumbnails))
        return Path(path)
