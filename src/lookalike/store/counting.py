"""What a store says of its items without handing them out: how often values occur, and which rows come next."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from lookalike.types import Rows


@dataclass(frozen=True, slots=True)
class ValueCounts:
    """How often the values of an attribute occur.

    Args:
        values: Values with the number of items that have each; the most frequent first, equal ones by value. Of
            ``tags``, one spelling of each word.
        distinct: How many different values there are, also those not listed.
        missing: Items that do not have the attribute.
    """

    values: tuple[tuple[str | int | float | bool, int], ...]
    distinct: int
    missing: int


@dataclass(frozen=True, slots=True)
class ValueRange:
    """From where to where the values of a number reach.

    Args:
        least, greatest: None where no item has the attribute.
        present: Items that have it.
        missing: Items that do not.
    """

    least: int | float | None
    greatest: int | float | None
    present: int
    missing: int


class CountingRecord(ABC):
    """The part of the store's contract that counts. ``rows`` are those to look at; None: all."""

    @abstractmethod
    def next_rows(self, after: int, limit: int) -> list[int]:
        """The first ``limit`` rows greater than ``after``, ascending."""

    @abstractmethod
    def count_values(self, attribute: str, rows: Rows | None = None, *, most: int) -> ValueCounts:
        """How often each value of an attribute occurs.

        Args:
            attribute: An attribute or a built-in one.
            rows: Which items to look at; rows that are gone count for nothing.
            most: How many values are listed.

        Raises:
            InputError: If there is no such attribute; lists those that exist.
        """

    @abstractmethod
    def value_range(self, attribute: str, rows: Rows | None = None) -> ValueRange:
        """The least and the greatest value of a number.

        Raises:
            InputError: If there is no such attribute, or it is no number.
        """

    @abstractmethod
    def count_between(
        self, attribute: str, edges: Sequence[int | float], rows: Rows | None = None
    ) -> list[int]:
        """How many items have a number in each interval.

        Args:
            attribute: A number.
            edges: Ascending, at least two. An interval holds its lower edge; the last one holds its upper edge too.
            rows: Which items to look at.

        Returns:
            One count for each of the ``len(edges) - 1`` intervals.

        Raises:
            InputError: If there is no such attribute, or it is no number, or edges do not ascend.
        """
