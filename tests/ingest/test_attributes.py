"""Attribute tables: types, refusals, lookups."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from lookalike.errors import InputError
from lookalike.ingest.attributes import AttributeTable


def write(tmp_path: Path, text: str, name: str = "table.csv", encoding: str = "utf-8") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding=encoding)
    return path


def test_types_are_the_narrowest_that_fit_the_whole_column(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "id,price,stock,count,code,name,gap\na,9.5,true,3,007,Sofa,\nb,12,False,-4,123,7,5\n",
    )
    with AttributeTable(path, "id") as table:
        assert table.take(["a", "b"]) == {
            "a": {"price": 9.5, "stock": True, "count": 3, "code": "007", "name": "Sofa", "gap": None},
            "b": {"price": 12.0, "stock": False, "count": -4, "code": "123", "name": "7", "gap": 5},
        }


@pytest.mark.parametrize(
    "cell", ["nan", "inf", "1e999", "12 345", "1_000", "0x1f", "99999999999999999999999"]
)
def test_what_only_looks_like_a_number_stays_exact_text(tmp_path: Path, cell: str) -> None:
    with AttributeTable(write(tmp_path, f"id,value\na,{cell}\nb,x\n"), "id") as table:
        assert table.take(["a"])["a"]["value"] == cell


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separator_is_found_in_the_first_line(tmp_path: Path, separator: str) -> None:
    path = write(tmp_path, f"id{separator}price\na{separator}5\n")
    with AttributeTable(path, "id") as table:
        assert table.take(["a"]) == {"a": {"price": 5}}


def test_byte_order_mark_of_a_spreadsheet_is_ignored(tmp_path: Path) -> None:
    with AttributeTable(write(tmp_path, "id,price\na,5\n", encoding="utf-8-sig"), "id") as table:
        assert table.take(["a"]) == {"a": {"price": 5}}


def test_tags_stay_text_even_when_they_look_like_numbers(tmp_path: Path) -> None:
    with AttributeTable(write(tmp_path, "id,tags\na,1950\n"), "id") as table:
        assert table.take(["a"]) == {"a": {"tags": "1950"}}


def test_unmatched_counts_the_rows_nobody_asked_for(tmp_path: Path) -> None:
    with AttributeTable(write(tmp_path, "id,n\na,1\nb,2\nc,3\n"), "id") as table:
        table.take(["a", "nobody"])
        assert table.unmatched() == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,price\na,5\n", "no column 'id'.*choose one of file, price"),
        ("", "no column 'id'"),
        ("id,n\na,1\nb,2\na,3\n", "key 'a' stands in column 'id' more than once"),
        ("id,n,n\na,1,2\n", "names the column 'n' more than once"),
        ("id,n\na,1,2\n", "line 2: 3 cells, expected 2"),
        ('id,n\na,"1\n', "cannot be read as CSV"),
    ],
)
def test_a_table_that_is_none_is_refused_with_the_reason(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        AttributeTable(write(tmp_path, text), "id")


def test_other_encodings_are_refused_with_the_byte(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"not UTF-8.*at byte 12"):
        AttributeTable(write(tmp_path, "id,name\na,So\xf6fa\n", encoding="latin-1"), "id")


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.csv is not a file"):
        AttributeTable(tmp_path / "nothing.csv", "id")


def test_keys_that_are_no_ids_are_refused_with_examples_of_both(tmp_path: Path) -> None:
    with (
        AttributeTable(write(tmp_path, "id,n\nchair,1\n"), "id") as table,
        pytest.raises(InputError, match=r"'chair'.*'catalog/a\.jpg'.*--key"),
    ):
        table.require_ids(["catalog/a.jpg"], ["catalog"])


def test_keys_of_the_same_source_are_accepted_even_if_the_first_ids_have_none(tmp_path: Path) -> None:
    with AttributeTable(write(tmp_path, "id,n\ncatalog/z.jpg,1\n"), "id") as table:
        table.require_ids(["catalog/a.jpg"], ["catalog"])
        assert table.unmatched() == 1


def test_parquet_gives_the_same_values_as_csv(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="the extra arrow is not installed")
    from pyarrow import parquet

    columns = {
        "id": ["a", "b"],
        "price": [9.5, None],
        "stock": [True, False],
        "tags": [["red", "wood"], []],
        "since": [date(2024, 5, 1), None],
    }
    parquet.write_table(pa.table(columns), tmp_path / "table.parquet")
    with AttributeTable(tmp_path / "table.parquet", "id") as table:
        assert table.take(["a", "b"]) == {
            "a": {"price": 9.5, "stock": True, "tags": ["red", "wood"], "since": "2024-05-01"},
            "b": {"price": None, "stock": False, "tags": [], "since": None},
        }
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 this is none")
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        AttributeTable(tmp_path / "broken.parquet", "id")


def test_a_large_table_is_looked_up_in_any_order(tmp_path: Path) -> None:
    lines = "\n".join(f"item{n},{n}" for n in range(5000))
    with AttributeTable(write(tmp_path, f"id,n\n{lines}\n"), "id") as table:
        wanted = [f"item{n}" for n in range(4999, -1, -3)]
        found = table.take(wanted)
        assert found == {id: {"n": int(id[4:])} for id in wanted}
