"""Workers that share a GPU, on a node that says it has one."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ray_cluster import ThreeNodes, copied

import lookalike
from lookalike.errors import EncoderError, InputError
from lookalike.ingest.ray_blocks import blocks_on
from lookalike.ingest.ray_pool import Pool, Workers
from lookalike.ingest.ray_session import engine


@pytest.fixture
def with_gpu(nodes: ThreeNodes) -> Iterator[None]:
    with nodes.one_more(num_cpus=4, num_gpus=1):
        yield


class Told:
    """An actor that tells which GPU it sees."""

    def ready(self) -> None:
        """Nothing keeps it from working."""

    def gpu(self) -> tuple[int, str | None]:
        time.sleep(0.5)
        return os.getpid(), os.environ.get("CUDA_VISIBLE_DEVICES")


@pytest.mark.usefixtures("with_gpu")
def test_two_workers_share_a_gpu_and_no_third_one_is_asked_for() -> None:
    ray, asked = engine(), []

    def make(cpus: int, gpus: float) -> Any:
        asked.append((cpus, gpus))
        return ray.remote(num_cpus=cpus, num_gpus=gpus)(Told).remote()

    seen = set()
    with Pool(ray, Workers(gpus=0.5), make, lambda actor: actor.ready.remote()) as pool:
        for _ in range(200):
            while pool.takes():
                pool.give(None, lambda actor: actor.gpu.remote())
            seen |= {event.answer for event in pool.events(0.5)}
            if len(seen) == 2:
                break
    assert len({process for process, _ in seen}) == 2
    assert {gpu for _, gpu in seen} == {"0"}
    assert asked == [(2, 0.5)] * 2, "each gets its share of the cores beside the GPU"


@pytest.mark.usefixtures("with_gpu")
def test_a_gpu_is_not_kept_from_others_by_a_network_that_runs_on_cpus(sample: Path, tmp_path: Path) -> None:
    with (
        lookalike.create(tmp_path / "there.lance") as there,
        pytest.raises(EncoderError, match=r"efficientnet-lite0 runs on its CPU: leave gpus out"),
    ):
        there.add(copied(sample, tmp_path, 3), on="ray", gpus=0.5, progress=False)


@pytest.mark.usefixtures("with_gpu")
def test_blocks_with_parts_of_a_gpu_go_where_one_is_and_others_see_none() -> None:
    def seen(_: None, number: int) -> tuple[int, str | None]:
        time.sleep(0.3 + number / 1000)
        return os.getpid(), os.environ.get("CUDA_VISIBLE_DEVICES")

    with blocks_on("ray", 0.5) as map_blocks:
        found = list(map_blocks(seen, None, range(8)))
    assert {gpu for _, gpu in found} == {"0"}
    assert len({process for process, _ in found}) == 2, "a process does more than one block"
    with blocks_on("ray") as map_blocks:
        assert {gpu for _, gpu in map_blocks(seen, None, range(4))} == {""}


@pytest.mark.usefixtures("with_gpu")
def test_a_migration_does_not_keep_a_gpu_for_a_network_that_runs_on_cpus(
    sample: Path, tmp_path: Path
) -> None:
    with lookalike.create(tmp_path / "shop.lookalike") as shop:
        shop.add(copied(sample, tmp_path, 3), progress=False)
        with pytest.raises(EncoderError, match=r"efficientnet-lite2 runs on its CPU"):
            shop.migrate("efficientnet-lite2", on="ray", gpus=0.5, progress=False)
        with pytest.raises(InputError, match="add on='ray'"):
            shop.migrate("efficientnet-lite2", gpus=0.5, progress=False)
