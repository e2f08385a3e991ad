"""Counting: which values the items of a collection have, and how many items have each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from typing import Any

from lookalike.collection.base import CollectionBase
from lookalike.errors import InputError
from lookalike.store.filters import attribute_type
from lookalike.types import AttributeType, Rows

MOST_VALUES = 1000
BINS = 12
"""Intervals that a histogram aims at; round edges make it a few more or less."""

_EXACT = 2**53
"""Whole numbers up to here are told apart as floats."""

_LARGEST = 1e300
"""Beyond it differences leave the range of numbers."""


@dataclass(frozen=True, slots=True)
class ValueCount:
    """A value, and how many items have it."""

    value: str | int | float | bool
    count: int


@dataclass(frozen=True, slots=True)
class Interval:
    """Items with a number of at least ``low`` and less than ``high``; the last interval holds its upper edge."""

    low: int | float
    high: int | float
    count: int


@dataclass(frozen=True, slots=True)
class Facet:
    """What the items have of one attribute.

    Args:
        type: Of the attribute.
        missing: Items that do not have it.
        values: The most frequent values first, equal counts by value; empty for numbers. Of ``tags`` each word
            once, however it is spelled.
        distinct: How many different values there are, also those that are not listed; None for numbers.
        least, greatest: Of a number; None where no item has it.
        histogram: Of a number: equal intervals with round edges; empty where no item has it.
    """

    type: AttributeType
    missing: int
    values: tuple[ValueCount, ...] = ()
    distinct: int | None = None
    least: int | float | None = None
    greatest: int | float | None = None
    histogram: tuple[Interval, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As plain types, for JSON: what numbers and other values do not share is left out."""
        plain: dict[str, Any] = {"type": self.type, "missing": self.missing}
        if self.type in ("integer", "number"):
            histogram = [{"from": each.low, "to": each.high, "count": each.count} for each in self.histogram]
            return plain | {"min": self.least, "max": self.greatest, "histogram": histogram}
        values = [asdict(each) for each in self.values]
        return plain | {"values": values, "distinct": self.distinct}


@dataclass(frozen=True, slots=True)
class Facets:
    """Facets of several attributes over the same items.

    Args:
        total: How many items were counted.
        facets: By attribute, in the order asked.
    """

    total: int
    facets: Mapping[str, Facet] = field(default_factory=dict)

    def __getitem__(self, attribute: str) -> Facet:
        """The facet of an attribute."""
        return self.facets[attribute]

    def to_dict(self) -> dict[str, Any]:
        """As plain types, for JSON."""
        return {
            "items": self.total,
            "facets": {name: facet.to_dict() for name, facet in self.facets.items()},
        }


class Counting(CollectionBase):
    """Counts what the items have, for a page that lets people narrow a search down."""

    def facets(
        self, attributes: str | Sequence[str] | None = None, *, where: str | None = None, most: int = 50
    ) -> Facets:
        """How many items have which values.

        Text, truth values and ``tags`` are counted by value, numbers by intervals.

        Args:
            attributes: Names of attributes or of ``source``, ``width``, ``height``, ``id``, ``uri``; by default all
                attributes of the collection.
            where: Count only the items that this filter selects.
            most: How many values of an attribute are listed, 1 to 1,000.

        Returns:
            A facet for each attribute.

        Raises:
            InputError: If an attribute does not exist or ``most`` is out of range; FilterError, a kind of it, points
                into ``where``.

        Example:
            >>> shop.facets(["category", "price"], where="in_stock")["category"].values[0]
            ValueCount(value='Kitchen', count=41)
        """
        if isinstance(most, bool) or not isinstance(most, int) or not 1 <= most <= MOST_VALUES:
            raise InputError(f"most = {most} values: expected a whole number from 1 to {MOST_VALUES:,}")
        names = [attributes] if isinstance(attributes, str) else attributes
        rows = None if where is None else self._searcher.select(where)
        schema = self._store.schema()
        found = {
            name: self._facet(name, attribute_type(name, schema), rows, most)
            for name in (schema if names is None else names)
        }
        return Facets(len(self) if rows is None else len(rows), found)

    def _facet(self, name: str, kind: AttributeType | None, rows: Rows | None, most: int) -> Facet:
        if kind not in (
            "integer",
            "number",
        ):  # an unknown one is refused by the store, which lists those there are
            counts = self._store.count_values(name, rows, most=most)
            values = tuple(ValueCount(*each) for each in counts.values)
            return Facet(kind or "text", counts.missing, values, counts.distinct)
        reach = self._store.value_range(name, rows)
        if reach.least is None or reach.greatest is None:
            return Facet(kind, reach.missing)
        edges = round_edges(reach.least, reach.greatest, whole=kind == "integer")
        counted = self._store.count_between(name, edges, rows)
        histogram = tuple(Interval(*each) for each in zip(edges, edges[1:], counted, strict=False))
        return Facet(kind, reach.missing, least=reach.least, greatest=reach.greatest, histogram=histogram)


def round_edges(least: int | float, greatest: int | float, *, whole: bool) -> list[int | float]:
    """Edges of about :data:`BINS` equal intervals that hold all of a range: multiples of 1, 2 or 5 times a power of 10.

    Args:
        least, greatest: The range.
        whole: Edges are whole numbers.

    Returns:
        At least two, ascending.
    """
    if least == greatest and abs(least) < _EXACT:
        return [math.floor(least), math.floor(least) + 1]
    reach = max(abs(least), abs(greatest))
    if reach > _LARGEST:
        return [least, greatest]
    span = max(greatest - least, reach * 1e-9)  # finer edges could not be told apart
    power = math.floor(math.log10(span / BINS))
    factor = next(each for each in (1, 2, 5, 10) if span / BINS <= each * 10.0**power * (1 + 1e-9))
    step = max(factor * Fraction(10) ** power, Fraction(1 if whole else 0))
    first, last = math.floor(Fraction(least) / step), math.ceil(Fraction(greatest) / step)
    return [_plain(at * step, whole=whole) for at in range(first, last + 1)]


def _plain(edge: Fraction, *, whole: bool) -> int | float:
    return int(edge) if whole or (edge.denominator == 1 and abs(edge) < _EXACT) else float(edge)
