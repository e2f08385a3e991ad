"""From a workload to machines, memory, storage, hours and money."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from lookalike.errors import InputError
from lookalike.planning.batch import BatchRun, Fleet, simulate_batch
from lookalike.planning.measured import Measured, read_measured
from lookalike.planning.notes import plan_notes
from lookalike.planning.placement import IndexPlan, place_index
from lookalike.planning.queueing import Latencies, Stage, simulate
from lookalike.planning.workload import BYTES, Machines, Workload

HOURS_A_MONTH = 730
MILVUS_SECONDS = 0.0055
"""What a search through a Milvus server takes beyond one in process, counted as work of the machine that answers: the
median among 50,000 vectors, server and client on one machine (benchmarks/results/milvus_search.md: 5.7 and 0.16 ms)."""

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
class StoragePlan:
    """What lies on disk or object storage, bytes.

    Args:
        record: Items: vectors as the encoder makes them, thumbnails, attributes.
        derived: Searched vectors and index: a copy on each machine that searches in process, one on a server.
        replicas: Of the record without vectors and thumbnails, on the disks of the machines that answer; none where one
            machine has the record itself.
        cost_per_month: Of all.
    """

    record: float
    derived: float
    replicas: float
    cost_per_month: float


@dataclass(frozen=True, slots=True)
class ServingPlan:
    """What answers.

    Args:
        embedders: Machines that embed query pictures and speak HTTP; 0 when those that search do that as well, as they
            do in process.
        searchers: Machines that hold the index: shards times replicas.
        replicas: Copies of the index in memory.
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
    index = place_index(workload, rented, costs)
    serving = _serving(workload, index, rented, costs, seed)
    return Plan(
        workload,
        rented,
        costs,
        _embedding(workload, rented, costs, seed),
        index,
        _storage(workload, index, serving, rented, costs),
        serving,
        plan_notes(workload, index, serving.replicas, rented, costs),
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


def _serving(
    workload: Workload, index: IndexPlan, rented: Machines, costs: Measured, seed: int
) -> ServingPlan:
    tiers = _tiers(workload, index, rented, costs)
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
        needed = [math.ceil(workload.qps * stage.seconds / (busy * stage.servers)) for stage in tiers]
        # what a lost machine of a server held, the others load
        least = [workload.replicas, 1]
        return [
            replace(stage, groups=max(groups, at_least))
            for stage, groups, at_least in zip(tiers, needed, least, strict=False)
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


def _tiers(workload: Workload, index: IndexPlan, rented: Machines, costs: Measured) -> list[Stage]:
    """What a request passes, one copy of each: machines that do everything, or those before a server and the server."""
    embed = workload.uploads * costs.of_encoder(costs.embed_seconds, workload.encoder)
    front = (embed + costs.request_seconds) / rented.core_speed
    in_a_graph = index.vectors_per_shard / index.graphs_per_shard
    search = index.graphs_per_shard * costs.search.seconds(in_a_graph, index.dimensions) / rented.core_speed
    if index.engine == "process":
        return [Stage("answering", front + search, rented.cores, spread=costs.spread)]
    front += MILVUS_SECONDS / rented.core_speed
    return [
        Stage("answering", front, rented.cores, spread=costs.spread),
        Stage("Milvus", search, rented.cores, shards=index.shards, spread=costs.spread),
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
    workload: Workload, index: IndexPlan, serving: ServingPlan, rented: Machines, costs: Measured
) -> StoragePlan:
    own = costs.of_encoder(costs.dimensions, workload.encoder)
    record = workload.images * (costs.record_bytes + BYTES["f16"] * own)
    in_process = index.engine == "process"
    derived = (serving.searchers if in_process else 1) * workload.images * index.disk_per_vector
    answering = serving.searchers if in_process else serving.embedders
    kept = 0 if in_process and answering == 1 else answering  # one machine alone has the record itself
    replicas = kept * workload.images * index.replica_bytes_per_vector
    return StoragePlan(record, derived, replicas, (record + derived + replicas) / 1e9 * rented.storage_price)
