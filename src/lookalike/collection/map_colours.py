"""What a map can be coloured by: an attribute, the clusters, or a tag."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np

from lookalike.collection.saved_clusters import SavedClusters
from lookalike.errors import InputError
from lookalike.store.base import Store
from lookalike.types import AttributeValue, Rows

CLUSTER = "cluster"
"""Colours by the groups of the last clustering, where no attribute has that name."""

NOISE = -1
"""The label of items that belong to no cluster."""

BATCH = 1024


def colour_values(
    store: Store, select: Callable[[str], Rows], colour_by: str, rows: Rows
) -> tuple[AttributeValue, ...]:
    """A value for each row.

    Args:
        store: The record.
        select: Rows that a filter allows.
        colour_by: Name of an attribute, ``cluster``, or a word that items have as a tag.
        rows: int64 (n,).

    Raises:
        InputError: If it is none of these; lists the attributes.
        NotFitted: If it is ``cluster`` and the collection was not clustered yet.
    """
    attributes = store.schema()
    if colour_by in attributes:
        values: list[AttributeValue] = []
        for first in range(0, len(rows), BATCH):
            values += store.column(colour_by, rows[first : first + BATCH].tolist())
        return tuple(values)
    if colour_by == CLUSTER:
        return _clusters(store, rows)
    quoted = colour_by.replace("\\", "\\\\").replace('"', '\\"')
    tagged = select(f'tags has "{quoted}"')
    if not len(tagged):
        raise InputError(
            f"a map cannot be coloured by {colour_by!r}: no attribute has that name and no item has it as a tag; "
            f"choose {CLUSTER!r}, a tag, or one of the attributes {', '.join(sorted(attributes)) or '(none)'}"
        )
    return tuple(colour_by if has else None for has in np.isin(rows, tagged).tolist())


def _clusters(store: Store, rows: Rows) -> tuple[AttributeValue, ...]:
    _, payload = store.fitted_payload("clusters", "default")
    saved = SavedClusters.from_bytes(payload)
    often = Counter(saved.names)
    names = [name if often[name] == 1 else f"{name} ({number})" for number, name in enumerate(saved.names)]
    label_of = dict(zip(saved.rows.tolist(), saved.labels.tolist(), strict=True))
    labels = [label_of.get(row, NOISE) for row in rows.tolist()]
    return tuple(None if label == NOISE else names[label] for label in labels)
