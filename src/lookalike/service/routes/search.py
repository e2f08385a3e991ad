"""Finding items: by pictures, items, words and vectors; and what is similar to one item."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query, Request, Response

from lookalike.collection import Collection
from lookalike.collection.queries import Query as Example
from lookalike.service import links
from lookalike.service.access import Readable
from lookalike.service.conditions import listed, public_attribute, public_filter
from lookalike.service.packed import packed
from lookalike.service.schemas.bodies import documented, read_body
from lookalike.service.schemas.search import FILES, Narrowing, SearchAnswer, SearchRequest, SimilarQuery
from lookalike.service.settings import ServiceSettings
from lookalike.service.state import service_of
from lookalike.types import ItemId, Words

router = APIRouter(prefix="/v1/collections/{collection}", tags=["search"])


@router.post(
    "/search",
    response_model=SearchAnswer,
    response_model_exclude_unset=True,
    openapi_extra=documented(SearchRequest, files=FILES),
)
async def search(request: Request, collection: str, opened: Readable) -> Response:
    """Items that look like the examples, best first.

    The same fields as a form with files or as a JSON document; in a form, several examples are sent by repeating
    the field.
    """
    began = time.perf_counter()
    asked = await read_body(request, SearchRequest, files=FILES)
    service = service_of(request)
    return await service.workers.run(
        _answer,
        opened,
        collection,
        _examples(asked),
        _away(asked),
        asked.crop,
        asked,
        service.settings,
        began,
    )


@router.get("/similar/{id:path}", response_model=SearchAnswer, response_model_exclude_unset=True)
async def similar(
    request: Request, collection: str, opened: Readable, id: str, asked: Annotated[SimilarQuery, Query()]
) -> Response:
    """Items that look like an item, best first; without the item itself."""
    began = time.perf_counter()
    service = service_of(request)
    return await service.workers.run(
        _answer, opened, collection, [ItemId(id)], [], None, asked, service.settings, began
    )


def _examples(asked: SearchRequest) -> list[Example]:
    texts = [] if asked.text is None else [Words(asked.text)]
    vectors = [np.array(vector, dtype=np.float32) for vector in asked.vector]
    return [*asked.image, *map(ItemId, asked.id), *texts, *vectors]


def _away(asked: SearchRequest) -> list[Example]:
    return [*asked.minus_image, *map(ItemId, asked.minus_id)]


def _answer(
    opened: Collection,
    name: str,
    examples: Sequence[Example],
    away: Sequence[Example],
    crop: str | None,
    asked: Narrowing,
    settings: ServiceSettings,
    began: float,
) -> Response:
    settings.check_k(asked.k)
    where, counted = public_filter(asked.where), listed(asked.facets)
    result = opened.search(
        examples,
        k=asked.k,
        where=where,
        minus=away,
        crop=crop,
        group_by=public_attribute(asked.group_by),
        diversity=asked.diversity,
        min_strength=asked.min_strength,
        recall=asked.recall,
        regions=asked.regions,
        rerank=asked.rerank,
        but=asked.but,
    )
    answer = result.to_dict()
    answer["hits"] = [links.shown(name, hit) for hit in answer["hits"]]
    answer["provenance"] = links.provenance(name, answer["provenance"])
    answer["query_thumbnail"] = links.data_url(result.query_thumbnail)
    if counted is not None:
        answer["facets"] = opened.facets(counted, where=where).to_dict()["facets"]
    answer["took_ms"] = round((time.perf_counter() - began) * 1000, 3)
    return packed(SearchAnswer, answer, exclude_unset=True)
