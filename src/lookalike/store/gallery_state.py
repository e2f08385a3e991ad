"""The state that a gallery searches: read from the store and the derived files, brought up to date, saved."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import CollectionBusy, StoreError
from lookalike.store.base import Damage
from lookalike.store.derived import LOCK_SECONDS, DerivedFolder, IfWritable
from lookalike.store.searched import Layout, SearchedVectors
from lookalike.store.sidecar import (
    DOCUMENT,
    SEGMENT,
    DerivedFileError,
    Manifest,
    Sidecar,
    append,
    begin,
    read_manifest,
)
from lookalike.store.sizing import IndexKind
from lookalike.store.table import Table
from lookalike.types import Embeddings, Rows
from lookalike.vectors.half import widened
from lookalike.vectors.hnsw import HNSW
from lookalike.vectors.ivf import IVF
from lookalike.vectors.metrics import normalise
from lookalike.vectors.neighbours import NOWHERE, Exact, Index, exact_range, merge
from lookalike.vectors.sharded import Sharded, load_graphs
from lookalike.vectors.strength import SAMPLE, Background

INDEX, BACKGROUND = "index", "background"

FRESH_BYTES = 256 << 20
"""When vectors in memory only take more, they are written: a million of 1,280 dimensions would take 5 GB."""

ATTEMPTS = 5
EVERY_ROW = int(np.iinfo(np.int64).max)


@dataclass(frozen=True, slots=True)
class State:
    """What searches use; replaced as a whole.

    Args:
        version, epoch: Of the store, as far as the table has taken it in.
        layout: How the table's vectors lie.
        table: The vectors.
        index: Over the table's first ``len(index)`` vectors.
    """

    version: int
    epoch: int
    layout: Layout
    table: Table
    index: Index

    @property
    def items(self) -> int:
        """Vectors that belong to an item."""
        return len(self.table) - self.table.removed

    @property
    def tail(self) -> int:
        """Vectors newer than the index."""
        return len(self.table) - len(self.index)

    def search(
        self, queries: Embeddings, k: int, rows: Rows | None, recall: float | None
    ) -> tuple[Rows, npt.NDArray[np.float32]]:
        """The index's answer merged with an exact search of what is newer; rows int64 and scores (q, k)."""
        table = self.table
        indexed = len(self.index)  # may grow from here on: what it finds beyond is found in the tail as well
        allowed = table.mask(rows, indexed)
        found = self.index.search(queries, k, allowed, recall)
        n = len(table)
        if n > indexed:
            beyond = found.positions >= indexed
            found.positions[beyond], found.scores[beyond] = NOWHERE, -np.inf
            whole = table.mask(rows, n)
            late = None if whole is None else whole[indexed:]
            newer = exact_range(table, queries, k, indexed, n, allowed=late)
            found = merge([found, newer], k)
        known = table.rows
        if not len(known):
            return found
        return np.where(found.positions >= 0, known[found.positions], NOWHERE), found.scores

    def stream(self, after: int, batch: int) -> Iterator[tuple[Rows, Embeddings]]:
        """Rows above ``after`` that belong to an item, ascending, with their normalised embeddings."""
        table = self.table
        n, first = len(table), int(np.searchsorted(table.rows, after, side="right"))
        for block in table.blocks(first, n, batch):
            alive = table.alive[first : first + len(block)]
            rows = table.rows[first : first + len(block)][alive]
            first += len(block)
            if len(rows):
                yield rows, normalise(block[alive])

    def sample(self, n: int, *, seed: int = 0) -> tuple[Rows, Embeddings]:
        """At most n random rows that belong to an item, ascending, with their normalised embeddings."""
        alive = np.flatnonzero(self.table.alive[: len(self.table)])
        if len(alive) > n:
            alive = np.sort(np.random.default_rng(seed).choice(alive, n, replace=False))
        if not len(alive):
            return np.empty(0, dtype=np.int64), np.empty((0, self.layout.dimensions), dtype=np.float32)
        return self.table.rows[alive], normalise(self.table.take(alive, mapped=False))


def load(
    store: SearchedVectors,
    folder: DerivedFolder,
    *,
    resident_bytes: int,
    anew: bool = False,
    write: bool = True,
) -> State:
    """Read the current state; searches compare with all vectors until an index is attached.

    Args:
        store: The record.
        folder: The derived files; vectors are written there when they are missing or of another epoch.
        resident_bytes: Up to so many bytes, vectors are copied into memory for the exact search.
        anew: Write the vectors again even if those there are could be used.
        write: Whether anything may be written; else what is not there is kept in memory.

    Raises:
        CollectionBusy: If the collection began another epoch again and again meanwhile.
        Superseded: If the collection was migrated, so that its reducer does not fit any more.
    """
    for _ in range(ATTEMPTS):
        version, layout = store.version(), store.layout()
        epoch = store.changes(version, EVERY_ROW).epoch
        wanted = Manifest(
            "", layout.space, epoch, version, layout.dimensions, layout.precision, layout.scales
        )
        side = _derived_vectors(store, folder, wanted, anew=anew, write=write)
        table = Table(layout.dimensions, side)
        base = side.manifest.base if side is not None else version
        changes = store.changes(base, table.last_row)
        if (changes.epoch, changes.space) != (epoch, layout.space):
            continue
        table.remove(changes.removed)
        for rows, embeddings in store.stream_vectors(table.last_row):
            table.append(rows, embeddings)
            if write:
                _relieve(folder, table)
        if store.changes(changes.version, EVERY_ROW).epoch == epoch:
            resident = len(table) * table.dimensions * 4 <= resident_bytes
            return State(changes.version, epoch, layout, table, Exact(table, resident=resident))
    raise CollectionBusy(f"{store.uri} is being compacted or migrated again and again: try later")


def take_in(
    store: SearchedVectors, folder: DerivedFolder, state: State, *, write: bool = True
) -> State | None:
    """The state after the store's newest changes, or None when it began another epoch.

    Args:
        store: The record.
        folder: The derived files; where another process adds many vectors, they are written there too.
        state: To bring up to date.
        write: Whether anything may be written.
    """
    table = state.table
    changes = store.changes(state.version, table.last_row)
    if (changes.epoch, changes.space) != (state.epoch, state.layout.space):
        return None
    table.remove(changes.removed)
    if len(changes.added):
        for rows, embeddings in store.stream_vectors(table.last_row):
            if embeddings.shape[1] != table.dimensions:
                return None
            table.append(rows, embeddings)
            if write:
                _relieve(folder, table)
    return replace(state, version=changes.version)


def exact_index(state: State, resident_bytes: int) -> Exact:
    """The exact index over all of a state's table."""
    table, old = state.table, state.index
    resident = len(table) * table.dimensions * 4 <= resident_bytes
    if resident and isinstance(old, Exact) and old.resident:
        return old.grown(table)
    return Exact(table, resident=resident)


def persist(folder: DerivedFolder, table: Table, *, seconds: float = LOCK_SECONDS) -> bool:
    """Append to the vectors on disk what is in memory only.

    Args:
        folder: Where they are.
        table: The vectors.
        seconds: How long to wait for another process that writes.

    Returns:
        False when the files went another way meanwhile, so that the state must be loaded again.

    Raises:
        CollectionBusy: If another process writes for longer.
        OSError: If the folder cannot be written.
    """
    old = table.sidecar
    rows, embeddings = table.fresh
    if old is None:
        return False
    if not len(rows):
        return True
    with folder.lock(seconds=seconds):
        if read_manifest(folder) == old.manifest:  # nobody else wrote
            manifest = append(folder, old.manifest, [(rows, embeddings)])
            table.persisted(Sidecar(folder, manifest, before=(old, table.rows[: manifest.count])))
            return True
        now = Sidecar.open(folder)
        same = now is not None and now.manifest.generation == old.manifest.generation
        if now is None or not same or not np.array_equal(now.rows, table.rows[: len(now)]):
            return False
        extra = len(now) - len(old)  # another process wrote some of the same rows
        manifest = append(folder, now.manifest, [(rows[extra:], embeddings[extra:])])
        table.persisted(Sidecar(folder, manifest))
    return True


def _relieve(folder: DerivedFolder, table: Table) -> None:
    """Write what is in memory only when it is much; it stays there where that cannot be done at once."""
    if table.fresh[1].nbytes > FRESH_BYTES:
        with IfWritable(), suppress(CollectionBusy):
            persist(folder, table, seconds=0)


def load_index(folder: DerivedFolder, state: State, kinds: tuple[IndexKind, ...]) -> Index | None:
    """The saved index, when it is whole, belongs to the vectors on disk and is of one of these kinds."""
    found, side = folder.find_file(INDEX), state.table.sidecar
    if found is None or side is None:
        return None
    path, about = found
    if about["generation"] != side.manifest.generation or about["kind"] not in kinds:
        return None
    try:
        if about["kind"] == "hnsw":
            return load_graphs(
                path, about["saved"], state.table, half=state.layout.half, scales=state.layout.scales
            )
        return IVF.load(path, about["saved"], state.table)
    except (StoreError, RuntimeError):  # FAISS raises RuntimeError for a file that it cannot read
        return None


def save_index(folder: DerivedFolder, state: State, *, unless_within: int) -> None:
    """Write the index, unless the saved one lacks at most so many of its vectors; under the folder's lock."""
    index, side = state.index, state.table.sidecar
    if not isinstance(index, (HNSW, Sharded, IVF)) or side is None or len(index) > len(side):
        return
    about = folder.read_document(INDEX) or {}
    if about.get("generation") == side.manifest.generation and about.get("kind") == index.kind:
        saved = int(about["saved"]["rows"])
        if 0 <= len(index) - saved <= unless_within or saved > len(index):
            return
    folder.write_file(INDEX, index.save, {"generation": side.manifest.generation, "kind": index.kind})


def learn_background(state: State, *, seed: int = 0) -> Background:
    """Learn the background from a sample of the table."""
    return Background.fit(state.sample(SAMPLE, seed=seed)[1])


def load_background(folder: DerivedFolder, state: State) -> tuple[int, Background] | None:
    """The saved background of this epoch, with the number of items that it was learned from."""
    found = folder.find_file(BACKGROUND)
    if found is None:
        return None
    path, about = found
    if about["space"] != state.layout.space or about["epoch"] != state.epoch:
        return None
    with np.load(path, allow_pickle=False) as arrays:
        return int(about["items"]), Background(arrays["sample"], float(arrays["sigma"]))


def save_background(folder: DerivedFolder, state: State, items: int, background: Background) -> None:
    """Write the background; under the folder's lock."""

    def write(path: Path) -> dict[str, Any]:
        with path.open("wb") as handle:
            np.savez(handle, sample=background.sample, sigma=background.sigma)
        return {}

    about = {"space": state.layout.space, "epoch": state.epoch, "items": items}
    folder.write_file(BACKGROUND, write, about)


def file_damages(folder: DerivedFolder) -> Iterator[Damage]:
    """Compare what is on disk with its checksums; reads every byte and repairs nothing."""
    where = str(folder.path)
    if (folder.path / f"{DOCUMENT}.json").exists():
        side = Sidecar.open(folder)
        if side is None:
            yield Damage(where, "the vector sidecar is missing or does not match its checksums")
        else:
            try:
                for _ in side.blocks(0, len(side), SEGMENT):
                    pass
            except DerivedFileError as error:
                yield Damage(where, str(error))
    for name in (INDEX, BACKGROUND):
        if (folder.path / f"{name}.json").exists() and folder.find_file(name) is None:
            yield Damage(where, f"the file {name}.bin does not match its checksum")


def record_damages(store: SearchedVectors, folder: DerivedFolder, state: State) -> Iterator[Damage]:
    """Compare the table's vectors with the record's."""
    where = str(folder.path)
    try:
        if not all(_agree(ours, theirs, store.tolerance) for ours, theirs in _side_by_side(store, state)):
            yield Damage(where, "the vectors that are searched are not those of the record")
    except DerivedFileError as error:
        yield Damage(where, str(error))


def _agree(ours: npt.NDArray[Any], theirs: npt.NDArray[Any], tolerance: float) -> bool:
    if not tolerance or ours.dtype == np.bool_:
        return np.array_equal(ours, theirs)
    return ours.shape == theirs.shape and np.allclose(ours, theirs, rtol=0, atol=tolerance)


def _side_by_side(
    store: SearchedVectors, state: State
) -> Iterator[tuple[npt.NDArray[Any], npt.NDArray[Any]]]:
    """Rows and vectors of the table, and the same of the record as far as the table goes."""
    table, counted = state.table, 0
    for rows, embeddings in store.stream_vectors():
        known = rows <= table.last_row
        rows, embeddings = rows[known], embeddings[known]
        positions = table.positions(rows)
        yield positions >= 0, np.ones(len(rows), dtype=bool)
        yield widened(table.take(positions)), embeddings
        counted += len(rows)
    if store.version() == state.version:
        yield np.array(counted), np.array(state.items)


def _derived_vectors(
    store: SearchedVectors, folder: DerivedFolder, wanted: Manifest, *, anew: bool, write: bool
) -> Sidecar | None:
    """The sidecar of the wanted space and epoch, written when it is not there; None if it cannot be."""
    side = Sidecar.open(folder)
    if side is not None and not anew and _fits(side.manifest, wanted):
        return side
    if not write:
        return None
    with IfWritable(), folder.lock():
        side = Sidecar.open(folder)  # another process may have written it while this one waited
        if side is None or anew or not _fits(side.manifest, wanted):
            manifest = append(folder, begin(folder, wanted), store.stream_vectors())
            side = Sidecar(folder, manifest)
        return side
    return None


def _fits(manifest: Manifest, wanted: Manifest) -> bool:
    return (manifest.space, manifest.epoch, manifest.dimensions, manifest.precision, manifest.scales) == (
        wanted.space,
        wanted.epoch,
        wanted.dimensions,
        wanted.precision,
        wanted.scales,
    )
