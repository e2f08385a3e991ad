"""How many processes a service has, and what is refused."""

from __future__ import annotations

import pytest

from lookalike.errors import InputError
from lookalike.service.replica_paths import is_shared, require_shared
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


@pytest.mark.parametrize(
    "path", ["/data/shop.lance", "s3://bucket/shop.lance", "milvus://host:19530/db/shop"]
)
def test_what_several_machines_reach_is_shared(path: str) -> None:
    assert is_shared(path)


def test_a_collection_for_one_machine_is_refused_with_the_way_out() -> None:
    with pytest.raises(InputError, match=r"lookalike copy /data/shop\.lookalike /data/shop\.lance"):
        require_shared(["/data/a.lance", "/data/shop.lookalike"])


def test_a_file_of_milvus_lite_is_for_one_process_and_refused_with_the_way_out() -> None:
    lite = "milvus:///data/lite.db/shop"
    assert not is_shared(lite)
    with pytest.raises(InputError, match=f"lookalike copy {lite} milvus://HOST:19530/default/shop"):
        require_shared(["milvus://host:19530/db/shop", lite])


def test_an_address_on_milvus_that_cannot_be_is_refused_without_its_password() -> None:
    with pytest.raises(InputError, match="names no host and no file") as refused:
        require_shared(["milvus://:secret@/shop"])
    assert "secret" not in str(refused.value)
