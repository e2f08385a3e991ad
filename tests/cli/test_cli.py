"""The command line as a user meets it: real processes, exit codes, one JSON document on stdout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

BALL = "catalog/BlendSwapCC0-basketball_0.jpg"


def run(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lookalike", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=120, check=False)


def answer(*arguments: object, code: int = 0) -> Any:
    """The JSON document of a command; nothing else may be on stdout."""
    done = run(*arguments, "--json")
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def shop_copy(shop_folder: Path, tmp_path: Path) -> Path:
    shutil.copytree(shop_folder, tmp_path / "shop.lookalike")
    return tmp_path / "shop.lookalike"


def test_index_search_and_repeat(pictures: Path, tmp_path: Path) -> None:
    collection = tmp_path / "c.lookalike"
    ledger = answer("index", pictures, "--to", collection)
    assert (ledger["inputs"], ledger["added"], ledger["failed"], ledger["items"]) == (12, 12, 0, 12)
    assert answer("index", pictures, "--to", collection)["unchanged"] == 12
    first = sorted(pictures.glob("*.jpg"))[0]
    hits = answer("search", collection, first, "-k", 3)["hits"]
    assert hits[0]["id"] == f"pictures/{first.name}"
    assert set(hits[0]) == {"id", "score", "strength", "attributes", "uri"}


@pytest.mark.parametrize("to", ["{}/shop.lookalike", "milvus://{}/lite.db/shop"])
def test_a_collection_for_one_machine_is_not_begun_on_a_cluster(
    pictures: Path, tmp_path: Path, to: str
) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    done = run("index", pictures, "--to", to.format(folder), "--on", "ray")
    assert done.returncode == 2
    assert "workers" in done.stderr
    assert list(folder.iterdir()) == []


def test_index_with_a_bad_file_exits_with_3_and_says_why(pictures: Path, tmp_path: Path) -> None:
    (pictures / "bad.jpg").write_text("no picture")
    done = run("index", pictures, "--to", tmp_path / "c.lookalike")
    assert done.returncode == 3
    assert "12 added" in done.stdout
    assert "1 failed" in done.stdout
    assert "bad.jpg" in done.stderr
    document = answer("index", pictures, "--to", tmp_path / "c.lookalike", code=3)
    assert document["failures"][0]["uri"].endswith("bad.jpg")
    assert document["failures"][0]["reason"]


def test_quiet_on_stderr_when_it_is_no_terminal(pictures: Path, tmp_path: Path) -> None:
    done = run("index", pictures, "--to", tmp_path / "c.lookalike")
    assert done.stderr == ""


def test_search_prints_a_table_with_whole_ids(shop_folder: Path) -> None:
    done = run("search", shop_folder, BALL, "-k", 3)
    assert done.returncode == 0
    assert "catalog/BlendSwapCC0-basketball_1.jpg" in done.stdout
    assert "strength" in done.stdout


def test_search_takes_everything_at_once(shop_folder: Path, sample: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    document = answer(
        "search",
        shop_folder,
        sample / BALL,
        "-k",
        5,
        "--where",
        'price < 500 and not category == "Kitchen"',
        "--crop",
        "0.1,0.1,0.8,0.8",
        "--minus",
        "catalog/Scopia-van_0.jpg",
        "--group-by",
        "product",
        "--diversity",
        0.2,
        "--html",
        page,
    )
    assert len(document["hits"]) == 5
    assert len({hit["attributes"]["product"] for hit in document["hits"]}) == 5
    assert page.read_text(encoding="utf-8").count("<li>") == 5


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["search"], 2, "COLLECTION"),
        (["nonsense"], 2, "invalid choice"),
        (["search", "missing.lookalike", "x.jpg"], 1, "missing.lookalike"),
        (["search", "SHOP", "nowhere.jpg"], 1, "nowhere.jpg"),
        (["search", "SHOP", BALL, "--where", "prcie < 3"], 2, "price"),
        (["search", "SHOP", BALL, "-k", "0"], 2, "k = 0"),
        (["search", "SHOP", BALL, "--crop", "a,b"], 2, "X,Y,W,H"),
        (["index", "nowhere", "--to", "new.lookalike"], 1, "nowhere"),
        (["index", "SHOP", "--to", "x.lookalike", "--encoder", "resnet50"], 2, "efficientnet-lite0"),
        (["export", "SHOP", "-o", "x.json"], 2, ".npy or .parquet"),
        (["remove", "SHOP"], 2, "--where"),
        (["remove", "SHOP", "nobody"], 1, "nobody"),
        (["migrate", "SHOP"], 2, "--encoder"),
    ],
)
def test_errors_say_what_to_do_and_leave_nothing_behind(
    shop_folder: Path, tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    done = run(*(str(shop_folder) if a == "SHOP" else a for a in arguments), cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_an_error_with_json_is_a_json_document_too(tmp_path: Path) -> None:
    document = answer("info", tmp_path / "missing.lookalike", code=1)
    assert document["error"]["type"] == "CollectionNotFound"


def test_another_encoder_for_an_existing_collection_is_refused(shop_copy: Path, pictures: Path) -> None:
    done = run("index", pictures, "--to", shop_copy, "--encoder", "efficientnet-lite2")
    assert done.returncode == 1
    assert "migrate" in done.stderr


def test_embed_writes_vectors_and_ids(pictures: Path, tmp_path: Path) -> None:
    document = answer("embed", pictures, "-o", tmp_path / "v.npy")
    vectors = np.load(tmp_path / "v.npy")
    assert vectors.shape == (12, 1280)
    assert document["images"] == 12
    lines = (tmp_path / "v.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "id,uri"
    assert len(lines) == 13


def test_care_commands(shop_copy: Path, tmp_path: Path) -> None:
    assert answer("info", shop_copy)["items"] == 330
    assert answer("verify", shop_copy) == {"items": 330, "sound": True, "damage": []}
    assert answer("remove", shop_copy, "--where", "price < 50")["removed"] > 0
    assert answer("compact", shop_copy)["bytes_after"] > 0
    assert (
        answer("export", shop_copy, "-o", tmp_path / "x.npy")["items"] == answer("info", shop_copy)["items"]
    )
    report = answer("evaluate", "index", shop_copy, "-k", 5, "--queries", 20)
    assert report["recall"] == 1


def test_verify_names_damage_and_exits_with_1(shop_copy: Path) -> None:
    vectors = max((shop_copy / "derived").rglob("*"), key=lambda p: p.stat().st_size)
    with vectors.open("r+b") as file:
        file.seek(3000)
        file.write(b"\xff" * 16)
    document = answer("verify", shop_copy, code=1)
    assert not document["sound"]
    assert document["damage"]


def test_encoders_lists_layers_and_licences() -> None:
    entries = {entry["name"]: entry for entry in answer("encoders")["encoders"]}
    assert entries["efficientnet-lite0"]["dimensions"] == 1280
    assert "stage2" in {layer["name"] for layer in entries["efficientnet-lite0"]["layers"]}
    assert "Apache" in entries["efficientnet-lite0"]["licence"]


def test_demo_answers_a_customers_photo(tmp_path: Path) -> None:
    document = answer("demo", "--to", tmp_path / "demo")
    assert document["ledger"]["added"] == 330
    photo = Path(document["search"]["query"]).stem.rpartition("_")[0]
    assert document["search"]["hits"][0]["attributes"]["product"] == photo
    assert document["groups"] > 50
    assert set(document["pages"]) == {"answer", "why", "groups", "map"}
    for page in document["pages"].values():
        assert Path(page).read_text(encoding="utf-8").startswith("<!doctype html>")
    again = run("demo", "--to", tmp_path / "demo")
    assert again.returncode == 0
    assert "330 unchanged" in again.stderr


def test_help_of_every_command_is_there() -> None:
    listing = run("--help").stdout
    for command in (
        "demo",
        "embed",
        "index",
        "search",
        "encoders",
        "evaluate",
        "info",
        "verify",
        "compact",
        "export",
        "remove",
        "migrate",
    ):
        assert command in listing
        assert run(command, "--help").returncode == 0


def test_usage_errors_are_json_documents_too() -> None:
    assert answer("search", "--nonsense", code=2)["error"]["type"] == "UsageError"


def test_a_place_that_cannot_be_written_is_an_error_without_a_traceback(shop_folder: Path) -> None:
    done = run("search", shop_folder, BALL, "--html", "/nowhere/page.html")
    assert done.returncode == 1
    assert "/nowhere/page.html" in done.stderr
    assert "Traceback" not in done.stderr


def test_markup_in_a_query_is_text(shop_folder: Path) -> None:
    done = run("search", shop_folder, "[/b] [red]table")
    assert done.returncode == 0, done.stderr
    assert "[/b] [red]table" in done.stdout


def test_json_is_whole_on_a_console_without_unicode(pictures: Path, tmp_path: Path) -> None:
    shutil.copy(next(pictures.glob("*.jpg")), pictures / "gr\u00fcn.jpg")
    run("index", pictures, "--to", tmp_path / "c.lookalike")
    command = [
        sys.executable,
        "-m",
        "lookalike",
        "search",
        str(tmp_path / "c.lookalike"),
        "pictures/gr\u00fcn.jpg",
    ]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    for extra in ([], ["--json"]):
        done = subprocess.run(
            [*command, *extra], capture_output=True, text=True, env=environment, check=False
        )
        assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["query"] == "pictures/gr\u00fcn.jpg"
