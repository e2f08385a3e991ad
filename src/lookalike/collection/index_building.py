"""A search index that is built once and kept with the collection."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from lookalike.collection.base import CollectionBase
from lookalike.collection.progress import count_progress
from lookalike.errors import InputError
from lookalike.ingest.ray_blocks import blocks_on
from lookalike.ingest.ray_machines import cluster
from lookalike.store import published_index
from lookalike.store.galleries import SearchedElsewhere
from lookalike.store.index_building import Builders, publish_own, publish_shards, shards_for
from lookalike.store.published_index import Manifest


@dataclass(frozen=True, slots=True)
class BuiltIndex:
    """An index that is kept with the collection.

    Args:
        rows: Items that it covers; newer ones are compared exactly beside it.
        shards: Graphs that it is made of.
        bytes: That it takes in the collection.
        dimensions, precision: Of the vectors that it links.
        reducer: Version of the reducer that they passed through; None: the full vectors.
        seconds: How long it took.
    """

    rows: int
    shards: int
    bytes: int
    dimensions: int
    precision: str
    reducer: int | None
    seconds: float


class IndexBuilding(CollectionBase):
    """Building the index once, for every machine that opens the collection."""

    def build_index(
        self,
        on: str | None = None,
        *,
        shards: int | None = None,
        progress: bool | Callable[[int, int], None] = True,
    ) -> BuiltIndex:
        """Build the search index of the vectors as they are searched now, and keep it with the collection.

        Machines that open the collection afterwards load it instead of building their own. It replaces the one before.
        Items that are added later are searched beside it, those that are removed are left out; with another reducer, or
        once a quarter of its items is gone, it is not used any more and should be built again.

        Args:
            on: ``ray`` or ``ray://HOST:PORT``: the vectors are cut into shards, one for each machine of a Ray cluster,
                and their graphs are built at the same time; None: in this process, which publishes the index that it
                has, where it has one.
            shards: How many graphs to build; fewer are searched faster, more are built faster. None: as said above.
            progress: True shows a bar when stderr is a terminal; a function is called with (shards done, shards).

        Raises:
            InputError: If the collection is so small that every item is compared, its engine searches vectors itself,
                its graph does not fit into this machine's memory, or an argument is wrong.
            CollectionBusy: If it was migrated, or another index was built, meanwhile.
            ServiceError: If the cluster cannot be reached, or loses a shard's workers again and again.
        """
        if shards is not None and (isinstance(shards, bool) or not isinstance(shards, int) or shards < 1):
            raise InputError(f"shards {shards!r}: expected a whole number of at least 1")
        started = time.perf_counter()
        gallery = self._gallery
        if gallery.reducer is None and isinstance(self._store, SearchedElsewhere):
            raise InputError(
                f"{self.path} is searched by its server, which keeps an index of its own: there is nothing to build"
            )
        if on is None and shards is None:
            manifest = publish_own(self._store, gallery)
        else:
            with blocks_on(on) as map_blocks, count_progress("building", progress) as advance:
                builders = Builders(map_blocks, 1 if on is None else cluster().working)
                cut = shards_for(len(gallery), builders.machines) if shards is None else shards
                manifest = publish_shards(self._store, gallery, builders, cut, advance)
        return _built(manifest, time.perf_counter() - started)

    def drop_index(self) -> bool:
        """Delete the index that is kept with the collection; whether there was one. Machines that have it keep it."""
        return published_index.remove(self._store)


def _built(manifest: Manifest, seconds: float) -> BuiltIndex:
    return BuiltIndex(
        rows=manifest.rows,
        shards=len(manifest.pieces),
        bytes=manifest.bytes,
        dimensions=manifest.dimensions,
        precision=manifest.precision,
        reducer=manifest.reducer,
        seconds=seconds,
    )
