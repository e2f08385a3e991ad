"""Copies of one picture: found in the background, listed until they are found again."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from lookalike.collection import Collection
from lookalike.service import links
from lookalike.service.access import Readable, Writable
from lookalike.service.jobs import Progress
from lookalike.service.packed import packed
from lookalike.service.problems import Refused
from lookalike.service.schemas.clusters import DuplicatesAnswer, DuplicatesRequest
from lookalike.service.starting import STARTS, check_filter, start
from lookalike.service.state import service_of

router = APIRouter(prefix="/v1/collections/{collection}/duplicates", tags=["duplicates"])

KIND = "duplicates"


@router.post("", **STARTS)
async def find_duplicates(
    request: Request, response: Response, collection: str, opened: Writable, asked: DuplicatesRequest
) -> dict[str, Any]:
    """Find groups of copies of one picture; nothing is removed. The job's result is what `GET .../duplicates`
    answers, with all groups; the service remembers the last one until it ends."""

    await check_filter(request, opened, asked.where)

    def work(progress: Progress) -> dict[str, Any]:
        progress.say("comparing pictures")
        wanted = {name: value for name, value in asked.model_dump().items() if value is not None}
        found = opened.duplicates(**wanted, progress=progress).to_dict()
        return {**found, "provenance": links.provenance(collection, found["provenance"])}

    return start(request, response, KIND, collection, work)


@router.get("", response_model=DuplicatesAnswer)
async def list_duplicates(
    request: Request,
    collection: str,
    opened: Readable,
    limit: Annotated[int, Query(ge=1, le=10_000, description="Most groups.")] = 1000,
    after: Annotated[int, Query(ge=0, le=10**9, description="`next` of the page before.")] = 0,
) -> Response:
    """The copies that were found last, without items that were removed since."""
    job = service_of(request).jobs.last(KIND, collection)
    if job is None:
        raise Refused("not-fitted", "copies were not looked for yet: POST to the same address first")
    found = job.to_dict()["result"]
    return await service_of(request).workers.run(_page, opened, found, after, limit)


def _page(opened: Collection, found: dict[str, Any], after: int, limit: int) -> Response:
    """Some groups of those that still have a copy to remove."""
    there = opened.still_there([id for group in found["details"] for id in group["ids"]])
    left = [{**group, "ids": [id for id in group["ids"] if id in there]} for group in found["details"]]
    details = [group for group in left if len(group["ids"]) > 1]
    shown = details[after : after + limit]
    page = {
        **found,
        "groups": [group["ids"] for group in shown],
        "details": shown,
        "others": sum(len(group["ids"]) - 1 for group in details),
        "next": after + limit if after + limit < len(details) else None,
    }
    return packed(DuplicatesAnswer, page)
