"""Long work in the background: how far it is, what it gave, and its end before time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from lookalike.service.access import Known
from lookalike.service.job import ENDED, Job
from lookalike.service.packed import event_data, packed
from lookalike.service.problems import Refused
from lookalike.service.schemas.jobs import JobAnswer, JobsAnswer
from lookalike.service.state import service_of

MOST_DIGITS = 18
"""Of an event's id; anything else a client sends there is none of ours, and it is told everything."""

MOST_LISTENERS = 256
"""Clients that follow jobs at a time: each holds a connection for as long as its job takes, and a fourth of all answers
that may be under way has to be enough for them."""

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])


async def _readable(
    request: Request,
    id: Annotated[str, Path(description="Of the job.", examples=["5f0c9a3be1d2478c"])],
    caller: Known,
) -> Job:
    job = service_of(request).jobs.find(id)
    if job is None or not caller.sees(job.collection):
        raise Refused(
            "not-found",
            f"there is no job {id!r}; one that has ended is forgotten after an hour: start it again",
        )
    return job


ReadableJob = Annotated[Job, Depends(_readable)]


async def _cancellable(job: ReadableJob, caller: Known) -> Job:
    if not caller.may("write"):
        raise Refused(
            "scope",
            f"the key {caller.name!r} has scope {caller.scope}, and cancelling a job needs write: use another key",
            scope="write",
        )
    return job


async def _followable(request: Request, job: ReadableJob) -> Job:
    if service_of(request).jobs.listeners >= MOST_LISTENERS:
        raise Refused(
            "busy",
            f"{MOST_LISTENERS} clients follow jobs already, as many as may: ask for the job itself from time to time",
            headers={"Retry-After": "5"},
        )
    return job


FollowableJob = Annotated[Job, Depends(_followable)]
CancellableJob = Annotated[Job, Depends(_cancellable)]


@router.get("", response_model=JobsAnswer)
async def list_jobs(
    request: Request,
    caller: Known,
    collection: Annotated[str | None, Query(description="Only the jobs of this collection.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="Most jobs.")] = 100,
) -> dict[str, Any]:
    """Jobs that wait, run, or ended within the last hour, the newest first and without their results; of the
    collections that the caller may read."""
    service = service_of(request)
    seen = [name for name in service.collections if collection in (None, name) and caller.sees(name)]
    jobs = service.jobs.list(seen)[:limit]
    return {"jobs": [{**job.to_dict(), "result": None} for job in jobs]}


@router.get("/{id}", response_model=JobAnswer)
async def get_job(request: Request, job: ReadableJob) -> Response:
    """One job: its state, how far it is, and its result or the problem that ended it."""
    return await service_of(request).workers.run(lambda: packed(JobAnswer, job.to_dict()))


@router.delete("/{id}", response_model=JobAnswer)
async def cancel_job(request: Request, job: CancellableJob) -> dict[str, Any]:
    """Cancel a job. One that waits ends at once; a running one ends with the step under way, and says `cancelling`
    until then; one that has ended stays as it is."""
    service_of(request).jobs.cancel(job)
    return job.to_dict()


@router.get(
    "/{id}/events",
    response_class=EventSourceResponse,
    response_description="Events `progress`, at most ten a second, and at the end one of `done`, `failed`, "
    "`cancelled`; the data of each is the job as `GET /v1/jobs/{id}` gives it. A comment every 15 seconds keeps the "
    "connection open.",
)
async def follow_job(
    request: Request,
    job: FollowableJob,
    last_event_id: Annotated[
        str | None,
        Header(
            description="The last event that was received, to go on after it; browsers send it by themselves."
        ),
    ] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Follow a job to its end by server-sent events."""
    known = last_event_id or ""
    after = int(known) if known.isdecimal() and len(known) < MOST_DIGITS else None
    async for revision, state in job.changes(after):
        event = state["state"] if state["state"] in ENDED else "progress"
        if state["result"] is None:
            data = event_data(state)  # small, and does not wait for threads that are busy
        else:
            data = await service_of(request).workers.run(event_data, state)
        yield ServerSentEvent(raw_data=data, event=event, id=str(revision))
