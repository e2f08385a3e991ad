"""Counts of attribute values, for a page that narrows a search down."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from lookalike.service.access import Readable
from lookalike.service.conditions import listed, public_filter
from lookalike.service.schemas.facets import FacetsAnswer
from lookalike.service.schemas.items import Where
from lookalike.service.state import service_of

router = APIRouter(prefix="/v1/collections/{collection}", tags=["search"])


@router.get("/facets", response_model=FacetsAnswer, response_model_exclude_unset=True)
async def facets(
    request: Request,
    opened: Readable,
    attributes: Annotated[
        str | None,
        Query(
            description="Names separated by commas; by default all attributes of the collection.",
            max_length=4000,
            examples=["category,price"],
        ),
    ] = None,
    where: Annotated[Where, Query()] = None,
    most: Annotated[int, Query(ge=1, le=1000, description="How many values of each are listed.")] = 50,
) -> dict[str, Any]:
    """How many items have which values: of text, truth values and tags by value, of numbers by intervals."""

    def count() -> dict[str, Any]:
        return opened.facets(listed(attributes), where=public_filter(where), most=most).to_dict()

    return await service_of(request).workers.run(count)
