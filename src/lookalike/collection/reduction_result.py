"""What a reduction of a collection is: the reducer chosen, what it was chosen from, what it saves."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from os import PathLike
from typing import Any

from lookalike.evaluate.reduction import SizeRow
from lookalike.store.base import Fitted


@dataclass(frozen=True, slots=True)
class SizeTable:
    """What sizes of a collection's vectors keep, measured on its own.

    Args:
        rows: Full vectors first, then by dimensions.
        provenance: What was measured: method, neighbours, queries, gallery, collection version.
    """

    rows: tuple[SizeRow, ...]
    provenance: Mapping[str, Any]

    def html(self, path: str | PathLike[str]) -> None:
        """Write a report: the table, and quality against bytes as a plot."""
        from lookalike.reports.page import write
        from lookalike.reports.reduction import report

        write(path, report(self.rows, None, self.provenance))

    def png(self, path: str | PathLike[str]) -> None:
        """Write the plot of quality against bytes."""
        from lookalike.reports.page import write_bytes
        from lookalike.reports.reduction import plot

        write_bytes(path, plot(self.rows, None))


@dataclass(frozen=True, slots=True)
class Reduction:
    """The reducer that a collection is searched with.

    Args:
        method: How it was fitted.
        dimensions: Of a vector as it is searched.
        precision: In which these vectors are kept.
        rows: What was measured to choose from, full vectors first.
        chosen: The row of what is used.
        bytes_before, bytes_after: That the searched vectors of all items take.
        version: Of the reducer; counts up with everything that is fitted.
        provenance: Everything the reduction depends on.
    """

    method: str
    dimensions: int
    precision: str
    rows: tuple[SizeRow, ...]
    chosen: SizeRow
    bytes_before: int
    bytes_after: int
    version: int
    provenance: Mapping[str, Any]

    @classmethod
    def of(cls, fitted: Fitted, items: int) -> Reduction:
        """What was saved with a reducer, for so many items."""
        about = dict(fitted.provenance)
        rows = tuple(_row(each) for each in about.pop("rows"))
        return cls(
            method=about["method"],
            dimensions=about["dimensions"],
            precision=about["precision"],
            rows=rows,
            chosen=_row(about.pop("chosen")),
            bytes_before=items * int(about["bytes_per_vector_before"]),
            bytes_after=items * int(about["bytes_per_vector_after"]),
            version=fitted.version,
            provenance={**about, "version": fitted.version, "fingerprint": fitted.fingerprint},
        )

    def html(self, path: str | PathLike[str]) -> None:
        """Write a report: the table, what was chosen, and quality against bytes as a plot."""
        from lookalike.reports.page import write
        from lookalike.reports.reduction import report

        write(path, report(self.rows, self.chosen, self.provenance))

    def png(self, path: str | PathLike[str]) -> None:
        """Write the plot of quality against bytes."""
        from lookalike.reports.page import write_bytes
        from lookalike.reports.reduction import plot

        write_bytes(path, plot(self.rows, self.chosen))


def as_json(row: SizeRow) -> dict[str, Any]:
    """A row as JSON; an interval that could not be estimated is null."""
    return {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in asdict(row).items()
    }


def _row(saved: Mapping[str, Any]) -> SizeRow:
    unknown = {name: math.nan for name in ("kept_low", "kept_high") if saved[name] is None}
    return SizeRow(**{**saved, **unknown})
