"""Where labels come from: an attribute, a table, or a mapping given by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from lookalike.errors import InputError
from lookalike.ingest.attributes import AttributeTable
from lookalike.store.base import Store
from lookalike.types import AttributeValue, Rows

Labels: TypeAlias = "str | PathLike[str] | Mapping[str, str | None]"
"""An attribute's name, a table's path, or labels by item id."""

BATCH = 1024


class AttributeName(str):
    """A text that means an attribute and nothing else; a plain text may also be a table's path.

    For faces that answer strangers: what they ask for must not read the files of the machine that answers.
    """

    __slots__ = ()


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Items of a collection with their labels.

    Args:
        rows: int64 (n,), labelled items, ascending.
        labels: n names.
        unlabelled: int64 (m,), the other items.
        attribute: The attribute that the labels came from, or None.
        source: What they came from, for a result's provenance.
    """

    rows: Rows
    labels: list[str]
    unlabelled: Rows
    attribute: str | None
    source: Mapping[str, Any]


def read_labels(
    store: Store, labels: Labels, rows: Rows, *, key: str = "id", column: str | None = None
) -> Labelled:
    """Labels of the items of some rows; empty ones are no labels.

    Args:
        store: The record.
        labels: An attribute's name; the path of a CSV, TSV or Parquet table; or ``{id: label}``.
        rows: int64 (n,), ascending: the items to look at.
        key: The table's column that holds item ids.
        column: Its column that holds labels; by default ``label``, or the only other one.

    Raises:
        InputError: If it is none of these, or the attribute or column holds no classes.
        UnknownItem: If the mapping names an id that the collection does not hold.
    """
    if isinstance(labels, Mapping):
        return _from_mapping(store, labels, rows)
    if not isinstance(labels, str | PathLike):
        raise InputError(
            f"labels of type {type(labels).__name__}: expected an attribute's name, a table's path or {{id: label}}"
        )
    schema = store.schema()
    if isinstance(labels, str) and labels in schema:
        _refuse_type(f"attribute {labels!r}", schema[labels])
        values = [v for part in _parts(rows) for v in store.column(labels, part)]
        return _sorted_out(rows, values, labels, {"attribute": labels})
    if isinstance(labels, AttributeName):
        raise InputError(
            f"labels {str(labels)!r} are no attribute: the collection has {', '.join(sorted(schema)) or 'none'}"
        )
    path = Path(fspath(labels))
    if not path.is_file():
        raise InputError(
            f"labels {fspath(labels)!r} are neither an attribute nor a file: attributes are "
            f"{', '.join(sorted(schema)) or 'none'}"
        )
    return _from_table(store, path, rows, key, column)


def _from_mapping(store: Store, labels: Mapping[str, str | None], rows: Rows) -> Labelled:
    given = {id: label for id, label in labels.items() if label is not None}
    by_row = dict(zip(store.rows(list(given)), given.values(), strict=True))
    values = [by_row.get(row) for row in rows.tolist()]
    return _sorted_out(rows, values, None, {"labels": f"{len(given)} given by hand"})


def _from_table(store: Store, path: Path, rows: Rows, key: str, column: str | None) -> Labelled:
    with AttributeTable(path, key) as table:
        if column is None:
            names = list(table.types)
            column = names[0] if len(names) == 1 else "label"
        if column not in table.types:
            raise InputError(
                f"{path} has no column {column!r} for the labels: choose one of "
                f"{', '.join(table.types) or 'none'} with --label (column= in Python)"
            )
        _refuse_type(f"column {column!r} of {path}", table.types[column])
        values: dict[int, AttributeValue] = {}
        for part in _parts(rows):
            items = store.items(part)
            found = table.take([item.id for item in items])
            values |= {item.row: found[item.id].get(column) for item in items if item.id in found}
        source = {"table": path.name, "column": column, "keys_without_item": table.unmatched()}
    if not values:
        raise InputError(
            f"no key in column {key!r} of {path} is an item's id: name the column that holds ids with --key"
        )
    return _sorted_out(rows, [values.get(row) for row in rows.tolist()], None, source)


def _refuse_type(what: str, kind: str) -> None:
    if kind in ("number", "list"):
        raise InputError(
            f"{what} holds {'numbers' if kind == 'number' else 'lists'}, not classes: expected text, whole numbers "
            "or yes/no; write the class of each item into an attribute of its own"
        )


def _sorted_out(rows: Rows, values: list[Any], attribute: str | None, source: Mapping[str, Any]) -> Labelled:
    names = [_name(value) for value in values]
    there = np.array([name is not None for name in names], dtype=bool)
    return Labelled(
        rows[there], [name for name in names if name is not None], rows[~there], attribute, source
    )


def _name(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value).strip() or None


def _parts(rows: Rows) -> Iterator[list[int]]:
    for first in range(0, len(rows), BATCH):
        yield rows[first : first + BATCH].tolist()
