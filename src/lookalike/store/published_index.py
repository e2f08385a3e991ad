"""A search index that is kept with the collection, so that machines load it instead of building their own.

Its graphs, some 270 bytes an item without vectors, are fitted things of the store: durable, checksummed, and dropped
with the vectors that they link. Each is kept in pieces under names that no other build has. What makes them count is
one more, put last and in the place of the one before: the manifest, which names them and says how the vectors lay. A
copy of it lies among the pieces, for the case that two machines publish at the same moment. A machine reads the graphs,
takes the vectors that it has, and matches the two by row numbers.
"""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import CollectionBusy, DamagedCollection, NotFitted, StoreError
from lookalike.store.base import Damage, Store
from lookalike.store.gallery_state import State
from lookalike.store.searched import Layout, SearchedVectors
from lookalike.store.table import Table
from lookalike.types import Rows
from lookalike.vectors.approximate import Effort
from lookalike.vectors.neighbours import NOWHERE, Positions
from lookalike.vectors.sharded import Part, Sharded

KIND, NAME = "index", "search"
"""Of the manifest."""

PIECE = "index-piece"
"""Kind of the pieces of graphs."""

DERIVED_KINDS = (KIND, PIECE)
"""What can be built anew from the items, and refers to the rows of this very collection: a copy goes without."""

FORMAT = 1
PIECE_BYTES = 128 << 20
"""Most bytes of a piece: no engine's limit is near, and one fits into memory anywhere."""

ATTEMPTS = 10
"""How often a manifest is put back because other machines publish and delete meanwhile."""

GONE_SHARE = 0.25
"""When this share of an index's rows is no longer there, it is not loaded: a new one is smaller and better."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a published index covers and how its vectors lay.

    Args:
        build: Names its pieces.
        pieces: How many each graph has.
        rows: How many vectors it covers.
        bytes: Of all pieces.
        space, dimensions, precision: Of the vectors.
        reducer: Version of the reducer that they passed through; None: they are the record's own.
        levels, recalls: Which effort reaches which recall.
        format: Of manifest and pieces.
    """

    build: str
    pieces: tuple[int, ...]
    rows: int
    bytes: int
    space: int
    dimensions: int
    precision: str
    reducer: int | None
    levels: tuple[int, ...]
    recalls: tuple[tuple[float, ...], ...]
    format: int = FORMAT

    @classmethod
    def of(cls, provenance: Any) -> Manifest:
        """What was saved as JSON.

        Raises:
            DamagedCollection: If it is of another format or not a manifest.
        """
        found = provenance.get("format")
        if found != FORMAT:
            raise DamagedCollection(
                f"the published index has format {found!r}, and this version of lookalike knows {FORMAT}: "
                "run lookalike build-index again"
            )
        try:
            effort = Effort.restored(provenance["levels"], provenance["recalls"])
            return cls(
                **{**provenance, "pieces": tuple(provenance["pieces"])}
                | {"levels": effort.levels, "recalls": effort.recalls}
            )
        except (KeyError, TypeError) as error:
            raise DamagedCollection(
                f"the manifest of the published index is not one ({error}): run lookalike build-index again"
            ) from error

    @property
    def effort(self) -> Effort:
        """Which effort reaches which recall."""
        return Effort(self.levels, self.recalls)

    def named(self) -> set[str]:
        """The names of its pieces."""
        return {_piece(self.build, at, piece) for at, n in enumerate(self.pieces) for piece in range(n)}

    def fits(self, layout: Layout, reducer: int | None) -> bool:
        """Whether it links the vectors that lie like this."""
        ours = (self.space, self.dimensions, self.precision, self.reducer)
        return ours == (layout.space, layout.dimensions, layout.precision, reducer)


def manifest_of(store: Store) -> Manifest | None:
    """The manifest of the index that is published now, or None.

    Raises:
        DamagedCollection: If it cannot be read.
    """
    saved = next((each for each in store.fitted(KIND) if each.name == NAME), None)
    return None if saved is None else Manifest.of(saved.provenance)


class Publication:
    """Puts the graphs of a new index into a store, one after the other; nobody loads them before :meth:`publish`.

    Args:
        store: The record.
        fingerprint: Of the embeddings whose vectors are linked.
        layout: How those lie.
        reducer: Version of their reducer, or None.
    """

    def __init__(self, store: Store, fingerprint: str, layout: Layout, reducer: int | None) -> None:
        self._store = store
        self._fingerprint = fingerprint
        self._manifest = Manifest(
            uuid.uuid4().hex, (), 0, 0, layout.space, layout.dimensions, layout.precision, reducer, (), ()
        )

    def add(self, content: npt.NDArray[np.uint8], rows: Rows) -> None:
        """Put a graph.

        Args:
            content: Without vectors, as :meth:`lookalike.vectors.hnsw.HNSW.to_bytes` gives it.
            rows: int64 (n,), of its nodes, ascending; -1 for those that are gone already.

        Raises:
            FingerprintMismatch: If the collection was migrated meanwhile.
        """
        made, payload = self._manifest, _packed(content, rows)
        firsts = range(0, len(payload), PIECE_BYTES)
        for piece, first in enumerate(firsts):
            self._store.put_fitted(
                PIECE,
                _piece(made.build, len(made.pieces), piece),
                payload[first : first + PIECE_BYTES],
                fingerprint=self._fingerprint,
                provenance={},
            )
        self._manifest = replace(
            made,
            pieces=(*made.pieces, len(firsts)),
            rows=made.rows + int(np.count_nonzero(rows >= 0)),
            bytes=made.bytes + len(payload),
        )

    def publish(self, effort: Effort) -> Manifest:
        """Make what was put the collection's index, in one step; called again, it only changes the effort.

        Raises:
            CollectionBusy: If another machine published one meanwhile; that one stays.
        """
        manifest = replace(self._manifest, levels=effort.levels, recalls=effort.recalls)
        if not manifest.named() <= _pieces(self._store):
            raise self._overtaken()
        # First where whoever puts another over it, having looked a moment before, finds it to put it back.
        self._put(PIECE, _own(manifest), manifest)
        self._put(KIND, NAME, manifest)
        self._settle()
        if not self._is_used():
            raise self._overtaken()
        return manifest

    def finish(self) -> None:
        """Clean up after publishing.

        Raises:
            CollectionBusy: If another machine published an index at the same moment.
        """
        self.clean()
        if not self._is_used():
            raise self._overtaken()

    def clean(self) -> None:
        """Delete the pieces of other builds, or only these, where they are not the collection's index."""
        used = self._is_used()
        for name in sorted(_pieces(self._store), key=_manifests_first):
            if name.startswith(f"{self._manifest.build}/") == used:
                continue
            if used and not self._is_used():
                break  # the rest is the other's
            self._store.remove_fitted(PIECE, name)
        self._settle()

    def _settle(self) -> None:
        """See that the manifest names pieces that are there.

        There is no step that looks and puts at once, so of two machines that publish at the same moment one may have
        put its manifest after the other deleted what it names. Whoever did either looks afterwards, and puts back the
        newest index that is whole; where each has deleted some of the other's, there is none.
        """
        for _ in range(ATTEMPTS):
            try:
                used = manifest_of(self._store)  # first: pieces are put before it
                pieces = self._store.fitted(PIECE)
                there = {each.name for each in pieces}
                if used is None or used.named() <= there:
                    return
                copies = (each for each in reversed(pieces) if each.name.endswith(_OWN))
                whole = (found for each in copies if (found := Manifest.of(each.provenance)).named() <= there)
                instead = next(whole, None)
            except DamagedCollection:
                return  # of a newer lookalike, which looks after it
            if instead is None:
                self._store.remove_fitted(KIND, NAME)
                return
            self._put(KIND, NAME, instead)

    def _is_used(self) -> bool:
        try:
            used = manifest_of(self._store)
        except DamagedCollection:
            return False
        return used is not None and used.build == self._manifest.build

    def _put(self, kind: str, name: str, manifest: Manifest) -> None:
        self._store.put_fitted(kind, name, b"", fingerprint=self._fingerprint, provenance=asdict(manifest))

    def _overtaken(self) -> CollectionBusy:
        return CollectionBusy(
            f"another machine published an index of {self._store.uri} meanwhile: that one is used, if it is still "
            "there; repeat the call to replace it"
        )


def load(store: SearchedVectors, state: State) -> Sharded | None:
    """The published index over a state's table, or None where there is none that fits.

    It covers the table up to the newest row that it knows. One that is damaged counts as none, since whatever it would
    answer can be answered without; :func:`damages` tells.
    """
    try:
        manifest = manifest_of(store.record)
        if manifest is None or not manifest.fits(state.layout, store.reducer_version):
            return None
        parts = list(_parts(store.record, manifest, state.table))
        if not _covers(parts, state.table):
            return None
        layout = state.layout
        return Sharded.assembled(parts, manifest.effort, state.table, half=layout.half, scales=layout.scales)
    except (NotFitted, StoreError):
        return None


def damages(store: Store) -> Iterator[Damage]:
    """Read the published index; yields what is wrong with it."""
    try:
        manifest = manifest_of(store)
        if manifest is not None:
            for shard, pieces in enumerate(manifest.pieces):
                _read(store, manifest.build, shard, pieces)
    except (NotFitted, StoreError) as error:
        yield Damage(f"fitted, {KIND} {NAME!r}", f"{error}; searches go on without it")


def remove(store: Store) -> bool:
    """Delete the published index with its pieces; whether there was one."""
    was = store.remove_fitted(KIND, NAME)
    for each in store.fitted(PIECE):
        store.remove_fitted(PIECE, each.name)
    return was


def _parts(store: Store, manifest: Manifest, table: Table) -> Iterator[Part]:
    stop = 0
    for shard, pieces in enumerate(manifest.pieces):
        content, rows = _read(store, manifest.build, shard, pieces)
        positions = table.positions(rows)
        if len(positions) and positions.max() >= 0:
            stop = int(positions.max()) + 1
        yield Part(content, positions, stop)


def _covers(parts: Iterable[Part], table: Table) -> bool:
    """Whether all vectors among those of the graphs that belong to an item are in one, and most of theirs are left."""
    positions: Positions = np.concatenate([part.positions for part in parts])
    there = positions[positions >= 0]
    if len(there) < (1 - GONE_SHARE) * len(positions) or not (np.diff(there) > 0).all():
        return False
    lacking = table.alive[: int(there[-1]) + 1].copy()
    lacking[there] = False
    return not lacking.any()


def _piece(build: str, shard: int, piece: int) -> str:
    return f"{build}/{shard:04d}/{piece:04d}"


_OWN = "/manifest"
"""What the name of a build's own copy of its manifest ends in, which lies among its pieces."""


def _own(manifest: Manifest) -> str:
    return f"{manifest.build}{_OWN}"


def _pieces(store: Store) -> set[str]:
    return {each.name for each in store.fitted(PIECE)}


def _manifests_first(name: str) -> tuple[bool, str]:
    """An order in which nobody puts back a build of which some pieces are deleted already."""
    return not name.endswith(_OWN), name


_HEAD = 24
"""Bytes before the two compressed arrays: their lengths, and the number of rows."""


def _packed(content: npt.NDArray[np.uint8], rows: Rows) -> bytes:
    """Rows and graph, compressed: links are numbers whose upper bytes are often equal."""
    steps = np.diff(rows.astype("<i8"), prepend=np.int64(NOWHERE))
    numbered, linked = zlib.compress(steps.astype("<i8").tobytes(), 1), zlib.compress(content.data, 1)
    return np.array([len(numbered), len(linked), len(rows)], dtype="<i8").tobytes() + numbered + linked


def _read(store: Store, build: str, shard: int, pieces: int) -> tuple[npt.NDArray[np.uint8], Rows]:
    """A graph without vectors, and its rows.

    Raises:
        NotFitted: If a piece is missing.
        DamagedCollection: If one does not match its checksum, or together they are no graph.
    """
    payload = b"".join(store.fitted_payload(PIECE, _piece(build, shard, at))[1] for at in range(pieces))
    try:
        numbered, linked, count = np.frombuffer(payload[:_HEAD], dtype="<i8").tolist()
        steps = np.frombuffer(zlib.decompress(payload[_HEAD : _HEAD + numbered]), dtype="<i8")
        content = np.frombuffer(zlib.decompress(payload[_HEAD + numbered :]), dtype=np.uint8)
    except (ValueError, zlib.error) as error:
        raise DamagedCollection(f"graph {shard} of the published index cannot be read ({error})") from error
    if len(steps) != count or len(payload) != _HEAD + numbered + linked:
        raise DamagedCollection(f"graph {shard} of the published index is cut short")
    return content, np.cumsum(steps, dtype=np.int64) + NOWHERE
