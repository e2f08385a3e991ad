"""``lookalike serve --on``: what it asks for, and what it refuses before any cluster is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from lookalike.cli.grammar import USAGE
from lookalike.cli.main import _parser, main
from lookalike.cli.serving_on_ray import scale_of
from lookalike.service.replica_scale import Scale


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["serve", *arguments]) == USAGE
    return capsys.readouterr().err


@pytest.mark.parametrize(
    "option", ["--replicas", "--encoders", "--replica-cpus", "--encoder-cpus", "--encoder-gpus"]
)
def test_options_of_a_cluster_need_one(capsys: pytest.CaptureFixture[str], option: str) -> None:
    assert f"{option} is of a service on a cluster: give --on ray too" in refused(
        capsys, "shop.lance", option, "2"
    )


def test_a_collection_for_one_machine_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    said = refused(capsys, str(tmp_path / "shop.lookalike"), "--on", "ray")
    assert "is a collection for one machine" in said
    assert f"lookalike copy {tmp_path}/shop.lookalike {tmp_path}/shop.lance" in said


def test_an_unknown_cluster_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "'ray://HOST:PORT'" in refused(capsys, "s3://bucket/shop.lance", "--on", "spark")


def test_a_port_that_each_machine_would_choose_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(capsys, "s3://bucket/shop.lance", "--on", "ray://head:10001", "--port", "0")
    assert "name one with --port" in said


def test_numbers_of_processes_that_cannot_be_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--encoders '4-2'" in refused(capsys, "shop.lance", "--on", "ray", "--encoders", "4-2")


def test_options_become_the_scale() -> None:
    options = _parser().parse_args(
        ["serve", "s3://b/shop.lance", "--on", "ray", "--replicas", "2-8", "--encoder-gpus", "0.5"]
    )
    assert scale_of(options) == Scale(replicas=(2, 8), encoder_gpus=0.5)  # type: ignore[arg-type]
    assert scale_of(_parser().parse_args(["serve", "s3://b/shop.lance", "--on", "ray"])) == Scale()
