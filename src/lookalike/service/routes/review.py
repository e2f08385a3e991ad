"""Reviews of labels: what to correct, what to label next, what is like nothing else."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from lookalike.collection import Collection
from lookalike.service import links
from lookalike.service.access import Readable, Writable
from lookalike.service.conditions import public_attribute
from lookalike.service.jobs import Progress
from lookalike.service.problems import Refused
from lookalike.service.schemas.bodies import invalid
from lookalike.service.schemas.classifiers import ReviewAnswer, ReviewRequest
from lookalike.service.starting import STARTS, check_filter, labels_of, start
from lookalike.service.state import service_of

router = APIRouter(prefix="/v1/collections/{collection}/review", tags=["classifiers"])

KIND = "review"
LISTS = ("errors", "to_label", "outliers")


@router.post("", **STARTS)
async def review_labels(
    request: Request, response: Response, collection: str, opened: Writable, asked: ReviewRequest
) -> dict[str, Any]:
    """Find labels that are likely wrong, items that are best labelled next, and items like nothing else; nothing is
    changed. The job's result is what `GET .../review` answers.

    To label actively, set the labels of `to_label` (`PATCH .../items`) and review again."""
    labels = await labels_of(request, opened, asked.label, asked.labels)
    if labels is not None and asked.name is not None:
        raise invalid("name", "expected labels or the name of a saved classifier, not both")
    await check_filter(request, opened, asked.where)
    public_attribute(asked.group_by)
    wanted = asked.model_dump(exclude={"label", "labels"})

    def work(progress: Progress) -> dict[str, Any]:
        progress.say("reviewing labels")
        found = opened.review_labels(labels, **wanted, progress=progress).to_dict()
        linked = {
            name: [{**each, **links.pictures(collection, each["id"])} for each in found[name]]
            for name in LISTS
        }
        return {**found, **linked, "provenance": links.provenance(collection, found["provenance"])}

    return start(request, response, KIND, collection, work)


@router.get("", response_model=ReviewAnswer)
async def last_review(request: Request, collection: str, opened: Readable) -> dict[str, Any]:
    """What the last review found, without items that were removed since; the service remembers it until it ends."""
    job = service_of(request).jobs.last(KIND, collection)
    if job is None:
        raise Refused(
            "not-fitted", "labels of this collection were not reviewed yet: POST to the same address first"
        )
    return await service_of(request).workers.run(_still_there, opened, job.to_dict()["result"])


def _still_there(opened: Collection, found: dict[str, Any]) -> dict[str, Any]:
    there = opened.still_there([each["id"] for name in LISTS for each in found[name]])
    return {**found, **{name: [each for each in found[name] if each["id"] in there] for name in LISTS}}
