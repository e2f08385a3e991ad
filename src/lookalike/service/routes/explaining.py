"""Why two pictures are similar: as numbers, and as a picture."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from lookalike.collection import Collection
from lookalike.collection.embedding import Picture
from lookalike.collection.explanation import Explanation
from lookalike.service import links
from lookalike.service.access import Readable
from lookalike.service.problems import without_paths
from lookalike.service.schemas.bodies import documented, read_body
from lookalike.service.schemas.explaining import ExplainRequest, ExplanationAnswer
from lookalike.service.schemas.items import Id
from lookalike.service.state import service_of
from lookalike.types import ItemId

router = APIRouter(prefix="/v1/collections/{collection}", tags=["explaining"])

A = Annotated[Id, Query(description="An item's id.")]
B = Annotated[Id, Query(description="Another item's id.")]
Method = Annotated[
    Literal["auto", "exact", "occlusion"],
    Query(
        description="exact: every cell's share; occlusion: what covering a cell costs, which takes 128 passes."
    ),
]
Pairs = Annotated[int, Query(ge=0, le=20, description="Most pairs of matching regions.")]

_PNG: dict[str, Any] = {
    "response_class": Response,
    "responses": {200: {"content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}}},
}
_POSTED: dict[str, Any] = {"openapi_extra": documented(ExplainRequest, files=["image"])}


@router.get("/explain", response_model=ExplanationAnswer)
async def explain(
    request: Request, collection: str, opened: Readable, a: A, b: B, method: Method = "auto", pairs: Pairs = 5
) -> dict[str, Any]:
    """Where two items look alike: shares of the similarity by cell, and regions that match."""

    def answer() -> dict[str, Any]:
        found = opened.explain(ItemId(a), ItemId(b), method=method, pairs=pairs)
        asked = urlencode({"a": a, "b": b, "method": method, "pairs": pairs})
        return _shown(collection, found, f"{links.of_collection(collection, 'explain.png')}?{asked}")

    return await service_of(request).workers.run(answer)


@router.get("/explain.png", **_PNG)
async def explain_png(
    request: Request, opened: Readable, a: A, b: B, method: Method = "auto", pairs: Pairs = 5
) -> Response:
    """Where two items look alike, as one picture: matching regions joined by lines, and heat-maps on both."""
    return await service_of(request).workers.run(_png, opened, ItemId(a), b, method, pairs, None)


@router.post("/explain", response_model=ExplanationAnswer, **_POSTED)
async def explain_picture(request: Request, collection: str, opened: Readable) -> dict[str, Any]:
    """Where a picture that is sent and an item look alike."""
    asked = await read_body(request, ExplainRequest, files=["image"])

    def answer() -> dict[str, Any]:
        found = opened.explain(
            asked.image, ItemId(asked.b), method=asked.method, pairs=asked.pairs, crop=asked.crop
        )
        return _shown(collection, found, None)

    return await service_of(request).workers.run(answer)


@router.post("/explain.png", **_PNG, **_POSTED)
async def explain_picture_png(request: Request, opened: Readable) -> Response:
    """Where a picture that is sent and an item look alike, as one picture."""
    asked = await read_body(request, ExplainRequest, files=["image"])
    return await service_of(request).workers.run(
        _png, opened, asked.image, asked.b, asked.method, asked.pairs, asked.crop
    )


def _png(
    opened: Collection,
    a: Picture,
    b: str,
    method: Literal["auto", "exact", "occlusion"],
    pairs: int,
    crop: str | None,
) -> Response:
    found = opened.explain(a, ItemId(b), method=method, pairs=pairs, crop=crop)
    return Response(found.to_png(), media_type="image/png", headers={"Cache-Control": "private, max-age=300"})


def _shown(collection: str, found: Explanation, png: str | None) -> dict[str, Any]:
    """The explanation without what it says of places on this machine."""
    answer = found.to_dict()
    for side in ("a", "b"):
        answer[side] = {**answer[side], "note": without_paths(answer[side]["note"])}
    answer["notes"] = [without_paths(note) for note in answer["notes"]]
    answer["provenance"] = links.provenance(collection, answer["provenance"])
    return {**answer, "png": png}
