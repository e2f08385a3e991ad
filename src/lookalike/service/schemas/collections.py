"""What a collection is."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from lookalike.types import AttributeType


class CollectionSummary(BaseModel):
    """One collection."""

    name: str = Field(description="Under which it is served.", examples=["shop"])
    items: int


class CollectionsAnswer(BaseModel):
    """Several collections."""

    collections: list[CollectionSummary] = Field(description="By name.")


class FittedAnswer(BaseModel):
    """Something that was fitted on a collection."""

    kind: str = Field(examples=["clusters"])
    name: str = Field(examples=["default"])
    version: int = Field(description="Counts up with everything that is saved.")


class CollectionAnswer(CollectionSummary):
    """One collection, in all that is known of it."""

    version: int = Field(description="Counts up with every change.")
    encoder: str
    fingerprint: str = Field(description="Of the encoder; vectors of different ones are never compared.")
    layer: str
    pooling: str
    resize: str
    input: list[int] = Field(description="Height and width that the network sees, pixels.")
    dimensions: int = Field(description="Of a vector.")
    precision: str
    attributes: dict[str, AttributeType]
    sources: list[str] = Field(description="What ids begin with.")
    index: dict[str, Any]
    fitted: list[FittedAnswer]
    bytes: dict[str, int] = Field(
        description="Of the record, of what is derived from it, and of uploaded originals."
    )
