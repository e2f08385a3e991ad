"""Vectors with their columns in files that other tools read: Parquet, or NPY with a CSV beside it.

Rows are written as they come. The files get their names when all is written; before that, and after an error,
nothing of the name exists.
"""

from __future__ import annotations

import csv
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from lookalike.errors import InputError, MissingExtra
from lookalike.types import AttributeType, Embeddings

_NPY_HEADER = 128


class VectorFile(ABC):
    """Collects rows; use as a context manager.

    Args:
        path: Where to write.
        dimensions: Of the embeddings.
        columns: Names and types of what goes with each embedding.
    """

    def __init__(self, path: Path, dimensions: int, columns: Mapping[str, AttributeType]) -> None:
        self.path = path
        self.rows = 0
        self._dimensions = dimensions
        self._columns = columns
        self._temporary = path.with_name(path.name + ".tmp")

    @property
    def files(self) -> tuple[str, ...]:
        """What is written, the file asked for first."""
        return (str(self.path),)

    def write(self, columns: Mapping[str, Sequence[Any]], embeddings: Embeddings) -> None:
        """Add rows: for each column as many values as there are embeddings, float32 (m, d)."""
        if embeddings.shape[1] != self._dimensions:
            raise InputError(f"embeddings have {embeddings.shape[1]} dimensions, expected {self._dimensions}")
        self._write(columns, embeddings)
        self.rows += len(embeddings)

    @abstractmethod
    def _write(self, columns: Mapping[str, Sequence[Any]], embeddings: Embeddings) -> None: ...

    @abstractmethod
    def _close(self) -> None:
        """Let go of the temporary files."""

    @abstractmethod
    def _finish(self) -> None:
        """Complete the temporary files and give them their names."""

    @abstractmethod
    def _discard(self) -> None:
        """Remove the temporary files."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._finish()
            else:
                self._close()
        finally:
            self._discard()


class NpyFile(VectorFile):
    """The embeddings as float32 (n, d) in ``.npy``, the columns in a ``.csv`` of the same rows beside it."""

    def __init__(self, path: Path, dimensions: int, columns: Mapping[str, AttributeType]) -> None:
        super().__init__(path, dimensions, columns)
        self._table = path.with_suffix(".csv")
        if self._table.exists() and not path.exists():
            raise InputError(
                f"the table of {path.name} would overwrite {self._table}, which is something else: "
                "choose another name, or move that file"
            )
        self._table_temporary = self._table.with_name(self._table.name + ".tmp")
        self._vectors_file = self._temporary.open("wb")
        self._vectors_file.write(b"\0" * _NPY_HEADER)
        self._table_file = self._table_temporary.open("w", newline="", encoding="utf-8")
        self._writer = csv.writer(self._table_file)
        self._writer.writerow(columns)

    @property
    def files(self) -> tuple[str, ...]:
        """The vectors and the table."""
        return (str(self.path), str(self._table))

    def _write(self, columns: Mapping[str, Sequence[Any]], embeddings: Embeddings) -> None:
        self._vectors_file.write(np.ascontiguousarray(embeddings, dtype="<f4").tobytes())
        self._writer.writerows(
            zip(*([_cell(v) for v in columns[name]] for name in self._columns), strict=True)
        )

    def _finish(self) -> None:
        # The shape is known only now: the header was left open, padded as the format asks.
        shape = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({self.rows}, {self._dimensions}), }}"
        header = shape.ljust(_NPY_HEADER - 10 - 1) + "\n"
        self._vectors_file.seek(0)
        self._vectors_file.write(
            b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode("latin1")
        )
        for file in (self._vectors_file, self._table_file):
            file.flush()
            os.fsync(file.fileno())
        self._close()
        self._table_temporary.replace(self._table)
        self._temporary.replace(self.path)

    def _close(self) -> None:
        try:
            self._vectors_file.close()
        finally:
            self._table_file.close()

    def _discard(self) -> None:
        self._temporary.unlink(missing_ok=True)
        self._table_temporary.unlink(missing_ok=True)


class ParquetFile(VectorFile):
    """One table: the columns, and ``embedding`` as a fixed-size list of float32."""

    def __init__(
        self,
        path: Path,
        dimensions: int,
        columns: Mapping[str, AttributeType],
        metadata: Mapping[str, str],
    ) -> None:
        super().__init__(path, dimensions, columns)
        try:
            import pyarrow as pa
            import pyarrow.parquet as pq
        except ImportError:
            raise MissingExtra(f"writing {path.name}", "arrow") from None
        self._pa = pa
        types = {
            "text": pa.string(),
            "integer": pa.int64(),
            "number": pa.float64(),
            "boolean": pa.bool_(),
            "list": pa.list_(pa.string()),
        }
        fields = [(name, types[kind]) for name, kind in columns.items()]
        self._schema = pa.schema(
            [*fields, ("embedding", pa.list_(pa.float32(), dimensions))], metadata=metadata
        )
        self._parquet = pq.ParquetWriter(self._temporary, self._schema)

    def _write(self, columns: Mapping[str, Sequence[Any]], embeddings: Embeddings) -> None:
        flat = self._pa.array(embeddings.reshape(-1), type=self._pa.float32())
        table: dict[str, Any] = {name: list(columns[name]) for name in self._columns}
        table["embedding"] = self._pa.FixedSizeListArray.from_arrays(flat, self._dimensions)
        self._parquet.write_table(self._pa.table(table, schema=self._schema))

    def _finish(self) -> None:
        self._close()
        with self._temporary.open("rb+") as file:
            os.fsync(file.fileno())
        self._temporary.replace(self.path)

    def _close(self) -> None:
        self._parquet.close()

    def _discard(self) -> None:
        self._temporary.unlink(missing_ok=True)


def vector_file(
    path: Path, dimensions: int, columns: Mapping[str, AttributeType], metadata: Mapping[str, str]
) -> VectorFile:
    """The writer for a path's ending.

    Args:
        path: Ends in ``.npy`` or ``.parquet``.
        dimensions: Of the embeddings.
        columns: Names and types of what goes with each embedding.
        metadata: Kept in the file where the format has a place for it (Parquet).

    Raises:
        InputError: If the ending is another, or the folder does not exist.
        MissingExtra: For Parquet without PyArrow.
    """
    if not path.parent.is_dir():
        raise InputError(f"cannot write {path}: the folder {path.parent} does not exist")
    if path.suffix == ".npy":
        return NpyFile(path, dimensions, columns)
    if path.suffix == ".parquet":
        return ParquetFile(path, dimensions, columns, metadata)
    raise InputError(f"cannot write {path.name!r}: expected a name that ends in .npy or .parquet")


def _cell(value: Any) -> Any:
    """A value as CSV holds it: lists joined by semicolons, booleans as true and false."""
    if isinstance(value, list):
        return ";".join(value)
    return str(value).lower() if isinstance(value, bool) else value
