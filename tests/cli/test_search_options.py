"""`lookalike search --regions --rerank`: the same answers as Python's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lookalike.cli.main import main
from lookalike.collection.facade import Collection

PHOTO = "customer/Scopia-van_1.jpg"


def test_the_command_answers_as_python_does(
    shop: Collection, sample: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(
        [
            "search",
            shop.path,
            str(sample / PHOTO),
            "-k",
            "5",
            "--regions",
            "windows",
            "--rerank",
            "dba",
            "--json",
        ]
    )
    answer = json.loads(capsys.readouterr().out)
    assert code == 0
    expected = shop.search(sample / PHOTO, k=5, regions="windows", rerank="dba")
    assert [hit["id"] for hit in answer["hits"]] == [hit.id for hit in expected]
    assert answer["provenance"]["parameters"]["regions"] == "windows"
    assert answer["provenance"]["looked"]["passes"] > 1


def test_an_unknown_choice_is_a_usage_error_that_lists_the_valid_ones(
    shop: Collection, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["search", shop.path, "catalog/Scopia-van_0.jpg", "--regions", "parts"]) == 2
    assert "windows" in capsys.readouterr().err
