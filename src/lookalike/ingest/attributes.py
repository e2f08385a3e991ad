"""An attributes table (CSV, TSV or Parquet) by item id: typed, on disk, whatever its size."""

from __future__ import annotations

import csv
import json
import math
import re
import sqlite3
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias, cast

from lookalike.errors import InputError, MissingExtra
from lookalike.store.attribute_values import checked_name
from lookalike.types import TAGS, AttributeType, AttributeValue

_INTEGER = re.compile(r"[+-]?(0|[1-9]\d{0,17})")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_BOOLEAN = {"true": True, "false": False}
_WIDER: dict[frozenset[AttributeType], AttributeType] = {frozenset({"integer", "number"}): "number"}
_BATCH = 1000

_Row: TypeAlias = tuple[str, dict[str, AttributeValue]]
"""A key and the values of the other columns."""


class AttributeTable:
    """Attribute values by item id, kept in a temporary database so that any size fits.

    Args:
        path: ``.csv`` or ``.tsv`` (UTF-8, first line names the columns; the type of a column is the narrowest
            of boolean, integer, number, text that fits all its cells; an empty cell is not set; digits with
            leading zeros are text) or ``.parquet`` (needs the extra ``arrow``).
        key: The column that holds item ids.

    Attributes:
        types: The type of each column but the key.

    Raises:
        InputError: If the file cannot be read as such a table, lacks the key column, names a key twice, or has a
            column whose name cannot be an attribute's.
        MissingExtra: For Parquet without PyArrow.
    """

    types: dict[str, AttributeType]

    def __init__(self, path: Path, key: str) -> None:
        if not path.is_file():
            raise InputError(f"attributes table {path} is not a file: expected a .csv, .tsv or .parquet file")
        self._db = sqlite3.connect("")
        self._db.execute(
            "CREATE TABLE rows (key TEXT PRIMARY KEY, value TEXT NOT NULL, taken INTEGER DEFAULT 0)"
        )
        try:
            self._load(path, key)
        except BaseException:
            self._db.close()
            raise

    def _load(self, path: Path, key: str) -> None:
        if path.suffix.lower() == ".parquet":
            self.types, rows = _parquet_table(path, key)
        else:
            self.types, rows = _csv_table(path, key)
        encoded = ((k, json.dumps(values)) for k, values in rows)
        while batch := list(islice(encoded, _BATCH)):
            try:
                self._db.executemany("INSERT INTO rows (key, value) VALUES (?, ?)", batch)
            except sqlite3.IntegrityError:
                twice = self._repeated([k for k, _ in batch])
                raise InputError(
                    f"{path}: key {twice!r} stands in column {key!r} more than once; "
                    "expected one row for each item, and item ids in that column"
                ) from None
        self._db.commit()

    def _repeated(self, keys: Sequence[str]) -> str:
        """The first key of a refused batch that is there already, or twice in the batch."""
        seen: set[str] = set()
        for key in keys:
            stored = self._db.execute("SELECT count(*) FROM rows WHERE key = ?", (key,)).fetchone()[0]
            if key in seen or stored > (key not in seen and keys.count(key) == 1):
                return key
            seen.add(key)
        return keys[0]

    def take(self, ids: Sequence[str]) -> dict[str, Mapping[str, AttributeValue]]:
        """Values of these ids, which count as matched now; ids that the table lacks are left out."""
        found = self.values(ids)
        self._db.executemany("UPDATE rows SET taken = 1 WHERE key = ?", [(key,) for key in found])
        return found

    def values(self, ids: Sequence[str]) -> dict[str, Mapping[str, AttributeValue]]:
        """Values of these ids, without counting them as matched; ids that the table lacks are left out."""
        found: dict[str, Mapping[str, AttributeValue]] = {}
        for start in range(0, len(ids), _BATCH):
            part = list(ids[start : start + _BATCH])
            marks = ",".join("?" * len(part))
            rows = self._db.execute(f"SELECT key, value FROM rows WHERE key IN ({marks})", part).fetchall()
            found |= {key: json.loads(value) for key, value in rows}
        return found

    def first_text(self, attribute: str) -> tuple[str, str]:
        """The first key and cell of a text column that is neither a number nor a boolean."""
        for key, values in self._db.execute("SELECT key, value FROM rows ORDER BY rowid"):
            cell = json.loads(values).get(attribute)
            if isinstance(cell, str) and _type_of(cell) == "text":
                return key, cell
        return "", ""

    def unmatched(self) -> int:
        """Rows whose key no call of :meth:`take` has asked for."""
        return int(self._db.execute("SELECT count(*) FROM rows WHERE taken = 0").fetchone()[0])

    def require_ids(self, ids: Sequence[str], sources: Sequence[str]) -> None:
        """Make sure that the key column holds item ids, before anything is embedded for nothing.

        Args:
            ids: A few ids of the run.
            sources: The names that ids of the run begin with.

        Raises:
            InputError: If none of these ids is a key and no key begins like an id.
        """
        if self.take(ids):
            return
        for name in sources:
            like = "SELECT 1 FROM rows WHERE key >= ? AND key < ? LIMIT 1"
            if self._db.execute(like, (name + "/", name + chr(ord("/") + 1))).fetchone():
                return
        keys = [key for (key,) in self._db.execute("SELECT key FROM rows LIMIT 3")]
        raise InputError(
            "no key of the attributes table is an item's id, so nothing was indexed: "
            f"keys are like {', '.join(map(repr, keys)) or 'none'}, ids like {', '.join(map(repr, ids[:3]))}; "
            "name the column that holds ids with --key"
        )

    def close(self) -> None:
        """Drop the temporary database."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _csv_table(path: Path, key: str) -> tuple[dict[str, AttributeType], Iterator[_Row]]:
    """Types, keys and typed values of a CSV file: one pass for the types, one for the values."""
    types: dict[str, AttributeType] = {}
    with closing(_csv_cells(path, key)) as rows:
        for _, cells in rows:
            for name, cell in cells.items():
                own = _type_of(cell) if name != TAGS else "text"
                types[name] = own if name not in types else _wider(types[name], own)

    def typed_rows() -> Iterator[_Row]:
        with closing(_csv_cells(path, key)) as rows:
            for value, cells in rows:
                yield value, {name: _typed(cells.get(name, ""), kind) for name, kind in types.items()}

    return types, typed_rows()


def _csv_cells(path: Path, key: str) -> Generator[tuple[str, dict[str, str]], None, None]:
    """Keys and the non-empty cells of the other columns."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            delimiter = max(",;\t", key=first.count)
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            header = next(reader, [])
            at = _key_position(path, header, key)
            for cells in reader:
                if not cells:
                    continue
                if len(cells) != len(header):
                    raise InputError(
                        f"{path}, line {reader.line_num}: {len(cells)} cells, expected {len(header)} as in the "
                        "first line; put cells that contain the separator into double quotes"
                    )
                yield (
                    cells[at],
                    {n: c for i, (n, c) in enumerate(zip(header, cells, strict=True)) if i != at and c},
                )
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is not UTF-8 text ({error.reason} at byte {error.start}): save it as UTF-8"
        ) from None
    except csv.Error as error:
        raise InputError(f"{path} cannot be read as CSV: {error}") from None


def _key_position(path: Path, header: Sequence[str], key: str) -> int:
    if key not in header:
        raise InputError(
            f"{path} has no column {key!r} for the item ids: choose one of {', '.join(header) or 'none'}"
        )
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise InputError(f"{path} names the column {twice[0]!r} more than once: rename one of them")
    for name in header:
        if name != key:
            checked_name(name)
    return list(header).index(key)


def _type_of(cell: str) -> AttributeType:
    if cell.lower() in _BOOLEAN:
        return "boolean"
    if _INTEGER.fullmatch(cell):
        return "integer"
    leading_zeros = len(cell) > 1 and cell[0] == "0" and cell[1].isdigit()
    if _NUMBER.fullmatch(cell) and not leading_zeros and math.isfinite(float(cell)):
        return "number"
    return "text"


def _wider(a: AttributeType, b: AttributeType) -> AttributeType:
    return a if a == b else _WIDER.get(frozenset({a, b}), "text")


def _typed(cell: str, kind: AttributeType) -> AttributeValue:
    if cell == "":
        return None
    if kind == "boolean":
        return _BOOLEAN[cell.lower()]
    if kind == "integer":
        return int(cell)
    return float(cell) if kind == "number" else cell


def _parquet_table(path: Path, key: str) -> tuple[dict[str, AttributeType], Iterator[_Row]]:
    """Types, keys and values of a Parquet file, which is read row group by row group."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtra(f"reading {path}", "arrow") from None

    def rows() -> Iterator[_Row]:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_BATCH):
                for row in batch.to_pylist():
                    value = row.pop(key)
                    yield str(value), {name: _plain(cell) for name, cell in row.items()}

    try:
        schema = pq.read_schema(path)
    except pa.ArrowInvalid as error:
        raise InputError(f"{path} cannot be read as Parquet: {error}") from None
    _key_position(path, schema.names, key)
    return {field.name: _arrow_type(field.type) for field in schema if field.name != key}, rows()


def _arrow_type(kind: Any) -> AttributeType:
    import pyarrow as pa

    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_integer(kind):
        return "integer"
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "number"
    return "list" if pa.types.is_list(kind) or pa.types.is_large_list(kind) else "text"


def _plain(cell: Any) -> AttributeValue:
    """A Parquet cell as an attribute value: dates as ISO text, lists as lists of text."""
    if cell is None or isinstance(cell, bool | int | str):
        return cell
    if isinstance(cell, float | Decimal):
        return float(cell) if math.isfinite(cell) else None
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    if isinstance(cell, list):
        return [str(entry) for entry in cell]
    if isinstance(cell, bytes):
        return cell.hex()
    return json.dumps(cast("object", cell), default=str)
