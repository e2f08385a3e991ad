"""What a search runs on: a collection's vectors with an index, always as new as the record.

A gallery is derived from a store and keeps its files in a folder that may be deleted at any time. Before
every search it asks the store's version; rows newer than the index are searched exactly and merged with the
index's answer, rows that were removed are masked, and another epoch begins a new gallery. So a write is seen
by the next query, whichever process wrote.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from lookalike.errors import StoreError
from lookalike.store import gallery_state, index_growing, published_index
from lookalike.store.base import Damage, Store
from lookalike.store.derived import DerivedFolder, IfWritable
from lookalike.store.frozen import FrozenGallery
from lookalike.store.gallery_state import INDEX, State
from lookalike.store.searched import ActiveReducer, SearchedVectors, Superseded
from lookalike.store.sidecar import DerivedFileError
from lookalike.store.sizing import IndexKind, check_kind, index_kind, memory_budget
from lookalike.store.subsets import Subsets
from lookalike.store.table import Table
from lookalike.types import Embeddings, Rows
from lookalike.vectors.ivf import IVF
from lookalike.vectors.metrics import normalise, renormalise
from lookalike.vectors.strength import Background

TAIL_ROWS, TAIL_SHARE = 512, 0.02
"""So many rows, or this share, may be newer than the index before it is extended."""

IVF_TAIL_SHARE = 0.2
"""The same of an IVF index, which is written anew to be extended."""

REBUILD_SHARE = 0.25
"""When this share of the vectors belongs to removed items, all derived files are made anew."""

STALE_SHARE = 0.2
"""When the number of items changed by more than this share, the background is learned again."""

Answer = TypeVar("Answer")


class Gallery:
    """The searchable side of a store. Safe to search from many threads.

    Args:
        store: The record; stays the caller's to close.
        folder: Where derived files go; where it cannot be written, everything stays in memory.
        index: Which index to use; None: what suits the size. A forced one is built at once.
        budget: Bytes that an index may take; None: 40 % of the memory that is free now.
        reducer: What all vectors pass through before they are searched; None: searched as they are.

    Raises:
        InputError: If the index is not known.
        StoreError: If the store cannot be read.
    """

    def __init__(
        self,
        store: Store,
        folder: Path,
        *,
        index: IndexKind | None = None,
        budget: int | None = None,
        reducer: ActiveReducer | None = None,
    ) -> None:
        check_kind(index)
        self._store = SearchedVectors(store, reducer)
        self._folder = DerivedFolder(folder)
        self._forced = index
        self._budget = memory_budget() if budget is None else budget
        self._changing = threading.RLock()
        self._building = threading.Lock()
        self._cancelled = threading.Event()
        self._worker: threading.Thread | None = None
        self._failure: Exception | None = None
        self._subsets = Subsets()
        self._background: tuple[Table, int, Background] | None = None
        self._stamp: tuple[int, int] | None = None
        self._state = self._load()
        if index is not None and self._state.index.kind != index:
            self._grow()

    # searching

    @property
    def reducer(self) -> ActiveReducer | None:
        """What all vectors pass through."""
        return self._store.reducer

    def project(self, embeddings: Embeddings) -> Embeddings:
        """Embeddings of the encoder as this gallery's queries: reduced as its vectors are.

        Args:
            embeddings: float32 (n, d), L2-normalised rows.

        Returns:
            float32 (n, m), L2-normalised rows; without a reducer the embeddings themselves.

        Raises:
            InputError: If the embeddings have another length than those that the reducer was fitted on.
        """
        return self._store.project(embeddings)

    def search(
        self, queries: Embeddings, k: int, rows: Rows | None = None, recall: float | None = None
    ) -> tuple[Rows, npt.NDArray[np.float32]]:
        """The k nearest items of each query.

        Args:
            queries: float32 (q, d), as :meth:`project` gives them; normalised here.
            k: At least 1; k items come back whenever k exist.
            rows: int64 (m,), the only rows that may be answers, as a filter gives them; None: all. When the
                same array comes again, the vectors of its rows are kept in memory; do not change it.
            recall: Share of the true neighbours to aim at, in (0, 1]; 1 searches exactly. None: 0.99.

        Returns:
            rows int64 (q, k), best first, -1 where fewer exist; scores float32 (q, k), exact cosines with
            the stored vectors, -inf where fewer exist.

        Raises:
            InputError: If k or recall is out of range or the queries do not fit.
        """
        self.refresh()
        unit = normalise(np.atleast_2d(queries))

        def answer(state: State) -> tuple[Rows, npt.NDArray[np.float32]]:
            kept = None if rows is None else self._subsets.search(state, unit, k, rows)
            return state.search(unit, k, rows, recall) if kept is None else kept

        return self._reading(answer)

    def expect(self, rows: Rows) -> None:
        """Say that many searches among these rows follow: what they need is kept in memory from the first on.

        Args:
            rows: int64 (m,), the array that :meth:`search` will be given.
        """
        self.refresh()
        self._reading(lambda state: self._subsets.expect(state, rows))

    def frozen(self, rows: Rows | None = None) -> FrozenGallery:
        """The gallery as it is now, to be searched in another process.

        Args:
            rows: int64 (m,), the only rows that may be answers; None: all.
        """
        self.refresh()
        return self._reading(lambda state: FrozenGallery(state, rows))

    def vectors(self, rows: Rows) -> Embeddings:
        """Embeddings of rows, float32 (n, d), L2-normalised, in the order asked.

        Raises:
            UnknownItem: If a row is gone.
        """
        self.refresh()

        def read(state: State) -> Embeddings:
            found = state.table.existing(rows)
            if not len(found):
                return np.empty((0, state.layout.dimensions), dtype=np.float32)
            return renormalise(state.table.take(found))

        return self._reading(read)

    def stream(self, *, batch: int = 4096) -> Iterator[tuple[Rows, Embeddings]]:
        """All rows with their embeddings, float32 and normalised, ascending, in bounded batches."""
        self.refresh()
        last = -1
        while True:
            try:
                for rows, embeddings in self._state.stream(last, batch):
                    yield rows, embeddings
                    last = int(rows[-1])
                return
            except DerivedFileError:
                self._load_anew(self._state)

    def rows(self) -> Rows:
        """Rows of all items, int64 ascending."""
        self.refresh()
        table = self._state.table
        n = len(table)
        return table.rows[:n][table.alive[:n]]

    def sample(self, n: int, *, seed: int = 0) -> tuple[Rows, Embeddings]:
        """At most n random rows, int64 (m,) ascending, with their embeddings, float32 (m, d)."""
        self.refresh()
        return self._reading(lambda state: state.sample(n, seed=seed))

    def kind(self) -> str:
        """Name of the index that answers: exact, hnsw or ivf."""
        return self._state.index.kind

    @property
    def dimensions(self) -> int:
        """Length of an embedding as it is searched."""
        return self._state.layout.dimensions

    def __len__(self) -> int:
        """Number of items that can be found."""
        self.refresh()
        return len(self._state.table) - self._state.table.removed

    @property
    def background(self) -> Background:
        """What unrelated similarities look like in this collection; learned when first asked for."""
        self.refresh()
        state, known = self._state, self._background
        if known is not None and known[0] is state.table and _close(state.items, known[1]):
            return known[2]
        saved = gallery_state.load_background(self._folder, state)
        if saved is None or not _close(state.items, saved[0]):
            saved = state.items, self._reading(gallery_state.learn_background)
        self._background = (state.table, *saved)
        return saved[1]

    def describe(self) -> dict[str, Any]:
        """What answers, for a result's provenance: kind of index, its parameters, and what it covers.

        Returns:
            ``kind`` and the index's parameters and ``bytes`` in memory, ``rows_exact`` searched exactly beside
            it, ``rows_removed`` masked out, the store's ``version`` and where the ``derived`` files are.
        """
        state = self._state
        return {
            **state.index.describe(),
            **self._store.describe(),
            "rows_exact": state.tail,
            "rows_removed": state.table.removed,
            "version": state.version,
            "derived": "in memory" if state.table.sidecar is None else str(self._folder.path),
        }

    # keeping up

    def refresh(self) -> None:
        """Take in what changed in the store; costs one question when nothing did.

        A gallery whose reducer a migration has left behind answers from what it has: whoever asks the collection
        for its gallery from then on gets another.
        """
        state = self._state
        if self._store.version() == state.version and not self._saved_index_is_newer(state):
            return
        with self._changing, suppress(Superseded):
            state = self._state
            if self._saved_index_is_newer(state):
                self._state = self._load()
                return
            if self._store.version() != state.version:
                write = not self._cancelled.is_set()
                newer = gallery_state.take_in(self._store, self._folder, state, write=write)
                self._state = newer or self._load()
            if self._state.index.kind == "exact" and self._lags(self._state, "exact"):
                exact = gallery_state.exact_index(self._state, self._budget)
                self._state = replace(self._state, index=exact)

    def extend(self, *, background: bool = True) -> None:
        """Take newer rows into the derived files and, when they are many, into the index.

        Args:
            background: Extend the index in a thread of its own, while searches go on.

        Raises:
            StoreError: If extending in the background failed before.
        """
        self.refresh()
        self._raise_failure()
        if len(self._state.table.fresh[0]) >= TAIL_ROWS:
            self._persist()
        if not self._lags(self._state):
            return
        if not background:
            self._grow()
        elif self._worker is None or not self._worker.is_alive():
            self._worker = threading.Thread(target=self._grow_beside, name="lookalike-index", daemon=True)
            self._worker.start()

    def build(self) -> None:
        """Bring the index up to date, in memory, before going on.

        Raises:
            StoreError: If extending in the background failed before.
        """
        self.refresh()
        if self._worker is not None:
            self._worker.join()
        self._raise_failure()
        with self._changing:
            if self._state.table.removed > REBUILD_SHARE * len(self._state.table):
                self._state = self._load(anew=True)
        if self._lags(self._state):
            self._grow()

    @property
    def searched(self) -> SearchedVectors:
        """The record's vectors as they are searched here."""
        return self._store

    def built(self, *, index: bool) -> tuple[State, IndexKind]:
        """What is searched now, and the kind of index that suits it here, for who publishes one.

        Args:
            index: Bring the index up to date first.
        """
        if index:
            self.build()
        self.refresh()
        return self._state, self._wanted(self._state)

    def save(self) -> None:
        """Bring all derived files up to date and write them; what an indexing run ends with.

        Where the folder cannot be written, all stays in memory.

        Raises:
            StoreError: If extending in the background failed before.
        """
        self.build()
        background = self.background
        if not self._persist():
            return
        state = self._state
        with IfWritable(), self._folder.lock():
            gallery_state.save_index(self._folder, state, unless_within=_tail_limit(len(state.index), "hnsw"))
            gallery_state.save_background(self._folder, state, state.items, background)
            self._stamp = self._folder.stamp(INDEX)
        if isinstance(state.index, IVF):  # from now on read it from disk
            mapped = gallery_state.load_index(self._folder, state, ("ivf",))
            with self._changing:
                if mapped is not None and self._state.index is state.index:
                    self._state = replace(self._state, index=mapped)

    def rebuild(self) -> None:
        """Make all derived files anew from the record; nothing is left of what ``compact`` erased there."""
        with self._changing:
            self._state = self._load(anew=True)
        self._background = None
        self.save()

    def verify(self) -> Iterator[Damage]:
        """Check the derived files against their checksums and the record; yields what is wrong.

        :meth:`rebuild` repairs all of it.
        """
        files = list(gallery_state.file_damages(self._folder))
        if files:
            yield from files
            return
        self.refresh()
        yield from gallery_state.record_damages(self._store, self._folder, self._state)

    def close(self) -> None:
        """Stop building; what was not saved is derived again when needed.

        Whoever still searches it gets answers; nothing is written any more.
        """
        self._cancelled.set()
        if self._worker is not None:
            self._worker.join()

    def __enter__(self) -> Gallery:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _reading(self, read: Callable[[State], Answer]) -> Answer:
        """Read from the state; where a derived file turns out damaged, make all anew and read again."""
        state = self._state
        try:
            return read(state)
        except DerivedFileError:
            self._load_anew(state)
            return read(self._state)

    def _load_anew(self, damaged: State) -> None:
        with self._changing:
            if self._state.table is damaged.table:
                self._state = self._load(anew=True)

    def _load(self, *, anew: bool = False) -> State:
        self._stamp = self._folder.stamp(INDEX)
        state = gallery_state.load(
            self._store,
            self._folder,
            resident_bytes=self._budget,
            anew=anew,
            write=not self._cancelled.is_set(),
        )
        wanted = self._wanted(state)
        if wanted == "exact":
            return state
        kinds: tuple[IndexKind, ...] = ("hnsw", "ivf") if self._forced is None else (self._forced,)
        saved = gallery_state.load_index(self._folder, state, kinds)
        if saved is None and wanted == "hnsw":
            saved = published_index.load(self._store, state)
        return state if saved is None else replace(state, index=saved)

    def _wanted(self, state: State) -> IndexKind:
        if self._forced is not None:
            return self._forced
        layout = state.layout
        return index_kind(
            len(state.table),
            layout.dimensions,
            half=layout.half,
            budget=self._budget,
            int8=layout.precision == "i8",
        )

    def _lags(self, state: State, kind: IndexKind | None = None) -> bool:
        """Whether the index is of another kind than it should be, or lacks too much."""
        wanted = kind or self._wanted(state)
        return state.index.kind != wanted or state.tail > _tail_limit(len(state.index), wanted)

    def _saved_index_is_newer(self, state: State) -> bool:
        """Whether another process saved an index while this one does without or lags behind."""
        if not self._lags(state):
            return False
        return self._folder.stamp(INDEX) != self._stamp

    def _persist(self) -> bool:
        """Write newer vectors; whether the table is on disk afterwards."""
        with self._changing, IfWritable():
            if gallery_state.persist(self._folder, self._state.table):
                return True
            if self._state.table.sidecar is None:
                return False
            self._state = self._load()
            return gallery_state.persist(self._folder, self._state.table)
        return False

    # building

    def _grow_beside(self) -> None:
        try:
            self._grow(beside=True)
        except Exception as error:  # noqa: BLE001 - handed to the next caller of extend or build
            self._failure = error

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise StoreError(f"the index could not be extended in the background: {failure}") from failure

    def _grow(self, *, beside: bool = False) -> None:
        """Extend the index to the whole table, or build it; the state changes once it is ready."""
        threads = max(1, (os.cpu_count() or 1) - 1) if beside else None
        with self._building:
            while not self._cancelled.is_set():
                state = self._state
                try:
                    index = index_growing.grown(
                        self._store,
                        state,
                        self._wanted(state),
                        budget=self._budget,
                        threads=threads,
                        cancelled=self._cancelled,
                    )
                except DerivedFileError:
                    self._load_anew(state)
                    continue
                with self._changing:
                    if self._state.table is state.table:
                        if not self._cancelled.is_set():
                            self._state = replace(self._state, index=index)
                        return


def verify_files(folder: Path) -> Iterator[Damage]:
    """Check derived files against their checksums, without a gallery, which would repair them; yields what is wrong."""
    yield from gallery_state.file_damages(DerivedFolder(folder))


def _tail_limit(indexed: int, kind: IndexKind) -> int:
    return max(TAIL_ROWS, round((IVF_TAIL_SHARE if kind == "ivf" else TAIL_SHARE) * indexed))


def _close(now: int, then: int) -> bool:
    return abs(now - then) <= STALE_SHARE * then
