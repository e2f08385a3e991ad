"""``lookalike duplicates`` as a user meets it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

import lookalike


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lookalike", "duplicates", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def answer(*arguments: object, code: int = 0) -> Any:
    done = run(*arguments, "--json")
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def collection(pictures: Path, tmp_path: Path) -> Path:
    """Twelve pictures; the first also smaller and mirrored, the second twice."""
    first, second = sorted(pictures.glob("*.jpg"))[:2]
    picture = PIL.Image.open(first).convert("RGB")
    picture.resize((200, 200)).save(pictures / "smaller.jpg")
    PIL.Image.fromarray(np.asarray(picture)[:, ::-1]).save(pictures / "mirrored.jpg", quality=60)
    (pictures / "twice.jpg").write_bytes(second.read_bytes())
    with lookalike.create(tmp_path / "c.lookalike") as made:
        made.add(pictures, progress=False)
    return tmp_path / "c.lookalike"


def count(collection: Path) -> int:
    with lookalike.open(collection) as opened:
        return len(opened)


def test_groups_have_the_best_copy_first(collection: Path, pictures: Path) -> None:
    first, second = (f"pictures/{path.name}" for path in sorted(pictures.glob("BlendSwap*.jpg"))[:2])
    found = answer(collection)
    groups = found["groups"]
    assert sorted(map(len, groups)) == [2, 3]
    assert {frozenset(group) for group in groups} == {
        frozenset({first, "pictures/smaller.jpg", "pictures/mirrored.jpg"}),
        frozenset({second, "pictures/twice.jpg"}),
    }
    assert groups[0][0] == first
    assert found["others"] == 3
    assert [group["kind"] for group in found["details"]] == ["near", "exact"]
    assert answer(collection, "--exact")["groups"] == [groups[1]]


def test_nothing_is_deleted_without_yes(collection: Path) -> None:
    done = run(collection, "--delete-others")
    assert done.returncode == 2
    assert "would remove 3 of 15 items" in done.stderr
    assert "2 groups" in done.stderr
    assert "--yes" in done.stderr
    assert answer(collection, "--delete-others", code=2)["error"]["type"] == "UsageError"
    assert count(collection) == 15


def test_with_yes_all_but_the_best_go_and_the_files_stay(collection: Path, pictures: Path) -> None:
    found = answer(collection, "--delete-others", "--yes")
    assert len(found["removed"]) == 3
    assert count(collection) == 12
    assert len(list(pictures.glob("*.jpg"))) == 15
    assert answer(collection)["groups"] == []


def test_people_read_a_table_and_a_report(collection: Path, tmp_path: Path) -> None:
    done = run(collection, "--html", tmp_path / "report.html")
    assert done.returncode == 0, done.stderr
    assert "pictures/smaller.jpg" in done.stdout
    assert "the next has" in done.stdout
    assert "2 groups among 15 items, 3 copies of a better one" in done.stdout
    assert "threshold" in done.stderr
    assert "data:image/webp" in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "options",
    [
        ("--yes",),
        ("--exact", "--threshold", "0.9"),
        ("--precision", "0.9", "--threshold", "0.9"),
        ("--precision", "1.5"),
        ("--threshold", "-1"),
        ("--where", "price <"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(collection: Path, options: tuple[str, ...]) -> None:
    assert run(collection, *options).returncode == 2
