"""Records for the tests of stores: small embeddings from a seed, every field settable."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np

from lookalike.store.base import Precision, Space, Store
from lookalike.store.filters import parse
from lookalike.types import AttributeValue, Embeddings, Record

DIMENSIONS = 16
FINGERPRINT = "0123456789abcdef"


def space(number: int = 1, precision: Precision = "f16", fingerprint: str = FINGERPRINT) -> Space:
    """A space of short embeddings."""
    return Space(number, '{"name": "test"}', fingerprint, DIMENSIONS, precision)


def unit(seed: int) -> Embeddings:
    """A random direction, float32 (DIMENSIONS,)."""
    vector = np.random.default_rng(seed).normal(size=DIMENSIONS).astype(np.float32)
    return vector / np.linalg.norm(vector)


def record(
    id: str,
    attributes: Mapping[str, AttributeValue] | None = None,
    *,
    labels: tuple[str, ...] = (),
    seed: int | None = None,
    source: str = "catalog",
    stamp: str | None = "1:2",
    thumbnail: bytes | None = None,
    embedding: Embeddings | None = None,
) -> Record:
    """A record whose embedding and hashes follow from its id, unless they are given."""
    number = int.from_bytes(hashlib.sha256(id.encode()).digest()[:4], "big") if seed is None else seed
    return Record(
        id=id,
        uri=f"/pictures/{id}",
        source=source,
        stamp=stamp,
        sha256=hashlib.sha256(f"{id} {number}".encode()).hexdigest(),
        width=640,
        height=480,
        embedding=unit(number) if embedding is None else embedding,
        thumbnail=f"webp of {id}".encode() if thumbnail is None else thumbnail,
        labels=labels,
        attributes=attributes or {},
    )


def ids(store: Store, expression: str) -> list[str]:
    """Which of the furnished collection's items a filter keeps."""
    rows = store.select(parse(expression))
    return [item.id.removeprefix("shop/").removesuffix(".jpg") for item in store.items(rows)]
