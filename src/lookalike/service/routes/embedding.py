"""Vectors of pictures."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from lookalike.service.access import Readable
from lookalike.service.schemas.bodies import documented, read_body
from lookalike.service.schemas.explaining import EmbedAnswer, EmbedRequest
from lookalike.service.state import service_of

router = APIRouter(prefix="/v1/collections/{collection}", tags=["search"])


@router.post("/embed", response_model=EmbedAnswer, openapi_extra=documented(EmbedRequest, files=["image"]))
async def embed(request: Request, opened: Readable) -> dict[str, Any]:
    """Vectors of pictures by the collection's encoder, as `search` takes them; nothing is kept."""
    asked = await read_body(request, EmbedRequest, files=["image"], most_files=64)

    def answer() -> dict[str, Any]:
        spec = opened.encoder.spec
        vectors = opened.embed(asked.image)
        return {
            "encoder": spec.name,
            "fingerprint": spec.fingerprint,
            "dimensions": vectors.shape[1],
            "vectors": vectors.tolist(),
        }

    return await service_of(request).workers.run(answer)
