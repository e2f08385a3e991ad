"""Sightings and descriptions of tracklets as few bytes: a minute at 25 frames a second takes some 5 KB."""

from __future__ import annotations

import json
import struct
import zlib

import numpy as np
import numpy.typing as npt

from lookalike.errors import DamagedCollection, InputError
from lookalike.store.tracking import Integers, Parts, SightingColumns

FORMAT = 1
"""First byte of packed sightings."""

PER_PIXEL = 100
PER_CONFIDENCE = 10_000

_HEAD = struct.Struct("<BI")
_MOST = 2**31 / PER_PIXEL / 2
"""Pixels beyond which a difference would not fit."""


def pack_sightings(columns: SightingColumns) -> bytes:
    """Columns as bytes: differences from row to row, byte by byte, deflated.

    Raises:
        InputError: If there is no row, columns differ in length, do not ascend or are out of range.
    """
    n = len(columns)
    box = np.asarray(columns.box, dtype=np.float64)
    lengths = {len(columns.time), len(columns.confidence), len(columns.seen), len(box)}
    if n == 0 or lengths != {n} or box.shape != (n, 4):
        raise InputError(
            f"sightings have columns of {sorted(lengths | {n})} rows: expected one row or more, as many in each"
        )
    if (np.diff(columns.frame) <= 0).any() or (np.diff(columns.time) <= 0).any():
        raise InputError("the frames or times of a tracklet's sightings do not ascend: sort them by frame")
    if not (np.abs(box) < _MOST).all() or not ((columns.confidence >= 0) & (columns.confidence <= 1)).all():
        raise InputError(
            f"a box or a confidence is out of range: expected pixels within {_MOST:.0f} and confidences from 0 to 1"
        )
    parts = [
        _differences(columns.frame, "<i8"),
        _differences(columns.time, "<i8"),
        *(_differences(np.rint(column * PER_PIXEL).astype(np.int64), "<i4") for column in box.T),
        np.rint(columns.confidence * PER_CONFIDENCE).astype("<u2").tobytes(),
        np.packbits(columns.seen.astype(np.bool_)).tobytes(),
    ]
    return _HEAD.pack(FORMAT, n) + zlib.compress(b"".join(parts), 6)


def unpack_sightings(data: bytes) -> SightingColumns:
    """Columns that were packed.

    Raises:
        DamagedCollection: If they are none.
    """
    try:
        form, n = _HEAD.unpack_from(data)
        raw = zlib.decompress(data[_HEAD.size :])
        sizes = [8 * n, 8 * n, *[4 * n] * 4, 2 * n, (n + 7) // 8]
        if form != FORMAT or len(raw) != sum(sizes):
            raise ValueError(f"format {form}, {len(raw)} bytes for {n} rows")
    except (ValueError, zlib.error, struct.error) as error:
        raise DamagedCollection(f"sightings cannot be read ({error}): track the camera again") from None
    ends = np.cumsum(sizes).tolist()
    frame, time, *sides, confidence, seen = (
        raw[end - size : end] for end, size in zip(ends, sizes, strict=True)
    )
    return SightingColumns(
        frame=_summed(frame, "<i8"),
        time=_summed(time, "<i8"),
        box=np.stack([_summed(side, "<i4") for side in sides], axis=1) / PER_PIXEL,
        confidence=np.frombuffer(confidence, "<u2") / PER_CONFIDENCE,
        seen=np.unpackbits(np.frombuffer(seen, np.uint8), count=n).astype(np.bool_),
    )


def pack_parts(parts: Parts) -> bytes:
    """A description as bytes, in half precision.

    Raises:
        InputError: If there is no part, or a number is not finite or too large for half precision.
    """
    layout = {name: len(values) for name, values in parts.items()}
    flat = (
        np.concatenate([np.ravel(values) for values in parts.values()]) if parts else np.empty(0, np.float32)
    )
    with np.errstate(over="ignore"):
        half = flat.astype("<f2")
    if not len(flat) or not np.isfinite(half).all():
        raise InputError(
            f"the description {layout} of a tracklet has no number, or one that is not finite or beyond 65,504"
        )
    head = json.dumps(layout).encode()
    return struct.pack("<H", len(head)) + head + half.tobytes()


def unpack_parts(data: bytes) -> dict[str, npt.NDArray[np.float32]]:
    """A description that was packed, float32 (d,) each part.

    Raises:
        DamagedCollection: If it is none.
    """
    try:
        (length,) = struct.unpack_from("<H", data)
        layout = json.loads(data[2 : 2 + length])
        flat = np.frombuffer(data, "<f2", offset=2 + length).astype(np.float32)
        if sum(layout.values()) != len(flat):
            raise ValueError(f"{len(flat)} numbers for {layout}")
    except (ValueError, AttributeError, TypeError, struct.error) as error:
        raise DamagedCollection(f"a description cannot be read ({error}): track the camera again") from None
    ends = np.cumsum(list(layout.values()))[:-1]
    return dict(zip(layout, np.split(flat, ends), strict=True))


def _differences(values: Integers, kind: str) -> bytes:
    """Differences from row to row; equal bytes of neighbouring rows lie together."""
    steps = np.diff(values, prepend=0).astype(kind)
    return steps.view(np.uint8).reshape(len(values), -1).T.tobytes()


def _summed(data: bytes, kind: str) -> Integers:
    width = np.dtype(kind).itemsize
    rows = np.ascontiguousarray(np.frombuffer(data, np.uint8).reshape(width, -1).T)
    return np.cumsum(rows.view(kind).ravel().astype(np.int64))
