"""Where the vectors of a workload are searched: in each process that answers, or on a Milvus server.

A process gets a graph of the vectors, as they are reduced, while that fits into its share of a machine's memory
(:mod:`lookalike.store.sizing`). Beyond, a Milvus server can search them, spread over machines: as float32 of the
encoder's own length, since collections that are reduced are searched in process wherever they are kept.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from lookalike.errors import InputError
from lookalike.planning.measured import Measured
from lookalike.planning.workload import BYTES, Machines, Precision, Workload
from lookalike.store.milvus_searched import INDEX
from lookalike.store.sizing import EXACT_MOST, MEMORY_SHARE
from lookalike.vectors.hnsw import EF_CONSTRUCTION, HNSW

USABLE_MEMORY = 0.8
"""Of a machine's memory; the rest is the system's, and room to grow while an index is extended."""

REPLICA_BYTES = 1200
"""Of an item in the replica of the record that each machine keeps which answers, with long attributes; with short ones
it is a third (benchmarks/results/engines.md, docs/cluster.md)."""

KEPT_INDEX_BYTES = 120
"""Of an item in that replica, of the graph that is kept with the collection (docs/cluster.md)."""

ROW_BYTES = 8
"""Of an item in the memory of a process that answers from a Milvus server: row numbers of all items."""

IN_BASE64 = 4 / 3
"""Bytes on a Milvus server for one of the record: its rows are text."""

SEGMENT_BYTES = 1 << 30
"""Of vectors in one graph of a Milvus server, with its usual settings (``dataCoord.segment.maxSize``)."""

Engine = Literal["process", "milvus"]


@dataclass(frozen=True, slots=True)
class IndexPlan:
    """The searchable side.

    Args:
        engine: What searches: the index of each process that answers, which holds all, or a Milvus server.
        dimensions, precision: Of the searched vectors.
        shards: Machines that together hold one copy; 1 in process.
        vectors_per_shard: On each.
        graphs_per_shard: That a search on it has to go through.
        bytes_per_vector: In memory: vector, its code in the graph, links; on a server also the record, which it loads.
        record_bytes_per_vector: Of these, the record's; 0 in process.
        memory_per_shard: Bytes, the process included.
        disk_per_vector: Searched vectors and links in files.
        replica_bytes_per_vector: On the disk of each machine that answers, where there are several.
        build_hours: On the shards' own cores, all at a time.
    """

    engine: Engine
    dimensions: int
    precision: Precision
    shards: int
    vectors_per_shard: int
    graphs_per_shard: int
    bytes_per_vector: int
    record_bytes_per_vector: int
    memory_per_shard: float
    disk_per_vector: int
    replica_bytes_per_vector: int
    build_hours: float


def place_index(workload: Workload, rented: Machines, costs: Measured) -> IndexPlan:
    """Where the vectors are searched: in process if one machine has the memory, else on a Milvus server.

    Raises:
        InputError: If a machine has no memory for a process and some vectors, or one that answers from a server none
            for the row numbers; if more dimensions are asked for than the encoder has, or it was not measured.
    """
    own = int(costs.of_encoder(costs.dimensions, workload.encoder))
    if workload.dims is not None and workload.dims > own:
        raise InputError(
            f"dims is {workload.dims}: expected at most {own}, which {workload.encoder} has: vectors are only reduced"
        )
    room = USABLE_MEMORY * rented.memory - costs.process_bytes
    return _in_process(workload, own, room, rented, costs) or _on_milvus(workload, own, room, rented, costs)


def bytes_in_process(dimensions: int, precision: Precision) -> tuple[int, int]:
    """Bytes of a vector in its file, which is mapped, and of it in the graph, which is in memory.

    Args:
        dimensions, precision: Of the searched vectors.
    """
    graph = HNSW.memory(1, dimensions, half=precision == "f16", int8=precision == "i8")
    return BYTES[precision] * dimensions, graph


def _in_process(
    workload: Workload, own: int, room: float, rented: Machines, costs: Measured
) -> IndexPlan | None:
    """All vectors on each machine; None where they do not fit."""
    dimensions = workload.dims or own
    size, graph = bytes_in_process(dimensions, workload.precision)
    n = math.ceil(workload.images)
    if n <= EXACT_MOST:  # compared one by one
        graph = 0
    # of the memory that is free when it opens a collection, a process allows its graph a share
    free = rented.memory - costs.process_bytes
    if n * (size + graph) > room or n * graph > MEMORY_SHARE * free:
        return None
    links = HNSW.memory(1, 0, half=False) if graph else 0
    build = costs.build.total(n, dimensions) / rented.core_speed / rented.cores if graph else 0.0
    return IndexPlan(
        engine="process",
        dimensions=dimensions,
        precision=workload.precision,
        shards=1,
        vectors_per_shard=n,
        graphs_per_shard=1,
        bytes_per_vector=size + graph,
        record_bytes_per_vector=0,
        memory_per_shard=n * (size + graph) + costs.process_bytes,
        disk_per_vector=size + links,
        replica_bytes_per_vector=REPLICA_BYTES + (KEPT_INDEX_BYTES if graph else 0),
        build_hours=build / 3600,
    )


def _on_milvus(workload: Workload, own: int, room: float, rented: Machines, costs: Measured) -> IndexPlan:
    """Vectors and record spread over the machines of a server."""
    size = BYTES["f32"] * own
    record = math.ceil(IN_BASE64 * (costs.record_bytes + BYTES["f16"] * own))
    each = HNSW.memory(1, own, half=False) + record
    if room < each:
        raise InputError(
            f"a machine of {rented.memory / 1e9:g} GB has no room for vectors beside the process "
            f"({costs.process_bytes / 1e9:.1f} GB): expected more memory"
        )
    if ROW_BYTES * workload.images > room:
        raise InputError(
            f"each machine that answers keeps the row numbers of all {workload.images:,.0f} items in memory, "
            f"{ROW_BYTES * workload.images / 1e9:.0f} GB: expected machines of more than {rented.memory / 1e9:g} GB"
        )
    shards = math.ceil(workload.images * each / room)
    held = math.ceil(workload.images / shards)
    segment = min(held, SEGMENT_BYTES // size)
    thoroughness = INDEX["params"]["efConstruction"] / EF_CONSTRUCTION
    build = thoroughness * held / segment * costs.build.total(segment, own) / rented.core_speed / rented.cores
    return IndexPlan(
        engine="milvus",
        dimensions=own,
        precision="f32",
        shards=shards,
        vectors_per_shard=held,
        graphs_per_shard=math.ceil(held / segment),
        bytes_per_vector=each,
        record_bytes_per_vector=record,
        memory_per_shard=held * each + costs.process_bytes,
        disk_per_vector=size + HNSW.memory(1, 0, half=False),
        replica_bytes_per_vector=REPLICA_BYTES,
        build_hours=build / 3600,
    )
