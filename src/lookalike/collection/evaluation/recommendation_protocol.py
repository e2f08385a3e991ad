"""How strategies of recommendation are compared: the settings, checked before any work is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias, get_args

from lookalike.collection.advising import HalfLife
from lookalike.collection.evaluation.recommendation_events import WANTED
from lookalike.errors import InputError
from lookalike.evaluate.bootstrap import bootstrap_interval
from lookalike.evaluate.recommendation_contenders import check_names
from lookalike.tasks.recommend.taste import Taste

ColdUsers = Literal["apart", "included"]
Progress: TypeAlias = bool | Callable[[int, int], None]

MOST_USERS = 10_000


@dataclass(frozen=True, slots=True)
class Protocol:
    """How strategies are compared; the arguments of ``Collection.evaluate_recommendation``.

    Args:
        split: The moment.
        group_by: Attribute whose values are recommended; None: items.
        k: Length of a list.
        strategies: Rows; None: all.
        tastes: Further rows by name.
        events: Events that count as relevant after the split.
        event_weights: Beside those that the collection keeps.
        half_life: Days, None, or ``learned``.
        cold_users: ``apart`` or ``included``.
        columns: Names of a table's columns.
        level, resamples, seed: Of the bootstrap.
        most_users: More than these are sampled; None: all.
    """

    split: datetime | str
    group_by: str | None = None
    k: int = 20
    strategies: Sequence[str] | None = None
    tastes: Mapping[str, Taste] = field(default_factory=dict)
    events: Sequence[str] = WANTED
    event_weights: Mapping[str, float] | None = None
    half_life: HalfLife = "learned"
    cold_users: ColdUsers = "apart"
    columns: Mapping[str, str] | None = None
    level: float = 0.95
    resamples: int = 2000
    seed: int = 0
    most_users: int | None = MOST_USERS

    def __post_init__(self) -> None:
        """Refuse what would only fail after minutes of work."""
        if self.cold_users not in get_args(ColdUsers):
            raise InputError(
                f"cold_users {self.cold_users!r} is not known: choose one of {', '.join(get_args(ColdUsers))}"
            )
        if isinstance(self.k, bool) or not isinstance(self.k, int) or self.k < 1:
            raise InputError(f"k is {self.k!r}: expected a whole number of at least 1, the length of a list")
        if self.most_users is not None and self.most_users < 1:
            raise InputError(f"most_users is {self.most_users}: expected at least 1, or None for all")
        if isinstance(self.half_life, str) and self.half_life != "learned":
            raise InputError(f"half_life {self.half_life!r} is not known: expected days, None or 'learned'")
        if not isinstance(self.half_life, str) and self.half_life is not None and not self.half_life > 0:
            raise InputError(f"half_life is {self.half_life}: expected days above 0, or None for no decay")
        if self.strategies is not None or self.tastes:
            check_names(self.strategies if self.strategies is not None else (), self.tastes)
        bootstrap_interval([0.0, 1.0], level=self.level, resamples=self.resamples)  # refuses what is no such
