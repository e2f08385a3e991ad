"""From a workload to machines, memory, storage, hours and money."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from lookalike.errors import InputError
from lookalike.planning.batch import BatchRun, Fleet, simulate_batch
from lookalike.planning.measured import Measured, read_measured
from lookalike.planning.queueing import Latencies, Stage, simulate
from lookalike.planning.workload import BYTES, Machines, Workload
from lookalike.store.sizing import EXACT_MOST
from lookalike.vectors.hnsw import HNSW

HOURS_A_MONTH = 730
USABLE_MEMORY = 0.8
"""Of a machine's memory; the rest is the system's, and room to grow while an index is extended."""

BUSIEST = 0.7
"""Utilisation at which a tier starts to be tried: less leaves machines idle, more leaves nothing for a peak."""

BATCH_IMAGES = 1024
"""Pictures of one task of the embedding."""

MOST_TRIES = 24

SIMULATED_QPS = 5000.0
"""Of more traffic a part is simulated with the same part of the machines: it takes many of them, all alike."""


@dataclass(frozen=True, slots=True)
class EmbeddingPlan:
    """The first embedding of all pictures.

    Args:
        machines: Needed to be through in time.
        core_hours: Work, without stragglers.
        hours: From start to end, stragglers and failures included.
        straggling: How much longer it takes than if all machines were alike and none failed.
        cost: Of the machines for these hours.
    """

    machines: int
    core_hours: float
    hours: float
    straggling: float
    cost: float


@dataclass(frozen=True, slots=True)
class IndexPlan:
    """The searchable side.

    Args:
        shards: Machines that together hold one copy.
        vectors_per_shard: On each.
        bytes_per_vector: In memory: vector, its code in the graph, links.
        memory_per_shard: Bytes, the process included.
        build_hours: On the shards' own cores, all at a time.
    """

    shards: int
    vectors_per_shard: int
    bytes_per_vector: int
    memory_per_shard: float
    build_hours: float


@dataclass(frozen=True, slots=True)
class StoragePlan:
    """What lies on disk or object storage, bytes.

    Args:
        record: Items: vectors as the encoder makes them, thumbnails, attributes.
        derived: Searched vectors and index, one copy a replica.
        cost_per_month: Of both.
    """

    record: float
    derived: float
    cost_per_month: float


@dataclass(frozen=True, slots=True)
class ServingPlan:
    """What answers.

    Args:
        embedders: Machines that embed query pictures and speak HTTP; 0 when those that search do that as well, as they
            can when one holds the whole index.
        searchers: Machines that hold the index: shards times replicas.
        replicas: Copies of the index.
        latencies: Simulated at the busiest.
        utilisation: Share of the cores' time in use then, by what they do.
        cost_per_month: Of the machines.
    """

    embedders: int
    searchers: int
    replicas: int
    latencies: Latencies
    utilisation: Mapping[str, float]
    cost_per_month: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What a workload takes, and on which costs that rests.

    Args:
        workload, machines, measured: What was asked and assumed.
        embedding, index, storage, serving: The parts.
        notes: What a reader must know of the assumptions.
    """

    workload: Workload
    machines: Machines
    measured: Measured
    embedding: EmbeddingPlan
    index: IndexPlan
    storage: StoragePlan
    serving: ServingPlan
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain types, for JSON."""
        return asdict(self)


def plan(
    workload: Workload,
    *,
    machines: Machines | None = None,
    measured: Measured | None = None,
    seed: int = 0,
) -> Plan:
    """Work out what a workload takes.

    Args:
        workload: What the system has to do.
        machines: What is rented; all machines are alike.
        measured: Costs; those that come with the package by default.
        seed: Of the simulations.

    Raises:
        InputError: If no number of such machines meets the latency, or the encoder was not measured.
        MissingExtra: If SimPy is not installed.
    """
    rented = machines or Machines()
    costs = measured or read_measured()
    dimensions = workload.dims or int(costs.of_encoder(costs.dimensions, workload.encoder))
    index = _index(workload, dimensions, rented, costs)
    serving = _serving(workload, dimensions, index, rented, costs, seed)
    return Plan(
        workload,
        rented,
        costs,
        _embedding(workload, rented, costs, seed),
        index,
        _storage(workload, index, serving.replicas, rented, costs),
        serving,
        _notes(workload, index, costs),
    )


def _embedding(workload: Workload, rented: Machines, costs: Measured, seed: int) -> EmbeddingPlan:
    seconds = costs.of_encoder(costs.index_seconds, workload.encoder) / rented.core_speed
    work = workload.images * seconds
    tasks = max(1, math.ceil(workload.images / BATCH_IMAGES))
    allowed = workload.hours * 3600

    def run(count: int) -> BatchRun:
        fleet = Fleet(count, rented.cores, costs.slow_share, costs.slow_factor)
        return simulate_batch(work, tasks, fleet, spread=costs.spread, seed=seed)

    least = max(1, math.ceil(work / rented.cores / allowed))
    most_useful = math.ceil(tasks / rented.cores)  # more machines than that have no task to begin with
    count, done = _fewest(least, run, lambda one: one.seconds <= allowed, most=max(least, most_useful))
    if done is None:
        raise InputError(
            f"{workload.images:g} pictures cannot be embedded in {workload.hours:g} hours: one task of "
            f"{BATCH_IMAGES} pictures takes {BATCH_IMAGES * seconds / 3600:.2g} hours on a core; allow more hours"
        )
    hours = done.seconds / 3600
    return EmbeddingPlan(
        count, work / 3600, hours, done.seconds / done.ideal_seconds, count * hours * rented.price
    )


def _index(workload: Workload, dimensions: int, rented: Machines, costs: Measured) -> IndexPlan:
    size = BYTES[workload.precision] * dimensions
    graph = 0
    if workload.images > EXACT_MOST:
        graph = HNSW.memory(1, dimensions, half=workload.precision == "f16", int8=workload.precision == "i8")
    each = size + graph
    room = USABLE_MEMORY * rented.memory - costs.process_bytes
    if room < each:
        raise InputError(
            f"a machine of {rented.memory / 1e9:g} GB has no room for vectors beside the process "
            f"({costs.process_bytes / 1e9:.1f} GB): expected more memory"
        )
    shards = math.ceil(workload.images * each / room)
    held = math.ceil(workload.images / shards)
    build = costs.build.total(held, dimensions) / rented.core_speed / rented.cores if graph else 0.0
    return IndexPlan(shards, held, each, held * each + costs.process_bytes, build / 3600)


def _serving(
    workload: Workload, dimensions: int, index: IndexPlan, rented: Machines, costs: Measured, seed: int
) -> ServingPlan:
    tiers = _tiers(workload, dimensions, index, rented, costs)
    total = sum(stage.seconds for stage in tiers)
    parts = ", ".join(f"{stage.name} {stage.seconds * 1000:.1f} ms" for stage in tiers)
    if total > workload.p99:
        raise InputError(
            f"one search takes {total * 1000:.0f} ms of work, so that a p99 of {workload.p99 * 1000:.0f} ms cannot be "
            f"met by any number of machines: allow more time, choose a faster encoder or faster cores ({parts})"
        )

    def at(step: int) -> list[Stage]:
        """All tiers at a utilisation that falls step by step."""
        busy = BUSIEST * 0.9**step
        return [
            replace(
                stage,
                groups=max(
                    workload.replicas, math.ceil(workload.qps * stage.seconds / (busy * stage.servers))
                ),
            )
            for stage in tiers
        ]

    def run(step: int) -> Latencies:
        return simulate([_sampled(stage, share) for stage in at(step)], workload.qps * share, seed=seed)

    share = min(1.0, SIMULATED_QPS / workload.qps)
    step, latencies = _fewest(0, run, lambda found: found.p99 <= workload.p99, most=MOST_TRIES)
    if latencies is None:
        raise InputError(
            f"a p99 of {workload.p99 * 1000:.0f} ms is not met with {BUSIEST * 0.9**MOST_TRIES:.0%} of the cores in "
            f"use: a search takes {total * 1000:.0f} ms of work on average; allow more time ({parts})"
        )
    *front, searchers = at(step)
    count = sum(stage.groups for stage in front) + searchers.groups * index.shards
    return ServingPlan(
        embedders=sum(stage.groups for stage in front),
        searchers=searchers.groups * index.shards,
        replicas=searchers.groups,
        latencies=latencies,
        utilisation={stage.name: stage.utilisation(workload.qps) for stage in at(step)},
        cost_per_month=count * HOURS_A_MONTH * rented.price,
    )


def _tiers(
    workload: Workload, dimensions: int, index: IndexPlan, rented: Machines, costs: Measured
) -> list[Stage]:
    """What a request passes, one copy of each: machines that embed and others that search, or both in one."""
    embed = workload.uploads * costs.of_encoder(costs.embed_seconds, workload.encoder)
    front = (embed + costs.request_seconds) / rented.core_speed
    search = costs.search.seconds(index.vectors_per_shard, dimensions) / rented.core_speed
    if index.shards == 1:
        return [Stage("answering", front + search, rented.cores, spread=costs.spread)]
    return [
        Stage("embedding", front, rented.cores, spread=costs.spread),
        Stage("searching", search, rented.cores, shards=index.shards, spread=costs.spread),
    ]


def _sampled(stage: Stage, share: float) -> Stage:
    """A part of a large tier, for a part of its traffic."""
    return replace(stage, groups=max(1, round(stage.groups * share)))


def _fewest(
    least: int, run: Callable[[int], Any], enough: Callable[[Any], bool], *, most: int
) -> tuple[int, Any]:
    """The smallest number from ``least`` on whose run is good enough, and that run; None beside it if there is none."""
    step, low, high = 1, least - 1, least
    while not enough(found := run(high)):
        if high >= most:
            return high, None
        low, high, step = high, min(most, high + step), step * 2
    while high - low > 1:
        middle = (low + high) // 2
        if enough(tried := run(middle)):
            high, found = middle, tried
        else:
            low = middle
    return high, found


def _storage(
    workload: Workload, index: IndexPlan, replicas: int, rented: Machines, costs: Measured
) -> StoragePlan:
    own = costs.of_encoder(costs.dimensions, workload.encoder)
    record = workload.images * (costs.record_bytes + BYTES["f16"] * own)
    derived = replicas * workload.images * index.bytes_per_vector
    return StoragePlan(record, derived, (record + derived) / 1e9 * rented.storage_price)


def _notes(workload: Workload, index: IndexPlan, costs: Measured) -> tuple[str, ...]:
    notes = [
        f"Costs were measured on {costs.machine} on {costs.when}; measure your own with --calibrate.",
        "Prices are examples: give your own.",
        f"Embedding: {costs.slow_share:.0%} of the machines take {costs.slow_factor:g} times as long, and failures "
        "are repeated; pictures are read as fast as from a local disk.",
        "Serving: requests arrive at random; the network between machines adds its own latency, which is not in it.",
    ]
    if index.shards > 1:
        notes.append(
            "More than one shard: the index is served by a cluster (Milvus), whose graph is taken to cost what ours "
            "does; that was not measured."
        )
    if workload.images > 1e7:
        notes.append("Beyond 10 million vectors the costs are extrapolated.")
    return tuple(notes)
