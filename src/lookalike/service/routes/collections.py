"""Which collections are served, and what each one is."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from lookalike.service import links
from lookalike.service.access import Readable, seen_by
from lookalike.service.schemas.collections import CollectionAnswer, CollectionsAnswer
from lookalike.service.state import service_of

router = APIRouter(prefix="/v1/collections", tags=["collections"])


@router.get("", response_model=CollectionsAnswer)
async def list_collections(request: Request) -> dict[str, Any]:
    """Names and sizes of the collections that the caller may use."""
    seen = seen_by(request)
    counts = await service_of(request).workers.run(lambda: [len(each) for each in seen.values()])
    return {"collections": [{"name": name, "items": n} for name, n in zip(seen, counts, strict=True)]}


@router.get("/{collection}", response_model=CollectionAnswer)
async def describe_collection(request: Request, collection: str, opened: Readable) -> dict[str, Any]:
    """Items, encoder, attributes, index, what was fitted, version."""
    info = await service_of(request).workers.run(opened.info)
    return {
        **{name: value for name, value in info.items() if name != "path"},
        "name": collection,
        "sources": sorted(info["sources"]),
        "index": links.without_paths(info["index"]),
    }
