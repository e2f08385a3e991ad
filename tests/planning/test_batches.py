"""Simulated batches: no magic, and stragglers and failures cost what they should."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.errors import InputError
from lookalike.planning.batch import Fleet, simulate_batch


def test_alike_machines_that_never_fail_are_ideal() -> None:
    run = simulate_batch(3600.0, 4000, Fleet(2, 4, slow_share=0, failures_per_hour=0), spread=0.01)
    assert run.seconds == pytest.approx(run.ideal_seconds, rel=0.01)
    assert run.ideal_seconds == 450.0
    assert run.repeated == 0


def test_a_slow_machine_takes_fewer_tasks_and_costs_little_more_than_what_it_lacks() -> None:
    fleet = Fleet(10, 4, slow_share=0.1, slow_factor=2.0, failures_per_hour=0)
    run = simulate_batch(36_000.0, 10_000, fleet, spread=0.1)
    lacking = 10 / 9.5  # one of ten machines at half the speed
    assert run.seconds == pytest.approx(run.ideal_seconds * lacking, rel=0.02)


def test_few_long_tasks_have_a_long_tail() -> None:
    fleet = Fleet(10, 4, slow_share=0.2, slow_factor=5.0, failures_per_hour=0)
    fine, coarse = (simulate_batch(3600.0, tasks, fleet).seconds for tasks in (10_000, 45))
    assert coarse > 2 * fine


def test_failures_repeat_work_and_all_of_it_is_done() -> None:
    calm = simulate_batch(36_000.0, 2000, Fleet(4, 4, slow_share=0, failures_per_hour=0))
    stormy = simulate_batch(36_000.0, 2000, Fleet(4, 4, slow_share=0, failures_per_hour=5, repair_seconds=60))
    assert calm.repeated == 0 < stormy.repeated < 0.2
    assert stormy.seconds > calm.seconds


@settings(max_examples=20, deadline=None)
@given(
    machines=st.integers(1, 20), cores=st.integers(1, 8), tasks=st.integers(1, 300), seed=st.integers(0, 99)
)
def test_a_batch_is_never_quicker_than_its_work(machines: int, cores: int, tasks: int, seed: int) -> None:
    fleet = Fleet(machines, cores, slow_share=0.3, slow_factor=3.0, failures_per_hour=2, repair_seconds=30)
    run = simulate_batch(1000.0, tasks, fleet, spread=0.0, seed=seed)
    assert run.seconds >= run.ideal_seconds * 0.999
    assert run.seconds >= 1000.0 / tasks * 0.999


def test_no_machines_are_refused() -> None:
    with pytest.raises(InputError, match="0 machines"):
        simulate_batch(10.0, 1, Fleet(0, 4))
