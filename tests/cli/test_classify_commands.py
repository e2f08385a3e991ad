"""``lookalike classify`` as a user meets it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BALL = "catalog/BlendSwapCC0-basketball_0.jpg"


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lookalike", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def answer(*arguments: object, code: int = 0) -> Any:
    done = run(*arguments, "--json")
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def trained(shop_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A collection with a classifier, and what training it printed."""
    folder = tmp_path_factory.mktemp("trained") / "shop.lookalike"
    shutil.copytree(shop_folder, folder)
    page = folder.parent / "train.html"
    document = answer(
        "classify", "train", folder, "--label", "category", "--group-by", "product", "--html", page
    )
    assert page.read_text().startswith("<!doctype html>")
    return folder, document


def test_train_reports_itself(trained: tuple[Path, Any]) -> None:
    _, document = trained
    assert document["name"] == "category"
    assert len(document["labels"]) == 9
    assert document["report"]["macro_recall"] > 0.35
    assert len(document["report"]["classes"]) == 9
    assert document["provenance"]["group_by"] == "product"
    assert document["provenance"]["candidates"]


def test_train_prints_candidates_and_classes(trained: tuple[Path, Any]) -> None:
    folder, _ = trained
    done = run("classify", "train", folder, "--label", "category", "--method", "prototypes", "--name", "few")
    assert done.returncode == 0, done.stderr
    assert "macro recall" in done.stdout
    assert "Living room" in done.stdout
    assert "saved as 'few'" in done.stdout
    assert answer("classify", "predict", folder, BALL, "--name", "few")["classifier"] == "few"


def test_predict_labels_pictures_and_items(trained: tuple[Path, Any], sample: Path) -> None:
    folder, _ = trained
    document = answer("classify", "predict", folder, sample / BALL, BALL, "--name", "category")
    assert [each["input"] for each in document["predictions"]] == [str(sample / BALL), BALL]
    assert {"label", "confidence", "alternatives"} <= set(document["predictions"][0])


def test_predict_writes_attributes(trained: tuple[Path, Any]) -> None:
    folder, _ = trained
    written = answer("classify", "predict", folder, "--write", "--name", "category", "--where", "price < 100")
    assert written["items"] == sum(written["counts"].values()) > 0
    assert answer("info", folder)["attributes"]["category_predicted"] == "text"


def test_review_lists_and_shows(trained: tuple[Path, Any], tmp_path: Path) -> None:
    folder, _ = trained
    page = tmp_path / "review.html"
    document = answer("classify", "review", folder, "--name", "category", "-n", 5, "--html", page)
    assert len(document["errors"]) == len(document["outliers"]) == 5
    assert document["html"] == str(page)
    assert page.read_text().count("data:image/webp") == 10


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["train"], "needs labels"),
        (["predict"], "either images or --write"),
        (["predict", BALL, "--where", "price < 3"], "go with --write"),
        (["train", "--label", "colour"], "attributes are"),
    ],
)
def test_usage_errors_say_what_is_missing(shop_folder: Path, arguments: list[str], says: str) -> None:
    task, *rest = arguments
    done = run("classify", task, shop_folder, *rest)
    assert done.returncode == 2
    assert says in done.stderr
