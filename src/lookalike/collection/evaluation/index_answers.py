"""What a collection's index answers to labelled queries, counted as the exact measures count."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lookalike.evaluate.labelled import LabelledTask, Measured
from lookalike.evaluate.misses import Misses, decompose
from lookalike.store.gallery import Gallery
from lookalike.types import Embeddings, Rows

BLOCK = 256
"""Queries asked at a time."""

WIDENING = 4
"""Factor by which the answers grow until enough of them count."""


def index_misses(
    gallery: Gallery,
    task: LabelledTask,
    queries: Embeddings,
    rows: Rows,
    exact: Measured,
    *,
    ks: Sequence[int],
    allowed: Rows | None,
    recall: float | None,
) -> tuple[Misses, ...]:
    """Whose fault the misses are at each k.

    Args:
        gallery: What answers.
        task: Queries and truth; its gallery items are those of ``rows``.
        queries: float32 (q, d), L2-normalised rows.
        rows: int64 (n,), ascending: the rows of the gallery items.
        exact: Measures of the exact search.
        ks: Ranks.
        allowed: The rows that may be answers, as a filter gives them; None: all of the gallery.
        recall: What is asked of the index; None: its default.
    """
    if gallery.kind() == "exact" or recall == 1:  # the answers are the exact ones
        found = [exact.values[f"recall@{k}"] for k in ks]
    else:
        first = _first_right(gallery, task, queries, rows, max(ks), allowed, recall)
        answered = exact.relevant > 0
        found = [np.where(answered, (first > 0) & (first <= k), np.nan) for k in ks]
    return tuple(decompose(exact.values[f"recall@{k}"], hits, k) for k, hits in zip(ks, found, strict=True))


def _first_right(
    gallery: Gallery,
    task: LabelledTask,
    queries: Embeddings,
    rows: Rows,
    k: int,
    allowed: Rows | None,
    recall: float | None,
) -> npt.NDArray[np.int64]:
    """Rank of the first relevant answer of each query, int64 (q,); 0 when it is not among the first k."""
    ranks = np.zeros(len(queries), dtype=np.int64)
    right_groups = _groups_of_labels(task)
    pending, wanted = np.arange(len(queries)), k + 1
    while len(pending):
        short = []
        for start in range(0, len(pending), BLOCK):
            part = pending[start : start + BLOCK]
            answers, _ = gallery.search(queries[part], wanted, allowed, recall)
            for query, found in zip(part.tolist(), answers, strict=True):
                places = np.searchsorted(rows, found[found >= 0]).tolist()
                rank, counted = _rank(task, query, places, right_groups)
                if rank == 0 and counted < k and len(places) == wanted < len(rows):
                    short.append(query)
                ranks[query] = rank if rank <= k else 0
        pending, wanted = np.array(short, dtype=np.int64), min(wanted * WIDENING, len(rows))
    return ranks


def _groups_of_labels(task: LabelledTask) -> dict[object, dict[object, list[int]]]:
    """Label to its groups, each with the places of its items of that label."""
    known: dict[object, dict[object, list[int]]] = {}
    if task.groups is not None:
        for place, (group, label) in enumerate(zip(task.groups, task.gallery_labels, strict=True)):
            if group is not None and label is not None:
                known.setdefault(label, {}).setdefault(group, []).append(place)
    return known


def _rank(
    task: LabelledTask,
    query: int,
    places: Sequence[int],
    right_groups: dict[object, dict[object, list[int]]],
) -> tuple[int, int]:
    """Rank of the first relevant of some answers, 0 if none is, and how many of them count."""
    wanted, own, groups = task.query_labels[query], int(task.own[query]), task.groups
    seen = {groups[own]} if groups is not None and task.leave_own_group and own >= 0 else set()
    counted = 0
    for place in places:
        label = task.gallery_labels[place]
        group = None if groups is None else groups[place]
        if place == own or label is None or (group is not None and group in seen):
            continue
        counted += 1
        if group is not None:
            seen.add(group)
        members = right_groups.get(wanted, {}).get(group, [])
        if label == wanted or any(member != own for member in members):
            return counted, counted
    return 0, counted
