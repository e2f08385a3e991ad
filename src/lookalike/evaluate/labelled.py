"""Retrieval measured by labels: an item is relevant to a query when both have the same label.

Works through the queries in blocks, so that memory holds the scores of one block, not of all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.evaluate.ranks import (
    Ranks,
    Scores,
    Truth,
    check_k,
    hit,
    ndcg,
    precision_steps,
    relevant_ranks,
)
from lookalike.evaluate.retrieval import Grouping
from lookalike.types import Embeddings
from lookalike.vectors.metrics import cosine

ScoreBlock: TypeAlias = Callable[[slice], Scores]
"""Scores float (b, n) of a slice of the queries with all n gallery items, in the gallery's order."""

Codes = npt.NDArray[np.int64]

BLOCK_SCORES = 1 << 25
"""Scores of a block of queries: 128 MiB as float32."""

GALLERY_ROWS = 1 << 15
"""Gallery items that are widened to float32 at a time."""

NDCG_AT = 10
NOT_IN_GALLERY = -1
"""The place of a query that is no item of the gallery."""

UNLABELLED = -1
"""The code of an item whose label is not known: it counts neither for nor against a query."""


@dataclass(frozen=True, slots=True)
class LabelledTask:
    """Which gallery items answer which query.

    Args:
        query_labels: q hashable values; a query whose label is None has no answer.
        gallery_labels: n hashable values; items whose label is None count neither for nor against.
        own: int64 (q,), the place in the gallery of the query itself, which is no answer to it, or -1.
        groups: n hashable values: only the best item of each group is ranked; None: every item is.
        leave_own_group: With groups: the query's own group is no answer either.
    """

    query_labels: Sequence[object]
    gallery_labels: Sequence[object]
    own: Codes
    groups: Sequence[object] | None = None
    leave_own_group: bool = False

    def __post_init__(self) -> None:
        if len(self.own) != len(self.query_labels):
            raise InputError(
                f"{len(self.own)} places for {len(self.query_labels)} queries: expected one each"
            )
        if self.groups is not None and len(self.groups) != len(self.gallery_labels):
            raise InputError(
                f"{len(self.groups)} groups for {len(self.gallery_labels)} items: expected one an item"
            )
        if self.leave_own_group and self.groups is None:
            raise InputError("leave_own_group needs groups: expected one value an item")


class Block(NamedTuple):
    """Some of the queries with their truth.

    Args:
        start: Number of the first query.
        scores: float (b, n), or (b, g) of groups.
        relevant: bool, same shape.
        excluded: bool, same shape.
    """

    start: int
    scores: Scores
    relevant: Truth
    excluded: Truth


@dataclass(frozen=True, slots=True)
class Measured:
    """Measures of each query.

    Args:
        values: Name of a measure to float64 (q,): ``recall@k`` for each k (1 if a relevant item is among the
            first k, else 0), ``mAP`` (average precision) and ``nDCG@10``; NaN for a query without an answer.
        relevant: int64 (q,), relevant items (or groups) of each query.
        first: int64 (q,), rank of the first of them, 0 where there is none.
    """

    values: dict[str, npt.NDArray[np.float64]]
    relevant: Codes
    first: Codes


def measure(task: LabelledTask, scores: ScoreBlock, *, ks: Sequence[int] = (1, 5, 10)) -> Measured:
    """Recall@k, average precision and nDCG@10 of each query.

    Args:
        task: Queries, gallery and truth.
        scores: Gives the scores of a slice of queries; called with consecutive slices.
        ks: Ranks to count recall at.

    Raises:
        InputError: If a k is less than 1 or the scores do not fit.
    """
    for k in ks:
        check_k(k)
    ranks: list[Ranks] = []
    for block in blocks(task, scores):
        ranks += relevant_ranks(block.scores, block.relevant, excluded=block.excluded)
    values = {f"recall@{k}": np.array([hit(of_query, k) for of_query in ranks]) for k in ks}
    values["mAP"] = np.array([precision_steps(of_query) for of_query in ranks])
    values[f"nDCG@{NDCG_AT}"] = np.array([ndcg(of_query, NDCG_AT) for of_query in ranks])
    return Measured(
        values,
        np.array([len(of_query) for of_query in ranks], dtype=np.int64),
        np.array([of_query[0] if len(of_query) else 0 for of_query in ranks], dtype=np.int64),
    )


def blocks(task: LabelledTask, scores: ScoreBlock) -> Iterator[Block]:
    """The queries in blocks of bounded memory, with scores and truth, grouped where the task says so."""
    wanted, items = _coded(task.query_labels, task.gallery_labels)
    grouping = None if task.groups is None else Grouping(task.groups)
    step = max(1, BLOCK_SCORES // max(len(items), 1))
    for start in range(0, len(wanted), step):
        part = slice(start, min(start + step, len(wanted)))
        found = scores(part)
        relevant = (wanted[part, None] == items) & (items != UNLABELLED)
        excluded = np.broadcast_to(items == UNLABELLED, relevant.shape).copy()
        own = task.own[part]
        inside = np.flatnonzero(own != NOT_IN_GALLERY)
        excluded[inside, own[inside]] = True
        if grouping is None:
            yield Block(start, found, relevant, excluded)
            continue
        if task.leave_own_group:
            excluded[inside] |= grouping.of[own[inside], None] == grouping.of
        grouped = grouping.apply(found, relevant, excluded)
        yield Block(start, grouped.scores, grouped.relevant, grouped.excluded)


def cosines(queries: Embeddings, gallery: npt.NDArray[Any]) -> ScoreBlock:
    """Cosine similarity as the score; the gallery is widened to float32 a part at a time.

    Args:
        queries: float32 (q, d), L2-normalised rows.
        gallery: float16 or float32 (n, d), rows of length about 1.
    """

    def block(part: slice) -> Scores:
        asked = queries[part]
        scores = np.empty((len(asked), len(gallery)), dtype=np.float32)
        for first in range(0, len(gallery), GALLERY_ROWS):
            rows = slice(first, first + GALLERY_ROWS)
            scores[:, rows] = cosine(asked, gallery[rows])
        return scores

    return block


def _coded(queries: Sequence[object], gallery: Sequence[object]) -> tuple[Codes, Codes]:
    """Labels as numbers: equal numbers, equal labels; a query without a label gets a number of no item."""
    codes: dict[object, int] = {}
    items = [UNLABELLED if label is None else codes.setdefault(label, len(codes)) for label in gallery]
    wanted = [codes.get(label, len(codes)) if label is not None else len(codes) for label in queries]
    return np.array(wanted, dtype=np.int64), np.array(items, dtype=np.int64)
