"""The gallery: people and things that are recognised by name."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from lookalike.collection.tracking_report import Enrolled
from lookalike.service import links
from lookalike.service.access import Readable, Writable, caller_of
from lookalike.service.routes.clips import answered, tagged
from lookalike.service.schemas.bodies import documented, read_body
from lookalike.service.schemas.identities import Enrol, EnrolledAnswer, Gallery, Unenrolled
from lookalike.service.state import service_of

MOST_FILES = 32

router = APIRouter(prefix="/v1/collections/{collection}", tags=["cameras"])


@router.get("/gallery", response_model=Gallery)
async def list_gallery(request: Request, collection: str, opened: Readable) -> dict[str, Any]:
    """Everybody and everything that is enrolled, by name, and which identities are recognised as it."""
    found = await service_of(request).workers.run(opened.gallery)
    return {"gallery": [_described(collection, each) for each in found]}


@router.post(
    "/gallery",
    status_code=201,
    response_model=EnrolledAnswer,
    openapi_extra=documented(Enrol, files=["image"]),
)
async def enrol(request: Request, collection: str, opened: Writable) -> dict[str, Any]:
    """Enrol somebody or something by name, by a few pictures, which take the place of those enrolled before.

    Identities are compared with the gallery at once and after every run. Enrolling is noted in the log of searches.
    """
    body = await read_body(request, Enrol, files=["image"], most_files=MOST_FILES)
    asked = partial(opened.enrol, body.name, body.image, reason=body.reason, who=caller_of(request).name)
    if body.false_match_rate is not None:
        asked = partial(asked, false_match_rate=body.false_match_rate)
    return _described(collection, await service_of(request).workers.run(asked))


@router.get("/gallery-pictures/{number}/{name:path}", response_class=Response)
async def get_gallery_picture(
    request: Request,
    opened: Readable,
    number: Annotated[int, Path(ge=0, le=10**6, description="Of the pictures of that name, from 0.")],
    name: str,
) -> Response:
    """One enrolled picture, WebP."""
    for each in await service_of(request).workers.run(opened.gallery):
        if each.name == name and number < len(each.pictures):
            picture = each.pictures[number]
            return answered(request, picture, "image/webp", tagged(picture))
    raise HTTPException(404, f"there is no picture {number} of {name!r} in the gallery")


@router.delete("/gallery/{name:path}", response_model=Unenrolled)
async def unenrol(request: Request, opened: Writable, name: str) -> dict[str, Any]:
    """Take somebody out of the gallery, with the pictures. `lookalike compact` afterwards frees the space."""
    return {"name": name, "unenrolled": await service_of(request).workers.run(opened.unenrol, name)}


def _described(collection: str, enrolled: Enrolled) -> dict[str, Any]:
    return {
        "name": enrolled.name,
        "pictures": [
            links.of_collection(collection, "gallery-pictures", str(number), enrolled.name)
            for number in range(len(enrolled.pictures))
        ],
        "usable": enrolled.usable,
        "identities": list(enrolled.identities),
    }
