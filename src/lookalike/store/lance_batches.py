"""Batches of rows on their way into a collection in Lance, also from workers that have no replica.

A worker writes a batch beside the collection's data and hands back where it is; nobody looks at it until the driver's
:meth:`lookalike.store.lance_store.LanceStore.put_written` makes it, with others, part of the collection in one step.
A batch that never comes back is deleted by the next compaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lookalike.store.base import Space
from lookalike.store.bulk_data import BulkData, Placed, Unreadable
from lookalike.store.lance_rows import ITEMS, items_batch, schema_of, stored_vectors
from lookalike.store.lance_state import Dataset
from lookalike.store.object_places import place_of
from lookalike.store.sqlite_write import checked_items
from lookalike.types import Record


@dataclass(frozen=True, slots=True)
class Destination:
    """Where workers write to; can be pickled.

    Args:
        uri: Of the collection, as messages name it.
        dataset: The dataset of its items; a compaction or a migration replaces it.
        space: What embeddings have to lie in.
        url: What the collection is opened by, where that is not its uri: it has a user and a password, which travel to
            the workers and are never shown.
    """

    uri: str
    dataset: str
    space: Space
    url: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class WrittenItems:
    """A batch that was written and is not part of the collection yet; can be pickled.

    Args:
        dataset: Where.
        ids: Of its items.
        fragments: Lance's description of the files.
    """

    dataset: str
    ids: tuple[str, ...]
    fragments: tuple[Any, ...]


def records_batch(records: Sequence[Record], space: Space) -> Any:
    """Records as an Arrow record batch.

    Raises:
        InputError: If one cannot be stored, or an id comes twice.
    """
    items, embeddings = checked_items(records, space)
    vectors = stored_vectors(embeddings, space)
    return items_batch(items, vectors, [record.thumbnail for record in records], space)


def write_items(to: Destination, records: Sequence[Record]) -> WrittenItems:
    """Write a batch, on any machine that reaches the collection.

    Args:
        to: See :meth:`lookalike.store.lance_store.LanceStore.destination`.
        records: At least one.

    Raises:
        InputError: If a record cannot be stored, or an id comes twice.
        StoreError: If the dataset cannot be written; it may have been replaced: ask for the destination again.
    """
    batch = records_batch(records, to.space)
    bulk = place_of(to.url or to.uri).bulk()
    fragments = bulk.write(to.dataset, schema_of(ITEMS, to.space), iter([batch]))
    return WrittenItems(to.dataset, tuple(record.id for record in records), tuple(fragments))


class Batch:
    """A batch of this process: written and committed once, and again if the dataset was replaced.

    Args:
        bulk: The datasets.
        dataset: Where to, as far as is known.
        schema, batch: Arrow's.
    """

    def __init__(self, bulk: BulkData, dataset: Dataset, schema: Any, batch: Any) -> None:
        self._bulk, self._schema, self._batch = bulk, schema, batch
        self._name = dataset.name
        self._placed: Placed | None = None
        try:
            self._fragments = self._write(dataset)
        except Unreadable:  # a compaction may have replaced the dataset since it was looked up
            self._name = ""

    def _write(self, dataset: Dataset) -> list[Any]:
        return self._bulk.write(dataset.name, self._schema, iter([self._batch]))

    def placed(self, dataset: Dataset) -> Placed:
        """Where the rows are in the dataset, which is the one that the log refers to now."""
        if dataset.name != self._name:
            self._name, self._placed = dataset.name, None
            self._fragments = self._write(dataset)
        if self._placed is None:
            self._placed = self._bulk.commit(dataset.placed(), self._fragments)
        return self._placed
