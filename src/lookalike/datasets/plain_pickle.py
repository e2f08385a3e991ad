"""Reads pickles of lists, dictionaries, text and NumPy arrays without running anything that they name.

A pickle may name any function of the process and have it called. Here the few names that arrays need stand for
small classes of this module, which take bytes apart; every other name is refused.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from lookalike.errors import InputError

LARGEST = 100_000_000
"""Bytes of a pickle that is read: the published annotations take less than 1 MB."""

NUMBERS = "biuf"
"""Kinds of NumPy numbers."""


class _DataType:
    """Stands for ``numpy.dtype``: a number's kind and size, then its byte order."""

    def __init__(self, code: object, *_: object) -> None:
        self._code, self._order = str(code), "<"

    def __setstate__(self, state: Sequence[Any]) -> None:
        self._order = str(state[1])

    def real(self) -> np.dtype[Any]:
        """The type, if it is one of plain numbers."""
        if not self._code or self._code[0] not in NUMBERS or not self._code[1:].isdigit():
            raise pickle.UnpicklingError(f"arrays of {self._code!r}")
        order = self._order if self._order in "<>" else "<"
        return np.dtype(order + self._code)


class _Array(list[Any]):
    """Stands for ``numpy.ndarray``: becomes the list of its numbers."""

    def __init__(self, *_: object) -> None:
        super().__init__()

    def __setstate__(self, state: Sequence[Any]) -> None:
        _, shape, kind, _, data = state
        self.extend(_numbers(data, kind).reshape(shape).tolist())


def _reconstruct(*_: object) -> _Array:
    return _Array()


def _from_buffer(data: object, kind: object, shape: Any, _order: object) -> list[Any]:
    values: list[Any] = _numbers(data, kind).reshape(shape).tolist()
    return values


def _scalar(kind: object, data: object) -> Any:
    return _numbers(data, kind)[0].item()


def _encode(text: str, _encoding: str) -> bytes:
    return text.encode("latin-1")


def _no_bytes() -> bytes:
    return b""


def _numbers(data: object, kind: object) -> Any:
    if isinstance(data, str):  # Python 2 had no bytes
        data = data.encode("latin-1")
    if not isinstance(data, bytes | bytearray) or not isinstance(kind, _DataType):
        raise pickle.UnpicklingError("an array of something else than numbers")
    return np.frombuffer(data, dtype=kind.real())


class _Reader(pickle.Unpickler):
    KNOWN: ClassVar[dict[tuple[str, str], Any]] = {
        ("numpy", "ndarray"): _Array,
        ("numpy", "dtype"): _DataType,
        ("_codecs", "encode"): _encode,
        ("__builtin__", "bytes"): _no_bytes,
        **{
            (f"numpy.{core}.multiarray", name): value
            for core in ("core", "_core")
            for name, value in (("_reconstruct", _reconstruct), ("scalar", _scalar))
        },
        ("numpy._core.numeric", "_frombuffer"): _from_buffer,
        ("numpy.core.numeric", "_frombuffer"): _from_buffer,
    }

    def find_class(self, module: str, name: str) -> Any:
        """The stand-in for a name; nothing is imported."""
        try:
            return self.KNOWN[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"the name {module}.{name}") from None


def read_plain_pickle(path: Path) -> Any:
    """Read a pickle that holds only containers, text, numbers and arrays of numbers; arrays come as lists.

    Raises:
        InputError: If it holds anything else, is damaged or larger than 100 MB.
    """
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise InputError(f"{path} has {size:,} bytes: expected annotations of at most {LARGEST:,}")
        with path.open("rb") as file:
            return _Reader(file, encoding="latin-1").load()
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001 - a damaged pickle can fail in any way
        raise InputError(
            f"{path} is no pickle of plain lists and numbers, it holds {error}: expected the published file; "
            "nothing of it was run"
        ) from None
