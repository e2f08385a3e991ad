"""What was fitted, in the row numbers of a copy.

A payload refers to items by the rows of its collection, and clusters name the reducer that they were compared with by
its version. Both are others in a copy. What refers to an item that was removed goes on doing so, by a row that no item
has: how many there were is part of some answers.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.collection.clustering import KIND as CLUSTERS
from lookalike.collection.map_result import SavedMap
from lookalike.collection.mapping import KIND as MAP
from lookalike.collection.saved_clusters import SavedClusters
from lookalike.collection.tagger import KIND as CLASSIFIER
from lookalike.store.base import Fitted
from lookalike.store.copying import Renumbering
from lookalike.store.galleries import KIND as REDUCER
from lookalike.store.interactions import RECOMMENDER
from lookalike.types import Rows

NOTHING = -1
"""The medoid of a cluster of which nothing is left, and the only example of a class that has several."""

REPLACED = 0
"""In the place of the version of a reducer that is not there any more: no reducer has it."""

_Arrays = dict[str, npt.NDArray[Any]]


def translated(
    fitted: Fitted, payload: bytes, numbers: Renumbering
) -> tuple[bytes, Mapping[str, Any]] | None:
    """Payload and provenance of something fitted in the numbers of a copy; None where its kind is not known.

    Args:
        fitted: What the source says of it.
        payload: As the source keeps it.
        numbers: Of rows and versions.
    """
    change = _KINDS.get(fitted.kind)
    if change is None:
        return None
    provenance = fitted.provenance
    if fitted.kind == CLUSTERS and provenance["reducer"] is not None:
        provenance = {**provenance, "reducer": numbers.versions.get(provenance["reducer"], REPLACED)}
    return change(payload, numbers), provenance


def _reducer(payload: bytes, _: Renumbering) -> bytes:
    """A linear map of vectors refers to no item."""
    return payload


def _clusters(payload: bytes, numbers: Renumbering) -> bytes:
    saved = SavedClusters.from_bytes(payload)
    rows, order = _ascending(saved.rows, numbers)
    return replace(
        saved,
        rows=rows,
        labels=saved.labels[order],
        strengths=saved.strengths[order],
        assigned=saved.assigned[order],
        medoids=_or_nothing(saved.medoids, numbers),
    ).to_bytes()


def _map(payload: bytes, numbers: Renumbering) -> bytes:
    saved = SavedMap.from_bytes(payload)
    rows, order = _ascending(saved.rows, numbers)
    return SavedMap(rows, saved.xy[order], saved.placed[order]).to_bytes()


def _classifier(payload: bytes, numbers: Renumbering) -> bytes:
    arrays = _arrays(payload)
    inner = _arrays(arrays["classifier"].tobytes())
    for name in ("rows", "rejection_rows"):
        if name in inner:
            inner[name] = numbers(inner[name])
    if "single_rows" in inner:
        inner["single_rows"] = _or_nothing(inner["single_rows"], numbers)
    arrays["classifier"] = np.frombuffer(_packed(inner), dtype=np.uint8)
    arrays["rows"] = numbers(arrays["rows"])
    return _packed(arrays)


def _recommender(payload: bytes, numbers: Renumbering) -> bytes:
    arrays = _arrays(payload)
    arrays["rows"], order = _ascending(arrays["rows"], numbers)
    arrays["of"] = arrays["of"][order]
    return _packed(arrays)


_KINDS: Mapping[str, Callable[[bytes, Renumbering], bytes]] = {
    REDUCER: _reducer,
    CLUSTERS: _clusters,
    MAP: _map,
    CLASSIFIER: _classifier,
    RECOMMENDER: _recommender,
}


def _ascending(rows: Rows, numbers: Renumbering) -> tuple[Rows, npt.NDArray[np.int64]]:
    """Rows in the numbers of the copy, ascending, and where each was among those given."""
    renumbered = numbers(rows)
    order = np.argsort(renumbered, kind="stable")
    return renumbered[order], order


def _or_nothing(rows: Rows, numbers: Renumbering) -> Rows:
    """Translated, but for those that stand for nothing."""
    return np.where(rows == NOTHING, NOTHING, numbers(rows))


def _arrays(payload: bytes) -> _Arrays:
    with np.load(io.BytesIO(payload), allow_pickle=False) as stored:
        return dict(stored)


def _packed(arrays: _Arrays) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return file.getvalue()
