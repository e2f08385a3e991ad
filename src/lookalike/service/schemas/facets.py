"""Counts of attribute values."""

from __future__ import annotations

from pydantic import BaseModel, Field

from lookalike.types import AttributeType


class ValueCountAnswer(BaseModel):
    """A value, and how many items have it."""

    value: bool | int | float | str
    count: int


class IntervalAnswer(BaseModel):
    """How many items have a number from `from` up to, but not, `to`; the last interval holds `to` as well."""

    low: float = Field(alias="from")
    high: float = Field(alias="to")
    count: int


class FacetAnswer(BaseModel):
    """One attribute: values and their counts, or the range of a number and its histogram."""

    type: AttributeType
    missing: int = Field(description="Items that do not have it.")
    values: list[ValueCountAnswer] | None = Field(
        None, description="The most frequent first; not given for numbers."
    )
    distinct: int | None = Field(None, description="How many values there are, also those not listed.")
    min: float | None = Field(None, description="Of a number; null where no item has it.")
    max: float | None = None
    histogram: list[IntervalAnswer] | None = Field(None, description="Of a number; edges are round.")


class FacetsAnswer(BaseModel):
    """Facets of several attributes over the same items."""

    items: int = Field(description="How many items were counted.")
    facets: dict[str, FacetAnswer]
