"""A migration whose pictures are embedded by the machines of a cluster ends like one in this process."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from ray_cluster import ThreeNodes

import lookalike
from lookalike.collection.facade import Collection
from lookalike.errors import StoreError

OTHER = "efficientnet-lite2"


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lookalike.collection.migration.BLOCK", 8)
    monkeypatch.setattr("lookalike.collection.migration.BATCH", 16)


@pytest.fixture(scope="module")
def catalog(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 60 pictures."""
    folder = tmp_path_factory.mktemp("pictures") / "catalog"
    folder.mkdir()
    for path in sorted((sample / "catalog").glob("*.jpg"))[:60]:
        shutil.copy2(path, folder)
    return folder


@pytest.fixture(scope="module")
def made(catalog: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "shop.lookalike"
    with lookalike.create(path) as shop:
        shop.add(catalog, progress=False)
    return path


@pytest.fixture(scope="module")
def expected(made: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[list[float], object]]:
    """Embeddings and tags by id, as this process migrates them."""
    path = tmp_path_factory.mktemp("expected") / "shop.lookalike"
    shutil.copytree(made, path)
    with lookalike.open(path) as shop:
        assert shop.migrate(OTHER, progress=False).items == 60
        return contents(shop)


@pytest.fixture
def shop(made: Path, tmp_path: Path) -> Iterator[Collection]:
    shutil.copytree(made, tmp_path / "shop.lookalike")
    with lookalike.open(tmp_path / "shop.lookalike") as shop:
        yield shop


def contents(shop: Collection) -> dict[str, tuple[list[float], object]]:
    items = list(shop)
    vectors = shop._store.vectors([item.row for item in items])
    return {
        item.id: (vector.tolist(), item.attributes["tags"])
        for item, vector in zip(items, vectors, strict=True)
    }


def test_embeddings_are_the_same_when_a_machine_dies(
    nodes: ThreeNodes, shop: Collection, expected: dict[str, tuple[list[float], object]]
) -> None:
    done = []

    def strike(at: int, of: int) -> None:
        assert of == 60
        done.append(at)
        if nodes.whole:
            nodes.kill_one()

    told = shop.migrate(OTHER, on="ray", progress=strike)
    assert (told.items, told.from_thumbnails) == (60, 0)
    assert done == [16, 32, 48, 60]
    assert not nodes.whole
    assert contents(shop) == expected
    assert shop.verify() == []


@pytest.mark.usefixtures("nodes")
def test_it_goes_on_where_it_stopped(
    shop: Collection, expected: dict[str, tuple[list[float], object]]
) -> None:
    old = shop.info()["fingerprint"]

    def stop(at: int, _: int) -> None:
        if at >= 32:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shop.migrate(OTHER, on="ray", progress=stop)
    assert shop.info()["fingerprint"] == old  # and answers as before
    assert shop.migrate(OTHER, on="ray", progress=False).items == 60 - 32
    assert contents(shop) == expected


@pytest.mark.usefixtures("nodes")
def test_an_original_that_is_gone_stops_the_switch_until_its_thumbnail_will_do(
    catalog: Path, shop: Collection, tmp_path: Path
) -> None:
    gone = sorted(catalog.glob("*.jpg"))[7]
    kept = gone.rename(tmp_path / gone.name)
    try:
        with pytest.raises(StoreError, match=rf"(?s)picture of 1 item .*{gone.name}.*--from-thumbnails"):
            shop.migrate(OTHER, on="ray", progress=False)
        told = shop.migrate(OTHER, on="ray", from_thumbnails=True, progress=False)
    finally:
        kept.rename(gone)
    assert (told.items, told.from_thumbnails) == (1, 1)
    assert shop.info()["encoder"] == OTHER


@pytest.mark.usefixtures("nodes")
def test_a_collection_in_lance_is_migrated_too(
    catalog: Path, tmp_path: Path, expected: dict[str, tuple[list[float], object]]
) -> None:
    with lookalike.create(tmp_path / "shop.lance") as shop:
        shop.add(catalog, progress=False)
        assert shop.migrate(OTHER, on="ray", progress=False).items == 60
        found = contents(shop)
    assert found.keys() == expected.keys()
    assert all(np.array_equal(found[id][0], expected[id][0]) for id in expected)
