"""The account of an indexing run: every input ends in exactly one of four columns."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lookalike.types import Failure


@dataclass(slots=True)
class Ledger:
    """What became of every input of one run.

    Args:
        inputs: How many inputs the sources gave.
        added: New items.
        updated: Items whose picture or attributes changed.
        unchanged: Items that were up to date, and repeats of an input of the same run.
        failed: Inputs that could not become items.
        failures: Each failed input's uri and the reason.
        pruned: Items removed because they vanished from their source; not inputs.
        unmatched_attributes: Rows of the attributes table whose key is no item's id; not inputs.
        report: Where the failures were written, if there were any.
    """

    inputs: int = 0
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0
    failures: list[Failure] = field(default_factory=list)
    pruned: int = 0
    unmatched_attributes: int = 0
    report: str | None = None

    @property
    def accounted(self) -> int:
        """Inputs that ended in one of the four columns."""
        return self.added + self.updated + self.unchanged + self.failed

    def fail(self, uri: str, reason: str) -> None:
        """Note one input that could not become an item."""
        self.failed += 1
        self.failures.append(Failure(uri, reason))

    def check(self) -> None:
        """Make sure that nothing was lost.

        Raises:
            AssertionError: If the four columns do not sum to the inputs; this is a bug in lookalike.
        """
        if self.accounted != self.inputs or self.failed != len(self.failures):
            raise AssertionError(f"the ledger does not add up, please report this: {self}")

    def to_dict(self) -> dict[str, Any]:
        """The account as plain types, for JSON."""
        return {
            "inputs": self.inputs,
            "added": self.added,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "failed": self.failed,
            "failures": [{"uri": uri, "reason": reason} for uri, reason in self.failures],
            "pruned": self.pruned,
            "unmatched_attributes": self.unmatched_attributes,
            "report": self.report,
        }

    def write_report(self, path: Path) -> None:
        """Write the failures as JSON lines in the place of the last run's report; no failures leave no file."""
        if not self.failures:
            path.unlink(missing_ok=True)
            return
        temporary = path.with_name(path.name + ".tmp")
        with temporary.open("w", encoding="utf-8") as file:
            for uri, reason in self.failures:
                file.write(json.dumps({"uri": uri, "reason": reason}, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        self.report = str(path)
