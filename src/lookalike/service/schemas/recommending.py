"""Recommendations, and what users did."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, RootModel

from lookalike.service.schemas.bodies import Body
from lookalike.service.schemas.items import Id, Linked, Where
from lookalike.tasks.recommend.taste import Strategy
from lookalike.types import MOST_WEIGHT

User = Annotated[str, Field(description="By a name of the application's own.", min_length=1, max_length=1000)]
GroupBy = Annotated[
    str | None,
    Field(
        max_length=200,
        description="Attribute whose values are recommended, such as a product with several views.",
    ),
]
MOST_EVENTS = 10_000


class RecommendRequest(Body):
    """For whom, from what, and how."""

    like: list[Id] = Field([], max_length=1000, description="Items, or values of `group_by`.")
    dislike: list[Id] = Field([], max_length=1000, description="Items, or values of `group_by`.")
    user: User | None = None
    k: int = Field(12, ge=1, le=1000)
    where: Where = None
    group_by: GroupBy = None
    strategy: Strategy = "interests"
    diversity: float = Field(0.0, ge=0, le=1)
    exploration: float | None = Field(None, ge=0, le=1, description="Share of the answer that explores.")
    half_life: float | Literal["learned"] | None = Field(
        "learned", description="Days after which an event counts half; null: time takes nothing away."
    )
    together: bool = Field(True, description="Use what other people liked together; false: looks alone.")
    target: Id | None = Field(None, description="What the strategy discover looks for.")
    again: bool = Field(False, description="Recommend also what the user met before.")
    seed: int = Field(0, ge=0, lt=2**63)

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"like": ["catalog/chair_0.jpg"], "k": 12, "where": "in_stock"}]}
    )


class AlsoLikeQuery(Body):
    """What to show beside an item; numbers come as text in an address."""

    model_config = ConfigDict(strict=False)

    k: int = Field(12, ge=1, le=1000)
    where: Where = None
    group_by: GroupBy = None
    diversity: float = Field(0.0, ge=0, le=1)
    together: bool = True


class BecauseAnswer(BaseModel):
    """Something liked that speaks for a recommendation."""

    id: str
    similarity: float = Field(description="Cosine between the two.")
    share: float = Field(description="Its part of everything that speaks for the recommendation.")
    together: float = Field(description="How much of that part comes from people who liked both.")
    event: str | None
    time: str | None


class RecommendationAnswer(Linked):
    """One item that is recommended, and why."""

    id: str
    score: float
    origin: str = Field(description="interest, formula or exploration.")
    interest: int | None = Field(description="Which of the person's interests it answers; null: none.")
    attributes: dict[str, Any]
    because: list[BecauseAnswer] = Field(description="The strongest first.")


class InterestAnswer(BaseModel):
    """One interest of a person."""

    importance: float
    medoid: str
    members: list[str]


class RecommendationsAnswer(BaseModel):
    """Recommendations in order."""

    user: str | None
    recommendations: list[RecommendationAnswer]
    interests: list[InterestAnswer]
    examples: dict[str, str] = Field(
        description="For names in `because` and `interests`: an item that shows what is meant."
    )
    example_pictures: dict[str, Linked] = Field(description="By the same names.")
    provenance: dict[str, Any]


class EventRequest(Body):
    """Something that a user did to an item, once."""

    user: User
    item: Id
    event: str = Field(min_length=1, max_length=200, examples=["view"])
    time: AwareDatetime | None = Field(
        None,
        strict=False,
        description="With its time zone; by default now.",
        examples=["2026-01-31T12:00:00Z"],
    )
    weight: float = Field(1.0, ge=0, le=MOST_WEIGHT, description="Multiplies the event's weight.")


class EventsRequest(RootModel[list[EventRequest]]):
    """Several events; all or none are recorded."""

    root: list[EventRequest] = Field(min_length=1, max_length=MOST_EVENTS)


class Recorded(BaseModel):
    """What was recorded."""

    recorded: int = Field(description="New events.")
    known: int = Field(description="Events that were recorded before.")


class EventAnswer(BaseModel):
    """One event of a user."""

    item: str
    event: str
    time: datetime
    weight: float


class EventsAnswer(BaseModel):
    """What a user did, by time."""

    events: list[EventAnswer]


class ProfileAnswer(BaseModel):
    """What a user likes."""

    user: str
    interests: list[InterestAnswer] = Field(description="The most important first.")
    disliked: list[str]
    events: int = Field(description="How many events this was made of.")
    unknown: int = Field(description="How many more name nothing in the collection.")


class Forgotten(BaseModel):
    """What was forgotten of a user."""

    forgotten: int = Field(description="How many events.")


class EventWeights(RootModel[dict[str, float]]):
    """What each known event says about an item: above 0 liking, below 0 disliking."""


class EventWeightChanges(RootModel[dict[str, float | None]]):
    """Weights to set; null takes back what was set. Events not given stay as they are."""

    model_config = ConfigDict(
        strict=True, allow_inf_nan=False, json_schema_extra={"examples": [{"added to wish list": 2.0}]}
    )
    root: dict[str, float | None] = Field(max_length=1000)


class RecommenderRequest(Body):
    """What to learn."""

    group_by: GroupBy = None
    seed: int = Field(0, ge=0, lt=2**63, description="Of the samples that settings are chosen on.")
