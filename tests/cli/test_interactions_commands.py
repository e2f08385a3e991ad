"""``lookalike interactions`` as a user meets it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import lookalike


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lookalike", "interactions", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def answer(*arguments: object, code: int = 0) -> Any:
    done = run(*arguments, "--json")
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collection without items; never written to by a test."""
    folder = tmp_path_factory.mktemp("empty") / "shop.lookalike"
    lookalike.create(folder).close()
    return folder


@pytest.fixture
def shop(empty: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(empty, tmp_path / "shop.lookalike"))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "events.csv"
    path.write_text(
        "customer,item,event,time\nada,sofa,view,2026-03-10\nada,lamp,like,2026-03-11\nbob,sofa,view,2026-03-09\n"
    )
    return path


def test_a_table_is_imported_shown_and_written_again(shop: Path, table: Path, tmp_path: Path) -> None:
    ledger = answer("import", shop, table, "--column", "user=customer")
    assert ledger == {
        "inputs": 3,
        "added": 3,
        "known": 0,
        "failed": 0,
        "failures": [],
        "unmatched_items": 2,
    }
    done = run("import", shop, table, "--column", "user=customer")
    assert done.stdout == "3 interactions: 0 added, 3 known, 0 failed\n"
    assert "2 of the names given to items are no item's id" in done.stderr
    assert answer("list", shop, "ada")["interactions"] == [
        {"item": "sofa", "event": "view", "time": "2026-03-10T00:00:00+00:00", "weight": 1.0},
        {"item": "lamp", "event": "like", "time": "2026-03-11T00:00:00+00:00", "weight": 1.0},
    ]
    assert "lamp" in run("list", shop, "ada").stdout
    assert run("list", shop, "nobody").stdout == "nothing is known of nobody\n"
    counts = answer("info", shop)
    assert (counts["interactions"], counts["users"], counts["items"]) == (3, 2, 2)
    assert (counts["events"], counts["first"]) == ({"like": 1, "view": 2}, "2026-03-09T00:00:00+00:00")
    assert "3 interactions of 2 users with 2 items" in run("info", shop).stdout
    written = tmp_path / "ada.csv"
    assert answer("export", shop, "-o", written, "--user", "ada") == {"interactions": 2, "file": str(written)}
    assert written.read_text().splitlines()[0] == "user,item,event,time,weight"
    assert (
        run("export", shop, "-o", tmp_path / "all.csv").stdout == f"3 interactions: {tmp_path / 'all.csv'}\n"
    )


def test_rows_that_are_none_are_named_and_the_exit_code_is_3(shop: Path, tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text("user,item,time\nada,sofa,noon\n,sofa,2026-03-10\nada,sofa,2026-03-10\n")
    done = run("import", shop, path, "--event", "view")
    assert done.returncode == 3
    assert done.stdout == "3 interactions: 1 added, 0 known, 2 failed\n"
    assert f"failed: {path}, line 2: the time is 'noon': expected ISO 8601" in done.stderr
    assert answer("import", shop, path, "--event", "view", code=3)["failures"][1] == {
        "where": f"{path}, line 3",
        "reason": "there is no user",
    }


def test_one_is_recorded_and_a_user_forgotten(shop: Path) -> None:
    assert answer("record", shop, "ada", "sofa", "view", "--time", "1773144000", "--weight", "2") == {
        "new": True
    }
    assert (
        run("record", shop, "ada", "sofa", "view", "--time", "2026-03-10T12:00:00Z").stdout
        == "was there already\n"
    )
    assert run("record", shop, "bob", "sofa", "view").stdout == "recorded\n"
    done = run("forget", shop, "ada")
    assert done.stdout == "1 interactions forgotten\n"
    assert "lookalike compact" in done.stderr
    assert answer("list", shop, "ada") == {"user": "ada", "interactions": []}
    assert answer("forget", shop, "bob", "--compact") == {"user": "bob", "forgotten": 1, "compacted": True}
    assert answer("info", shop)["interactions"] == 0
    assert answer("info", shop)["first"] is None


def test_weights_are_shown_set_and_taken_back(shop: Path) -> None:
    assert answer("weights", shop)["weights"]["purchase"] == 5
    changed = answer("weights", shop, "share=2", "view=0.5")["weights"]
    assert (changed["share"], changed["view"], changed["like"]) == (2, 0.5, 3)
    assert answer("weights", shop)["weights"] == changed
    assert "share" in run("weights", shop).stdout
    after = answer("weights", shop, "share=", "view=")["weights"]
    assert "share" not in after
    assert after["view"] == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["record", "SHOP", "ada", "sofa", "share"], "no weight is known of the event 'share'"),
        (["record", "SHOP", "ada", "sofa", "view", "--time", "noon"], "expected ISO 8601"),
        (["record", "SHOP", "ada", "sofa", "view", "--weight", "-1"], "from 0 to 1,000,000"),
        (["import", "SHOP", "TABLE", "--column", "customer"], "expected a form such as user=customer_id"),
        (["import", "SHOP", "TABLE"], "no column 'user' for the user: its columns are customer"),
        (["import", "SHOP", "missing.csv"], "not a file"),
        (["weights", "SHOP", "share"], "expected a form such as share=2"),
        (["weights", "SHOP", "share=much"], "expected a number"),
        (["export", "SHOP", "-o", "out.json"], "ends in .csv or .parquet"),
        (["list", "SHOP", ""], "the name of a user has 0 characters"),
        ([], "the following arguments are required: TASK"),
    ],
)
def test_usage_errors_say_what_was_expected(shop: Path, table: Path, arguments: list[str], says: str) -> None:
    done = run(*[{"SHOP": shop, "TABLE": table}.get(word, word) for word in arguments])
    assert done.returncode == 2
    assert says in done.stderr
