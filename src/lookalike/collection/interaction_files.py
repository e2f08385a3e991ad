"""Interactions as files that other tools, and :meth:`add_interactions` again, read."""

from __future__ import annotations

import csv
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lookalike.errors import InputError, MissingExtra
from lookalike.ingest.interactions import COLUMNS
from lookalike.store.interactions import InteractionColumns, checked_microseconds, moment


@dataclass(frozen=True, slots=True)
class ExportedInteractions:
    """What was written.

    Args:
        interactions: How many.
        file: Where.
    """

    interactions: int
    file: str


class _Writer(ABC):
    """Writes batches to a temporary file, which becomes the one asked for when all is written."""

    @abstractmethod
    def write(self, columns: InteractionColumns) -> None:
        """Add interactions."""

    @abstractmethod
    def close(self) -> None:
        """Complete the file."""


class _CsvWriter(_Writer):
    def __init__(self, path: Path) -> None:
        self._file = path.open("w", newline="", encoding="utf-8")
        self._writer = csv.writer(self._file)
        self._writer.writerow(COLUMNS)

    def write(self, columns: InteractionColumns) -> None:
        times = [moment(time).isoformat() for time in checked_microseconds(columns.time).tolist()]
        weights = [
            f"{weight:g}" if weight == float(f"{weight:g}") else repr(weight)
            for weight in columns.weight.tolist()
        ]
        self._writer.writerows(zip(*_names(columns), times, weights, strict=True))

    def close(self) -> None:
        self._file.close()


class _ParquetWriter(_Writer):
    def __init__(self, path: Path) -> None:
        try:
            import pyarrow as pa
            import pyarrow.parquet as pq
        except ImportError:
            raise MissingExtra("writing Parquet", "arrow") from None
        self._pa = pa
        text, time = pa.string(), pa.timestamp("us", "UTC")
        self._schema = pa.schema(zip(COLUMNS, (text, text, text, time, pa.float64()), strict=True))
        self._parquet = pq.ParquetWriter(path, self._schema)

    def write(self, columns: InteractionColumns) -> None:
        values: list[Any] = [*_names(columns), checked_microseconds(columns.time), columns.weight]
        arrays = [
            self._pa.array(each, type=field.type) for each, field in zip(values, self._schema, strict=True)
        ]
        self._parquet.write_table(self._pa.table(arrays, schema=self._schema))

    def close(self) -> None:
        self._parquet.close()


def _names(columns: InteractionColumns) -> list[list[str]]:
    named = (columns.users, columns.user), (columns.items, columns.item), (columns.events, columns.event)
    return [[names[code] for code in codes.tolist()] for names, codes in named]


@contextmanager
def interaction_file(path: Path) -> Iterator[_Writer]:
    """A writer for a path's ending, ``.csv`` or ``.parquet``; after an error nothing of the name was changed.

    Raises:
        InputError: If the ending is another, or the folder does not exist.
        MissingExtra: For Parquet without PyArrow.
    """
    if not path.parent.is_dir():
        raise InputError(f"cannot write {path}: the folder {path.parent} does not exist")
    kinds: dict[str, type[_CsvWriter] | type[_ParquetWriter]] = {
        ".csv": _CsvWriter,
        ".parquet": _ParquetWriter,
    }
    if path.suffix not in kinds:
        raise InputError(f"cannot write {path.name!r}: expected a name that ends in .csv or .parquet")
    temporary = path.with_name(path.name + ".tmp")
    try:
        writer = kinds[path.suffix](temporary)
        try:
            yield writer
        finally:
            writer.close()
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
