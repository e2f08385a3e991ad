"""How many workers a cluster holds, without Ray."""

from __future__ import annotations

import pytest

from lookalike.ingest.ray_machines import Cluster, Machine

HEAD = Machine(0.0)
SMALL, LARGE = Machine(2.0), Machine(16.0)
WITH_GPUS = Machine(8.0, 2.0)


@pytest.mark.parametrize(
    ("machine", "cpus", "gpus", "room"),
    [
        (SMALL, 1, 0, 2),
        (HEAD, 1, 0, 0),
        (SMALL, 1, 0.5, 0),
        (WITH_GPUS, 1, 0.5, 4),
        (WITH_GPUS, 1, 0.3, 6),
        (WITH_GPUS, 1, 0.1, 8),  # CPUs end before GPUs do
        (WITH_GPUS, 1, 0.75, 2),  # parts of two GPUs make no worker
        (WITH_GPUS, 4, 1, 2),
        (WITH_GPUS, 1, 2, 1),
        (Machine(64.0, 1.0), 1, 0.1, 10),
    ],
)
def test_room_is_what_fits_on_single_gpus_with_their_cpus(
    machine: Machine, cpus: float, gpus: float, room: int
) -> None:
    assert machine.room(cpus, gpus) == room


def test_a_worker_lies_on_one_machine() -> None:
    assert Cluster((HEAD, SMALL, SMALL)).room(3, 0) == 0
    assert Cluster((HEAD, SMALL, LARGE, WITH_GPUS)).room(3, 0) == 5 + 2


def test_a_head_without_cores_works_at_nothing() -> None:
    cluster = Cluster((HEAD, SMALL, LARGE, Machine(0.5)))
    assert (cluster.working, cluster.least_cores, cluster.room(1, 0)) == (2, 2, 18)


def test_nothing_alive_counts_as_one_core() -> None:
    for cluster in (Cluster(()), Cluster((HEAD,))):
        assert (cluster.working, cluster.least_cores, cluster.room(1, 0)) == (1, 1, 0)


def test_cores_of_machines_without_gpus_are_not_shared_among_those_with() -> None:
    assert Cluster((WITH_GPUS, *[LARGE] * 10)).cpus_beside(0.5, most=8) == 2
    assert Cluster((WITH_GPUS,)).cpus_beside(1, most=8) == 4
    assert Cluster((Machine(64.0, 1.0),)).cpus_beside(1, most=8) == 8
    assert Cluster((Machine(2.0, 4.0),)).cpus_beside(1, most=8) == 1
    assert Cluster((LARGE,)).cpus_beside(1, most=8) == 8, "machines with GPUs may still come"
