"""Recommending items, from examples and from what people did."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from lookalike.collection.recommendation_result import Recommendations
from lookalike.service import links
from lookalike.service.access import Known, Readable, Writable
from lookalike.service.conditions import public_attribute, public_filter
from lookalike.service.jobs import Progress
from lookalike.service.packed import packed
from lookalike.service.schemas.recommending import (
    AlsoLikeQuery,
    RecommendationsAnswer,
    RecommenderRequest,
    RecommendRequest,
)
from lookalike.service.starting import STARTS, start
from lookalike.service.state import service_of
from lookalike.types import ItemId

router = APIRouter(prefix="/v1/collections/{collection}", tags=["recommending"])


@router.post("/recommend", response_model=RecommendationsAnswer)
async def recommend(
    request: Request, collection: str, opened: Readable, caller: Known, asked: RecommendRequest
) -> Response:
    """Items that a person should see next: a user whose events are known, or anybody by what they like.

    Where it is time to learn from events, what is learned is saved if the key may write; for one that may only read
    it is kept in memory.
    """

    service_of(request).settings.check_k(asked.k)

    def answer() -> Response:
        found = opened.recommend(
            like=[ItemId(each) for each in asked.like],
            dislike=[ItemId(each) for each in asked.dislike],
            user=asked.user,
            k=asked.k,
            where=public_filter(asked.where),
            group_by=public_attribute(asked.group_by),
            strategy=asked.strategy,
            diversity=asked.diversity,
            exploration=asked.exploration,
            half_life=asked.half_life,
            together=asked.together,
            target=None if asked.target is None else ItemId(asked.target),
            again=asked.again,
            seed=asked.seed,
            save=caller.may("write"),
        )
        return _shown(collection, found)

    return await service_of(request).workers.run(answer)


@router.get("/also-like/{id:path}", response_model=RecommendationsAnswer)
async def also_like(
    request: Request, collection: str, opened: Readable, id: str, asked: Annotated[AlsoLikeQuery, Query()]
) -> Response:
    """What to show beside an item: what goes together with it for other people, and what looks like it. Nothing is
    saved."""

    service_of(request).settings.check_k(asked.k)

    def answer() -> Response:
        found = opened.also_like(
            ItemId(id),
            k=asked.k,
            where=public_filter(asked.where),
            group_by=public_attribute(asked.group_by),
            diversity=asked.diversity,
            together=asked.together,
            save=False,
        )
        return _shown(collection, found)

    return await service_of(request).workers.run(answer)


@router.post("/recommender", **STARTS)
async def fit_recommender(
    request: Request, response: Response, collection: str, opened: Writable, asked: RecommenderRequest
) -> dict[str, Any]:
    """Learn from all events what goes together, and how fast tastes change. The result says what was learned."""

    public_attribute(asked.group_by)

    def work(progress: Progress) -> Any:
        progress.say("learning what goes together")
        return opened.fit_recommender(group_by=asked.group_by, seed=asked.seed).to_dict()

    return start(request, response, "recommender", collection, work)


def _shown(collection: str, found: Recommendations) -> Response:
    answer = found.to_dict()
    answer["recommendations"] = [links.shown(collection, each) for each in answer["recommendations"]]
    answer["example_pictures"] = {
        name: links.pictures(collection, id) for name, id in answer["examples"].items()
    }
    answer["provenance"] = links.provenance(collection, answer["provenance"])
    return packed(RecommendationsAnswer, answer)
