"""What an evaluation of retrieval finds: measures with intervals, where it fails, and everything it depends on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.evaluate.bootstrap import Interval, PairedResult
from lookalike.evaluate.misses import Misses
from lookalike.types import Failure

Thumbnails = Callable[[Sequence[str]], Mapping[str, bytes]]
"""WebP bytes by name, of those that can be had."""


@dataclass(frozen=True, slots=True)
class ClassResult:
    """The queries of one label.

    Args:
        label: The label.
        queries: How many of them have an answer.
        recall: Their mean recall at the first k.
        mean_average_precision: Their mAP.
    """

    label: str
    queries: int
    recall: float
    mean_average_precision: float


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """One answer to a query that went wrong.

    Args:
        name: Id or path of the gallery item.
        label: Its label.
        rank: From 1.
        score: Cosine similarity with the query.
        right: Whether it is relevant.
    """

    name: str
    label: str
    rank: int
    score: float
    right: bool


@dataclass(frozen=True, slots=True)
class WorstQuery:
    """A query with a low average precision.

    Args:
        name: Id or path of the query.
        label: Its label.
        average_precision: In [0, 1].
        got: What came first.
        wanted: The best ranked relevant item, which should have come first.
    """

    name: str
    label: str
    average_precision: float
    got: tuple[ShownAnswer, ...]
    wanted: ShownAnswer | None


@dataclass(frozen=True, slots=True)
class Variant:
    """The same queries answered with one more step, such as a re-ranking.

    Args:
        measures: Its measures.
        gains: Against the answers without it, by the paired test.
    """

    measures: Mapping[str, Interval]
    gains: Mapping[str, PairedResult]


@dataclass(frozen=True, slots=True)
class RetrievalReport:
    """How well similarity finds what belongs together.

    Args:
        measures: ``recall@k``, ``mAP`` and ``nDCG@10``, or those of a published protocol, each with its interval.
        queries: Queries with an answer, which the measures are means over.
        unanswerable: Queries left out since nothing in the gallery is relevant to them, or their label is not known.
        items: Gallery items that count.
        unlabelled: Gallery items whose label is not known; they count neither for nor against.
        labels: Different labels among the queries.
        classes: The labels with the lowest mAP, worst first.
        worst: Queries with the lowest average precision, at most one a label, worst first.
        misses: At each k, whose fault the misses are; empty where no index is involved.
        reranked: Name of a re-ranking to what it changes.
        failures: Pictures that could not be read and are left out.
        provenance: Everything the result depends on.
        per_query: Each measure of each query, float64 (q,), NaN without an answer; not part of :meth:`to_dict`.
        thumbnails: Reads pictures for the report.
    """

    measures: Mapping[str, Interval]
    queries: int
    unanswerable: int
    items: int
    unlabelled: int
    labels: int
    classes: tuple[ClassResult, ...]
    worst: tuple[WorstQuery, ...]
    misses: tuple[Misses, ...]
    reranked: Mapping[str, Variant]
    failures: tuple[Failure, ...]
    provenance: Mapping[str, Any]
    per_query: Mapping[str, npt.NDArray[np.float64]] = field(repr=False, compare=False)
    thumbnails: Thumbnails = field(repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain types, for JSON."""
        return {
            "measures": {name: asdict(interval) for name, interval in self.measures.items()},
            "queries": self.queries,
            "unanswerable": self.unanswerable,
            "items": self.items,
            "unlabelled": self.unlabelled,
            "labels": self.labels,
            "misses": [asdict(entry) for entry in self.misses],
            "reranked": {
                name: {
                    "measures": {m: asdict(interval) for m, interval in variant.measures.items()},
                    "gains": {m: asdict(gain) for m, gain in variant.gains.items()},
                }
                for name, variant in self.reranked.items()
            },
            "classes": [asdict(entry) for entry in self.classes],
            "worst": [asdict(entry) for entry in self.worst],
            "failures": [failure._asdict() for failure in self.failures],
            "provenance": dict(self.provenance),
        }

    def save_html(self, path: str | PathLike[str]) -> Path:
        """Write the report as one self-contained HTML file; returns its path."""
        from lookalike.reports.evaluation import retrieval_page
        from lookalike.reports.page import write

        write(path, retrieval_page(self.to_dict(), self.thumbnails(self._shown())))
        return Path(path)

    def detached(self) -> RetrievalReport:
        """The same report with its pictures read, so that it outlives the open collection."""
        pictures = dict(self.thumbnails(self._shown()))
        return replace(
            self, thumbnails=lambda names: {name: pictures[name] for name in names if name in pictures}
        )

    def _shown(self) -> list[str]:
        return [name for query in self.worst for name in _names(query)]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two encoders or settings on the same queries and gallery.

    Args:
        names: What was compared, the first against the second.
        differences: Of each measure, first minus second, by the paired test.
        reports: The report of each.
        provenance: Everything the result depends on.
    """

    names: tuple[str, str]
    differences: Mapping[str, PairedResult]
    reports: tuple[RetrievalReport, RetrievalReport]
    provenance: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The comparison as plain types, for JSON."""
        return {
            "names": list(self.names),
            "differences": {name: asdict(result) for name, result in self.differences.items()},
            "reports": [report.to_dict() for report in self.reports],
            "provenance": dict(self.provenance),
        }

    def save_html(self, path: str | PathLike[str]) -> Path:
        """Write the comparison as one self-contained HTML file; returns its path."""
        from lookalike.reports.evaluation import comparison_page
        from lookalike.reports.page import write

        write(path, comparison_page(self.to_dict()))
        return Path(path)


def _names(query: WorstQuery) -> list[str]:
    shown = [query.name, *(answer.name for answer in query.got)]
    return shown if query.wanted is None else [*shown, query.wanted.name]
