"""Searches and what they answer."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from lookalike.service.schemas.bodies import Body, PictureBytes
from lookalike.service.schemas.items import Id, Linked, Where
from lookalike.tasks.regions import Regions
from lookalike.tasks.rerank import Reranking

MOST_EXAMPLES = 16
"""Of each kind."""

Component = Annotated[float, Field(ge=-1e6, le=1e6)]
"""Of a vector: what single precision holds, with room for its square."""


class Narrowing(Body):
    """What every search may ask for."""

    k: int = Field(12, ge=1, le=10_000, description="How many hits; the service may allow fewer.")
    where: Where = None
    group_by: str | None = Field(
        None,
        max_length=200,
        description="Keep only the best item of each value of this attribute; still k of them.",
    )
    diversity: float = Field(
        0.0,
        ge=0,
        le=1,
        description="0 orders by similarity alone; towards 1 hits differ more from each other.",
    )
    min_strength: float = Field(
        0.0, ge=0, le=1, description="Leave out hits whose calibrated match strength is below this."
    )
    recall: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Expected share of the exact answer that the index finds; 1 searches exactly.",
    )
    regions: Regions = Field(
        "whole", description="Parts of the query picture to search with, for things that are small in it."
    )
    rerank: Reranking = Field("none", description="How the best hits are ordered anew.")
    but: str | None = Field(
        None, min_length=1, max_length=1000, description='More like this, but ... in words, such as "wooden".'
    )
    facets: str | None = Field(
        None,
        max_length=4000,
        description="Attributes, separated by commas, whose values are counted over all items that `where` selects.",
        examples=["category,price"],
    )


class SimilarQuery(Narrowing):
    """A search by an item; numbers come as text in an address."""

    model_config = ConfigDict(strict=False)


class SearchRequest(Narrowing):
    """Examples to search with. Several are averaged; a crop belongs to the first, pictures come before ids."""

    image: list[PictureBytes] = Field([], max_length=MOST_EXAMPLES, description="Pictures to search with.")
    id: list[Id] = Field([], max_length=MOST_EXAMPLES, description="Items to search with.")
    text: str | None = Field(None, min_length=1, max_length=1000, description="Words to search with.")
    vector: list[list[Component]] = Field(
        [],
        max_length=MOST_EXAMPLES,
        description="Vectors of the collection's encoder to search with; in a form `[0.1, 0.2, ...]`.",
    )
    minus_image: list[PictureBytes] = Field(
        [], max_length=MOST_EXAMPLES, description="Pictures that the hits should not look like."
    )
    minus_id: list[Id] = Field(
        [], max_length=MOST_EXAMPLES, description="Items that the hits should not look like."
    )
    crop: str | None = Field(
        None,
        max_length=200,
        description="The region `x,y,w,h` of the first example, in pixels or, when all are at most 1, fractions.",
        examples=["0.25,0.25,0.5,0.5"],
    )


FILES = ("image", "minus_image")
"""Fields of a search that are files in a form."""


class HitAnswer(Linked):
    """One answer."""

    id: str
    score: float = Field(description="Cosine similarity, -1 to 1; of words, how well they match.")
    strength: float | None = Field(
        description="Calibrated match strength, 0 to 1; null where words answered."
    )
    attributes: dict[str, Any]


class SearchAnswer(BaseModel):
    """Hits, best first."""

    query: str = Field(description="For people.")
    answered_by: str = Field(
        description="image, item, vector, text, words (tags and text attributes) or mixed."
    )
    query_thumbnail: str | None = Field(
        description="A data URL of what was looked at; null: it was no picture."
    )
    hits: list[HitAnswer]
    facets: dict[str, Any] | None = Field(None, description="As `GET .../facets` answers them.")
    provenance: dict[str, Any] = Field(description="Everything the answer depends on.")
    took_ms: float = Field(description="From the first byte read to the answer made, waiting included.")
