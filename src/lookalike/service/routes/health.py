"""Whether the service lives, whether it takes work, and what it counts."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from lookalike.service.access import Known
from lookalike.service.metrics import CONTENT_TYPE
from lookalike.service.problems import Refused
from lookalike.service.state import service_of

router = APIRouter(tags=["health"])


class Status(BaseModel):
    """How the service is."""

    status: Literal["live", "ready", "ending"] = Field(description="`ending`: it takes no new work.")


@router.get("/live", response_model=Status)
async def live() -> Status:
    """Whether the process answers; one that does not is to be started anew."""
    return Status(status="live")


@router.get(
    "/ready", response_model=Status, responses={503: {"model": Status, "description": "It is about to end."}}
)
async def ready(request: Request, response: Response) -> Status:
    """Whether new requests are to be sent here."""
    if service_of(request).life.draining:
        response.status_code = 503
        return Status(status="ending")
    return Status(status="ready")


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}, "description": "In the text format of Prometheus."}},
)
async def metrics(request: Request, caller: Known) -> Response:
    """Requests, queue, batches, items and jobs; for a key that is not limited to some collections."""
    if caller.collections is not None:
        raise Refused(
            "scope",
            f"the key {caller.name!r} is limited to {', '.join(caller.collections)}, and these figures are of all "
            "collections: use a key without --collection",
            scope="read",
        )
    service = service_of(request)
    return Response(await service.workers.run(service.metrics.text), media_type=CONTENT_TYPE)
