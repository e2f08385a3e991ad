"""Items, pages of them, and what is changed of them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, RootModel

from lookalike.service.schemas.bodies import Body

AttributeValue = str | int | float | bool | list[str] | None

Where = Annotated[
    str | None,
    Field(
        description='A filter on attributes, such as `price < 300 and category in ("Kitchen", "Office")`.',
        max_length=10_000,
        examples=["price < 300 and in_stock"],
    ),
]

Id = Annotated[
    str, Field(description="Of an item.", min_length=1, max_length=4096, examples=["catalog/chair_0.jpg"])
]


class Linked(BaseModel):
    """Where an item's pictures are."""

    thumbnail: str = Field(description="Address of a small WebP picture.")
    original: str = Field(description="Address of the picture; `?size=` asks for a smaller one.")


class ItemAnswer(Linked):
    """One image of a collection."""

    id: str = Field(examples=["catalog/chair_0.jpg"])
    width: int = Field(description="Of the upright picture, pixels.")
    height: int
    attributes: dict[str, Any] = Field(description="`tags` among them.")


class ItemsAnswer(BaseModel):
    """Some items."""

    items: list[ItemAnswer]
    next: str | None = Field(description="What to send as `after` for the next page; null: there is none.")


class AttributeChanges(RootModel[dict[Id, dict[str, AttributeValue]]]):
    """Attributes by item: `{id: {name: value}}`; null takes one away, names not given stay as they are."""

    model_config = ConfigDict(
        strict=True,
        allow_inf_nan=False,
        json_schema_extra={"examples": [{"catalog/chair_0.jpg": {"price": 129.0, "in_stock": True}}]},
    )
    root: dict[Id, dict[str, AttributeValue]] = Field(max_length=10_000)


class Changed(BaseModel):
    """What was changed."""

    changed: list[str] = Field(description="Ids of the items whose attributes are others now.")


class Removal(Body):
    """Which items to remove: by id, or by a filter."""

    ids: list[Id] | None = Field(None, min_length=1, max_length=10_000)
    where: Where = None


class Removed(BaseModel):
    """What was removed."""

    removed: int = Field(description="How many items.")


class LedgerFailure(BaseModel):
    """A picture that could not become an item."""

    uri: str = Field(description="Its name, as it was sent.")
    reason: str


class LedgerAnswer(BaseModel):
    """What became of every picture: the four counts sum to the inputs."""

    inputs: int
    added: int
    updated: int
    unchanged: int
    failed: int
    failures: list[LedgerFailure]
    unmatched_attributes: int = Field(description="Names in `attributes` that no picture had.")
    ids: list[str] = Field(description="Of all items that are in the collection now.")
