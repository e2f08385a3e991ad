"""The life of a collection: create, open, remove, verify, compact, export, migrate."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import lookalike
from lookalike.collection.facade import Collection
from lookalike.errors import (
    CollectionExists,
    CollectionNotFound,
    DamagedCollection,
    FingerprintMismatch,
    InputError,
    StoreError,
    UnknownItem,
)

BALL = "catalog/BlendSwapCC0-basketball_0.jpg"


def test_creating_over_something_is_refused(shop: Collection, tmp_path: Path) -> None:
    with pytest.raises(CollectionExists):
        lookalike.create(shop.path)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "precious.txt").write_text("keep me")
    with pytest.raises(CollectionExists):
        lookalike.create(tmp_path / "notes")
    assert (tmp_path / "notes" / "precious.txt").read_text() == "keep me"


def test_opening_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CollectionNotFound, match=r"missing\.lookalike"):
        lookalike.open(tmp_path / "missing.lookalike")
    assert not (tmp_path / "missing.lookalike").exists()


def test_opening_something_else_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "x.lookalike"
    folder.mkdir()
    (folder / "collection.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(DamagedCollection):
        lookalike.open(folder)


def test_removed_items_are_gone_from_every_answer(shop: Collection) -> None:
    assert shop.remove([BALL]) == 1
    assert BALL not in shop
    assert len(shop) == 329
    assert all(hit.id != BALL for hit in shop.search("basketball"))
    with pytest.raises(UnknownItem):
        shop.remove(["catalog/nobody.jpg"])


def test_remove_by_filter(shop: Collection) -> None:
    cheap = sum(item.attributes["price"] < 50 for item in shop)
    assert shop.remove(where="price < 50") == cheap > 0
    assert len(shop) == 330 - cheap


@pytest.mark.parametrize("arguments", [{}, {"ids": [BALL], "where": "in_stock"}])
def test_remove_wants_one_way_of_saying_what(shop: Collection, arguments: dict[str, object]) -> None:
    with pytest.raises(InputError, match="either ids or a filter"):
        shop.remove(**arguments)  # type: ignore[arg-type]


def test_compact_erases_what_was_removed_from_every_file(shop: Collection) -> None:
    folder = Path(shop.path)
    item = shop.item(BALL)
    thumbnail = shop.thumbnail(BALL)
    vector = shop.search(BALL, k=1) and np.float16(shop._store.vectors([item.row])[0])
    shop.remove([BALL])
    shop.compact()
    for path in (p for p in folder.rglob("*") if p.is_file()):
        data = path.read_bytes()
        assert BALL.encode() not in data, path
        assert thumbnail[100:200] not in data, path
        assert vector.tobytes()[:64] not in data, path
    assert shop.verify() == []
    assert len(shop.search("catalog/BlendSwapCC0-basketball_1.jpg", k=5)) == 5


def test_verify_is_quiet_when_sound_and_names_the_damage(shop: Collection) -> None:
    assert shop.verify() == []
    derived = [
        p for p in (Path(shop.path) / "derived").rglob("*") if p.is_file() and p.stat().st_size > 10_000
    ]
    assert derived
    with derived[0].open("r+b") as file:
        file.seek(5_000)
        file.write(b"\xff" * 16)
    assert shop.verify()
    shop.close()
    with lookalike.open(shop.path) as again:
        assert again.verify(), "opening must not repair what verify has not named yet"
        again.compact()
        assert again.verify() == []


def test_derived_files_can_be_deleted_at_any_time(shop_folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.lookalike"
    shutil.copytree(shop_folder, copy)
    with lookalike.open(copy) as collection:
        expected = [hit.id for hit in collection.search(BALL)]
    shutil.rmtree(copy / "derived")
    with lookalike.open(copy) as collection:
        assert [hit.id for hit in collection.search(BALL)] == expected


def test_export_npy_has_the_vectors_and_a_table_of_the_same_rows(shop: Collection, tmp_path: Path) -> None:
    done = shop.export(tmp_path / "vectors.npy")
    vectors = np.load(tmp_path / "vectors.npy")
    with (tmp_path / "vectors.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert done.items == len(rows) == len(vectors) == 330
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)
    at = [row["id"] for row in rows].index(BALL)
    assert float(rows[at]["price"]) == shop.item(BALL).attributes["price"]
    assert rows[at]["in_stock"] in ("true", "false")
    assert shop.search(vectors[at], k=1)[0].id == BALL


def test_export_parquet_round_trips(shop: Collection, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra arrow is not installed")
    shop.export(tmp_path / "items.parquet")
    table = parquet.read_table(tmp_path / "items.parquet").to_pylist()
    row = next(r for r in table if r["id"] == BALL)
    assert len(table) == 330
    assert len(row["embedding"]) == 1280
    assert row["tags"] == shop.item(BALL).attributes["tags"]
    assert row["price"] == shop.item(BALL).attributes["price"]


def test_export_elsewhere_is_refused_and_leaves_nothing(shop: Collection, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.npy or \.parquet"):
        shop.export(tmp_path / "items.json")
    with pytest.raises(InputError, match="does not exist"):
        shop.export(tmp_path / "nowhere" / "items.npy")
    assert {p.name for p in tmp_path.iterdir()} == {"shop.lookalike"}


def test_migrate_changes_the_encoder_of_all_items_at_once(shop: Collection, sample: Path) -> None:
    before = shop.item(BALL)
    done = shop.migrate("efficientnet-lite2", progress=False)
    assert done.items == 330
    assert done.new_fingerprint == shop.info()["fingerprint"] != done.old_fingerprint
    assert shop.encoder.spec.name == "efficientnet-lite2"
    assert shop.search(sample / BALL, k=1)[0].score > 0.999
    assert shop.item(BALL).attributes["price"] == before.attributes["price"]
    assert shop.verify() == []
    with pytest.raises(InputError, match="already"):
        shop.migrate("efficientnet-lite2", progress=False)


def test_migrate_without_the_originals_keeps_the_old_vectors_or_uses_thumbnails(
    tmp_path: Path, pictures: Path
) -> None:
    with lookalike.create(tmp_path / "c.lookalike") as collection:
        collection.add(pictures, progress=False)
        old = collection.info()["fingerprint"]
        sorted(pictures.glob("*.jpg"))[0].unlink()
        with pytest.raises(StoreError, match=r"(?s)picture of 1 item cannot be embedded.*--from-thumbnails"):
            collection.migrate("efficientnet-lite2", progress=False)
        assert collection.info()["fingerprint"] == old
        done = collection.migrate("efficientnet-lite2", from_thumbnails=True, progress=False)
        assert done.from_thumbnails == 1
        assert len(collection.search(next(iter(collection)).id, k=11)) == 11


def test_another_encoder_is_refused_with_both_fingerprints_and_the_way_out(shop: Collection) -> None:
    with pytest.raises(FingerprintMismatch, match="migrate") as caught:
        shop.require_encoder("efficientnet-lite2")
    assert caught.value.expected in str(caught.value)
    assert caught.value.got in str(caught.value)
    shop.require_encoder("efficientnet-lite0")


def test_embed_gives_normalised_rows_in_order(sample: Path) -> None:
    paths = sorted((sample / "catalog").glob("*.jpg"))[:5]
    vectors = lookalike.embed(paths)
    assert vectors.shape == (5, 1280)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert np.array_equal(lookalike.embed(paths[::-1]), vectors[::-1])
    assert np.array_equal(lookalike.embed(paths[2].read_bytes())[0], vectors[2])
    assert lookalike.embed([]).shape == (0, 1280)


def test_early_layers_answer_differently(sample: Path) -> None:
    paths = sorted((sample / "catalog").glob("*.jpg"))[:3]
    early = lookalike.embed(paths, layer="stage2")
    assert early.shape[0] == 3
    assert early.shape[1] < 100


def test_info_describes(shop: Collection) -> None:
    facts = shop.info()
    assert facts["items"] == 330
    assert facts["attributes"]["price"] == "number"
    assert facts["attributes"]["in_stock"] == "boolean"
    assert facts["sources"].keys() == {"catalog"}
    assert facts["bytes"]["record"] > 1_000_000


def test_evaluate_index_agrees_with_exact_when_it_is_exact(shop: Collection) -> None:
    report = shop.evaluate_index(k=10, queries=50)
    assert report.recall == 1


def test_a_migration_of_the_layer_alone_keeps_the_network(tmp_path: Path, pictures: Path) -> None:
    with lookalike.create(tmp_path / "c.lookalike", encoder="efficientnet-lite2") as collection:
        collection.add(pictures, progress=False)
        collection.migrate(layer="stage5", progress=False)
        assert collection.encoder.spec.name == "efficientnet-lite2"
        assert collection.encoder.spec.layer == "stage5"


def test_an_indexing_run_leaves_all_derived_files(shop_folder: Path) -> None:
    assert {"background.bin", "vectors.json"} <= {path.name for path in (shop_folder / "derived").iterdir()}


def test_an_export_never_overwrites_another_table(shop: Collection, tmp_path: Path) -> None:
    (tmp_path / "catalog.csv").write_text("the shop's own table")
    with pytest.raises(InputError, match=r"would overwrite .*catalog\.csv"):
        shop.export(tmp_path / "catalog.npy")
    assert (tmp_path / "catalog.csv").read_text() == "the shop's own table"
    shop.export(tmp_path / "mine.npy")
    assert shop.export(tmp_path / "mine.npy").items == 330


def test_attributes_named_like_exported_columns_are_kept_apart(shop: Collection, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra arrow is not installed")
    shop.set_attributes({BALL: {"width": 24.5, "embedding": "soft", "sha256": "mine"}})
    shop.export(tmp_path / "items.parquet")
    row = next(r for r in parquet.read_table(tmp_path / "items.parquet").to_pylist() if r["id"] == BALL)
    assert (row["width"], row["image_width"]) == (24.5, shop.item(BALL).width)
    assert row["attribute_embedding"] == "soft"
    assert row["attribute_sha256"] == "mine"
    assert len(row["embedding"]) == 1280


def test_a_collection_that_cannot_be_written_still_answers(shop_folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.lookalike"
    shutil.copytree(shop_folder, copy)
    done = subprocess.run(
        [sys.executable, "-c", READ_ONLY, str(copy)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [BALL, "refused"]


READ_ONLY = """
import os, sys, lookalike
real = os.access
os.access = lambda path, mode, **options: mode != os.W_OK and real(path, mode, **options)
with lookalike.open(sys.argv[1]) as collection:
    print(collection.search(lookalike.sample_path() / "catalog/BlendSwapCC0-basketball_0.jpg", k=1)[0].id)
    try:
        collection.remove("catalog/BlendSwapCC0-basketball_0.jpg")
    except lookalike.LookalikeError:
        print("refused")
"""
