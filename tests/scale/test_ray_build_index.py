"""An index whose shards the machines of a cluster build finds what one built here finds, also when one dies."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ray_cluster import ThreeNodes

import lookalike
from lookalike.cli.grammar import DONE
from lookalike.cli.main import main
from lookalike.collection.facade import Collection
from lookalike.ingest.ray_blocks import RayBlocks
from lookalike.types import Embeddings
from lookalike.vectors.hnsw import HNSW


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """An index from a hundred items on."""
    monkeypatch.setattr("lookalike.store.sizing.EXACT_MOST", 100)


@pytest.fixture
def built_here(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many vectors this process adds to graphs."""
    counts: list[int] = []
    grow = HNSW.grow

    def counted(self: HNSW, source: Any, upto: int, **options: Any) -> None:
        counts.append(upto - len(self))
        grow(self, source, upto, **options)

    monkeypatch.setattr(HNSW, "grow", counted)
    return counts


def vectors(shop: Collection) -> Embeddings:
    """Of all items."""
    return shop._gallery.vectors(shop._gallery.rows())


def recall(shop: Collection, queries: Embeddings) -> float:
    """Share of the 10 nearest items that the index finds; with recall=1 it has to be all of them."""
    gallery = shop._gallery
    assert gallery.kind() == "hnsw"
    _, scores = gallery.search(queries, 10)
    _, exact = gallery.search(queries, 10, recall=1.0)
    truth = -np.sort(-(queries @ vectors(shop).T), axis=1)[:, :10]
    np.testing.assert_allclose(exact, truth, atol=2e-6)
    return float((scores >= truth[:, -1:] - 1e-5).mean())


@pytest.mark.parametrize("killed", [False, True])
def test_shards_built_elsewhere_find_what_an_index_built_here_finds(
    nodes: ThreeNodes,
    shop: Collection,
    tmp_path: Path,
    built_here: list[int],
    monkeypatch: pytest.MonkeyPatch,
    killed: bool,
) -> None:
    answer, answers = RayBlocks._answer, 0

    def striking(self: RayBlocks, reference: Any) -> Any:
        nonlocal answers
        answers += 1
        if killed and answers == 2:
            nodes.kill_one()
        return answer(self, reference)

    monkeypatch.setattr(RayBlocks, "_answer", striking)
    done: list[tuple[int, int]] = []
    built = shop.build_index("ray", shards=6, progress=lambda *at: done.append(at))
    assert nodes.whole != killed
    assert (built.rows, built.shards) == (330, 6)
    assert done[-1] == (6, 6)
    assert sum(built_here) == 0
    queries = vectors(shop)[::7]
    assert recall(shop, queries) >= 0.98
    path = tmp_path / "other.lookalike"
    shutil.copytree(shop.path, path)
    shutil.rmtree(path / "derived")
    with lookalike.open(path) as other:
        assert recall(other, queries) >= 0.98
        assert sum(built_here) == 0
        other.drop_index()
        shutil.rmtree(path / "derived", ignore_errors=True)
    with lookalike.open(path) as alone:
        alone._gallery.build()
        assert sum(built_here) == 330
        assert recall(alone, queries) >= 0.98


@pytest.mark.usefixtures("nodes")
def test_the_command_line_takes_the_cluster(shop: Collection, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build-index", shop.path, "--on", "ray", "--json"]) == DONE
    assert (
        '"shards": 1' in capsys.readouterr().out
    )  # few items are one shard, however many machines there are
