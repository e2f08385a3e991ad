"""A map as a table of columns, for programs that draw or compute: Arrow and Parquet."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import MissingExtra
from lookalike.types import AttributeType, AttributeValue

if TYPE_CHECKING:
    from nanoarrow.c_array import CArray

COLUMNS = ("id", "x", "y", "placed", "cluster")
"""What a table always has; an attribute of one of these names is written with ``attribute:`` before it."""


@dataclass(frozen=True, slots=True)
class MapTable:
    """Items in a plane with some of what is known of them, one entry an item.

    Args:
        ids: Of the items.
        xy: float32 (n, 2), where each lies.
        placed: bool (n,), items that came after the layout and were placed beside their neighbours.
        clusters: int32 (n,), the cluster of each, -1 for noise; None: the collection was not clustered.
        attributes: Values of the attributes asked for, None where an item has none.
        types: Of those.
        provenance: Everything the table depends on.
    """

    ids: tuple[str, ...]
    xy: npt.NDArray[np.float32]
    placed: npt.NDArray[np.bool_]
    clusters: npt.NDArray[np.int32] | None
    attributes: Mapping[str, Sequence[AttributeValue]]
    types: Mapping[str, AttributeType]
    provenance: Mapping[str, Any]

    def __len__(self) -> int:
        return len(self.ids)

    def to_arrow(self) -> bytes:
        """An Arrow IPC stream of one batch.

        Columns ``id`` (utf8), ``x`` and ``y`` (float32), ``placed`` (bool), ``cluster`` (int32, null where the
        collection was not clustered), and the attributes: text as utf8, whole numbers as int64, numbers as float64,
        yes/no as bool, lists as list<utf8>.
        """
        import nanoarrow
        from nanoarrow.ipc import StreamWriter

        n = len(self)
        columns: dict[str, tuple[Any, CArray]] = {
            "id": (nanoarrow.string(nullable=False), _texts(self.ids)),
            "x": (nanoarrow.float32(nullable=False), _numbers(self.xy[:, 0], "float32")),
            "y": (nanoarrow.float32(nullable=False), _numbers(self.xy[:, 1], "float32")),
            "placed": (nanoarrow.bool_(nullable=False), _truths(self.placed.tolist())),
            "cluster": (
                nanoarrow.int32(),
                _numbers(np.zeros(n, np.int32), "int32", there=np.zeros(n, dtype=np.bool_))
                if self.clusters is None
                else _numbers(self.clusters, "int32"),
            ),
        }
        for name, values in self.attributes.items():
            column = f"attribute:{name}" if name in COLUMNS else name
            columns[column] = _column(values, self.types[name])
        schema = nanoarrow.struct({name: kind for name, (kind, _) in columns.items()}, nullable=False)
        batch = nanoarrow.c_array_from_buffers(
            schema, n, [None], null_count=0, children=[array for _, array in columns.values()]
        )
        file = io.BytesIO()
        with StreamWriter.from_writable(file) as writer:
            writer.write_stream(batch)
        return file.getvalue()

    def to_parquet(self) -> bytes:
        """The same columns as a Parquet file.

        Raises:
            MissingExtra: If pyarrow is not installed.
        """
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError:
            raise MissingExtra("writing Parquet", "arrow") from None
        file = io.BytesIO()
        with pyarrow.ipc.open_stream(self.to_arrow()) as stream:
            pyarrow.parquet.write_table(stream.read_all(), file)
        return file.getvalue()


def _column(values: Sequence[AttributeValue], kind: AttributeType) -> tuple[Any, CArray]:
    import nanoarrow

    there = np.array([value is not None for value in values], dtype=np.bool_)
    if kind == "text":
        return nanoarrow.string(), _texts(["" if v is None else str(v) for v in values], there)
    if kind == "boolean":
        return nanoarrow.bool_(), _truths([bool(v) for v in values], there)
    if kind == "list":
        return nanoarrow.list_(nanoarrow.string()), _lists(values, there)
    dtype, arrow = ("int64", nanoarrow.int64()) if kind == "integer" else ("float64", nanoarrow.float64())
    return arrow, _numbers(np.array([0 if v is None else v for v in values], dtype=dtype), dtype, there)


def _validity(there: npt.NDArray[np.bool_] | None) -> bytes | None:
    """A bit an entry, least significant first; None where nothing is missing."""
    return None if there is None or there.all() else np.packbits(there, bitorder="little").tobytes()


def _numbers(values: npt.NDArray[Any], dtype: str, there: npt.NDArray[np.bool_] | None = None) -> CArray:
    import nanoarrow

    kind = getattr(nanoarrow, dtype)()
    return nanoarrow.c_array_from_buffers(
        kind, len(values), [_validity(there), np.ascontiguousarray(values, dtype=dtype)]
    )


def _truths(values: Sequence[bool], there: npt.NDArray[np.bool_] | None = None) -> CArray:
    import nanoarrow

    bits = np.packbits(np.array(values, dtype=np.bool_), bitorder="little").tobytes()
    return nanoarrow.c_array_from_buffers(nanoarrow.bool_(), len(values), [_validity(there), bits])


def _texts(values: Sequence[str], there: npt.NDArray[np.bool_] | None = None) -> CArray:
    import nanoarrow

    encoded = [value.encode("utf-8") for value in values]
    return nanoarrow.c_array_from_buffers(
        nanoarrow.string(),
        len(encoded),
        [_validity(there), _offsets(list(map(len, encoded))), b"".join(encoded)],
    )


def _lists(values: Sequence[AttributeValue], there: npt.NDArray[np.bool_]) -> CArray:
    import nanoarrow

    lists = [value if isinstance(value, list) else [] for value in values]
    return nanoarrow.c_array_from_buffers(
        nanoarrow.list_(nanoarrow.string()),
        len(lists),
        [_validity(there), _offsets(list(map(len, lists)))],
        children=[_texts([text for each in lists for text in each])],
    )


def _offsets(lengths: Sequence[int]) -> npt.NDArray[np.int32]:
    """Where each entry begins, and where the last one ends: int32 (n + 1,)."""
    offsets = np.zeros(len(lengths) + 1, dtype=np.int32)
    np.cumsum(lengths, out=offsets[1:])
    return offsets
