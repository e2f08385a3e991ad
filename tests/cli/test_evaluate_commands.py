"""``lookalike evaluate`` through the command line's own entrance."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from dataset_copies import Copies
from lookalike.cli.evaluating_grammar import LAYOUTS, RERANKINGS
from lookalike.cli.main import main
from lookalike.collection.evaluation.rerankings import NAMES as REAL_RERANKINGS
from lookalike.datasets.records import Layout

NAMES = r"(.+)_\d+"


@pytest.fixture
def copies(sample: Path, tmp_path: Path) -> Copies:
    return Copies(tmp_path, sorted((sample / "catalog").glob("*.jpg"))[:20])


def answer(capsys: pytest.CaptureFixture[str], *arguments: object, code: int = 0) -> Any:
    """The JSON document of a command; nothing else may be on stdout."""
    assert main(["evaluate", *map(str, arguments), "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_retrieval_of_a_collection(
    capsys: pytest.CaptureFixture[str], shop_folder: Path, sample: Path, tmp_path: Path
) -> None:
    asked = ("--label", "product", "--queries", sample / "customer", "--label-pattern", NAMES)
    page = tmp_path / "report.html"
    document = answer(
        capsys, "retrieval", shop_folder, *asked, "--group-by", "product", "-k", 1, "-k", 3, "--html", page
    )
    assert set(document["measures"]) == {"recall@1", "recall@3", "mAP", "nDCG@10"}
    assert document["measures"]["recall@1"]["low"] < document["measures"]["recall@1"]["estimate"]
    assert [entry["k"] for entry in document["misses"]] == [1, 3]
    assert page.stat().st_size > 100_000
    assert main(["evaluate", "retrieval", str(shop_folder), *map(str, asked)]) == 0
    printed = capsys.readouterr().out
    assert "95% interval" in printed
    assert "missed by the model" in printed


def test_retrieval_of_a_data_set_and_two_encoders(capsys: pytest.CaptureFixture[str], copies: Copies) -> None:
    folder = copies.image_folder()
    assert answer(capsys, "retrieval", folder)["provenance"]["layout"] == "imagefolder"
    encoders = ("--encoder", "efficientnet-lite0", "--against", "efficientnet-lite0,layer=stage1")
    document = answer(capsys, "retrieval", folder, *encoders)
    assert document["names"] == ["efficientnet-lite0", "efficientnet-lite0,layer=stage1"]
    assert 0 < document["differences"]["mAP"]["p_value"] <= 1
    assert main(["evaluate", "retrieval", str(folder), *encoders]) == 0
    assert "difference" in capsys.readouterr().out


def test_a_picture_that_cannot_be_read_exits_with_3(
    capsys: pytest.CaptureFixture[str], copies: Copies
) -> None:
    folder = copies.image_folder()
    (folder / "cat" / "0.jpg").write_text("no picture")
    document = answer(capsys, "retrieval", folder, code=3)
    assert document["failures"][0]["uri"].endswith("0.jpg")
    assert main(["evaluate", "retrieval", str(folder)]) == 3
    assert "0.jpg" in capsys.readouterr().err


def test_index(capsys: pytest.CaptureFixture[str], shop_folder: Path) -> None:
    assert answer(capsys, "index", shop_folder, "-k", 5, "--queries", 20)["recall"] == 1


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["retrieval", "SHOP"], 2, "label is missing"),
        (["retrieval", "SHOP", "--label", "colour"], 2, "colour"),
        (
            ["retrieval", "SHOP", "--label", "product", "--against", "efficientnet-lite2"],
            2,
            "--against needs",
        ),
        (["retrieval", "gone", "--label", "product"], 1, "gone"),
        (["retrieval", "SHOP", "--label", "product", "--queries", "price >"], 2, "price >"),
        (["retrieval", "EMPTY"], 2, "none of the known layouts"),
    ],
)
def test_errors_say_what_to_do(
    capsys: pytest.CaptureFixture[str],
    shop_folder: Path,
    tmp_path: Path,
    arguments: list[str],
    code: int,
    message: str,
) -> None:
    places = {"SHOP": str(shop_folder), "EMPTY": str(tmp_path)}
    assert main(["evaluate", *(places.get(a, a) for a in arguments)]) == code
    assert message in capsys.readouterr().err


def test_the_grammar_knows_every_choice() -> None:
    assert ("auto", *get_args(Layout)) == LAYOUTS
    assert RERANKINGS == REAL_RERANKINGS
