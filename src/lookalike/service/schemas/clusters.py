"""Clusters and copies, as they are asked for and answered."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from lookalike.service.schemas.bodies import Body
from lookalike.service.schemas.learned import Provenance, Seed, Where
from lookalike.types import AttributeValue


class ClusterRequest(Body):
    """How to group."""

    k: int | None = Field(None, ge=1, le=100_000, description="Number of clusters; null: found out.")
    method: Literal["auto", "graph", "density", "kmeans"] = Field(
        "auto",
        description="`graph` for an unknown number, `kmeans` for k, `density` where much should be noise; `auto` "
        "chooses by k and size.",
    )
    granularity: Literal["auto", "coarse", "fine"] = Field(
        "auto", description="Of the graph: the split that stands out most, fewer clusters, or more."
    )
    min_size: int | None = Field(
        None, ge=2, le=1_000_000, description="Least items of a cluster; null: 2, for density 5."
    )
    where: Where = None
    attribute: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="Write the name of each item's cluster under this attribute.",
        examples=["group"],
    )
    stability: bool = Field(True, description="Measure it; without, it takes half the time.")
    seed: Seed = 0


class ClusterName(Body):
    """Another name for a cluster."""

    name: str = Field(min_length=1, max_length=200, examples=["oak chairs"])


class ClusterSummary(BaseModel):
    """One cluster."""

    label: int = Field(description="Its number; stays the same until the collection is clustered again.")
    name: str
    size: int = Field(description="Number of items.")
    medoid: str | None = Field(description="The item that is most like all the others in it.")
    cohesion: float = Field(description="Mean cosine between its items when it was found.")
    representatives: list[str] = Field(description="Its medoid, then ids that belong most strongly.")


class ClustersAnswer(BaseModel):
    """The clusters of a collection."""

    clusters: list[ClusterSummary] = Field(description="The largest first.")
    noise: int = Field(description="Items of no cluster; list them as cluster -1.")
    assigned: int = Field(description="Items that came later and were put into clusters that existed.")
    unsaved: int = Field(
        description="Those of them for which that is not saved; `POST .../clusters/update` saves it."
    )
    stability: float | None = Field(
        description="Mean pairwise adjusted Rand index of clusterings of 80 % subsamples; null: not measured."
    )
    silhouette: float = Field(description="Mean silhouette by cosine distance, -1 to 1.")
    method: str
    reason: str = Field(description="Why that method, for people.")
    provenance: Provenance


class ClusterItem(BaseModel):
    """One item."""

    id: str
    width: int
    height: int
    attributes: dict[str, AttributeValue]
    thumbnail: str
    original: str


class ClusterItems(BaseModel):
    """Items of a cluster: its medoid, then those that belong most strongly."""

    items: list[ClusterItem]
    next: str | None = Field(description="What to give as `after` for the next page; null: there is none.")


class DuplicatesRequest(Body):
    """How to look for copies."""

    kind: Literal["near", "exact"] = Field(
        "near", description="`near`: edits of one picture; `exact`: the same bytes alone."
    )
    precision: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Share of the near pairs that shall be copies; null: 0.99.",
        examples=[0.99],
    )
    threshold: float | None = Field(
        None,
        gt=0,
        le=1,
        description="The least similarity of two copies itself, in the place of `precision`.",
    )
    where: Where = None
    seed: Seed = 0


class DuplicateGroupAnswer(BaseModel):
    """Copies of one picture."""

    ids: list[str] = Field(description="The one to keep first, then the others from the best to the worst.")
    kind: Literal["exact", "near"]
    similarity: float = Field(description="Of the weakest pair, 1 for the same picture.")
    reason: str = Field(description="Why the first is the one to keep.")


class DuplicatesAnswer(BaseModel):
    """Groups of copies."""

    groups: list[list[str]] = Field(description="The ids of `details`.")
    details: list[DuplicateGroupAnswer]
    items: int = Field(description="How many were searched.")
    others: int = Field(description="How many copies there are besides those to keep, in all groups.")
    threshold: float | None = Field(
        description="The least similarity of two copies; null: only the same bytes."
    )
    precision: float | None = Field(description="Expected share of near pairs that are copies.")
    recall: float | None = Field(
        description="Share of edits of some of the collection's pictures that are found."
    )
    provenance: dict[str, Any]
    next: int | None = Field(description="What to give as `after` for more groups; null: there are none.")
