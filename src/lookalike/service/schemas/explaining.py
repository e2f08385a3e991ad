"""Why two pictures are similar, and vectors of pictures."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from lookalike.service.schemas.bodies import Body, PictureBytes
from lookalike.service.schemas.items import Id


class ExplainRequest(Body):
    """A picture against an item."""

    image: PictureBytes
    b: Id
    method: Literal["auto", "exact", "occlusion"] = "auto"
    pairs: int = Field(5, ge=0, le=20, description="Most pairs of matching regions.")
    crop: str | None = Field(
        None, max_length=200, description="The region `x,y,w,h` of the picture to look at."
    )


class ExplainedPicture(BaseModel):
    """One of the two pictures."""

    name: str
    width: int
    height: int
    region: list[int] = Field(
        description="Left, top, right, bottom of what was looked at, in the picture's pixels."
    )
    seen: list[float] = Field(description="What of it the network saw, in the same way.")
    read_from: str = Field(description="original, thumbnail or given.")
    note: str
    shares: list[list[float]] = Field(description="One number for each cell: what it adds to the similarity.")
    border: float = Field(description="What lies on the border that padding adds.")


class PairAnswer(BaseModel):
    """Two regions that match."""

    a: list[int] = Field(description="Left, top, right, bottom, in the picture's pixels.")
    b: list[int]
    likeness: float
    contribution: float | None


class ExplanationAnswer(BaseModel):
    """Why two pictures are similar."""

    similarity: float
    full_similarity: float
    stored_similarity: float | None
    method: str
    error: float | None
    a: ExplainedPicture
    b: ExplainedPicture
    pairs: list[PairAnswer]
    notes: list[str]
    provenance: dict[str, Any]
    png: str | None = Field(description="Address of a picture of this; null where the first is no item.")


class EmbedRequest(Body):
    """Pictures to embed."""

    image: list[PictureBytes] = Field(min_length=1, max_length=64)


class EmbedAnswer(BaseModel):
    """Vectors of the collection's encoder."""

    encoder: str
    fingerprint: str
    dimensions: int
    vectors: list[list[float]] = Field(description="One for each picture, L2-normalised, in their order.")
