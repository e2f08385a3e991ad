"""What a map can be coloured by: an attribute, the clusters, or a tag."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from lookalike.collection.saved_clusters import SavedClusters
from lookalike.errors import InputError, NotFitted
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
        return tuple(column_of(store, colour_by, rows))
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


def column_of(store: Store, attribute: str, rows: Rows) -> list[AttributeValue]:
    """An attribute's value for each row; None where it has none."""
    values: list[AttributeValue] = []
    for first in range(0, len(rows), BATCH):
        values += store.column(attribute, rows[first : first + BATCH].tolist())
    return values


def cluster_numbers(store: Store, rows: Rows) -> npt.NDArray[np.int32] | None:
    """The cluster of each row by the last clustering, -1 for noise and newer rows; None: there was none.

    Args:
        store: The record.
        rows: int64 (n,).
    """
    try:
        fitted, payload = store.fitted_payload("clusters", "default")
    except NotFitted:
        return None
    return None if fitted.fingerprint != store.space().fingerprint else _numbers(payload, rows)[1]


def _numbers(payload: bytes, rows: Rows) -> tuple[SavedClusters, npt.NDArray[np.int32]]:
    saved = SavedClusters.from_bytes(payload)
    numbers = np.full(len(rows), NOISE, dtype=np.int32)
    if len(saved.rows):
        places = np.minimum(np.searchsorted(saved.rows, rows), len(saved.rows) - 1)
        known = saved.rows[places] == rows
        numbers[known] = saved.labels[places[known]]
    return saved, numbers


def _clusters(store: Store, rows: Rows) -> tuple[AttributeValue, ...]:
    saved, numbers = _numbers(store.fitted_payload("clusters", "default")[1], rows)
    often = Counter(saved.names)
    names = [name if often[name] == 1 else f"{name} ({number})" for number, name in enumerate(saved.names)]
    return tuple(None if label == NOISE else names[label] for label in numbers.tolist())
