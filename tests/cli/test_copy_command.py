"""``lookalike copy``: what it prints, as a table and as one JSON document, and what it refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import lookalike
from lookalike.cli import copying_grammar
from lookalike.cli.copying import copy
from lookalike.cli.grammar import DONE, Parser
from lookalike.collection.facade import Collection
from lookalike.errors import CollectionExists, InputError, StoreError
from lookalike.store import copying as store_copying


def run(*arguments: str) -> int:
    parser = Parser(prog="lookalike")
    copying_grammar.add(parser.add_subparsers(required=True))
    options = parser.parse_args(["copy", *arguments])
    assert options.command == "copying:copy"
    return copy(options)


def test_a_copy_is_told_as_a_table(
    shop: Collection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there = str(tmp_path / "copy.lookalike")
    assert run(shop.path, there) == DONE
    printed = capsys.readouterr()
    assert "compared: the same" in printed.out
    assert "330" in printed.out
    assert "left out" not in printed.err
    assert "tracklets" not in printed.out, "only what there is"
    with lookalike.open(there) as copied:
        assert len(copied) == 330


def test_json_is_one_document(shop: Collection, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    digests = []
    for name in ("a", "b"):
        assert run(shop.path, str(tmp_path / name), "--json") == DONE
        document = json.loads(capsys.readouterr().out)
        assert (document["items"], document["left_out"]) == (330, [])
        digests.append(document["digest"])
    assert digests[0] == digests[1]


def test_what_could_not_go_over_is_said_on_stderr(
    tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with lookalike.create(tmp_path / "shop") as shop:
        shop.upload({path.name: path.read_bytes() for path in pictures.glob("*.jpg")}, progress=False)
    for shard in (tmp_path / "shop" / "originals").glob("??"):
        shutil.rmtree(shard)
        break
    assert run(str(tmp_path / "shop"), str(tmp_path / "copy")) == DONE
    assert "left out: originals of 1 uploads" in capsys.readouterr().err


def test_an_interrupt_says_that_nothing_is_left(
    shop: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(store_copying, "copy_tracking", interrupted)
    with pytest.raises(StoreError, match="the unfinished copy was deleted"):
        run(shop.path, str(tmp_path / "copy"))
    assert not (tmp_path / "copy").exists()


def test_what_is_refused_leaves_no_output(
    shop: Collection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(CollectionExists):
        run(shop.path, str(tmp_path / "taken"), "--restart")
    with pytest.raises(InputError, match="onto itself"):
        run(shop.path, shop.path)
    assert capsys.readouterr().out == ""
