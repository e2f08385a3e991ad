"""The saved map as columns: read back by pyarrow as what the collection holds."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from PIL import Image

import lookalike
from lookalike.collection import Collection
from lookalike.collection.item_ids import ids_of
from lookalike.collection.labels import AttributeName, read_labels
from lookalike.errors import InputError, NotFitted
from small_shop import ITEMS, copied_shop


@pytest.fixture
def shop(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Iterator[Collection]:
    with lookalike.open(copied_shop(tmp_path_factory.getbasetemp(), tmp_path)) as collection:
        yield collection


def arrow(data: bytes) -> pyarrow.Table:
    with pyarrow.ipc.open_stream(data) as stream:
        table = stream.read_all()
    table.validate(full=True)
    return table


def add_pictures(shop: Collection, folder: Path, count: int) -> None:
    folder.mkdir()
    for number in range(count):
        colour = (40 * number % 255, 90 * number % 255, 200)
        Image.new("RGB", (64, 48), colour).save(folder / f"{number}.png")
    shop.add(folder, progress=False)


def test_every_type_comes_as_itself_and_missing_values_are_null(shop: Collection) -> None:
    first, second, third = (item.id for item in list(shop)[:3])
    shop.set_attributes(
        {
            first: {"count": 3, "weight": 1.5, "new": True, "note": "Größe ✓"},
            second: {"count": -(2**53), "weight": -0.25, "new": False, "note": ""},
        }
    )
    shop.map(progress=False)
    names = ("count", "weight", "new", "note", "tags")
    table = arrow(shop.map_table(*names).to_arrow())
    assert [str(table.schema.field(name).type) for name in names] == [
        "int64",
        "double",
        "bool",
        "string",
        "list<item: string>",
    ]
    rows = {row["id"]: row for row in table.to_pylist()}
    for id in (first, second, third):
        expected = shop.item(id).attributes
        assert {name: rows[id][name] for name in names} == {name: expected.get(name) for name in names}
    assert rows[third]["count"] is None
    assert len(rows) == ITEMS


def test_an_attribute_that_is_named_like_a_column_keeps_both(shop: Collection) -> None:
    first = next(iter(shop)).id
    shop.set_attributes({first: {"cluster": "A-17", "x": 2.5}})
    shop.map(progress=False)
    (row,) = [
        row for row in arrow(shop.map_table("cluster", "x").to_arrow()).to_pylist() if row["id"] == first
    ]
    assert (row["attribute:cluster"], row["attribute:x"]) == ("A-17", 2.5)
    assert row["x"] == pytest.approx(float(shop.map_table().xy[0, 0]))


def test_ids_are_those_of_the_items_without_those_that_are_gone(shop: Collection) -> None:
    items = list(shop)
    rows = np.array([item.row for item in items] + [10**6])
    expected = {item.row: item.id for item in items}
    assert ids_of(shop._store, rows) == expected
    shop.remove(items[2].id)
    del expected[items[2].row]
    assert ids_of(shop._store, rows) == expected


def test_clusters_are_minus_one_for_noise_and_null_before_clustering(shop: Collection) -> None:
    shop.map(progress=False)
    assert shop.map_table().clusters is None
    groups = shop.cluster(method="density", stability=False)
    table = shop.map_table()
    assert table.clusters is not None
    assert dict(zip(table.ids, table.clusters.tolist(), strict=True)) == dict(groups.labels)
    assert -1 in table.clusters


def test_newer_items_are_placed_and_too_many_wait_for_the_next_layout(
    shop: Collection, tmp_path: Path
) -> None:
    shop.map(progress=False)
    before = dict(zip(shop.map_table().ids, shop.map_table().xy.tolist(), strict=True))
    add_pictures(shop, tmp_path / "few", 4)
    table = shop.map_table()
    assert int(table.placed.sum()) == 4
    after = dict(zip(table.ids, table.xy.tolist(), strict=True))
    assert {id: after[id] for id in before} == before
    add_pictures(shop, tmp_path / "many", 80)
    assert len(shop.map_table()) == ITEMS + 4
    assert len(shop.map(progress=False)) == ITEMS + 84
    assert len(shop.map_table()) == ITEMS + 84


def test_a_filter_selects_and_a_stamp_changes_with_the_items(shop: Collection) -> None:
    shop.map(progress=False)
    stamp = shop.map_stamp()
    assert 0 < len(shop.map_table(where="price < 100")) < ITEMS
    assert shop.map_stamp() == stamp
    shop.set_attributes({next(iter(shop)).id: {"note": "seen"}})
    assert shop.map_stamp() != stamp


def test_parquet_holds_the_same_table(shop: Collection) -> None:
    shop.map(progress=False)
    table = shop.map_table("category", "price", "tags")
    assert pyarrow.parquet.read_table(io.BytesIO(table.to_parquet())).equals(arrow(table.to_arrow()))


def test_a_map_without_items_is_an_empty_table(shop: Collection) -> None:
    shop.map(progress=False)
    table = arrow(shop.map_table("tags", "price", where="price < 0").to_arrow())
    assert (len(table), table.column_names[-2:]) == (0, ["tags", "price"])


def test_what_is_not_there_is_refused(shop: Collection) -> None:
    with pytest.raises(NotFitted):
        shop.map_table()
    with pytest.raises(InputError, match="there is no attribute 'uri': choose of category"):
        shop.map_table("uri")


def test_an_attribute_name_is_never_a_file(shop: Collection, tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text(f"id,label\n{next(iter(shop)).id},a\n")
    rows = np.array([item.row for item in shop])
    assert len(read_labels(shop._store, str(table), rows).labels) == 1
    with pytest.raises(InputError, match="are no attribute: the collection has category"):
        read_labels(shop._store, AttributeName(table), rows)
    assert read_labels(shop._store, AttributeName("category"), rows).attribute == "category"


def test_items_that_are_still_there_are_told_from_those_that_are_gone(shop: Collection) -> None:
    ids = [item.id for item in shop]
    shop.remove(ids[3])
    assert shop.still_there([*ids, "small/nothing.jpg"]) == set(ids) - {ids[3]}
