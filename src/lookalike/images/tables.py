"""Parquet tables with a column of images: their bytes, or where they are."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, Literal, TypeAlias

from lookalike.errors import LookalikeError, MissingExtra, SourceError
from lookalike.images.candidates import Candidate, ResolvedSource, printable
from lookalike.images.storage import Storage, absolute, is_url, storage_of, too_large

TABLE_ENDINGS = (".parquet",)

IMAGE_COLUMNS = ("image", "img", "jpg", "jpeg", "png", "webp", "bytes", "path", "file", "url", "uri")
"""Names under which the images are looked for, the first that is there and has a fitting type."""

ID_COLUMNS = ("id", "key", "__key__")
"""Names under which ids are looked for; without one the row number is the id."""

BATCH_ROWS = 64

Holds: TypeAlias = Literal["bytes", "places", "struct"]


class TableSource(ResolvedSource):
    """The rows of one Parquet file, streamed by row group.

    A cell is encoded bytes, a path (from the table's folder on) or URL, or the struct ``{bytes, path}`` that
    Hugging Face datasets write. Ids are ``STEM/ID``.
    """

    def __init__(self, name: str, storage: Storage, place: str, limit: int) -> None:
        """Open the table once, to find its columns.

        Raises:
            MissingExtra: If PyArrow is not installed.
            SourceError: If it is no Parquet file or has no column of images.
        """
        super().__init__(name, place, whole=True)
        self._storage, self._limit = storage, limit
        parquet = _pyarrow_parquet()
        try:
            with storage.open(place) as file:
                table = parquet.ParquetFile(file)
                schema = table.schema_arrow
                self._digits = max(6, len(str(table.metadata.num_rows)))
        except LookalikeError:
            raise
        except Exception as error:  # noqa: BLE001 - PyArrow's errors, and OSError of the storage
            raise SourceError(f"{place} cannot be read as Parquet: {error}") from None
        self._column, self._holds = _image_column(schema, place)
        self._id_column = next((name for name in ID_COLUMNS if name in schema.names), None)

    def candidates(self) -> Iterator[Candidate]:
        """A candidate for every row, in order."""
        try:
            shard = self._storage.stamp(self.uri)
            with self._storage.open(self.uri) as file:
                table = _pyarrow_parquet().ParquetFile(file, pre_buffer=False)
                first = 0
                for group in range(table.num_row_groups):
                    yield from self._group(table, group, first, shard)
                    first += table.metadata.row_group(group).num_rows
        except Exception as error:  # noqa: BLE001 - as above
            yield self.problem(self.name, self.uri, f"the table cannot be read: {error}", hides_more=True)

    def _group(self, table: Any, group: int, first: int, shard: str | None) -> Iterator[Candidate]:
        """The rows of one row group; if it is damaged, its rest is one problem."""
        columns = [name for name in (self._column, self._id_column) if name is not None]
        row, last = first, first + table.metadata.row_group(group).num_rows - 1
        batches = table.iter_batches(batch_size=BATCH_ROWS, row_groups=[group], columns=columns)
        while True:
            try:
                batch = next(batches, None)
            except Exception as error:  # noqa: BLE001 - as above
                id, uri = f"{self.name}/{row:0{self._digits}d}", f"{self.uri}#row={row}"
                yield self.problem(id, uri, f"rows {row} to {last} are damaged: {error}", hides_more=True)
                return
            if batch is None:
                return
            cells = batch.column(self._column)
            ids = batch.column(self._id_column) if self._id_column else None
            for i in range(batch.num_rows):
                key = ids[i].as_py() if ids is not None else f"{row:0{self._digits}d}"
                yield self._candidate(row, key, cells[i].as_py(), shard)
                row += 1

    def _candidate(self, row: int, key: Any, cell: Any, shard: str | None) -> Candidate:
        uri = f"{self.uri}#row={row}"
        if key is None:
            return self.problem(
                f"{self.name}/{row:0{self._digits}d}", uri, f"row {row} has no {self._id_column}"
            )
        id = f"{self.name}/{key if isinstance(key, str | int) else printable(str(key))}"
        data, place = self._split(cell)
        if data is not None:
            if len(data) > self._limit:
                return self.problem(id, uri, str(too_large(len(data), self._limit)))
            stamp = None if shard is None else f"{shard}:row={row}"
            return self.candidate(id, uri, stamp, partial(bytes, data))
        if not place:
            return self.problem(id, uri, f"row {row} has no image in column {self._column!r}")
        place = (
            place if is_url(place) else absolute(self._storage.join(self._storage.parent(self.uri), place))
        )
        try:
            storage = storage_of(place)
        except (SourceError, MissingExtra) as error:
            return self.problem(id, uri, str(error))
        return self.lone_candidate(storage, place, id, self._limit, look=not is_url(place))

    def _split(self, cell: Any) -> tuple[bytes | None, str | None]:
        """Bytes, or else a place."""
        if self._holds == "struct":
            cell = cell or {}
            return cell.get("bytes"), cell.get("path")
        return (cell, None) if self._holds == "bytes" else (None, cell)

    def read_row(self, row: int) -> bytes | None:
        """The bytes of one row; None when the table has no such row or the row no bytes.

        Raises:
            SourceError: If the table cannot be read.
        """
        try:
            with self._storage.open(self.uri) as file:
                table = _pyarrow_parquet().ParquetFile(file, pre_buffer=False)
                for group in range(table.num_row_groups):
                    rows = table.metadata.row_group(group).num_rows
                    if row < rows:
                        cells = table.read_row_group(group, columns=[self._column]).column(self._column)
                        return self._split(cells[row].as_py())[0]
                    row -= rows
        except Exception as error:  # noqa: BLE001 - as above
            raise SourceError(f"{self.uri} cannot be read as Parquet: {error}") from None
        return None


def _pyarrow_parquet() -> Any:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtra("reading Parquet", "arrow") from error
    return pyarrow.parquet


def _image_column(schema: Any, place: str) -> tuple[str, Holds]:
    found = {field.name.lower(): field for field in reversed(schema)}
    for name in IMAGE_COLUMNS:
        if name in found and (holds := _holds(found[name].type)):
            return found[name].name, holds
    columns = ", ".join(f"{field.name} ({field.type})" for field in schema)
    raise SourceError(
        f"{place} has no column of images: expected one named {', '.join(IMAGE_COLUMNS)} that holds bytes, "
        f"paths or URLs; it has {columns or 'no columns'}"
    )


def _holds(kind: Any) -> Holds | None:
    from pyarrow import types

    if types.is_binary(kind) or types.is_large_binary(kind):
        return "bytes"
    if types.is_string(kind) or types.is_large_string(kind):
        return "places"
    if types.is_struct(kind) and {field.name for field in kind} & {"bytes", "path"}:
        return "struct"
    return None
