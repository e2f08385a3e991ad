"""Pictures of items: thumbnails and originals, cached by what they show."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response

from lookalike.collection import Collection
from lookalike.collection.showing import LARGEST, SMALLEST
from lookalike.service.access import Readable
from lookalike.service.conditional import has, part_of
from lookalike.service.state import service_of

router = APIRouter(prefix="/v1/collections/{collection}", tags=["pictures"])

CACHED = "private, max-age=3600"
"""An item's picture may be replaced or removed: within the hour a browser asks again, and mostly gets 304."""

IfNoneMatch = Annotated[str | None, Header(description="Version that the client has; 304 if it is this one.")]

_PICTURE: dict[str, Any] = {
    "response_class": Response,
    "responses": {
        200: {"content": {"image/*": {"schema": {"type": "string", "format": "binary"}}}},
        304: {"description": "The client has it already."},
    },
}


@router.get("/thumbnails/{id:path}", **_PICTURE)
async def thumbnail(
    request: Request, opened: Readable, id: str, if_none_match: IfNoneMatch = None
) -> Response:
    """A small WebP picture of an item, at most 256 pixels long."""

    def read() -> Response:
        headers = _headers(f"{opened.picture_version(id)}-thumbnail")
        if has(if_none_match, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        return Response(opened.thumbnail(id), media_type="image/webp", headers=headers)

    return await service_of(request).workers.run(read)


@router.get(
    "/originals/{id:path}",
    **{
        **_PICTURE,
        "responses": {
            **_PICTURE["responses"],
            206: {"description": "The part asked for by `Range`."},
            416: {"description": "There is no such part."},
        },
    },
)
async def original(
    request: Request,
    opened: Readable,
    id: str,
    size: Annotated[
        int | None,
        Query(
            ge=SMALLEST,
            le=LARGEST,
            description="Longer side in pixels, at most; by default the picture as it is, if browsers show it.",
        ),
    ] = None,
    if_none_match: IfNoneMatch = None,
    range: Annotated[str | None, Header(description="A part of the bytes, such as `bytes=0-1023`.")] = None,
    if_range: Annotated[str | None, Header(description="Version that the part has to be of.")] = None,
) -> Response:
    """An item's picture, upright. Where it cannot be read any more, its thumbnail, with `X-Read-From: thumbnail`."""

    def read() -> Response:
        if has(if_none_match, tag := _tag(opened.picture_version(id, size=size))):
            return Response(status_code=304, headers=_headers(tag.strip('"')))
        return _answered(opened, id, size, if_none_match, range, if_range)

    return await service_of(request).workers.run(read)


def _answered(
    opened: Collection, id: str, size: int | None, known: str | None, wanted: str | None, if_range: str | None
) -> Response:
    picture = opened.picture(id, size=size)
    headers = {
        **_headers(picture.version),
        "Content-Disposition": "inline",
        "Accept-Ranges": "bytes",
        "X-Read-From": picture.read_from,
    }
    if picture.read_from == "thumbnail":
        headers["Cache-Control"] = "private, no-cache"  # the original may come back
    if has(known, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return part_of(picture.data, picture.type, headers, wanted=wanted, if_range=if_range)


def _headers(version: str) -> dict[str, str]:
    return {"ETag": _tag(version), "Cache-Control": CACHED, "X-Content-Type-Options": "nosniff"}


def _tag(version: str) -> str:
    return f'"{version}"'
