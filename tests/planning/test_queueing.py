"""Simulated queues against what queueing theory says of them."""

from __future__ import annotations

import math

import pytest

from lookalike.errors import InputError
from lookalike.planning import queueing
from lookalike.planning.queueing import Stage, simulate


def erlang_wait(rate: float, seconds: float, servers: int) -> float:
    """Mean wait of an M/M/c queue (Erlang C)."""
    load = rate * seconds
    queued = load**servers / math.factorial(servers) / (1 - load / servers)
    total = sum(load**i / math.factorial(i) for i in range(servers)) + queued
    return queued / total * seconds / (servers - load)


@pytest.mark.parametrize(
    ("rate", "seconds", "servers"), [(50.0, 0.01, 1), (300.0, 0.01, 4), (720.0, 0.02, 16)]
)
def test_the_mean_is_erlangs_where_service_times_are_exponential(
    rate: float, seconds: float, servers: int
) -> None:
    stage = Stage("one", seconds, servers, times="exponential")
    means = [simulate([stage], rate, requests=20_000, seed=seed).mean for seed in range(3)]
    assert sum(means) / 3 == pytest.approx(seconds + erlang_wait(rate, seconds, servers), rel=0.08)


def test_an_idle_stage_takes_its_service_time() -> None:
    found = simulate([Stage("one", 0.01, 64, spread=0.01)], 1.0, requests=500)
    assert found.p50 == pytest.approx(0.01, rel=0.02)
    assert found.p99 == pytest.approx(0.01, rel=0.05)


def test_stages_add_up_and_the_slowest_shard_decides() -> None:
    one = simulate([Stage("a", 0.01, 64, spread=0.5)], 10.0, requests=4000)
    two = simulate([Stage("a", 0.01, 64, spread=0.5), Stage("b", 0.02, 64, spread=0.5)], 10.0, requests=4000)
    wide = simulate([Stage("a", 0.01, 64, shards=16, spread=0.5)], 10.0, requests=4000)
    assert two.mean == pytest.approx(0.03, rel=0.03)
    assert wide.p50 > 1.7 * one.p50  # the largest of 16 log-normal times


@pytest.mark.parametrize(("rate", "groups"), [(10.0, 1), (150.0, 1), (300.0, 2)])
def test_many_shards_are_followed_as_few_are(
    monkeypatch: pytest.MonkeyPatch, rate: float, groups: int
) -> None:
    stages = [Stage("front", 0.005, 4), Stage("wide", 0.01, 2, shards=20, groups=groups, spread=0.5)]
    arrays = simulate(stages, rate, requests=6000)
    monkeypatch.setattr(queueing, "WIDE", 20)
    processes = simulate(stages, rate, requests=6000)
    assert arrays.requests == processes.requests
    assert arrays.p50 == pytest.approx(processes.p50, rel=0.05)
    assert arrays.p99 == pytest.approx(processes.p99, rel=0.15)


def test_more_groups_shorten_the_wait() -> None:
    few = simulate([Stage("a", 0.01, 2, groups=1)], 180.0)
    many = simulate([Stage("a", 0.01, 2, groups=4)], 180.0)
    assert many.p99 < 0.5 * few.p99


def test_the_same_seed_gives_the_same_answer() -> None:
    stage = Stage("a", 0.01, 2)
    assert simulate([stage], 150.0, seed=3) == simulate([stage], 150.0, seed=3)
    assert simulate([stage], 150.0, seed=3) != simulate([stage], 150.0, seed=4)


def test_a_stage_that_cannot_keep_up_is_named() -> None:
    with pytest.raises(InputError, match="embedding cannot keep up with 300"):
        simulate([Stage("embedding", 0.01, 2)], 300.0)
