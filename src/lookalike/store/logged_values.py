"""Arguments of a store's methods as JSON and bytes, and back: what a log keeps of a call.

A value comes back with the type it had: tuples stay tuples, bytes bytes, arrays arrays. NumPy's numbers and texts come
back as Python's, which stores treat alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from lookalike.store.base import Space
from lookalike.store.interactions import InteractionColumns, microseconds, moment
from lookalike.store.tracking import (
    Anchor,
    AuditRecord,
    CameraRecord,
    Correction,
    GalleryPicture,
    NewTracklet,
    SightingColumns,
    StoredIdentity,
)
from lookalike.types import Interaction

_CLASSES: dict[str, type] = {
    each.__name__: each
    for each in (
        Anchor, AuditRecord, CameraRecord, Correction, GalleryPicture, Interaction, InteractionColumns, NewTracklet,
        SightingColumns, Space, StoredIdentity,
    )
}  # fmt: skip
_DTYPES = frozenset("biuf")


class NotLoggable(TypeError):
    """A value of a type that no argument of a store has."""


def to_log(value: Any) -> tuple[Any, bytes]:
    """A value as JSON and the binary data that it refers to.

    Raises:
        NotLoggable: If there is something in it that no argument of a store is.
    """
    parts: list[bytes] = []
    document = _Writer(parts).plain(value)
    return document, b"".join(parts)


def from_log(document: Any, data: bytes) -> Any:
    """What :func:`to_log` was given.

    Raises:
        ValueError: If it is not its work.
    """
    return _value(document, memoryview(data))


class _Writer:
    def __init__(self, parts: list[bytes]) -> None:
        self._parts = parts
        self._length = 0

    def plain(self, value: Any) -> Any:
        """JSON without ambiguity: everything but plain scalars and lists is an object with its kind."""
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, np.bool_):
            return bool(value)
        if isinstance(value, (int, np.integer)):
            return self._integer(int(value))
        if isinstance(value, (float, np.floating)):
            return {"float": float(value).hex()}
        if isinstance(value, str):
            return _sound(value)
        if isinstance(value, (bytes, bytearray, memoryview)):
            return {"bytes": self._kept(bytes(value))}
        if isinstance(value, list):
            return [self.plain(each) for each in value]
        return self._composed(value)

    def _composed(self, value: Any) -> Any:
        if isinstance(value, tuple):
            return {"tuple": [self.plain(each) for each in value]}
        if isinstance(value, Mapping):
            return {"dict": [[self.plain(key), self.plain(each)] for key, each in value.items()]}
        if isinstance(value, np.ndarray) and value.dtype.kind in _DTYPES:
            array = np.ascontiguousarray(value)
            return {
                "array": self._kept(array.tobytes()),
                "dtype": array.dtype.str,
                "shape": list(value.shape),
            }
        if isinstance(value, datetime) and value.tzinfo is not None:
            return {"time": microseconds(value.astimezone(UTC))}
        if is_dataclass(value) and _CLASSES.get(type(value).__name__) is type(value):
            given = {each.name: self.plain(getattr(value, each.name)) for each in fields(value)}
            return {"class": type(value).__name__, "fields": given}
        raise NotLoggable(f"{type(value).__name__} is no argument of a store")

    def _integer(self, value: int) -> Any:
        if value.bit_length() > 64:
            raise NotLoggable(f"an integer of {value.bit_length()} bits is no argument of a store")
        return value

    def _kept(self, data: bytes) -> list[int]:
        start = self._length
        self._parts.append(data)
        self._length += len(data)
        return [start, len(data)]


def _sound(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise NotLoggable("a text that is not valid Unicode is no argument of a store") from None
    return str.__str__(text)


def _value(document: Any, data: memoryview) -> Any:
    if isinstance(document, list):
        return [_value(each, data) for each in document]
    if not isinstance(document, dict):
        return document
    if "float" in document:
        return float.fromhex(document["float"])
    if "tuple" in document:
        return tuple(_value(each, data) for each in document["tuple"])
    if "dict" in document:
        return {_value(key, data): _value(each, data) for key, each in document["dict"]}
    if "time" in document:
        return moment(document["time"])
    if "class" in document:
        given = {name: _value(each, data) for name, each in document["fields"].items()}
        return _CLASSES[document["class"]](**given)
    start, length = document["array" if "array" in document else "bytes"]
    part = bytes(data[start : start + length])
    if len(part) != length:
        raise ValueError(f"the data of an entry end after {len(data)} bytes: expected {start + length}")
    if "array" in document:
        return np.frombuffer(part, dtype=np.dtype(document["dtype"])).reshape(document["shape"]).copy()
    return part
