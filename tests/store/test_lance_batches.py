"""Batches that workers write and a driver makes part of a collection in one step."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from lookalike.errors import CollectionBusy, FingerprintMismatch, InputError
from s3_server import s3_uri
from store_records import FINGERPRINT, record, space, unit

pytest.importorskip("lance", reason="needs Lance: pip install 'lookalike[lance]'")

from lookalike.store import lance_batches, object_places
from lookalike.store.lance_batches import write_items
from lookalike.store.lance_store import LanceStore


def open_new(place: str, tmp_path: Path) -> LanceStore:
    return LanceStore.create(place, space(), cache=tmp_path / "cache")


@pytest.mark.parametrize("where", ["local", "s3"])
def test_batches_of_workers_come_in_together(tmp_path: Path, where: str) -> None:
    place = str(tmp_path / "shop.lance") if where == "local" else s3_uri(tmp_path)
    with open_new(place, tmp_path) as store:
        store.put([record("old"), record("1/3", seed=9)], FINGERPRINT)
        to = pickle.loads(pickle.dumps(store.destination()))
        written = [
            pickle.loads(
                pickle.dumps(write_items(to, [record(f"{n}/{i}", {"n": n}, seed=i) for i in range(5)]))
            )
            for n in range(3)
        ]
        assert store.count() == 2, "nobody looks at what was not put"
        version = store.version()
        store.put_written(written, FINGERPRINT)
        assert (store.count(), store.version()) == (16, version + 1)
        assert np.allclose(store.vectors(store.rows(["1/3"]))[0], unit(3), atol=1e-3)
        assert list(store.verify()) == []
        store.put_written([], FINGERPRINT)
        assert store.version() == version + 1
        with LanceStore.open(place, cache=tmp_path / "new") as late:
            assert late.count() == 16


def test_an_id_in_two_batches_or_another_fingerprint_is_refused(tmp_path: Path) -> None:
    with open_new(str(tmp_path / "shop.lance"), tmp_path) as store:
        batches = [write_items(store.destination(), [record("a")]) for _ in range(2)]
        with pytest.raises(InputError, match="several batches"):
            store.put_written(batches, FINGERPRINT)
        with pytest.raises(FingerprintMismatch):
            store.put_written(batches[:1], "feedfeedfeedfeed")
        assert store.count() == 0


def test_batches_for_a_dataset_that_was_replaced_are_refused_and_erased(tmp_path: Path) -> None:
    root = tmp_path / "shop.lance"
    with open_new(str(root), tmp_path) as store:
        written = write_items(store.destination(), [record("a", {"word": "zqxjkvbw"})])
        assert any(b"zqxjkvbw" in path.read_bytes() for path in root.rglob("*.lance") if path.is_file())
        store.compact()
        assert not any(b"zqxjkvbw" in path.read_bytes() for path in root.rglob("*") if path.is_file())
        with pytest.raises(CollectionBusy, match="write them again"):
            store.put_written([written], FINGERPRINT)
        store.put_written([write_items(store.destination(), [record("a")])], FINGERPRINT)
        assert store.count() == 1


def test_workers_open_the_collection_as_the_user_of_the_url_and_show_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "milvus://root:SECRET@host:19530/default/shop"
    with open_new(str(tmp_path / "shop.lance"), tmp_path) as store:
        assert store.destination().url == ""
        monkeypatch.setattr(store._replica.place, "url", url)
        to = pickle.loads(pickle.dumps(store.destination()))
        assert to.url == url
        assert "SECRET" not in f"{to!r} {to} {to.uri}"
        opened: list[str] = []

        def place_of(uri: str) -> object_places.Place:
            opened.append(uri)
            return store._replica.place

        monkeypatch.setattr(lance_batches, "place_of", place_of)
        assert write_items(to, [record("a")]).ids == ("a",)
        assert opened == [url]
