"""The cameras of a collection, how things go from one to another, and what is kept of them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from lookalike.service.access import Administrable, Readable
from lookalike.service.schemas.identities import (
    Audit,
    Cameras,
    ErasedAnswer,
    From,
    To,
    Transitions,
    between,
)
from lookalike.service.state import service_of

router = APIRouter(prefix="/v1/collections/{collection}", tags=["cameras"])


@router.get("/cameras", response_model=Cameras)
async def list_cameras(request: Request, opened: Readable) -> dict[str, Any]:
    """The cameras, in the order in which they came, and how far each was looked at."""
    found = await service_of(request).workers.run(opened.cameras)
    return {"cameras": [each.to_dict() for each in found]}


@router.get("/transitions", response_model=Transitions)
async def list_transitions(
    request: Request, opened: Readable, start: From = None, end: To = None
) -> dict[str, Any]:
    """How identities go from camera to camera: how often, and how long it takes them; the most frequent first."""
    found = await service_of(request).workers.run(opened.transitions, between=between(start, end))
    return {"transitions": [each._asdict() for each in found]}


@router.get("/audit", response_model=Audit)
async def list_searches(request: Request, opened: Administrable) -> dict[str, Any]:
    """Every search for a person or thing, oldest first: when, who, why, how many answers. Nothing takes one away."""
    found = await service_of(request).workers.run(opened.audit_log)
    return {"searches": [each.to_dict() for each in found]}


@router.post("/erase-expired", response_model=ErasedAnswer)
async def erase_expired(request: Request, opened: Administrable) -> dict[str, Any]:
    """Erase what is older than its camera's retention. `lookalike compact` afterwards frees the space."""
    return (await service_of(request).workers.run(opened.erase_expired))._asdict()
