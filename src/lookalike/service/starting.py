"""Starting a job from a route: 202, the job, and where it is followed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import Request, Response

from lookalike.collection import Collection
from lookalike.collection.labels import AttributeName, Labels
from lookalike.service.access import caller_of
from lookalike.service.conditions import public_filter
from lookalike.service.jobs import Load, Work, nothing_to_release
from lookalike.service.schemas.bodies import invalid
from lookalike.service.schemas.jobs import JobAnswer
from lookalike.service.state import service_of

STARTS: dict[str, Any] = {
    "status_code": 202,
    "response_model": JobAnswer,
    "response_description": "The job, which waits or runs; `Location` is where it is followed.",
    "responses": {
        202: {"headers": {"Location": {"description": "`/v1/jobs/{id}`", "schema": {"type": "string"}}}},
        429: {
            "description": "Too many jobs wait already, or too many of this key; `Retry-After` says when to ask again."
        },
    },
}
"""For the decorator of a route that starts a job: ``@router.post("/{collection}/map", **STARTS)``."""


def start(
    request: Request,
    response: Response,
    kind: str,
    collection: str,
    work: Work,
    *,
    load: Load = "computing",
    release: Callable[[], None] = nothing_to_release,
) -> dict[str, Any]:
    """Put work into the queue, and answer with its job.

    Args:
        request: What asks for it.
        response: Gets the job's ``Location``.
        kind: What is done, such as ``clusters``.
        collection: The name under which the collection is served.
        work: What to do; gets a :class:`lookalike.service.jobs.Progress` and returns plain types.
        load: What it mostly does.
        release: Called when the work has ended, or never began.

    Raises:
        Refused: If the queue is full or has enough of this key, or the service is about to end.
    """
    key = caller_of(request).key
    owner = None if key is None else key.id
    job = service_of(request).jobs.submit(kind, collection, work, load=load, owner=owner, release=release)
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return job.to_dict()


async def check_filter(request: Request, opened: Collection, where: str | None) -> None:
    """Refuse a filter that the collection cannot answer, or that asks for what is hidden, at once rather than when the
    job's turn has come.

    Raises:
        FilterError: If it is one; points into it.
    """
    if where is not None:
        await service_of(request).workers.run(lambda: opened.page(where=public_filter(where), limit=1))


async def labels_of(
    request: Request, opened: Collection, label: str | None, labels: Mapping[str, str | None] | None
) -> Labels | None:
    """Where labels come from: the attribute ``label``, or ``labels`` by item id; None: neither was given.

    Raises:
        RequestValidationError: If both were given, or there is no such attribute.
    """
    if label is None:
        return labels
    if labels is not None:
        raise invalid("label", "expected one of label, an attribute, and labels, by item id; both were sent")
    known = await service_of(request).workers.run(lambda: opened.attributes)
    if label not in known:
        raise invalid("label", f"there is no attribute {label!r}: choose one of {', '.join(sorted(known))}")
    return AttributeName(label)
