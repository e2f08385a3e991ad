"""Identities: who was seen where and when, what people say about them, and searches for somebody by picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from lookalike.collection import Collection
from lookalike.errors import InputError
from lookalike.service import links
from lookalike.service.access import Readable, Writable, caller_of
from lookalike.service.schemas.bodies import documented, read_body
from lookalike.service.schemas.identities import (
    Camera,
    Follow,
    FollowingAnswer,
    From,
    IdentitiesAnswer,
    IdentityAnswer,
    Merge,
    Merged,
    Removed,
    Rename,
    Renamed,
    Split,
    SplitAnswer,
    To,
    between,
)
from lookalike.service.state import service_of
from lookalike.types import ItemId

MEDIA = {"csv": "text/csv; charset=utf-8", "json": "application/json"}

router = APIRouter(prefix="/v1/collections/{collection}", tags=["cameras"])


@router.get("/identities", response_model=IdentitiesAnswer)
async def list_identities(
    request: Request,
    collection: str,
    opened: Readable,
    start: From = None,
    end: To = None,
    camera: Camera = None,
    named: Annotated[
        bool | None,
        Query(description="Only those that have a name or are recognised, or only those that are unknown."),
    ] = None,
    min_sightings: Annotated[
        int, Query(ge=1, le=10**9, description="Only those with as many, in the visits that are left.")
    ] = 1,
) -> dict[str, Any]:
    """Identities by first sighting, each with its visits."""
    asked = partial(opened.identities, between=between(start, end), camera=camera)
    found = await service_of(request).workers.run(asked, named=named, min_sightings=min_sightings)
    plain = found.to_dict()
    plain["identities"] = [_linked(collection, each) for each in plain["identities"]]
    return {**plain, "provenance": links.provenance(collection, plain["provenance"])}


@router.post("/identities/merge", response_model=Merged)
async def merge_identities(request: Request, opened: Writable, body: Merge) -> dict[str, Any]:
    """Say that two identities are one. It holds for every later run as well."""
    kept = await service_of(request).workers.run(opened.merge, body.first, body.second)
    return {"identity": kept, "merged": (body.first, body.second)}


@router.get(
    "/identities/export",
    response_class=Response,
    responses={200: {"content": {MEDIA["csv"]: {}, MEDIA["json"]: {}}, "description": "The sightings."}},
)
async def export_sightings(
    request: Request,
    opened: Readable,
    format: Annotated[Literal["csv", "json"], Query(description="Of the file.")] = "csv",
    start: From = None,
    end: To = None,
    camera: Camera = None,
) -> Response:
    """Every sighting with camera, time, frame, identity, name, tracklet and box, as a file."""
    data = await service_of(request).workers.run(_exported, opened, format, between(start, end), camera)
    return Response(
        data,
        media_type=MEDIA[format],
        headers={"Content-Disposition": f'attachment; filename="sightings.{format}"'},
    )


@router.get("/identities/{identity}", response_model=IdentityAnswer)
async def get_identity(request: Request, collection: str, opened: Readable, identity: str) -> dict[str, Any]:
    """One identity, by its id or name, with all its visits."""
    found = await service_of(request).workers.run(opened.identity, identity)
    return _linked(collection, found.to_dict())


@router.patch("/identities/{identity}", response_model=Renamed)
async def rename_identity(request: Request, opened: Writable, identity: str, body: Rename) -> dict[str, Any]:
    """Give an identity a name, or take it away with null. Identities with different names stay apart from now on."""
    await service_of(request).workers.run(opened.rename, identity, body.name)
    return {"identity": identity, "name": body.name}


@router.delete("/identities/{identity}", response_model=Removed)
async def remove_identity(request: Request, opened: Writable, identity: str) -> dict[str, Any]:
    """Say that an identity is nobody, such as a shadow: its tracklets belong to no identity from now on."""
    gone = await service_of(request).workers.run(opened.remove_identity, identity)
    return {"identity": identity, "tracklets": gone}


@router.post("/identities/{identity}/split", response_model=SplitAnswer, response_model_by_alias=True)
async def split_identity(request: Request, opened: Writable, identity: str, body: Split) -> dict[str, Any]:
    """Say that some tracklets of an identity are somebody else; together they become a new identity."""
    new = await service_of(request).workers.run(opened.split, identity, body.tracklets)
    return {"identity": new, "from": identity, "tracklets": body.tracklets}


@router.post("/follow", response_model=FollowingAnswer, openapi_extra=documented(Follow, files=["image"]))
async def follow(request: Request, collection: str, opened: Readable) -> dict[str, Any]:
    """Where and when somebody or something was seen. Every call is noted in the log of searches.

    Of a picture, the answer is the identity that fits best, if it fits well enough; otherwise it is `unknown`, with
    those who came nearest. A match is a hint, and somebody has to look at it.
    """
    body = await read_body(request, Follow, files=["image"], most_files=1)
    asked = partial(
        opened.follow,
        _asked_for(body),
        between=between(body.start, body.end),
        camera=body.camera,
        crop=body.crop,
        reason=body.reason,
        who=caller_of(request).name,
    )
    if body.false_match_rate is not None:
        asked = partial(asked, false_match_rate=body.false_match_rate)
    found = await service_of(request).workers.run(asked)
    plain = found.to_dict()
    return {
        **plain,
        "visits": _linked_visits(collection, plain["visits"]),
        "candidates": [
            {**each, "crop": links.of_collection(collection, "crops", each["identity"])}
            for each in plain["candidates"]
        ],
        "provenance": links.provenance(collection, plain["provenance"]),
        "query_thumbnail": links.data_url(found.query),
    }


def _asked_for(body: Follow) -> bytes | ItemId:
    """A picture's bytes, or a text that is never taken for a path."""
    if body.image is not None and body.identity is None:
        return body.image
    if body.identity is not None and body.image is None:
        return ItemId(body.identity)
    raise InputError("follow needs either an image or an identity, not both and not neither")


def _linked(collection: str, identity: Mapping[str, Any]) -> dict[str, Any]:
    """An identity with links to its pictures and clips."""
    return {
        **identity,
        "visits": _linked_visits(collection, identity["visits"]),
        "crop": links.of_collection(collection, "crops", identity["best"]),
    }


def _linked_visits(collection: str, visits: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            **each,
            "crop": links.of_collection(collection, "crops", each["tracklet"]),
            "clip": links.of_collection(collection, "clips", each["tracklet"]),
        }
        for each in visits
    ]


def _exported(opened: Collection, format: str, span: tuple[Any, Any] | None, camera: str | None) -> bytes:
    with TemporaryDirectory(prefix="lookalike-export-") as folder:
        path = Path(folder) / f"sightings.{format}"
        opened.export_sightings(path, between=span, camera=camera)
        return path.read_bytes()
