from __future__ import annotations

import json
from pathlib import Path

import pytest

from lookalike.cli.main import main
from lookalike.collection.facade import Collection


def test_a_map_is_one_json_document(
    shop: Collection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, picture = tmp_path / "map.html", tmp_path / "map.png"
    arguments = ["map", shop.path, "--json", "--color-by", "category", "--where", "price < 100"]
    assert main([*arguments, "--html", str(page), "--png", str(picture)]) == 0
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    shown = len(document["ids"])
    assert 0 < shown < 330
    assert len(document["x"]) == len(document["y"]) == len(document["values"]) == shown
    assert document["html"] == str(page) and page.stat().st_size > 10_000
    assert picture.read_bytes()[:4] == b"\x89PNG"


def test_a_map_for_people_says_how_good_it_is(shop: Collection, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["map", shop.path]) == 0
    printed = capsys.readouterr()
    assert "330 of 330" in printed.out and "trustworthiness" in printed.out
    assert "--html FILE" in printed.err


def test_new_lays_out_anew(shop: Collection, capsys: pytest.CaptureFixture[str]) -> None:
    versions = []
    for arguments in ([], [], ["--new"], ["--seed", "5"]):
        assert main(["map", shop.path, "--json", *arguments]) == 0
        versions.append(json.loads(capsys.readouterr().out)["provenance"]["map"])
    assert versions[0] == versions[1] < versions[2] < versions[3]


def test_an_unknown_colour_is_a_usage_error(shop: Collection, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["map", shop.path, "--colour-by", "nothing"]) == 2
    assert "category" in capsys.readouterr().err
