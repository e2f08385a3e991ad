from __future__ import annotations

import json
from pathlib import Path

import pytest

from lookalike.cli.main import main
from lookalike.collection.facade import Collection


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(list(arguments))
    out, err = capsys.readouterr()
    return code, out, err


def test_the_document_has_labels_names_and_medoids(
    shop: Collection, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = shop.path
    page = tmp_path / "clusters.html"
    code, out, _ = run(capsys, "cluster", path, "--json", "--no-stability", "--html", str(page))
    document = json.loads(out)
    assert code == 0 and len(document["labels"]) == 330 and page.exists()
    assert set(document["names"]) == set(document["medoids"]) == set(document["sizes"])
    code, out, _ = run(capsys, "cluster", path, "--saved", "--json")
    assert code == 0 and json.loads(out)["labels"] == document["labels"]


def test_people_see_a_table_and_why(shop: Collection, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "cluster", shop.path, "-k", "5", "--seed", "3", "--no-stability")
    assert code == 0 and "5 clusters of 330 items" in out and "k = 5 was given" in out
    code, out, _ = run(capsys, "cluster", shop.path, "--no-stability")
    assert code == 0 and "smaller ones" in out and "silhouette" in out


def test_usage_errors_say_what_does_not_go_together(
    shop: Collection, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, "cluster", shop.path, "--saved", "-k", "5")
    assert code == 2 and "-k cannot go with it" in err
    code, _, err = run(capsys, "cluster", shop.path, "-k", "5", "--granularity", "fine")
    assert code == 2 and "granularity" in err
    code, out, _ = run(capsys, "cluster", shop.path, "--saved", "--json")
    assert code == 1 and json.loads(out)["error"]["type"] == "NotFitted"
