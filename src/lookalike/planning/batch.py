"""How long a batch takes on many machines, some of which are slow or fail, by discrete-event simulation.

Work is cut into tasks that idle cores take one after the other, so a slow machine takes fewer of them, and a task whose
machine failed is done again by another. What stragglers cost is then the tail: the last tasks that they hold.
(Dean and Ghemawat, "MapReduce: Simplified Data Processing on Large Clusters", OSDI 2004, section 3.6.)
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from lookalike.errors import InputError, MissingExtra

MOST_TASKS, TASKS_PER_CORE = 20_000, 8
"""Simulated at most, whichever allows more; a batch of more tasks is simulated in larger ones, which makes its tail
longer, never shorter."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """Machines that work on a batch.

    Args:
        machines: How many.
        cores: Of each.
        slow_share, slow_factor: Share of the machines that are stragglers, and how much longer they take.
        failures_per_hour: Of one machine; it comes back empty after ``repair_seconds``.
        repair_seconds: Until a failed machine is replaced.
    """

    machines: int
    cores: int
    slow_share: float = 0.05
    slow_factor: float = 2.0
    failures_per_hour: float = 0.002
    repair_seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class BatchRun:
    """How a batch went.

    Args:
        seconds: From the start to the last task's end.
        ideal_seconds: If no machine were slow or failed and the last tasks ended together.
        repeated: Share of the work that was done again after a failure.
    """

    seconds: float
    ideal_seconds: float
    repeated: float


def simulate_batch(
    core_seconds: float, tasks: int, fleet: Fleet, *, spread: float = 0.3, seed: int = 0
) -> BatchRun:
    """Work through a batch.

    Args:
        core_seconds: Of all the work, on a core that is not slow.
        tasks: Equal pieces that it is cut into.
        fleet: Who does it.
        spread: Standard deviation of the logarithm of a task's time.
        seed: Of task times, of which machines are slow, and of failures.

    Raises:
        InputError: If there is no work, no task or no machine.
        MissingExtra: If SimPy is not installed.
    """
    if core_seconds <= 0 or tasks < 1 or fleet.machines < 1 or fleet.cores < 1:
        raise InputError(
            f"{core_seconds:g} core seconds in {tasks} tasks on {fleet.machines} machines of {fleet.cores} cores: "
            "expected at least some work, one task, one machine and one core"
        )
    try:
        import simpy
    except ImportError:
        raise MissingExtra("a simulation of stragglers", "plan") from None
    random = np.random.default_rng(seed)
    simulated = min(tasks, max(MOST_TASKS, TASKS_PER_CORE * fleet.machines * fleet.cores))
    drawn = random.lognormal(0.0, spread, size=simulated)
    pending: deque[float] = deque((drawn * (core_seconds / drawn.sum())).tolist())
    slow = round(fleet.slow_share * fleet.machines)
    speeds = [1 / fleet.slow_factor] * slow + [1.0] * (fleet.machines - slow)
    environment = simpy.Environment()
    left = simulated
    finished = 0.0
    repeated = 0.0

    def core(machine: int, failures: Iterator[float]) -> Generator[Any, Any, None]:
        nonlocal left, finished, repeated
        fails_at = next(failures)
        while left:
            if not pending:
                # what others hold may come back to the queue when their machine fails
                yield environment.timeout(core_seconds / simulated)
                continue
            work = pending.popleft()
            seconds = work / speeds[machine]
            if environment.now + seconds >= fails_at:
                lost = max(0.0, fails_at - environment.now)
                yield environment.timeout(lost)
                repeated += lost * speeds[machine]
                pending.append(work)
                yield environment.timeout(fleet.repair_seconds)
                fails_at = next(failures)
                continue
            yield environment.timeout(seconds)
            left -= 1
            finished = environment.now

    for machine in range(fleet.machines):
        moments = _failures(fleet, np.random.default_rng([seed, machine]), fleet.cores)
        for failures in moments:
            environment.process(core(machine, failures))
    environment.run()
    ideal = core_seconds / (fleet.machines * fleet.cores)
    return BatchRun(finished, ideal, repeated / core_seconds)


def _failures(fleet: Fleet, random: np.random.Generator, cores: int) -> list[Iterator[float]]:
    """For each core of a machine, the moments at which the machine fails: the same for all of them."""
    mean = math.inf if fleet.failures_per_hour == 0 else 3600 / fleet.failures_per_hour
    moments: list[float] = [0.0]

    def each() -> Iterator[float]:
        at = 1
        while True:
            if at == len(moments):
                up = moments[-1] + (fleet.repair_seconds if at > 1 else 0.0)
                moments.append(up + (math.inf if math.isinf(mean) else float(random.exponential(mean))))
            yield moments[at]
            at += 1

    return [each() for _ in range(cores)]
