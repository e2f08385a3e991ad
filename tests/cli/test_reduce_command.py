"""``lookalike reduce``: what it prints, what it writes, and the way back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lookalike.cli.main import main
from lookalike.collection.facade import Collection


@pytest.fixture
def path(shop: Collection) -> str:
    return shop.path


def test_reduce_prints_its_table_and_writes_its_report(
    path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report, plot = tmp_path / "r.html", tmp_path / "r.png"
    assert main(["reduce", path, "--precision", "i8", "--html", str(report), "--png", str(plot)]) == 0
    printed = capsys.readouterr().out
    assert "searched with pca" in printed
    assert "interval" in printed
    assert "of the neighbours" in report.read_text()
    assert plot.read_bytes()[:4] == b"\x89PNG"
    assert main(["info", path, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["index"]["reducer"]["precision"] == "i8"


def test_reduce_json_is_one_document_with_the_rows(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reduce", path, "--dims", "32", "--group-by", "product", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["dimensions"], document["precision"], document["method"]) == (32, "f16", "pca")
    assert document["chosen"]["kept"] > 0.5
    assert document["chosen"]["mean_average_precision"] > 0.9
    assert {row["dimensions"] for row in document["rows"]} == {32, 1280}


def test_measure_changes_nothing_and_off_goes_back(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reduce", path, "--measure", "--dims", "16", "--sample", "all", "--json"]) == 0
    assert "dimensions" not in json.loads(capsys.readouterr().out)
    assert main(["reduce", path, "--off", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"reduced": False, "was_reduced": False}
    assert main(["reduce", path, "--dims", "16", "--method", "svd"]) == 0
    assert main(["reduce", path, "--off"]) == 0
    assert "full vectors are searched again" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["--dims", "many"],
        ["--sample", "few"],
        ["--method", "umap"],
        ["--off", "--measure"],
        ["--off", "--html", "x.html"],
        ["--keep", "2"],
    ],
)
def test_a_wrong_option_is_a_usage_error(path: str, arguments: list[str]) -> None:
    assert main(["reduce", path, *arguments]) == 2
