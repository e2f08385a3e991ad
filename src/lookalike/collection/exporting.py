"""Everything a collection knows, as files that other tools read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lookalike.collection.vector_files import vector_file
from lookalike.errors import UnknownItem
from lookalike.store.base import Store
from lookalike.types import AttributeType, Embeddings, Item

_FIXED: dict[str, AttributeType] = {
    "id": "text",
    "uri": "text",
    "sha256": "text",
    "image_width": "integer",
    "image_height": "integer",
}
_TAKEN = {*_FIXED, "embedding"}


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Args:
        items: How many.
        files: The files, the one asked for first.
    """

    items: int
    files: tuple[str, ...]


def export(store: Store, path: Path) -> Exported:
    """Write all items of a store: id, uri, sha256, image_width, image_height, tags, every attribute, the embedding.

    An attribute that has the name of one of those columns is written as ``attribute_NAME``.

    Args:
        store: What to write.
        path: ``.parquet`` for one table (needs the extra ``arrow``), or ``.npy`` for the embeddings,
            float32 (n, d), with a ``.csv`` of the same rows beside it.

    Raises:
        InputError: If the ending is neither.
        MissingExtra: For Parquet without PyArrow.
    """
    space = store.space()
    attributes = store.schema()
    metadata = {"lookalike.encoder": space.spec, "lookalike.fingerprint": space.fingerprint}
    names = {name: f"attribute_{name}" if name in _TAKEN else name for name in attributes}
    types = _FIXED | {names[name]: kind for name, kind in attributes.items()}
    with vector_file(path, space.dimensions, types, metadata) as file:
        for streamed in store.stream():
            items, embeddings = _still_there(store, streamed)
            columns: dict[str, list[Any]] = {
                name: [getattr(item, name.removeprefix("image_")) for item in items] for name in _FIXED
            }
            columns |= {own: [item.attributes.get(name) for item in items] for name, own in names.items()}
            file.write(columns, embeddings)
    return Exported(file.rows, file.files)


def _still_there(store: Store, items: list[Item]) -> tuple[list[Item], Embeddings]:
    """Items and their embeddings, without those that were removed since the items were read."""
    while True:
        try:
            return items, store.vectors([item.row for item in items])
        except UnknownItem:
            items = store.items([item.row for item in items])
