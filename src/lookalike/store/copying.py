"""The record of a collection, from one store into another of any engine: streamed, and compared when it is there.

Rows get new numbers, in the same order, since a store gives them itself. What refers to rows is what was fitted, whose
payloads are opaque here: the caller translates them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import DamagedCollection, FingerprintMismatch, StoreError
from lookalike.store.base import Fitted, Store
from lookalike.store.copying_digest import InteractionsDigest, ItemsDigest
from lookalike.store.copying_mark import KIND as MARK
from lookalike.store.copying_tracking import TrackingCounts, copy_tracking, tracking_counts
from lookalike.store.interactions import EVENT_WEIGHTS
from lookalike.store.published_index import DERIVED_KINDS
from lookalike.store.row_places import places_of
from lookalike.types import TAGS, AttributeType, AttributeValue, Record, Rows

BATCH = 2048
"""Items that are read and written together."""

GONE = 2**62
"""Rows from here on are no item's, and never will be: they stand for items that were removed from the source."""

_EXAMPLES: Mapping[AttributeType, AttributeValue] = {
    "text": "text",
    "integer": 1,
    "number": 0.5,
    "boolean": True,
}
"""A value that needs exactly the type."""


@dataclass(frozen=True, slots=True, eq=False)
class Renumbering:
    """What has a number in the source, by its number in the destination.

    Args:
        rows: int64 (n,), rows of the source, ascending.
        of: int64 (n,), the row of each in the destination.
        versions: Versions of what was fitted.
    """

    rows: Rows
    of: npt.NDArray[np.int64]
    versions: Mapping[int, int]

    def __call__(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Rows of the destination, int64 (m,); one of its own from GONE on for each that the source lost."""
        gone = np.where(rows >= GONE, rows, rows + GONE)
        if not len(self.rows):
            return gone
        places = places_of(rows, self.rows)
        return np.where(places >= 0, self.of[places], gone)


Changed = Callable[[Record], Record]
"""An item as it is to lie in the destination."""

Translated = Callable[[Fitted, bytes, Renumbering], tuple[bytes, Mapping[str, Any]] | None]
"""Payload and provenance of something fitted in the numbers of the destination; None: it cannot be carried over."""


@dataclass(frozen=True, slots=True)
class CopiedRecord:
    """What was copied.

    Args:
        items, interactions, fitted: How many.
        tracking: How much of what cameras saw.
        bytes: Of embeddings, thumbnails and payloads.
        digest: Of the items of either store.
        left_out: What could not be carried over, and why.
    """

    items: int
    interactions: int
    fitted: int
    tracking: TrackingCounts
    bytes: int
    digest: str
    left_out: tuple[str, ...]


def copy_record(
    source: Store,
    destination: Store,
    *,
    changed: Changed,
    moved: Callable[[str], str],
    translated: Translated,
    advance: Callable[[int, int], None],
) -> CopiedRecord:
    """Copy everything that a store holds, and compare the two.

    Args:
        source: Is read, as of one moment (:meth:`Store.snapshot`).
        destination: Empty, of the same space.
        changed: Is called with each item.
        moved: Is called with the uri of each source.
        translated: Is called with each fitted thing.
        advance: Is called with (items done, items) after every batch.

    Raises:
        DamagedCollection: If something of the source does not match its checksum, or the two are not the same
            afterwards.
    """
    sources = {name: moved(uri) for name, uri in source.sources().items()}
    for name, uri in sources.items():
        destination.set_source(name, uri)
    _declare(source, destination)
    items, rows, of = _copy_items(source, destination, changed, advance)
    interactions = _copy_interactions(source, destination)
    tracking = copy_tracking(source, destination)
    fitted, size, left_out = _copy_fitted(source, destination, Renumbering(rows, of, {}), translated)
    copied = CopiedRecord(
        items=items.items,
        interactions=interactions.interactions,
        fitted=fitted,
        tracking=tracking,
        bytes=items.bytes + size,
        digest=items.hexdigest(),
        left_out=(*_begun(source), *left_out),
    )
    _compare(source, destination, copied, interactions, sources)
    return copied


def _declare(source: Store, destination: Store) -> None:
    """Make the attributes with their types, in their order, also those that no item has any more.

    A store makes an attribute when an item has a value of it, so one item has all of them for a moment.
    """
    values = {name: _EXAMPLES[kind] for name, kind in source.schema().items() if name != TAGS}
    if not values:
        return
    space = source.space()
    embedding = np.zeros(space.dimensions, dtype=np.float32)
    embedding[0] = 1
    one = Record("attributes", "", "", None, "0" * 64, 1, 1, embedding, b"", (), values)
    destination.put([one], space.fingerprint)
    destination.remove([one.id])


def _copy_items(
    source: Store, destination: Store, changed: Changed, advance: Callable[[int, int], None]
) -> tuple[ItemsDigest, Rows, npt.NDArray[np.int64]]:
    """Digest of what was written, and the rows of the source and of the destination."""
    space, total = source.space(), source.count()
    digest = ItemsDigest(space.precision)
    rows, of = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    advance(0, total)
    for found, records in source.stream_records(batch=BATCH):
        given = [changed(record) for record in records]
        destination.put(given, space.fingerprint)
        rows.append(found)
        of.append(np.array(destination.rows([record.id for record in given]), dtype=np.int64))
        digest.add(given)
        advance(digest.items, total)
    return digest, np.concatenate(rows), np.concatenate(of)


def _copy_interactions(source: Store, destination: Store) -> InteractionsDigest:
    weights = source.event_weights()
    if weights != EVENT_WEIGHTS:
        own = {event: weight for event, weight in weights.items() if weight != EVENT_WEIGHTS.get(event)}
        destination.set_event_weights(own)
    digest = InteractionsDigest()
    for columns in source.stream_interactions():
        destination.put_interactions(columns)
        digest.add(columns)
    return digest


def _copy_fitted(
    source: Store, destination: Store, numbers: Renumbering, translated: Translated
) -> tuple[int, int, list[str]]:
    """How many there were to copy, bytes of their payloads, and what was left out."""
    versions: dict[int, int] = {}
    numbers = Renumbering(numbers.rows, numbers.of, versions)
    size, left_out = 0, []
    for each in source.fitted():
        if each.kind == MARK or each.kind in DERIVED_KINDS:
            continue
        known, payload = source.fitted_payload(each.kind, each.name)
        given = translated(known, payload, numbers)
        if given is None:
            left_out.append(
                f"the {each.kind} {each.name!r}: this version of lookalike does not know which items it refers to"
            )
            continue
        data, provenance = given
        saved = destination.put_fitted(
            each.kind,
            each.name,
            data,
            fingerprint=each.fingerprint,
            provenance=provenance,
            forgotten=destination.forgotten_users(),
        )
        versions[each.version] = saved.version
        size += len(data)
    return len(versions), size, left_out


def _begun(source: Store) -> list[str]:
    """What is said of a migration that is under way; its vectors stay behind."""
    try:
        next(source.lacking(""), None)
    except FingerprintMismatch as error:
        return [
            f"the vectors of a migration to {error.expected} that was under way: repeat lookalike migrate on the copy"
        ]
    except StoreError as error:
        if type(error) is not StoreError:  # else none is begun
            raise
    return []


def _compare(
    source: Store,
    destination: Store,
    copied: CopiedRecord,
    interactions: InteractionsDigest,
    sources: Mapping[str, str],
) -> None:
    """Read the destination and compare it with what was read of the source.

    Raises:
        DamagedCollection: If they differ.
    """
    items = ItemsDigest(destination.space().precision)
    for _, records in destination.stream_records(batch=BATCH):
        items.add(records)
    events = InteractionsDigest()
    for columns in destination.stream_interactions():
        events.add(columns)
    fitted = [each for each in destination.fitted() if each.kind != MARK]
    for each in fitted:
        destination.fitted_payload(each.kind, each.name)  # raises where it does not match its checksum
    pairs: tuple[tuple[str, object, object], ...] = (
        ("items", (copied.items, copied.digest), (items.items, items.hexdigest())),
        ("attributes", source.schema(), destination.schema()),
        ("sources", sources, destination.sources()),
        ("interactions", interactions.value(), events.value()),
        ("event weights", source.event_weights(), destination.event_weights()),
        ("fitted", copied.fitted, len(fitted)),
        ("tracking", copied.tracking, tracking_counts(destination)),
    )
    for what, before, after in pairs:
        if before != after:
            raise DamagedCollection(
                f"the {what} of the copy at {destination.uri} are not those of {source.uri} ({after}, expected "
                f"{before}): run lookalike verify on both, and copy again"
            )
