"""The cluster of every item, for programs that work with all of them."""

from __future__ import annotations

import json

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from lookalike.service.access import Readable
from lookalike.service.state import service_of

router = APIRouter(prefix="/v1/collections/{collection}", tags=["clusters"])

SHOWN = ("labels", "strengths", "noise", "assigned")


class ClusterLabels(BaseModel):
    """Which item belongs to which cluster."""

    labels: dict[str, int] = Field(description="The cluster of each item, by id; -1: none.")
    strengths: dict[str, float] = Field(description="How strongly each belongs to it, 0 to 1, by id.")
    noise: list[str] = Field(description="Ids of the items of no cluster.")
    assigned: list[str] = Field(
        description="Ids of those that came later and were put into clusters that existed."
    )


@router.get("/cluster-labels", response_model=ClusterLabels)
async def list_cluster_labels(request: Request, opened: Readable) -> Response:
    """The saved clusters item by item, and in which of them those belong that came later; nothing is saved."""
    clusters = service_of(request).clusters

    def read() -> Response:
        found = clusters.of(opened).to_dict()
        shown = {name: found[name] for name in SHOWN}
        # written here, in a thread: of a hundred thousand items it takes longer than the event loop may be held
        return Response(json.dumps(shown, ensure_ascii=False, allow_nan=False), media_type="application/json")

    return await service_of(request).workers.run(read)
