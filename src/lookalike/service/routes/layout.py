"""The map: laid out in the background, read as columns."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Request, Response

from lookalike.service import links
from lookalike.service.access import Readable, Writable
from lookalike.service.conditions import public_attribute, public_filter
from lookalike.service.jobs import Progress
from lookalike.service.schemas.layout import MapRequest
from lookalike.service.starting import STARTS, start
from lookalike.service.state import service_of

router = APIRouter(prefix="/v1/collections/{collection}/map", tags=["map"])

MEDIA = {"arrow": "application/vnd.apache.arrow.stream", "parquet": "application/vnd.apache.parquet"}
MOST_ATTRIBUTES = 32
BINARY = {"schema": {"type": "string", "format": "binary"}}


@router.post("", **STARTS)
async def lay_out(
    request: Request, response: Response, collection: str, opened: Writable, asked: MapRequest
) -> dict[str, Any]:
    """Lay out the collection in a plane, or bring its map up to date; the job's result has the number of items and
    the map's quality."""

    def work(progress: Progress) -> dict[str, Any]:
        progress.say("laying out")
        found = opened.map(seed=asked.seed, anew=asked.anew, progress=progress)
        return {
            "items": len(found),
            "placed": int(found.placed.sum()),
            "quality": dict(found.quality),
            "provenance": links.provenance(collection, found.provenance),
        }

    return start(request, response, "map", collection, work)


@router.get(
    "",
    response_class=Response,
    responses={
        200: {
            "description": "Columns `id`, `x`, `y`, `placed`, `cluster` (null: not clustered; -1: in none), and the "
            "attributes asked for.",
            "content": dict.fromkeys(MEDIA.values(), BINARY),
            "headers": {"ETag": {"schema": {"type": "string"}}},
        },
        304: {"description": "It is as it was."},
        404: {"description": "The collection was not laid out yet: `POST` starts that."},
    },
)
async def read_map(
    request: Request,
    opened: Readable,
    attribute: Annotated[
        list[str] | None, Query(max_length=MOST_ATTRIBUTES, description="Attributes to take along.")
    ] = None,
    where: Annotated[
        str | None, Query(max_length=10_000, description="Only items that this filter selects.")
    ] = None,
    format: Annotated[
        Literal["arrow", "parquet"], Query(description="An Arrow IPC stream, or a Parquet file.")
    ] = "arrow",
    if_none_match: Annotated[str | None, Header(description="The `ETag` of what is known already.")] = None,
) -> Response:
    """Where each item lies, with its cluster and attributes."""
    names = attribute or []
    for name in names:
        public_attribute(name)
    public_filter(where)

    def read() -> Response:
        etag = _etag(opened.map_stamp(), format, where, names)
        headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
        if if_none_match is not None and etag in [each.strip() for each in if_none_match.split(",")]:
            return Response(status_code=304, headers=headers)
        table = opened.map_table(*names, where=where, save=False)
        data = table.to_arrow() if format == "arrow" else table.to_parquet()
        return Response(data, media_type=MEDIA[format], headers=headers)

    return await service_of(request).workers.run(read)


def _etag(stamp: str, *asked: Any) -> str:
    """Weak, since the answer may be packed on its way."""
    return f'W/"{hashlib.sha256(repr((stamp, *asked)).encode()).hexdigest()[:32]}"'
