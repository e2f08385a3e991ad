"""``lookalike plan`` as users call it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lookalike.cli.main import main

GUIDE = Path(__file__).parents[2] / "docs" / "plan.md"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["plan", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_a_plan_has_every_part(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--images", "1e6", "--qps", "5", "--p99", "200ms")
    assert code == 0
    for part in ("embed all, once", "index", "store", "serve", "p99", "measure your own with --calibrate"):
        assert part in out


def test_json_is_one_document_with_what_it_rests_on(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--images", "5e7", "--qps", "100", "--p99", "0.3s", "--dims", "256", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["serving"]["latencies"]["p99"] <= 0.3
    assert found["workload"]["images"] == 5e7
    assert found["measured"]["index_seconds"]["efficientnet-lite0"] > 0


def test_what_a_server_cannot_search_is_not_proposed_for_it(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--images", "1e9", "--p99", "0.3s", "--dims", "256", "--precision", "i8"]
    code, out, _ = run(capsys, *asked)
    assert code == 0
    assert "index, Milvus" in out
    assert "x 1280 f32" in out
    assert "without --dims and --precision" in out
    code, out, _ = run(capsys, *asked, "--memory", "1500")
    assert code == 0
    assert "1,000,000,000 x 256 i8" in out
    assert "Milvus" not in out


def test_the_guide_shows_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```console\n\$ lookalike plan (.*)\n([^$]+?)```", GUIDE.read_text(encoding="utf-8"))
    assert len(blocks) == 2
    for command, shown in blocks:
        code, out, _ = run(capsys, *command.split())
        assert code == 0
        printed = [line.split() for line in out.splitlines()]
        for line in shown.splitlines():
            assert line.split() in printed, command


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--qps", "5"], "--images is missing"),
        (["--images", "1e6", "--p99", "soon"], "--p99 soon is no time"),
        (["--images", "1e6", "--save", "x.json"], "--save keeps what --calibrate measures"),
        (["--images", "1e6", "--measured", "nowhere.json"], "nowhere.json cannot be read"),
        (["--images", "1e6", "--encoder", "timm:x"], "'timm:x' was not measured"),
        (["--images", "-5"], "images is -5"),
    ],
)
def test_wrong_usage_says_what_is_right(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    code, out, err = run(capsys, *arguments)
    assert code == 2
    assert message in err
    assert not out
