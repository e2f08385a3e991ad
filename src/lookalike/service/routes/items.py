"""Items: listed page by page, looked at, changed, removed."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from lookalike.collection import Collection
from lookalike.errors import InputError
from lookalike.service import links
from lookalike.service.access import Readable, Writable
from lookalike.service.conditions import public_filter
from lookalike.service.packed import packed
from lookalike.service.schemas.items import (
    AttributeChanges,
    Changed,
    ItemAnswer,
    ItemsAnswer,
    Removal,
    Removed,
    Where,
)
from lookalike.service.state import service_of

router = APIRouter(prefix="/v1/collections/{collection}", tags=["items"])

_DIGITS = 18
"""Of a row number."""


@router.get("/items", response_model=ItemsAnswer)
async def list_items(
    request: Request,
    collection: str,
    opened: Readable,
    where: Annotated[Where, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=500, description="Most items of a page.")] = 50,
    after: Annotated[
        str | None, Query(max_length=40, description="`next` of the page before; it is opaque.")
    ] = None,
) -> Response:
    """Items in the order in which they came, page by page; nothing is shown twice when others come and go."""

    def read() -> Response:
        page = opened.page(where=public_filter(where), after=_row(after), limit=limit)
        following = None if page.next is None else f"r{page.next}"
        items = [links.item(collection, item) for item in page.items]
        return packed(ItemsAnswer, {"items": items, "next": following})

    return await service_of(request).workers.run(read)


@router.get("/items/{id:path}", response_model=ItemAnswer)
async def get_item(request: Request, collection: str, opened: Readable, id: str) -> dict[str, Any]:
    """One item."""
    return links.item(collection, await service_of(request).workers.run(opened.item, id))


@router.patch("/items", response_model=Changed)
async def change_items(request: Request, opened: Writable, changes: AttributeChanges) -> dict[str, Any]:
    """Set attributes of items, all or none of them; a value has to be of the type that the attribute has."""
    return {
        "changed": await service_of(request).workers.run(opened.set_attributes, changes.root, widen=False)
    }


@router.post("/items/delete", response_model=Removed)
async def remove_items(request: Request, opened: Writable, removal: Removal) -> dict[str, Any]:
    """Remove items by id or by a filter; all or none. What is left of them goes when the collection is compacted."""

    def remove() -> int:
        if (removal.ids is None) == (removal.where is None):
            raise InputError("expected either ids or where, not both and not neither")
        return opened.remove(removal.ids or (), where=public_filter(removal.where))

    return {"removed": await service_of(request).workers.run(remove)}


@router.delete("/items/{id:path}", response_model=Removed)
async def remove_item(request: Request, opened: Writable, id: str) -> dict[str, Any]:
    """Remove one item."""
    return {"removed": await service_of(request).workers.run(_removed, opened, id)}


def _removed(opened: Collection, id: str) -> int:
    return opened.remove([id])


def _row(after: str | None) -> int:
    """The row that a page begins after.

    Raises:
        InputError: If it is not what a page before gave.
    """
    if after is None:
        return -1
    digits = after[1:]
    if after[:1] != "r" or not digits.isascii() or not digits.isdecimal() or len(digits) > _DIGITS:
        raise InputError(f"after {after!r} is none: expected `next` of the page before, or nothing to begin")
    return int(digits)
