"""How many processes a service has, and what is refused."""

from __future__ import annotations

import pytest

from lookalike.errors import InputError
from lookalike.service.replica_scale import Count, Scale


@pytest.mark.parametrize(("text", "expected"), [("4", (4, 4)), ("2-8", (2, 8)), (" 1-1 ", (1, 1))])
def test_a_number_or_a_span_is_read(text: str, expected: tuple[int, int]) -> None:
    assert Count.parse(text, "--replicas") == expected


@pytest.mark.parametrize("text", ["", "0", "0-4", "8-2", "-3", "2-", "many", "1.5", "99999"])
def test_anything_else_is_refused_with_what_is_expected(text: str) -> None:
    with pytest.raises(InputError, match=r"--replicas .*such as 2-8"):
        Count.parse(text, "--replicas")


def test_a_count_is_written_as_it_is_read() -> None:
    assert [str(Count(2, 2)), str(Count(2, 8))] == ["2", "2-8"]


@pytest.mark.parametrize(
    "wrong",
    [{"replica_cpus": 0}, {"encoder_cpus": float("nan")}, {"encoder_gpus": -1}, {"encoder_gpus": 1.5}],
)
def test_a_process_takes_something_that_there_can_be(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        Scale(**wrong)  # type: ignore[arg-type]


def test_the_fewest_processes_count() -> None:
    scale = Scale(Count(3, 9), Count(2, 4), replica_cpus=0.5, encoder_cpus=4, encoder_gpus=0.5)
    assert (scale.least_cpus, scale.least_gpus, scale.encoder_threads) == (10, 1, 4)


def test_gpus_that_no_network_uses_are_refused() -> None:
    scale = Scale(encoder_gpus=0.5)
    with pytest.raises(InputError, match=r"encoder_gpus 0\.5 .*efficientnet-lite0 runs on the CPU"):
        scale.require_use_of_gpus(["efficientnet-lite0"])
    scale.require_use_of_gpus(["efficientnet-lite0", "timm:resnet50"])
    Scale().require_use_of_gpus(["efficientnet-lite0"])
