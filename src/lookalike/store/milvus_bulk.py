"""Items and vectors of a collection as rows on a Milvus server.

A dataset is a collection of objects (:mod:`lookalike.store.milvus_objects`). A fragment, which is a batch that was put
together, is one object with all columns but the long ones, and one object for each vector and each thumbnail, so that
one can be read without the others. What is not referred to by the log is not looked at.
"""

from __future__ import annotations

import secrets
import threading
import zlib
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
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

KEPT = 16
"""Fragments that were written here and not read yet, whose columns are kept."""

DRAWN = 1_000
"""Numbers of this writer's last fragments that are known; the server knows those before."""

_made: set[str] = set()
"""Collections of datasets that this process made, while they are loaded; their names are random, and nobody else's."""

_SCHEMA = "schema"
_VERSION = 1
"""There is one: rows are only ever added, and the log says which."""


class MilvusBulk(BulkData):
    """The datasets of a collection on a Milvus server."""

    def __init__(self, place: MilvusPlace) -> None:
        self._place = place
        self._schemas: dict[str, Any] = {}
        self._writing = threading.Lock()
        self._unread: OrderedDict[tuple[str, int], Any] = OrderedDict()
        self._drawn: deque[tuple[str, int]] = deque(maxlen=DRAWN)

    def create(self, kind: str, space: Space) -> Placed:
        """See :meth:`BulkData.create`."""
        name = f"{kind}_{secrets.token_hex(8)}"
        objects = self._objects(name)
        objects.create()
        _made.add(objects.collection)
        self._schemas[name] = schema_of(kind, space)
        objects.put([(_SCHEMA, self._schemas[name].serialize().to_pybytes())])
        return Placed(name, _VERSION, ())

    def write(self, name: str, schema: Any, batches: Iterable[Any]) -> list[Any]:  # noqa: ARG002 - the dataset's own
        """See :meth:`BulkData.write`: rows of one batch are one fragment."""
        objects = self._objects(name)
        written: list[Any] = []
        for batch in batches:
            number = self._new_number(name, objects)
            kept = batch.select([column for column in batch.schema.names if column not in APART])
            objects.put(chain(_rows_apart(number, batch), [(_fragment(number), _packed(kept))]))
            self._remember(name, number, kept)
            written.append((number, batch.num_rows))
        return written

    def commit(self, to: Placed, fragments: Sequence[Any]) -> Placed:
        """See :meth:`BulkData.commit`: they are durable since they were written."""
        return Placed(to.dataset, _VERSION, tuple((int(number), int(rows)) for number, rows in fragments))

    def read(self, placed: Placed, columns: Sequence[str]) -> Any:
        """See :meth:`BulkData.read`; columns that are kept apart cannot be asked for.

        What this process wrote is read for the first time, which is when it is committed, without asking the server.
        """
        import pyarrow

        if not placed.fragments:
            return self._schema(placed.dataset).empty_table().select(list(columns))
        known = {number: self._recalled(placed.dataset, number) for number, _ in placed.fragments}
        names = [_fragment(number) for number, table in known.items() if table is None]
        found = self._objects(placed.dataset).get(names, "Eventually") if names else {}
        tables = []
        for number, rows in placed.fragments:
            name, table = _fragment(number), known[number]
            if table is None and name in found:
                table = _unpacked(found[name])
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
        found = self._objects(name).get(list(dict.fromkeys(keys)), "Eventually")
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
        _made.discard(self._place.collection(name))
        with self._writing:
            for key in [key for key in self._unread if key[0] == name]:
                del self._unread[key]

    def _remember(self, name: str, number: int, kept: Any) -> None:
        import pyarrow

        with self._writing:
            self._unread[name, number] = pyarrow.Table.from_batches([kept])
            while len(self._unread) > KEPT:
                self._unread.popitem(last=False)

    def _recalled(self, name: str, number: int) -> Any:
        with self._writing:
            return self._unread.pop((name, number), None)

    def _new_number(self, name: str, objects: MilvusObjects) -> int:
        """A number that no fragment of the dataset has.

        Two writers that draw the same of four thousand million within moments would be one in as many; a fragment that
        was drawn earlier is seen by the server, and one of this writer is known. While a dataset that this process made
        is loaded for the first time, which takes seconds, it is not waited for.
        """
        is_new = objects.collection in _made
        while True:
            number = secrets.randbelow(1 << 32)
            if (name, number) in self._drawn:
                continue
            seen = objects.is_seen(_fragment(number), wait=not is_new)
            if seen is not None:
                _made.discard(objects.collection)
            if not seen:
                self._drawn.append((name, number))
                return number

    def _objects(self, name: str) -> MilvusObjects:
        return MilvusObjects(self._place.client, self._place.collection(name), f"{self._place.root} ({name})")

    def _schema(self, name: str) -> Any:
        import pyarrow

        schema = self._schemas.get(name)
        if schema is None:
            found = self._objects(name).read(_SCHEMA, "Eventually")
            if found is None:
                raise Unreadable(
                    f"{self._place.root} has no dataset {name}: restore the server's data from a copy"
                )
            schema = self._schemas[name] = pyarrow.ipc.read_schema(pyarrow.py_buffer(found))
        return schema


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
    import pyarrow

    sink = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    return zlib.compress(sink.getvalue().to_pybytes(), level=1)


def _unpacked(data: bytes) -> Any:
    import pyarrow

    try:
        return pyarrow.ipc.open_stream(zlib.decompress(data)).read_all()
    except (zlib.error, pyarrow.ArrowInvalid):
        return None
