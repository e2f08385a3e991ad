"""What an evaluation of recommendation finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.evaluate.bootstrap import Interval, PairedResult


@dataclass(frozen=True, slots=True)
class StrategyResult:
    """One strategy or baseline.

    Args:
        measures: Means over the users with their intervals: ``recall@k``, ``ndcg@k``, ``hit@k``, ``mrr``,
            ``intra_list_diversity``, ``novelty``, ``recall_rare@k``; None where no user has a value.
        coverage: Share of the catalogue that is in any user's list. It has no interval: a resample repeats some users
            and leaves out others, so it covers less than as many different users do.
        answered: Users who got a list; the others count with an empty one.
        per_user: Each measure of each user, float64 (users,), NaN where it has none; not part of :meth:`to_dict`.
    """

    measures: Mapping[str, Interval | None]
    coverage: float
    answered: int
    per_user: Mapping[str, npt.NDArray[np.float64]] = field(repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """The means by name, and their intervals under ``intervals``."""
        means = {name: None if of is None else of.estimate for name, of in self.measures.items()}
        return {
            **means,
            "coverage": self.coverage,
            "answered": self.answered,
            "intervals": {
                name: {
                    key: value
                    for key, value in asdict(of).items()
                    if key in ("low", "high", "level", "count")
                }
                for name, of in self.measures.items()
                if of is not None
            },
        }


@dataclass(frozen=True, slots=True)
class RecommendationEvaluation:
    """How well strategies foresee what users did next.

    Args:
        strategies: Each row's result, by name.
        reference: The row that the others are compared with: ``interests`` where it takes part, else the first.
        comparisons: Of each other row, the reference's ``recall@k`` and ``ndcg@k`` minus that row's, by the paired
            test over the users.
        users: Users that the measures are means over.
        cold_users: Users without any interaction before the split.
        cold: The rows that have something to say to these, on these alone; empty where they take part above.
        split: The moment, ISO 8601.
        k: Length of a list.
        units: Units of the catalogue, all of which are ranked.
        rare_units: Of these, how many had fewer than 5 interactions before the split.
        counts: Interactions by what became of them.
        provenance: Everything the result depends on.
    """

    strategies: Mapping[str, StrategyResult]
    reference: str
    comparisons: Mapping[str, Mapping[str, PairedResult]]
    users: int
    cold_users: int
    cold: Mapping[str, StrategyResult]
    split: str
    k: int
    units: int
    rare_units: int
    counts: Mapping[str, int]
    provenance: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The evaluation as plain types, for JSON."""
        return {
            "strategies": {name: result.to_dict() for name, result in self.strategies.items()},
            "reference": self.reference,
            "comparisons": {
                name: {measure: asdict(result) for measure, result in measures.items()}
                for name, measures in self.comparisons.items()
            },
            "users": self.users,
            "cold": {
                "users": self.cold_users,
                "strategies": {name: result.to_dict() for name, result in self.cold.items()},
            },
            "split": self.split,
            "k": self.k,
            "units": self.units,
            "rare_units": self.rare_units,
            "counts": dict(self.counts),
            "provenance": dict(self.provenance),
        }

    def save_html(self, path: str | PathLike[str]) -> Path:
        """Write the evaluation as one self-contained HTML file; returns its path."""
        from lookalike.reports.page import write
        from lookalike.reports.recommendation_evaluation import recommendation_page

        write(path, recommendation_page(self.to_dict()))
        return Path(path)
