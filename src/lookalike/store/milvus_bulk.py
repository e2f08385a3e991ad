"""Items and vectors of a collection as rows on a Milvus server.

A dataset is a collection of objects (:mod:`lookalike.store.milvus_objects`). A fragment, which is a batch that was put
together, is one object with all columns but the long ones, and one object for each vector and each thumbnail, so that
one can be read without the others. What is not referred to by the log is not looked at.
"""

from __future__ import annotations

import secrets
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.store.base import Space
from lookalike.store.bulk_data import Addresses, BulkData, Placed, Unreadable
from lookalike.store.lance_rows import ITEMS, SPACE, schema_of
from lookalike.store.milvus_objects import MilvusObjects

if TYPE_CHECKING:
    from lookalike.store.milvus_place import MilvusPlace

KINDS = (f"{ITEMS}_", f"{SPACE}_")
"""What the names of datasets begin with."""

APART = ("vector", "thumbnail")
"""Columns that are read row by row."""

_SCHEMA = "schema"
_VERSION = 1
"""There is one: rows are only ever added, and the log says which."""


class MilvusBulk(BulkData):
    """The datasets of a collection on a Milvus server."""

    def __init__(self, place: MilvusPlace) -> None:
        self._place = place
        self._schemas: dict[str, Any] = {}

    def create(self, kind: str, space: Space) -> Placed:
        """See :meth:`BulkData.create`."""
        name = f"{kind}_{secrets.token_hex(8)}"
        objects = self._objects(name)
        objects.create()
        objects.put([(_SCHEMA, schema_of(kind, space).serialize().to_pybytes())])
        return Placed(name, _VERSION, ())

    def write(self, name: str, schema: Any, batches: Iterable[Any]) -> list[Any]:  # noqa: ARG002 - the dataset's own
        """See :meth:`BulkData.write`: rows of one batch are one fragment."""
        self._schema(name)
        objects = self._objects(name)
        written: list[Any] = []
        for batch in batches:
            number = _new_number(objects)
            objects.put(_rows_apart(number, batch))
            objects.put([(_fragment(number), _packed(batch))])
            written.append((number, batch.num_rows))
        return written

    def commit(self, to: Placed, fragments: Sequence[Any]) -> Placed:
        """See :meth:`BulkData.commit`: they are durable since they were written."""
        return Placed(to.dataset, _VERSION, tuple((int(number), int(rows)) for number, rows in fragments))

    def read(self, placed: Placed, columns: Sequence[str]) -> Any:
        """See :meth:`BulkData.read`; columns that are kept apart cannot be asked for."""
        import pyarrow

        schema = self._schema(placed.dataset)
        if not placed.fragments:
            return schema.empty_table().select(list(columns))
        names = [_fragment(number) for number, _ in placed.fragments]
        found = self._objects(placed.dataset).get(names)
        tables = []
        for name, (_, rows) in zip(names, placed.fragments, strict=True):
            table = _unpacked(found[name]) if name in found else None
            if table is None or table.num_rows != rows:
                has = "is missing" if table is None else f"has {table.num_rows} rows"
                raise Unreadable(
                    f"fragment {name} of {placed.dataset} {has}, and the log says {rows} rows: restore the server's "
                    "data from a copy"
                )
            tables.append(table.select(list(columns)))
        return pyarrow.concat_tables(tables)

    def take(self, name: str, version: int, addresses: Addresses, column: str) -> Any:  # noqa: ARG002 - there is one
        """See :meth:`BulkData.take`; a column that is kept apart."""
        import pyarrow

        kind = self._schema(name).field(column).type
        keys = [_apart(int(each) >> 32, int(each) & 0xFFFFFFFF, column) for each in addresses]
        found = self._objects(name).get(list(dict.fromkeys(keys)))
        if missing := [key for key in keys if key not in found]:
            raise Unreadable(
                f"{name} lacks {len(missing)} of {len(keys)} objects, {missing[0]} among them: run lookalike verify, "
                "and restore the server's data from a copy"
            )
        data = [found[key] for key in keys]
        if column != "vector":
            return pyarrow.array(data, kind)
        width = kind.list_size * (kind.value_type.bit_width // 8)
        # Of another length it does not match its checksum, which is compared by who asked.
        whole = b"".join(each.ljust(width, b"\0")[:width] for each in data)
        flat = np.frombuffer(whole, dtype=kind.value_type.to_pandas_dtype())
        return pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(flat, kind.value_type), kind.list_size)

    def forget(self, name: str) -> None:
        """See :meth:`BulkData.forget`."""
        self._schemas.pop(name, None)

    def _objects(self, name: str) -> MilvusObjects:
        return MilvusObjects(self._place.client, self._place.collection(name), f"{self._place.root} ({name})")

    def _schema(self, name: str) -> Any:
        import pyarrow

        schema = self._schemas.get(name)
        if schema is None:
            found = self._objects(name).read(_SCHEMA)
            if found is None:
                raise Unreadable(
                    f"{self._place.root} has no dataset {name}: restore the server's data from a copy"
                )
            schema = self._schemas[name] = pyarrow.ipc.read_schema(pyarrow.py_buffer(found))
        return schema


def _new_number(objects: MilvusObjects) -> int:
    """A number that no fragment of the dataset has.

    Two writers that draw the same of four thousand million at the same moment would be one in as many; a fragment that
    was drawn earlier is seen.
    """
    while True:
        number = secrets.randbelow(1 << 32)
        if not objects.is_seen(_fragment(number)):
            return number


def _fragment(number: int) -> str:
    return f"{number:08x}"


def _apart(number: int, position: int, column: str) -> str:
    return f"{number:08x}.{position:x}.{column}"


def _rows_apart(number: int, batch: Any) -> Iterator[tuple[str, bytes]]:
    for column in APART:
        if column not in batch.schema.names:
            continue
        values = batch.column(column)
        if column == "vector":
            width = values.type.list_size
            rows = values.flatten().to_numpy(zero_copy_only=False).reshape(-1, width)
            each: Iterable[bytes] = (row.tobytes() for row in rows)
        else:
            each = (value.as_py() for value in values)
        for position, data in enumerate(each):
            yield _apart(number, position, column), data


def _packed(batch: Any) -> bytes:
    """All columns but those that are kept apart."""
    import pyarrow

    kept = batch.select([name for name in batch.schema.names if name not in APART])
    sink = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, kept.schema) as stream:
        stream.write_batch(kept)
    return zlib.compress(sink.getvalue().to_pybytes(), level=1)


def _unpacked(data: bytes) -> Any:
    import pyarrow

    try:
        return pyarrow.ipc.open_stream(zlib.decompress(data)).read_all()
    except (zlib.error, pyarrow.ArrowInvalid):
        return None
