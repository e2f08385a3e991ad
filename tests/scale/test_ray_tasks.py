"""Labels, copies and clusters found by the machines of a cluster are those found in this process, killed or not."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ray_cluster import ThreeNodes

import lookalike
from lookalike.cli.grammar import DONE
from lookalike.cli.main import main
from lookalike.collection.facade import Collection
from lookalike.errors import InputError
from lookalike.ingest.ray_blocks import RayBlocks
from lookalike.vectors import graph

METHODS = ["linear", "neighbours", "prototypes"]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of a few items, so that the sample's 330 make many."""
    monkeypatch.setattr("lookalike.collection.labelling.BATCH", 20)
    monkeypatch.setattr("lookalike.collection.deduplication.BLOCK", 20)
    monkeypatch.setattr("lookalike.collection.portraits.BATCH", 20)
    monkeypatch.setattr("lookalike.tasks.duplicates.READ", 20)
    monkeypatch.setattr("lookalike.collection.clustering.BATCH", 20)
    monkeypatch.setattr("lookalike.vectors.graph.SEARCH_BLOCK", 20)
    monkeypatch.setattr("lookalike.vectors.descent.BLOCK", 20)


@pytest.fixture
def graphs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The indexes of large collections for this small one."""
    monkeypatch.setattr("lookalike.store.sizing.EXACT_MOST", 100)
    monkeypatch.setattr(graph, "EXACT_MOST", 100)


@pytest.fixture
def two(shop_folder: Path, tmp_path: Path) -> Iterator[tuple[Collection, Collection]]:
    """Two copies of the sample's collection: for the answer of this process, and that of the cluster."""
    for name in ("here", "there"):
        shutil.copytree(shop_folder, tmp_path / f"{name}.lookalike")
    with (
        lookalike.open(tmp_path / "here.lookalike") as here,
        lookalike.open(tmp_path / "there.lookalike") as there,
    ):
        yield here, there


@pytest.fixture
def strike(nodes: ThreeNodes, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Kills a machine after so many answers."""
    answer = RayBlocks._answer
    left = 0

    def count(self: RayBlocks, reference: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0:
            nodes.kill_one()
        return answer(self, reference)

    def after(answers: int) -> None:
        nonlocal left
        left = answers
        monkeypatch.setattr(RayBlocks, "_answer", count)

    return after


def indexed(two: tuple[Collection, Collection]) -> tuple[Collection, Collection]:
    """The same collections, with the index that a large one has."""
    for shop in two:
        shop._gallery.build()
        assert shop.info()["index"]["kind"] == "hnsw"
    return two


def plain(answer: Any) -> dict[str, Any]:
    """What an answer says, without where it comes from."""
    said = answer.to_dict()
    said["provenance"] = {
        name: value for name, value in said["provenance"].items() if name not in ("collection", "index")
    }
    return dict(said)


@pytest.mark.usefixtures("nodes")
def test_the_command_line_takes_the_cluster(
    two: tuple[Collection, Collection], capsys: pytest.CaptureFixture[str]
) -> None:
    path = two[1].path
    two[1].train_classifier("category", progress=False)
    for command in (
        ["duplicates", path, "--on", "ray", "--json"],
        ["cluster", path, "--on", "ray", "--json"],
        ["classify", "predict", path, "--write", "--on", "ray", "--json"],
    ):
        assert main(command) == DONE
        assert capsys.readouterr().out.startswith("{")


def test_labels_are_the_same_when_a_machine_dies(
    nodes: ThreeNodes, two: tuple[Collection, Collection], strike: Callable[[int], None]
) -> None:
    for shop in two:
        for method in METHODS:
            shop.train_classifier("category", name=method, method=method, group_by="product", progress=False)  # type: ignore[arg-type]
    here, there = two
    done: list[int] = []
    strike(5)
    for method in METHODS:
        told = there.predict_labels(method, on="ray", progress=lambda at, _: done.append(at))
        assert told == here.predict_labels(method, progress=False)
    assert not nodes.whole
    assert done[:17] == [*range(20, 321, 20), 330]
    assert {item.id: dict(item.attributes) for item in here} == {
        item.id: dict(item.attributes) for item in there
    }


@pytest.mark.usefixtures("graphs")
def test_copies_are_the_same_when_a_machine_dies(
    nodes: ThreeNodes, two: tuple[Collection, Collection], strike: Callable[[int], None]
) -> None:
    here, there = indexed(two)
    expected = here.duplicates(threshold=0.6, progress=False)
    assert expected.provenance["index"]["kind"] == "hnsw"
    strike(25)  # while neighbours are searched: 17 blocks of thumbnails come before
    found = there.duplicates(threshold=0.6, on="ray", progress=False)
    assert not nodes.whole
    assert plain(found) == plain(expected)
    assert found.provenance["neighbours"] > 1000


@pytest.mark.usefixtures("graphs", "nodes")
def test_copies_among_some_items_are_the_same(two: tuple[Collection, Collection]) -> None:
    where = "category in ('Lights', 'Kitchen', 'Office', 'Vehicles')"
    here, there = indexed(two)
    expected = here.duplicates(where=where, threshold=0.6, progress=False)
    assert plain(there.duplicates(where=where, threshold=0.6, on="ray", progress=False)) == plain(expected)


def test_clusters_are_the_same_when_a_machine_dies(
    nodes: ThreeNodes, two: tuple[Collection, Collection], strike: Callable[[int], None]
) -> None:
    here, there = two
    expected = here.cluster(progress=False)
    strike(5)
    found = there.cluster(on="ray", progress=False)
    assert not nodes.whole
    assert plain(found) == plain(expected)
    assert len(found.names) > 10


@pytest.mark.parametrize("method", ["density", "kmeans"])
@pytest.mark.usefixtures("nodes")
def test_clusters_of_other_methods_are_the_same(two: tuple[Collection, Collection], method: Any) -> None:
    here, there = two
    expected = here.cluster(method=method, progress=False)
    assert plain(there.cluster(method=method, on="ray", progress=False)) == plain(expected)


@pytest.mark.parametrize("where", [None, "category != 'Lights'"])
@pytest.mark.usefixtures("graphs", "nodes")
def test_clusters_by_the_collections_index_are_the_same(
    two: tuple[Collection, Collection], where: str | None
) -> None:
    here, there = indexed(two)
    expected = here.cluster(where=where, progress=False)
    assert plain(there.cluster(where=where, on="ray", progress=False)) == plain(expected)


def test_what_a_cluster_cannot_help_with_is_refused(two: tuple[Collection, Collection]) -> None:
    shop = two[0]
    with pytest.raises(InputError, match="checksums"):
        shop.duplicates(kind="exact", on="ray")
    with pytest.raises(InputError, match="searches no neighbours"):
        shop.cluster(5, on="ray")
    with pytest.raises(InputError, match="expected 'ray'"):
        shop.duplicates(on="dask")
    with pytest.raises(InputError, match="threads of this machine"):
        shop.migrate("efficientnet-lite2", workers=2, on="ray")
