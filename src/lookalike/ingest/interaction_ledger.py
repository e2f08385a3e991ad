"""The account of an import of interactions: every row ends in exactly one of three columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lookalike.types import Failure


@dataclass(frozen=True, slots=True)
class InteractionLedger:
    """What became of every row of one import.

    Args:
        inputs: How many rows there were.
        added: New interactions.
        known: Interactions that were there already, and repeats of a row of the same import.
        failed: Rows that are no interactions; ``added``, ``known`` and ``failed`` sum to ``inputs``.
        failures: Where each of the first 1,000 of these is, and the reason.
        unmatched_items: Different names that interactions of this import gave to items, and that are neither an
            item's id nor a value of the grouping attribute, if one was named. They count as soon as there is
            such an item.
    """

    inputs: int
    added: int
    known: int
    failed: int
    failures: list[Failure] = field(default_factory=list)
    unmatched_items: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The account as plain types, for JSON."""
        return {
            "inputs": self.inputs,
            "added": self.added,
            "known": self.known,
            "failed": self.failed,
            "failures": [{"where": where, "reason": reason} for where, reason in self.failures],
            "unmatched_items": self.unmatched_items,
        }
