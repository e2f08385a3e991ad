"""A collection goes to Milvus and back, and answers the same on the way."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

import lookalike
from lookalike.collection.copying import copy
from lookalike.collection.facade import Collection
from lookalike.errors import CollectionNotFound
from milvus_servers import lite_uri, server_uri
from shop_visits import visits


@pytest.fixture(params=[lite_uri, server_uri], ids=["milvus-lite", "milvus"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "cache"))
    return str(request.param(f"shop_{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:16]}"))


def answers(shop: Collection, photo: Path) -> dict[str, object]:
    ids = [item.id for item in shop]
    return {
        "ids": ids,
        "filter": [hit.id for hit in shop.search(photo, k=8, where="price < 200", recall=1)],
        "clusters": (shop.clusters().labels, shop.clusters().medoids),
        "classes": [each.label for each in shop.classifier().predict(ids[:40])],
        "counts": shop.interaction_counts().events,
        "thumbnail": shop.thumbnail(ids[0]),
    }


def test_a_shop_goes_to_milvus_and_back(shop: Collection, sample: Path, place: str, tmp_path: Path) -> None:
    photo = next((sample / "customer").glob("*.jpg"))
    ids = [item.id for item in shop]
    shop.remove(ids[:5])
    shop.add_interactions(visits(sample, users=20), progress=False)
    shop.cluster(granularity="coarse", progress=False)
    shop.train_classifier("category", progress=False)
    shop.remove(ids[40:50])
    expected = answers(shop, photo)
    there = copy(shop.path, place, progress=False)
    with lookalike.open(place) as moved:
        assert moved.verify() == []
        assert answers(moved, photo) == expected
    lance = copy(place, tmp_path / "back.lance", progress=False)
    back = copy(tmp_path / "back.lance", tmp_path / "back.lookalike", progress=False)
    assert there.digest == lance.digest == back.digest
    with lookalike.open(tmp_path / "back.lookalike") as moved:
        assert answers(moved, photo) == expected


@pytest.mark.parametrize("place", [lite_uri], ids=["milvus-lite"], indirect=True)
def test_an_interrupted_copy_leaves_nothing_in_milvus(shop: Collection, place: str) -> None:
    def stop(done: int, _: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy(shop.path, place, progress=stop)
    with pytest.raises(CollectionNotFound):
        lookalike.open(place)
