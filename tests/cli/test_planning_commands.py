"""``lookalike plan`` as users call it."""

from __future__ import annotations

import json

import pytest

from lookalike.cli.main import main


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
