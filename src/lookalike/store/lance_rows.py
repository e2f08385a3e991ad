"""Items and vectors as rows of Lance datasets: the Arrow schemas, and from a store's values to them and back."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import DamagedCollection
from lookalike.store.base import Space
from lookalike.store.sqlite_embeddings import DTYPES
from lookalike.store.sqlite_write import NewItems
from lookalike.types import Embeddings

ITEMS, SPACE = "items", "space"
"""What the names of datasets begin with: of items, and of vectors that a migration began."""

TEXTS = ("id", "uri", "source", "stamp", "sha256")
META = (*TEXTS, "width", "height", "attributes", "tags", "labels", "checksum", "vector_crc", "thumbnail_crc")
"""Columns that a replica copies; the others are read from the dataset."""


def schema_of(kind: str, space: Space) -> Any:
    """The Arrow schema of a dataset.

    Args:
        kind: ITEMS: everything of an item; SPACE: vectors and labels for rows of the collection.
        space: Length and precision of the vectors.
    """
    import pyarrow as pa

    vector = pa.list_(pa.float16() if space.precision == "f16" else pa.float32(), space.dimensions)
    words = pa.list_(pa.string())
    if kind == SPACE:
        return pa.schema(
            [("row", pa.int64()), ("vector", vector), ("vector_crc", pa.uint32()), ("labels", words)]
        )
    return pa.schema(
        [
            # Of rows that a compaction or a migration wrote; who puts new ones does not know it yet.
            ("row", pa.int64()),
            *((name, pa.string()) for name in TEXTS),
            ("width", pa.int64()),
            ("height", pa.int64()),
            ("attributes", pa.string()),
            ("tags", words),
            ("labels", words),
            ("checksum", pa.uint32()),
            ("vector", vector),
            ("vector_crc", pa.uint32()),
            ("thumbnail", pa.large_binary()),
            ("thumbnail_crc", pa.uint32()),
        ]
    )


def stored_vectors(embeddings: Embeddings, space: Space) -> list[bytes]:
    """Embeddings, float32 (n, d), as the bytes of the space's precision."""
    return [each.tobytes() for each in embeddings.astype(DTYPES[space.precision])]


def vector_array(vectors: Sequence[bytes], space: Space) -> Any:
    """Vectors as an Arrow array.

    Args:
        vectors: Bytes in the space's precision.
        space: What they belong to.
    """
    import pyarrow as pa

    flat = np.frombuffer(b"".join(vectors), dtype=DTYPES[space.precision])
    return pa.FixedSizeListArray.from_arrays(pa.array(flat), space.dimensions)


def vector_bytes(array: Any, space: Space) -> npt.NDArray[np.floating[Any]]:
    """Vectors of an Arrow array, (n, d) in the space's precision."""
    flat = array.flatten().to_numpy(zero_copy_only=False)
    rows: npt.NDArray[np.floating[Any]] = np.ascontiguousarray(flat, dtype=DTYPES[space.precision])
    return rows.reshape(len(array), space.dimensions)


def items_batch(
    items: NewItems,
    vectors: Sequence[bytes],
    thumbnails: Sequence[bytes],
    space: Space,
    rows: Sequence[int] | None = None,
) -> Any:
    """Items as an Arrow record batch.

    Args:
        items: Without embeddings and thumbnails.
        vectors: Bytes in the space's precision.
        thumbnails: WebP bytes.
        space: What the vectors belong to.
        rows: Their numbers, where they have them already.
    """
    import pyarrow as pa

    schema = schema_of(ITEMS, space)
    by_field = list(zip(*items.fields, strict=True))
    columns: dict[str, Any] = dict(zip((*TEXTS, "width", "height"), by_field, strict=True))
    columns["row"] = [None] * len(items.fields) if rows is None else list(rows)
    columns["attributes"] = [json.dumps(each, ensure_ascii=False) for each in items.values]
    columns["tags"], columns["labels"] = items.tags, items.labels
    columns["checksum"] = [
        _checksum(*each)
        for each in zip(items.fields, columns["attributes"], items.tags, items.labels, strict=True)
    ]
    columns["vector"] = vector_array(vectors, space)
    columns["vector_crc"] = [zlib.crc32(each) for each in vectors]
    columns["thumbnail"] = thumbnails
    columns["thumbnail_crc"] = [zlib.crc32(each) for each in thumbnails]
    return pa.record_batch(
        [
            columns[field.name] if field.name == "vector" else pa.array(columns[field.name], field.type)
            for field in schema
        ],
        schema=schema,
    )


def items_of(table: Any) -> NewItems:
    """The items of a table with the columns of META.

    Raises:
        DamagedCollection: If one does not match its checksum.
    """
    column = {name: table.column(name).to_pylist() for name in META}
    fields = list(zip(*(column[name] for name in (*TEXTS, "width", "height")), strict=True))
    rows = zip(
        fields, column["attributes"], column["tags"], column["labels"], column["checksum"], strict=True
    )
    for each, attributes, tags, labels, checksum in rows:
        if _checksum(each, attributes, tags, labels) != checksum:
            raise DamagedCollection(
                f"{each[0]!r} does not match its checksum in the dataset: restore the dataset from a copy"
            )
    return NewItems(
        fields, [json.loads(each) for each in column["attributes"]], column["tags"], column["labels"]
    )


def _checksum(
    fields: Sequence[object], attributes: str, tags: Sequence[str] | None, labels: Sequence[str]
) -> int:
    return zlib.crc32(json.dumps([list(fields), attributes, tags, list(labels)]).encode())


def vectors_batches(
    rows: Sequence[int], vectors: Sequence[bytes], labels: Sequence[Sequence[str]], space: Space
) -> Iterator[Any]:
    """Vectors of a space that was begun, as one Arrow record batch."""
    import pyarrow as pa

    schema = schema_of(SPACE, space)
    yield pa.record_batch(
        [
            pa.array(list(rows), pa.int64()),
            vector_array(vectors, space),
            pa.array([zlib.crc32(each) for each in vectors], pa.uint32()),
            pa.array([list(each) for each in labels], schema.field("labels").type),
        ],
        schema=schema,
    )
