"""An index over all of a table: the one that is there extended, the published one, or a new one."""

from __future__ import annotations

import threading

from lookalike.store import gallery_state, published_index
from lookalike.store.gallery_state import State
from lookalike.store.searched import SearchedVectors
from lookalike.store.sizing import IndexKind
from lookalike.vectors.hnsw import HNSW
from lookalike.vectors.ivf import IVF
from lookalike.vectors.neighbours import Index
from lookalike.vectors.sharded import Sharded


def grown(
    store: SearchedVectors,
    state: State,
    wanted: IndexKind,
    *,
    budget: int,
    threads: int | None,
    cancelled: threading.Event,
) -> Index:
    """An index over all of a state's table.

    Args:
        store: Where a published index may be.
        state: Its index is extended if it is of the wanted kind, in place if it is a graph.
        wanted: Kind of index.
        budget: Bytes up to which the exact one keeps a copy.
        threads: For building; None: all cores.
        cancelled: When set, stops early.
    """
    table, layout = state.table, state.layout
    if wanted == "exact":
        return gallery_state.exact_index(state, budget)
    if wanted == "ivf":
        if isinstance(state.index, IVF) and state.tail < len(state.index):
            return state.index.grown(table, threads=threads, cancelled=cancelled)
        return IVF.build(table, threads=threads, cancelled=cancelled)
    graph: HNSW | Sharded
    shared = isinstance(state.index, HNSW | Sharded)  # others search it meanwhile
    if isinstance(state.index, HNSW | Sharded):
        graph = state.index
    else:
        graph = published_index.load(store, state) or HNSW(table, half=layout.half, scales=layout.scales)
    before = len(graph)
    graph.grow(table, len(table), shared=shared, threads=threads, cancelled=cancelled)
    if len(graph) > 2 * before:
        graph.tune()
    return graph
