"""The ids of many items at once, without reading the items."""

from __future__ import annotations

from lookalike.store.base import Store
from lookalike.types import Rows

BATCH = 1024


def ids_of(store: Store, rows: Rows) -> dict[int, str]:
    """Ids by row, in the order of the rows; without those that are gone.

    Args:
        store: The record.
        rows: int64 (n,).
    """
    found: dict[int, str] = {}
    for first in range(0, len(rows), BATCH):
        part = rows[first : first + BATCH].tolist()
        ids = store.column("id", part)  # no attribute may have that name
        found |= {row: str(id) for row, id in zip(part, ids, strict=True) if id is not None}
    return found
