"""Work on blocks on a cluster: in order, again when it is lost, and never with another answer."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from ray_cluster import ThreeNodes

from lookalike.errors import FingerprintMismatch, InputError, ServiceError
from lookalike.ingest import ray_blocks
from lookalike.ingest.ray_blocks import blocks_on
from lookalike.vectors.blocks import MapBlocks, in_process


@pytest.fixture
def map_blocks(nodes: ThreeNodes) -> Iterator[MapBlocks]:
    assert nodes.whole
    with blocks_on("ray") as found:
        yield found


def test_nowhere_given_is_this_process() -> None:
    with blocks_on(None) as found:
        assert found is in_process


def test_answers_come_in_the_order_of_the_blocks(map_blocks: MapBlocks) -> None:
    def work(shared: np.ndarray, block: int) -> tuple[int, float]:
        time.sleep(0.05 if block % 3 == 0 else 0)
        return block, float(shared[block])

    found = list(map_blocks(work, np.arange(40) / 2, range(40)))
    assert found == [(number, number / 2) for number in range(40)]


def test_blocks_are_pulled_as_answers_are_taken(map_blocks: MapBlocks) -> None:
    pulled = []

    def blocks() -> Iterator[int]:
        for number in range(100):
            pulled.append(number)
            yield number

    answers = map_blocks(lambda _, block: block, None, blocks())
    assert next(answers) == 0
    assert len(pulled) <= ray_blocks.AHEAD * 2 + 1
    answers.close()  # type: ignore[attr-defined]


def test_what_all_need_is_read_once_in_a_process_and_in_place(map_blocks: MapBlocks) -> None:
    def work(shared: np.ndarray, block: int) -> tuple[int, int, bool]:
        return os.getpid(), id(shared), shared.flags.writeable or block < 0

    found = set(map_blocks(work, np.zeros(100_000), range(20)))
    assert len({process for process, _, _ in found}) == len(found)
    assert not any(writeable for _, _, writeable in found)


@pytest.mark.parametrize("cores", ["one", "all"])
def test_a_block_whose_worker_is_killed_is_worked_on_again(
    map_blocks: MapBlocks, tmp_path: Path, cores: ray_blocks.Cores
) -> None:
    struck = str(tmp_path / "struck")

    def work(shared: int, block: int) -> int:
        if block == 5 and not os.path.exists(struck):  # noqa: PTH110 - pickled by value
            open(struck, "x").close()  # noqa: PTH123
            os.kill(os.getpid(), signal.SIGKILL)
        return shared * block

    assert list(map_blocks(work, 3, range(12), cores=cores)) == [3 * number for number in range(12)]
    assert Path(struck).exists()


def test_a_block_that_always_kills_its_worker_is_given_up_loudly(map_blocks: MapBlocks) -> None:
    def work(_: None, block: int) -> int:
        if block == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return block

    with pytest.raises(ServiceError, match="lost 4 times"):
        list(map_blocks(work, None, range(4)))


def test_a_machine_that_is_killed_takes_no_answer_with_it(nodes: ThreeNodes, map_blocks: MapBlocks) -> None:
    def work(shared: np.ndarray, block: int) -> np.ndarray:
        time.sleep(0.1)
        return shared[block : block + 100] + block

    shared = np.arange(300_000.0)
    answers = map_blocks(work, shared, range(60))
    found = [next(answers) for _ in range(6)]
    nodes.kill_one()
    found += answers
    assert all(np.array_equal(each, shared[n : n + 100] + n) for n, each in enumerate(found))
    assert len(found) == 60


def test_an_error_of_ours_arrives_as_it_was_raised(map_blocks: MapBlocks) -> None:
    def work(_: None, block: int) -> int:
        raise FingerprintMismatch("aaaa", "bbbb", f"Do something about {block}.")

    with pytest.raises(FingerprintMismatch, match=r"is bbbb, but .* have aaaa.*Do something") as caught:
        list(map_blocks(work, None, range(3)))
    assert (caught.value.expected, caught.value.got) == ("aaaa", "bbbb")


def test_another_error_is_said_to_come_from_a_worker(map_blocks: MapBlocks) -> None:
    def work(_: None, block: int) -> float:
        return 1 / block

    with pytest.raises(ServiceError, match="worker of the Ray cluster failed: ZeroDivisionError"):
        list(map_blocks(work, None, range(3)))


def test_what_is_no_cluster_is_refused() -> None:
    with pytest.raises(InputError, match="'ray'"), blocks_on("spark://head"):
        pass
