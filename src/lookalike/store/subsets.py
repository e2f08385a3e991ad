"""Vectors of filters that are asked more than once, kept in memory in one piece.

Comparing a query with a contiguous float32 matrix takes a third of the time of comparing it with the same
vectors scattered over an index's codes, and it is exact.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.store.gallery_state import State
from lookalike.store.row_places import nearest_rows
from lookalike.types import Embeddings, Rows
from lookalike.vectors.metrics import normalise
from lookalike.vectors.neighbours import ArrayVectors, check_query

MOST_BYTES = 64 << 20
"""Of one subset; at 1,280 dimensions 13,107 vectors."""

MOST_SUBSETS = 4


@dataclass(frozen=True, slots=True)
class _Subset:
    """What is kept of a filter's rows, for one state of the collection.

    Args:
        asked: The rows as they were given; the same array means the same filter.
        state: The gallery's state that the vectors are of.
        rows: Those of them that exist.
        vectors: Their embeddings, float32 (m, d), L2-normalised; None until the rows are asked a second time.
    """

    asked: Rows
    state: State
    rows: Rows
    vectors: ArrayVectors | None


class Subsets:
    """Answers searches among the rows of a filter that comes again. Safe to use from several threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, _Subset] = OrderedDict()
        self._lock = threading.Lock()

    def search(
        self, state: State, queries: Embeddings, k: int, asked: Rows
    ) -> tuple[Rows, npt.NDArray[np.float32]] | None:
        """The k nearest of the rows asked, or None when they are not kept (yet).

        Args:
            state: The gallery's current state; what was kept of another one is dropped.
            queries: float32 (q, d), L2-normalised.
            k: At least 1.
            asked: int64 (m,); must not be changed by the caller afterwards.

        Raises:
            InputError: If k or the queries do not fit.

        Returns:
            rows int64 (q, k) and scores float32 (q, k), padded with -1 and -inf.
        """
        if not len(asked) or len(asked) * state.table.dimensions * 4 > MOST_BYTES:
            return None
        subset = self._subset(state, asked)
        if subset.vectors is None:
            return None
        check_query(queries, k, None, None, dimensions=state.table.dimensions, n=len(subset.rows))
        found = nearest_rows(subset.rows, subset.vectors, queries, k)
        return found.positions, found.scores

    def expect(self, state: State, asked: Rows) -> None:
        """Keep a filter's vectors from its first search on, if they are few enough; for those that come many times.

        Args:
            state, asked: As in :meth:`search`.
        """
        if len(asked) and len(asked) * state.table.dimensions * 4 <= MOST_BYTES:
            self._subset(state, asked)
            self._subset(state, asked)

    def _subset(self, state: State, asked: Rows) -> _Subset:
        with self._lock:
            known = self._kept.get(id(asked))
            if known is None or known.asked is not asked or known.state is not state:
                subset = _Subset(asked, state, asked[:0], None)
            elif known.vectors is not None:
                self._kept.move_to_end(id(asked))
                return known
            else:
                mask = state.table.mask(asked, len(state.table))
                positions = np.flatnonzero(mask) if mask is not None else np.arange(len(state.table))
                vectors = ArrayVectors(normalise(state.table.take(positions)))
                subset = _Subset(asked, state, state.table.rows[positions], vectors)
            self._kept[id(asked)] = subset
            self._kept.move_to_end(id(asked))
            while len(self._kept) > MOST_SUBSETS:
                self._kept.popitem(last=False)
            return subset
