"""Latency of a service under load, by discrete-event simulation.

A request passes stages, such as embedding its picture and searching. A stage has groups of shards; a request goes to
one group, to all of its shards at a time, and is through when the slowest has answered. Requests arrive at random
times (Poisson), and service times are log-normal, as measured ones are: skewed, with a tail.

Simulated with SimPy (https://simpy.readthedocs.io); checked in the tests against Erlang's formula for M/M/c queues
(Gross, Shortle, Thompson and Harris, "Fundamentals of Queueing Theory", 4th edition, 2008, section 2.3).
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from lookalike.errors import InputError, MissingExtra

WARM_UP = 0.1
"""Share of the requests that come first and are not counted: they found the queues empty."""

LONG_ENOUGH = 50
"""Mean times of passing all stages that are simulated at least."""

WIDE = 16
"""Shards of the last stage from which on its queues are followed as arrays: a process for each part takes too long."""

Times = Literal["log-normal", "exponential"]


@dataclass(frozen=True, slots=True)
class Stage:
    """One step that every request goes through.

    Args:
        name: For people.
        seconds: Mean time of one server for one request (for one request's part, if there are shards).
        servers: Servers (cores) of one shard.
        shards: Machines that a request needs all of.
        groups: Copies of all shards; a request goes to one at random, as plain load balancers choose.
        spread: Standard deviation of the logarithm of the service time.
        times: Distribution of service times.
    """

    name: str
    seconds: float
    servers: int
    shards: int = 1
    groups: int = 1
    spread: float = 0.3
    times: Times = "log-normal"

    def utilisation(self, rate: float) -> float:
        """Share of the servers' time that ``rate`` requests a second take."""
        return rate * self.seconds / (self.servers * self.groups)


@dataclass(frozen=True, slots=True)
class Latencies:
    """How long requests took, in seconds, from their arrival to their answer.

    Args:
        p50, p95, p99: Percentiles.
        mean: Mean.
        requests: How many were counted.
    """

    p50: float
    p95: float
    p99: float
    mean: float
    requests: int


def simulate(stages: Sequence[Stage], rate: float, *, requests: int = 10_000, seed: int = 0) -> Latencies:
    """Let requests arrive at random and follow each through the stages.

    Args:
        stages: In the order in which a request passes them.
        rate: Requests a second, on average.
        requests: How many to follow at least; as many more as it takes until the queues have settled. The first
            tenth is not counted.
        seed: Of arrivals and service times.

    Raises:
        InputError: If a stage could never keep up with the rate.
        MissingExtra: If SimPy is not installed.
    """
    for stage in stages:
        if stage.utilisation(rate) >= 1:
            raise InputError(
                f"stage {stage.name} cannot keep up with {rate:g} requests a second: they take "
                f"{stage.utilisation(rate):.0%} of its time; expected less than 100 %: add servers or groups"
            )
    try:
        import simpy
    except ImportError:
        raise MissingExtra("a simulation of queues", "plan") from None
    random = np.random.default_rng(seed)
    requests = max(requests, math.ceil(LONG_ENOUGH * rate * sum(stage.seconds for stage in stages)))
    environment = simpy.Environment()
    wide = stages[-1].shards > WIDE
    walked = stages[:-1] if wide else stages
    pools = [
        [
            [simpy.Resource(environment, capacity=stage.servers) for _ in range(stage.shards)]
            for _ in range(stage.groups)
        ]
        for stage in walked
    ]
    came, left = np.full(requests, np.nan), np.full(requests, np.nan)

    def part(server: Any, seconds: float) -> Generator[Any, Any, None]:
        with server.request() as turn:
            yield turn
            yield environment.timeout(seconds)

    def request(
        number: int, chosen: Sequence[int], times: Sequence[Sequence[float]]
    ) -> Generator[Any, Any, None]:
        came[number] = environment.now
        for pool, copy, seconds in zip(pools, chosen, times, strict=True):
            group = pool[copy]
            parts = [
                environment.process(part(server, each)) for server, each in zip(group, seconds, strict=True)
            ]
            yield environment.all_of(parts) if len(parts) > 1 else parts[0]
        left[number] = environment.now

    def arrivals() -> Generator[Any, Any, None]:
        waits = random.exponential(1 / rate, size=requests)
        drawn = [_service_times(stage, requests, random).tolist() for stage in walked]
        copies = [random.integers(stage.groups, size=requests).tolist() for stage in walked]
        for number in range(requests):
            yield environment.timeout(waits[number])
            chosen, times = [each[number] for each in copies], [each[number] for each in drawn]
            environment.process(request(number, chosen, times))

    environment.process(arrivals())
    environment.run()
    took = (_through_shards(stages[-1], left, random) if wide else left) - came
    counted = took[int(WARM_UP * requests) :]
    p50, p95, p99 = np.percentile(counted, [50, 95, 99]).tolist()
    return Latencies(p50, p95, p99, float(counted.mean()), len(counted))


def _through_shards(
    stage: Stage, arrived: np.ndarray[Any, Any], random: np.random.Generator
) -> np.ndarray[Any, Any]:
    """When requests are through all shards of a stage.

    Each shard serves in the order of arrival (Kiefer and Wolfowitz, "On the theory of queues with many servers", 1955,
    https://doi.org/10.1090/S0002-9947-1955-0070884-6): what is kept of it is when each of its servers will be free.

    Args:
        stage: With its shards.
        arrived: float64 (n,), seconds.
        random: Of groups and service times.

    Returns:
        float64 (n,), seconds.
    """
    free = np.zeros((stage.groups, stage.shards, stage.servers))
    through = np.empty(len(arrived))
    groups, shards = random.integers(stage.groups, size=len(arrived)), np.arange(stage.shards)
    for number in np.argsort(arrived, kind="stable"):
        servers = free[groups[number]]
        first = servers.argmin(axis=1)
        begun = np.maximum(servers[shards, first], arrived[number])
        servers[shards, first] = begun + _service_times(stage, 1, random)[0]
        through[number] = servers[shards, first].max()
    return through


def _service_times(stage: Stage, requests: int, random: np.random.Generator) -> np.ndarray[Any, Any]:
    """float64 (requests, shards), seconds, of the stage's mean."""
    shape = (requests, stage.shards)
    if stage.times == "exponential":
        return random.exponential(stage.seconds, size=shape)
    location = math.log(stage.seconds) - stage.spread**2 / 2
    return random.lognormal(location, stage.spread, size=shape)
