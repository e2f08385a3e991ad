"""What users did: recorded, shown to them, weighed, forgotten."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request

from lookalike.errors import InputError
from lookalike.service.access import Readable, Writable
from lookalike.service.conditions import public_attribute
from lookalike.service.schemas.recommending import (
    EventsAnswer,
    EventsRequest,
    EventWeightChanges,
    EventWeights,
    Forgotten,
    GroupBy,
    ProfileAnswer,
    Recorded,
)
from lookalike.service.state import service_of
from lookalike.types import Interaction

router = APIRouter(prefix="/v1/collections/{collection}", tags=["events"])


@router.post("/events", response_model=Recorded)
async def record_events(request: Request, opened: Writable, events: EventsRequest) -> dict[str, Any]:
    """Record what users did; durable when this answers. The same again changes nothing, so a client may repeat.

    An event without a time gets that of the request.
    """

    def record() -> dict[str, Any]:
        now = datetime.now(UTC)
        interactions = [
            Interaction(each.user, each.item, each.event, each.time or now, each.weight)
            for each in events.root
        ]
        ledger = opened.add_interactions(interactions, progress=False)
        if ledger.failed:
            where, reason = ledger.failures[0]
            raise InputError(f"{where}: {reason}")
        return {"recorded": ledger.added, "known": ledger.known}

    return await service_of(request).workers.run(record)


@router.get("/users/{user:path}/events", response_model=EventsAnswer)
async def events_of_user(request: Request, opened: Readable, user: str) -> dict[str, Any]:
    """All that the collection holds of a user, by time; nothing for a user that is not known."""
    found = await service_of(request).workers.run(opened.interactions, user)
    return {
        "events": [
            {"item": each.item, "event": each.event, "time": each.time, "weight": each.weight}
            for each in found
        ]
    }


@router.get("/users/{user:path}/profile", response_model=ProfileAnswer)
async def profile(request: Request, opened: Readable, user: str, group_by: GroupBy = None) -> dict[str, Any]:
    """What a user likes, by interests; it is computed from the events and kept nowhere."""

    def answer() -> dict[str, Any]:
        return opened.profile(user, group_by=public_attribute(group_by)).to_dict()

    return await service_of(request).workers.run(answer)


@router.delete("/users/{user:path}", response_model=Forgotten)
async def forget_user(request: Request, opened: Writable, user: str) -> dict[str, Any]:
    """Remove all events of a user, and the name; what was learned from them is dropped and learned anew."""
    return {"forgotten": await service_of(request).workers.run(opened.forget_user, user)}


@router.get("/event-weights", response_model=EventWeights)
async def event_weights(request: Request, opened: Readable) -> dict[str, float]:
    """What each known event says about an item."""
    return await service_of(request).workers.run(lambda: opened.event_weights)


@router.put("/event-weights", response_model=EventWeights)
async def set_event_weights(
    request: Request, opened: Writable, changes: EventWeightChanges
) -> dict[str, float]:
    """Say what events weigh, new ones among them."""

    def set_them() -> dict[str, float]:
        opened.set_event_weights(changes.root)
        return opened.event_weights

    return await service_of(request).workers.run(set_them)
