"""Building the index that a collection publishes: here, or in shards by the machines of a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from lookalike.errors import CollectionBusy, InputError
from lookalike.store import published_index
from lookalike.store.base import Store
from lookalike.store.gallery import Gallery
from lookalike.store.gallery_state import State
from lookalike.store.published_index import Manifest, Publication
from lookalike.store.sizing import EXACT_MOST
from lookalike.vectors.approximate import Effort
from lookalike.vectors.blocks import MapBlocks, in_process
from lookalike.vectors.hnsw import HNSW
from lookalike.vectors.neighbours import NOWHERE, ArrayVectors, Positions, VectorSource, block_rows
from lookalike.vectors.node_vectors import NodeVectors
from lookalike.vectors.quantise import CodedVectors, Int8
from lookalike.vectors.sharded import BuiltGraph, GraphSettings, Sharded, build_graph, least_effort

LEAST_ROWS, MOST_ROWS = 50_000, 2_000_000
"""Vectors of a shard: fewer are built in a minute anyway, more would be long lost with a machine that dies."""

MOST_SHARDS = 64


@dataclass(frozen=True, slots=True)
class Builders:
    """Who builds the graphs of shards.

    Args:
        map_blocks: Does the work.
        machines: How many can be at it together; so many graphs are in this process's memory at most.
    """

    map_blocks: MapBlocks
    machines: int = 1


def shards_for(rows: int, machines: int) -> int:
    """How many shards so many vectors are cut into: one for each machine, but neither small nor huge ones."""
    most = min(machines, MOST_SHARDS, rows // LEAST_ROWS)
    return max(1, most, -(-rows // MOST_ROWS))


def publish_own(store: Store, gallery: Gallery) -> Manifest:
    """Publish the index that this process searches with, brought up to date or built first.

    Raises:
        InputError: If the collection is too small to need one, or its graph too large for this machine's memory.
    """
    _, wanted = gallery.built(index=False)
    if wanted == "ivf":
        raise InputError(
            f"the graph of {store.uri} does not fit into the memory of this machine: build it on one with more, or in "
            "shards on a cluster (on='ray', --on ray)"
        )
    state, _ = gallery.built(index=True)
    index = state.index
    if not isinstance(index, HNSW | Sharded):
        raise _too_small(store)
    rows = state.table.rows
    with _publication(store, gallery, state) as made:
        for content, positions in index.graphs():
            made.add(content, np.where(positions >= 0, rows[positions], NOWHERE))
        manifest = made.publish(index.effort)
    gallery.save()
    return manifest


def publish_shards(
    store: Store, gallery: Gallery, builders: Builders, shards: int, advance: Callable[[int, int], None]
) -> Manifest:
    """Build graphs over shards of the vectors as they are searched now, and publish them as they come.

    Args:
        store: The record.
        gallery: Its searchable side.
        builders: Who builds.
        shards: How many there are to be.
        advance: Called with (shards done, shards).

    Raises:
        InputError: If the collection is too small to need an index.
        CollectionBusy: If it was migrated, or another index published, meanwhile.
    """
    state, wanted = gallery.built(index=False)
    if wanted == "exact":
        raise _too_small(store)
    table = state.table
    items = np.flatnonzero(table.alive[: len(table)])
    parts = np.array_split(items, min(shards, len(items)))
    efforts: list[Effort] = []
    with _publication(store, gallery, state) as made:
        for positions, built in zip(parts, _graphs(state, parts, builders), strict=True):
            made.add(built.content, table.rows[positions])
            efforts.append(built.effort)
            advance(len(efforts), len(parts))
        manifest = made.publish(least_effort(efforts))
        index = published_index.load(gallery.searched, state) if wanted == "hnsw" else None
        if index is not None:
            index.tune()
            manifest = made.publish(index.effort)
    if wanted == "hnsw":
        gallery.save()
    return manifest


def _graphs(state: State, parts: list[Positions], builders: Builders) -> Iterator[BuiltGraph]:
    settings = GraphSettings(state.layout.half, state.layout.scales)
    elsewhere = builders.map_blocks is not in_process
    for first in range(0, len(parts), builders.machines):
        wave = parts[first : first + builders.machines]
        sources = (_vectors(state, positions, elsewhere=elsewhere) for positions in wave)
        yield from builders.map_blocks(build_graph, settings, sources, cores="all")


def _vectors(state: State, positions: Positions, *, elsewhere: bool) -> VectorSource:
    """What a graph is built of: read when it is needed here, or gathered to be sent."""
    table, layout = state.table, state.layout
    if not elsewhere:
        return NodeVectors(table, positions, int(positions[-1]) + 1)
    if not layout.scales:
        return ArrayVectors(table.take(positions, mapped=False))
    quantiser = Int8(np.array(layout.scales, dtype=np.float32))
    codes = np.empty((len(positions), layout.dimensions), dtype=np.int8)
    size = block_rows(layout.dimensions)
    for first in range(0, len(positions), size):
        chosen = positions[first : first + size]
        codes[first : first + len(chosen)] = quantiser.encode(table.take(chosen))
    return CodedVectors(codes, quantiser, layout.dimensions)


@contextmanager
def _publication(store: Store, gallery: Gallery, state: State) -> Iterator[Publication]:
    """Where graphs are put; at the end other builds' are deleted, or only these where they are not what is used."""
    space, reducer = store.space(), gallery.reducer
    if space.number != state.layout.space:
        raise CollectionBusy(f"{store.uri} was migrated meanwhile: repeat the call")
    made = Publication(store, space.fingerprint, state.layout, None if reducer is None else reducer.version)
    try:
        yield made
    except BaseException:
        made.clean()
        raise
    made.finish()


def _too_small(store: Store) -> InputError:
    return InputError(
        f"{store.uri} has {store.count():,} items, which are compared one by one in milliseconds: an index is built "
        f"from {EXACT_MOST:,} on"
    )
