"""The searchable side of a collection on a Milvus server: the server finds, the record decides.

A filter is sent to the server in its own language (:mod:`lookalike.store.milvus_filters`), or as row numbers where it
cannot be said in it. What the server finds is then compared with the record: a row that is gone, or that the filter
does not allow by the replica, is no answer, and where too few are left the search is repeated exactly. Rows that are
newer than what is searched, or whose attributes are, are compared here; once there are LATE_ROWS, they are brought
there. So an answer never depends on how far behind the server is: a write is seen by the next query.

A marker on the server says how far its rows are. A process that starts reads the entries of the log since; so fewer
rows are brought there too once there are MARKED_ENTRIES, of which most may be recorded visits.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from lookalike.errors import CollectionBusy, StoreError
from lookalike.store.base import Damage
from lookalike.store.bulk_data import Unreadable
from lookalike.store.frozen import FrozenGallery
from lookalike.store.gallery import STALE_SHARE, Gallery
from lookalike.store.milvus_filters import among, answerable, became_text, compile_expression
from lookalike.store.milvus_local import LocalGallery
from lookalike.store.milvus_searched import (
    EF,
    MOST_NEIGHBOURS,
    Marker,
    SearchedCollection,
    distances_above,
    thoroughness,
)
from lookalike.store.milvus_store import MilvusStore, Moment
from lookalike.store.row_places import nearest_rows, places_of
from lookalike.store.searched import ActiveReducer
from lookalike.types import Embeddings, Rows
from lookalike.vectors.metrics import normalise, renormalise
from lookalike.vectors.neighbours import NOWHERE, ArrayVectors, Neighbours, check_query, merge, nothing
from lookalike.vectors.strength import SAMPLE, Background

LATE_ROWS = 512
"""From so many rows on that are newer than what is searched, they are brought there."""

MARKED_ENTRIES = 256
"""From so many entries of the log on the marker on the server is moved on, with the rows that are newer."""

FEW_ROWS = 2_000
"""Up to so many rows of a filter are compared here."""

MOST_KEPT = 8
"""Filters whose vectors are kept; at 1,280 dimensions 10 MB each."""

MOST_LISTED = 20_000
"""Rows that an expression names at most; more that cannot be described are compared here."""

SURELY_SEEN_SECONDS = 10.0
"""After another machine brought rows to the server, its usual answers have them: it lags behind by five at most."""

Consistency = Literal["Strong", "Session"]

ATTEMPTS = 5
BATCH = 2_048


@dataclass(frozen=True)
class _State:
    """What a search uses; replaced as a whole.

    Args:
        moment: The record.
        searched: The server's collection.
        marker: How far that was brought.
        consistency: How new the server's answers have to be until ``seen``; bounded by its own measure afterwards.
        seen: From when on (monotonic) its usual answers are as far.
        restated: Rows whose fields changed since, ascending; some may be gone.
        late: Rows that are newer than what is searched, ascending.
        vectors: Of those, float32 (n, d), L2-normalised.
        rows: Of all items.
    """

    moment: Moment
    searched: SearchedCollection
    marker: Marker
    consistency: Consistency
    seen: float
    restated: Rows
    late: Rows
    vectors: Embeddings
    rows: Rows


class MilvusGallery(Gallery):
    """The searchable side of a store on Milvus; it keeps no vectors. Safe to search from many threads.

    Args:
        store: The record; stays the caller's to close.
    """

    def __init__(self, store: MilvusStore) -> None:
        self._record = store
        self._refreshing = threading.RLock()
        self._learned: tuple[tuple[int, int], int, Background] | None = None
        self._now: _State | None = None
        self._tried = 0
        """Entry at which the marker was to be moved on for the last time."""
        self._unindexed = False
        """Whether rows were brought since the server was told to index."""
        self._local = LocalGallery(store)
        self._kept: OrderedDict[int, tuple[Rows, int, Embeddings]] = OrderedDict()

    # searching

    @property
    def reducer(self) -> ActiveReducer | None:
        """None: a collection that is searched reduced has an index on each machine."""
        return None

    def project(self, embeddings: Embeddings) -> Embeddings:
        """The embeddings themselves."""
        return embeddings

    def search(
        self, queries: Embeddings, k: int, rows: Rows | None = None, recall: float | None = None
    ) -> tuple[Rows, npt.NDArray[np.float32]]:
        """See :meth:`lookalike.store.gallery.Gallery.search`."""
        unit = normalise(np.atleast_2d(queries))
        try:
            return self._searched_now(unit, k, rows, recall)
        except Unreadable:  # dropped since we looked: a compaction, a migration or a rebuild elsewhere
            with self._refreshing:
                self._now = None
            return self._searched_now(unit, k, rows, recall)

    def _searched_now(
        self, unit: Embeddings, k: int, rows: Rows | None, recall: float | None
    ) -> tuple[Rows, npt.NDArray[np.float32]]:
        state = self._current()
        check_query(unit, k, None, recall, dimensions=state.searched.dimensions, n=len(state.rows))
        if rows is None:
            allowed = state.rows
        else:
            asked = np.unique(np.asarray(rows, dtype=np.int64))
            allowed = asked[places_of(asked, state.rows) >= 0]
        wanted = min(k, len(allowed))
        if not wanted:
            return nothing(len(unit), k)
        if rows is not None and len(allowed) <= FEW_ROWS:
            return nearest_rows(allowed, ArrayVectors(self._few(state, rows, allowed)), unit, k)
        expression = self._expression(state, rows, allowed)
        if recall == 1 or expression is None or wanted > MOST_NEIGHBOURS // 2:
            return self._exactly(unit, k, allowed)
        found = self._found(state, unit, k, allowed, expression, recall)
        short = np.count_nonzero(found.positions >= 0, axis=1) < wanted
        if short.any():
            found.positions[short], found.scores[short] = self._exactly(unit[short], k, allowed)
        return found

    def _few(self, state: _State, rows: Rows, allowed: Rows) -> Embeddings:
        """The vectors of a filter's rows, kept for when the same array comes again."""
        with self._refreshing:
            kept = self._kept.get(id(rows))
            if kept is not None and kept[0] is rows and kept[1] == state.moment.changes.version:
                return kept[2]
            vectors = normalise(self._record.vectors(allowed.tolist()))
            self._kept[id(rows)] = (rows, state.moment.changes.version, vectors)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
            return vectors

    def _expression(self, state: _State, rows: Rows | None, allowed: Rows) -> str | None:
        """Which rows the server may find, in its language; None where it cannot be told."""
        if rows is None:
            return ""
        filter = self._record.filter_of(rows)
        if filter is not None:
            told = compile_expression(filter, answerable(state.moment.columns, state.marker.types))
            if told is not None:
                return told
        return among(allowed.tolist()) if len(allowed) <= MOST_LISTED else None

    def _found(
        self, state: _State, queries: Embeddings, k: int, allowed: Rows, expression: str, recall: float | None
    ) -> Neighbours:
        """What the server finds, without what the record does not allow, joined with the late rows."""
        asked = min(2 * k + len(state.late), MOST_NEIGHBOURS)
        found = state.searched.search(
            queries,
            asked if len(state.late) else min(k + 8, asked),
            expression,
            ef=thoroughness(recall, len(allowed) / len(state.rows)),
            consistency="Bounded" if time.monotonic() >= state.seen else state.consistency,
        )
        wrong = (places_of(found.positions, allowed) < 0) | (places_of(found.positions, state.late) >= 0)
        found.positions[wrong], found.scores[wrong] = NOWHERE, -np.inf
        parts = [Neighbours(found.positions, distances_above(found.scores))]
        among_late = places_of(state.late, allowed) >= 0
        if among_late.any():
            vectors = ArrayVectors(state.vectors[among_late])
            parts.append(nearest_rows(state.late[among_late], vectors, queries, k))
        return merge(parts, k)

    def _exactly(self, queries: Embeddings, k: int, allowed: Rows) -> Neighbours:
        """Every allowed vector of the record, compared here."""
        best = nothing(len(queries), k)
        for first in range(0, len(allowed), BATCH):
            some = self._record.existing(allowed[first : first + BATCH].tolist())
            if len(some):
                vectors = ArrayVectors(normalise(self._record.vectors(some.tolist())))
                part = nearest_rows(some, vectors, queries, k)
                best = merge([best, part], k)
        return best

    def expect(self, rows: Rows) -> None:
        """Nothing: the server holds the vectors."""

    def frozen(self, rows: Rows | None = None) -> FrozenGallery:
        """See :meth:`lookalike.store.gallery.Gallery.frozen`; an index is derived from the record for it, here."""
        return self._local.frozen(rows)

    def vectors(self, rows: Rows) -> Embeddings:
        """Embeddings of rows, float32 (n, d), L2-normalised, in the order asked; from the record."""
        return renormalise(self._record.vectors([int(row) for row in rows]))

    def stream(self, *, batch: int = 4096) -> Iterator[tuple[Rows, Embeddings]]:
        """All rows with their embeddings, float32 and normalised, ascending, in bounded batches."""
        for rows, embeddings in self._record.stream_vectors(batch=batch):
            yield rows, renormalise(embeddings)

    def rows(self) -> Rows:
        """Rows of all items, int64 ascending."""
        return self._current().rows

    def sample(self, n: int, *, seed: int = 0) -> tuple[Rows, Embeddings]:
        """At most n random rows, int64 (m,) ascending, with their embeddings, float32 (m, d)."""
        rows = self._current().rows
        chosen = np.random.default_rng(seed).choice(len(rows), min(n, len(rows)), replace=False)
        some = self._record.existing(np.sort(rows[chosen]).tolist())
        return some, self.vectors(some)

    def kind(self) -> str:
        """milvus."""
        return "milvus"

    @property
    def dimensions(self) -> int:
        """Length of an embedding as it is searched."""
        return self._record.dimensions()

    def __len__(self) -> int:
        """Number of items that can be found."""
        return len(self._current().rows)

    @property
    def background(self) -> Background:
        """What unrelated similarities look like in this collection; learned when first asked for."""
        state, known = self._current(), self._learned
        of = (state.moment.changes.space, state.moment.changes.epoch)
        if known is None or known[0] != of or abs(len(state.rows) - known[1]) > STALE_SHARE * known[1]:
            known = self._learned = of, len(state.rows), Background.fit(self.sample(SAMPLE)[1])
        return known[2]

    def describe(self) -> dict[str, Any]:
        """What answers, for a result's provenance; see :meth:`lookalike.store.gallery.Gallery.describe`."""
        state = self._now or self._current()
        return {
            "kind": self.kind(),
            "index": "hnsw",
            "ef": EF,
            "rows_exact": len(state.late),
            "version": state.moment.changes.version,
            "derived": f"{self._record.uri} ({state.searched.name})",
        }

    # keeping up

    def refresh(self) -> None:
        """Take in what changed in the record; costs one question when nothing did."""
        self._current()

    def _current(self) -> _State:
        """The state as of now."""
        state, is_due = self._now, False
        if state is not None and self._record.version() == state.moment.changes.version:
            is_due = self._is_due(self._record.newest_entry(), state.marker)  # no version counts visits
            if not is_due:
                return state
        with self._refreshing:
            for _ in range(ATTEMPTS):
                state = self._read()
                try:
                    if state is None or len(state.late) >= LATE_ROWS:
                        state = self._brought(state)
                    elif is_due or self._is_due(state.moment.entry, state.marker):
                        state = self._marked(state)
                except Unreadable:  # another process dropped what is searched: a compaction, or a rebuild
                    continue
                if state is not None:
                    self._now = state
                    return state
        raise CollectionBusy(f"{self._record.uri} is being compacted or migrated again and again: try later")

    def _read(self) -> _State | None:
        """The state by what is on the server; None where that is not there, or does not tell what changed."""
        known = self._now
        if known is not None:
            changes = known.moment.changes
            moment = self._record.moment(changes.version, int(known.rows[-1]) if len(known.rows) else -1)
            searched = self._searched(moment)
            if searched.name == known.searched.name:
                restated = self._record.restated(known.moment.entry, moment.entry)
                if restated is None:
                    return None
                kept = known.rows[~np.isin(known.rows, moment.changes.removed)]
                rows = np.concatenate([kept, moment.changes.added])
                return self._with_late(replace(known, moment=moment, rows=rows), restated, most=LATE_ROWS)
        moment = self._record.moment(-1, -1)
        searched = self._searched(moment)
        marker = searched.marker()
        restated = None if marker is None else self._record.restated(marker.entry, moment.entry)
        if marker is None or restated is None:
            return None
        return self._with_late(self._state_of(moment, searched, marker, "Strong"), restated, most=LATE_ROWS)

    def _state_of(
        self, moment: Moment, searched: SearchedCollection, marker: Marker, consistency: Consistency
    ) -> _State:
        """The state of a moment that tells of all rows, of which none is late."""
        nothing_late = np.empty(0, dtype=np.int64)
        seen = time.monotonic() + SURELY_SEEN_SECONDS
        vectors = np.empty((0, searched.dimensions), dtype=np.float32)
        return _State(
            moment,
            searched,
            marker,
            consistency,
            seen,
            nothing_late,
            nothing_late,
            vectors,
            moment.changes.added,
        )

    def _with_late(self, state: _State, restated: Rows, *, most: float = float("inf")) -> _State:
        """The state with what is newer than what is searched.

        Args:
            state: Before.
            restated: Rows whose fields changed since.
            most: From so many late rows on their vectors are left out, since they are about to be brought.
        """
        again = np.union1d(state.restated, restated)
        newer = state.rows[state.rows > state.marker.last_row]
        late = np.union1d(newer, again[np.isin(again, state.rows)])
        vectors = self._late_vectors(state, late) if len(late) < most else state.vectors[:0]
        return replace(state, restated=again, late=late, vectors=vectors)

    def _late_vectors(self, before: _State, late: Rows) -> Embeddings:
        """Vectors of late rows; of those that were late before, the same."""
        vectors = np.empty((len(late), before.searched.dimensions), dtype=np.float32)
        known = np.isin(late, before.late)
        vectors[known] = before.vectors[np.isin(before.late, late)]
        if not known.all():
            vectors[~known] = normalise(self._record.vectors(late[~known].tolist()))
        return vectors

    def _searched(self, moment: Moment) -> SearchedCollection:
        changes = moment.changes
        return SearchedCollection(self._record.place, changes.space, changes.epoch, self._record.dimensions())

    def _brought(self, state: _State | None) -> _State | None:
        """Bring what is late to the server, or all of it where there is nothing to go on from.

        Two machines may do so at once: they write the same rows. Where one is older than the other and slower, a row's
        document may stay behind until the item changes again; then a filter of the server lets too few rows through or
        too many, which the record notices for all but the nearest ones that were let through in their place.
        """
        marker = None if state is None else state.marker
        moment = self._record.moment(
            -1 if marker is None else marker.version, -1 if marker is None else marker.last_row
        )
        searched = self._searched(moment)
        types = dict(moment.columns.values())
        if (
            marker is None
            or state is None
            or searched.name != state.searched.name
            or became_text(marker.types, types)
        ):
            searched.create()
            self._put(searched, self._record.all_rows())
        else:
            restated = self._record.restated(marker.entry, moment.entry)
            if restated is None:
                return None
            self._put(searched, np.union1d(moment.changes.added, restated))
            searched.remove(moment.changes.removed)
        last = self._last_row(marker, moment)
        brought = Marker(moment.entry, moment.changes.version, last, types)
        searched.mark(brought)
        now = self._record.moment(-1, -1)
        restated = self._record.restated(brought.entry, now.entry)
        if self._searched(now).name != searched.name or restated is None:
            return None
        return self._with_late(self._state_of(now, searched, brought, "Session"), restated)

    def _is_due(self, entry: int, marker: Marker) -> bool:
        """Whether to move the marker on; said to one caller, and again after as many entries."""
        if entry - max(marker.entry, self._tried) < MARKED_ENTRIES:
            return False
        self._tried = entry
        return True

    def _marked(self, state: _State) -> _State:
        """Bring the few rows that are late, and move the marker on; not where this user may not write."""
        marker, types = state.marker, dict(state.moment.columns.values())
        since = self._record.moment(marker.version, marker.last_row)
        if since.entry != state.moment.entry or became_text(marker.types, types):
            return state  # at another time, which brings all rows anew in the second case
        last = max(marker.last_row, int(state.rows[-1]) if len(state.rows) else -1)
        marked = Marker(since.entry, since.changes.version, last, types)
        try:
            self._put(state.searched, state.late)
            state.searched.remove(since.changes.removed)
            state.searched.mark(marked)
        except StoreError as error:
            if isinstance(error, Unreadable):
                raise
            return state
        return replace(self._state_of(state.moment, state.searched, marked, "Session"), rows=state.rows)

    @staticmethod
    def _last_row(marker: Marker | None, moment: Moment) -> int:
        before = -1 if marker is None else marker.last_row
        return int(moment.changes.added[-1]) if len(moment.changes.added) else before

    def _put(self, searched: SearchedCollection, rows: Rows) -> None:
        for first in range(0, len(rows), BATCH):
            some = self._record.existing(rows[first : first + BATCH].tolist())
            if len(some):
                self._unindexed = True
                vectors = normalise(self._record.vectors(some.tolist()))
                searched.put(some, vectors, self._record.documents(some.tolist()))

    def extend(self, *, background: bool = True) -> None:  # noqa: ARG002 - the server builds beside searches anyway
        """Bring newer rows to the server when they are many."""
        self._current()

    def build(self) -> None:
        """Bring all that is newer to the server."""
        with self._refreshing:
            state = self._current()
            if len(state.late) or state.marker.entry != state.moment.entry:
                self._now = self._brought(state)
                self._current()

    def save(self) -> None:
        """Bring all that is newer to the server, and have it indexed."""
        self.build()
        if self._unindexed:
            self._current().searched.settle()
            self._unindexed = False

    def rebuild(self) -> None:
        """Make what is searched anew from the record, and drop what was before."""
        with self._refreshing:
            moment = self._record.moment(-1, -1)
            self._searched(moment).drop()
            self._now = None
            self._learned = None
            state = self._current()
            state.searched.drop_others()
        self.save()

    def verify(self) -> Iterator[Damage]:
        """Compare the rows on the server with the record's; :meth:`rebuild` repairs what is wrong."""
        state = self._current()
        there = state.searched.select("row >= 0")
        expected = np.setdiff1d(state.rows, state.late)
        if len(lacking := np.setdiff1d(expected, there)):
            yield Damage(state.searched.name, f"lacks {len(lacking)} rows, {lacking[0]} among them")
        removed = self._record.moment(state.marker.version, state.marker.last_row).changes.removed
        if len(beyond := np.setdiff1d(there, np.union1d(state.rows, removed))):
            yield Damage(state.searched.name, f"has {len(beyond)} rows of no item, {beyond[0]} among them")

    def close(self) -> None:
        """Let go of what was derived here."""
        self._local.close()
