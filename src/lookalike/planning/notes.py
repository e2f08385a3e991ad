"""What a reader of a plan must know of its assumptions."""

from __future__ import annotations

import math

from lookalike.planning.measured import Measured
from lookalike.planning.placement import (
    KEPT_INDEX_BYTES,
    REPLICA_BYTES,
    USABLE_MEMORY,
    IndexPlan,
    bytes_in_process,
)
from lookalike.planning.workload import Machines, Workload
from lookalike.store.sizing import MEMORY_SHARE


def plan_notes(
    workload: Workload, index: IndexPlan, copies: int, rented: Machines, costs: Measured
) -> tuple[str, ...]:
    """A sentence or some for each assumption.

    Args:
        workload, rented, costs: What the plan was made of.
        index: Where vectors are searched.
        copies: Of the index in memory.
    """
    notes = [
        f"Costs were measured on {costs.machine} on {costs.when}; measure your own with --calibrate.",
        "Prices are examples: give your own.",
        f"Embedding: {costs.slow_share:.0%} of the machines take {costs.slow_factor:g} times as long, and failures "
        "are repeated; pictures are read as fast as from a local disk.",
        "Serving: requests arrive at random; the network between machines adds its own latency, which is not in it.",
    ]
    if index.engine == "milvus":
        notes += _of_milvus(workload, index, copies, rented, costs)
    else:
        notes += _of_processes(workload, index)
    in_a_graph, growth = index.vectors_per_shard / index.graphs_per_shard, costs.search.growth
    if in_a_graph > growth.sizes[0]:
        note = f"Beyond {growth.sizes[0]:,.0f} vectors, searching and building grow as in {growth.source}"
        if in_a_graph > growth.sizes[-1]:
            note += f"; beyond {growth.sizes[-1]:,.0f} that is extrapolated"
        notes.append(f"{note}.")
    return tuple(notes)


def _of_processes(workload: Workload, index: IndexPlan) -> list[str]:
    notes = []
    if workload.dims is not None or workload.precision != "f16":
        notes.append(
            f"Vectors of {index.dimensions} dimensions in {index.precision}: `lookalike reduce` makes them, and says "
            "what that loses."
        )
    if workload.replicas > 1:
        notes.append(
            "Machines share the record (Lance on object storage); each holds all searched vectors, and on its disk a "
            f"replica of up to {REPLICA_BYTES:,} bytes an item, and {KEPT_INDEX_BYTES} of the index that `lookalike "
            "build-index` keeps with the collection."
        )
    return notes


def _of_milvus(
    workload: Workload, index: IndexPlan, copies: int, rented: Machines, costs: Measured
) -> list[str]:
    wanted = workload.dims or index.dimensions
    size, graph = bytes_in_process(wanted, workload.precision)
    memory = costs.process_bytes + workload.images * max(graph / MEMORY_SHARE, (size + graph) / USABLE_MEMORY)
    searched = index.bytes_per_vector - index.record_bytes_per_vector
    without = math.ceil(workload.images * searched / (USABLE_MEMORY * rented.memory - costs.process_bytes))
    notes = [
        f"A machine of {rented.memory / 1e9:g} GB has no room for an index of {workload.images:,.0f} vectors of "
        f"{wanted} dimensions in {workload.precision}, so a Milvus server searches. In process each machine would take "
        f"{math.ceil(memory / 1e9):,} GB (--memory); with less an index on disk answers, whose cost was not measured."
    ]
    if workload.dims is not None or workload.precision != "f16":
        notes.append(
            f"Planned without --dims and --precision: the server searches the encoder's own {index.dimensions} "
            "dimensions in f32. A collection that is reduced is searched in process, wherever it is kept."
        )
    notes += [
        f"Memory of the server, an item: {searched:,} bytes of vectors and graph, and "
        f"{index.record_bytes_per_vector:,} of the record (thumbnails, vectors again, as text), which it loads too. "
        f"One that maps the record from disk (mmap) takes {without:,} machines. Its coordinators and message queue are "
        "not in the plan.",
        f"Each machine that answers has a replica of the record on its disk, up to {REPLICA_BYTES:,} bytes an item.",
        "The server's graphs are taken to cost what ours do, one for each gigabyte of vectors, one after the other on "
        "a core; a search through it 5.5 ms more, as with 50,000 vectors. With more it was not measured.",
    ]
    if copies > 1:
        notes.append(f"lookalike has the server load one copy; {copies} are for its administrator to set.")
    return notes
