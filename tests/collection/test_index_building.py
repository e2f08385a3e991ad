"""A collection keeps its index; it is no part of what was fitted, and no part of a copy."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import lookalike
from lookalike.cli.grammar import DONE, USAGE
from lookalike.cli.main import main
from lookalike.collection.facade import Collection
from lookalike.errors import InputError


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """An index from a hundred items on."""
    monkeypatch.setattr("lookalike.store.sizing.EXACT_MOST", 100)


@pytest.mark.usefixtures("small")
def test_an_index_is_built_kept_loaded_and_dropped(shop: Collection, tmp_path: Path) -> None:
    built = shop.build_index(progress=False)
    assert (built.rows, built.shards, built.reducer) == (330, 1, None)
    assert [(each["kind"], each["name"]) for each in shop.info()["fitted"]] == [("index", "search")]
    before = shop.search(next(iter(shop)).id, k=5, recall=1.0)
    shutil.copytree(shop.path, tmp_path / "other.lookalike")
    shutil.rmtree(tmp_path / "other.lookalike" / "derived")
    with lookalike.open(tmp_path / "other.lookalike") as other:
        after = other.search(next(iter(other)).id, k=5, recall=1.0)
        assert [hit.id for hit in after] == [hit.id for hit in before]
        assert other.info()["index"]["kind"] == "hnsw"
        assert other.verify() == []
        assert other.drop_index()
        assert not other.drop_index()
        assert other.info()["fitted"] == []


@pytest.mark.usefixtures("small")
def test_the_index_is_that_of_the_reducer(shop: Collection) -> None:
    shop.reduce(32, precision="i8", progress=False)
    built = shop.build_index(shards=2, progress=False)
    assert (built.dimensions, built.precision, built.shards) == (32, "i8", 2)
    assert built.reducer == shop.reduction.version  # type: ignore[union-attr]


@pytest.mark.usefixtures("small")
def test_a_copy_goes_without_and_says_nothing(shop: Collection, tmp_path: Path) -> None:
    shop.build_index(shards=2, progress=False)
    done = lookalike.copy(shop.path, tmp_path / "copy.lookalike", progress=False)
    assert (done.fitted, done.left_out) == (0, ())
    with lookalike.open(tmp_path / "copy.lookalike") as copied:
        assert copied.info()["fitted"] == []
        assert copied.verify() == []


def test_a_collection_that_needs_none_is_told_so(shop: Collection) -> None:
    with pytest.raises(InputError, match="one by one"):
        shop.build_index()
    with pytest.raises(InputError, match="shards 0"):
        shop.build_index(shards=0)
    with pytest.raises(InputError, match="ray://"):
        shop.build_index("cloud")


@pytest.mark.usefixtures("small")
def test_the_command_builds_and_deletes(shop: Collection, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build-index", shop.path]) == DONE
    assert "330 items" in capsys.readouterr().out
    assert main(["build-index", shop.path, "--shards", "2", "--json"]) == DONE
    assert json.loads(capsys.readouterr().out)["shards"] == 2
    assert main(["info", shop.path]) == DONE
    assert "index search" in capsys.readouterr().out
    assert main(["build-index", shop.path, "--off"]) == DONE
    assert "gone" in capsys.readouterr().out
    assert main(["build-index", shop.path, "--off", "--json"]) == DONE
    assert json.loads(capsys.readouterr().out) == {"dropped": False}
    assert main(["build-index", shop.path, "--off", "--shards", "2"]) == USAGE
