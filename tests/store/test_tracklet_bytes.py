"""Sightings and descriptions survive being packed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.errors import DamagedCollection, InputError
from lookalike.store.tracking import SightingColumns
from lookalike.store.tracklet_bytes import pack_parts, pack_sightings, unpack_parts, unpack_sightings
from tracklet_records import walk

TIMES = st.integers(min_value=0, max_value=7_000_000_000_000_000)


@given(st.integers(1, 60), st.integers(0, 2**31), TIMES)
def test_sightings_come_back_to_a_hundredth_of_a_pixel(rows: int, seed: int, start: int) -> None:
    rng = np.random.default_rng(seed)
    columns = SightingColumns(
        frame=np.cumsum(rng.integers(1, 5000, rows)),
        time=start + np.cumsum(rng.integers(1, 10**9, rows)),
        box=rng.uniform(-2000, 8000, (rows, 4)),
        confidence=rng.random(rows),
        seen=rng.random(rows) > 0.5,
    )
    found = unpack_sightings(pack_sightings(columns))
    assert np.array_equal(found.frame, columns.frame)
    assert np.array_equal(found.time, columns.time)
    assert np.abs(found.box - columns.box).max() <= 0.005 + 1e-9
    assert np.abs(found.confidence - columns.confidence).max() <= 0.00005 + 1e-12
    assert np.array_equal(found.seen, columns.seen)


def test_a_minute_of_walking_takes_a_few_kilobytes() -> None:
    assert len(pack_sightings(walk(0, frames=600))) < 6_000


def test_packed_bytes_are_the_same_for_the_same_sightings() -> None:
    assert pack_sightings(walk(0)) == pack_sightings(walk(0))


def test_a_description_comes_back_in_half_precision() -> None:
    parts = {"network": np.linspace(-1, 1, 50, dtype=np.float32), "colour": np.array([0.25], np.float32)}
    found = unpack_parts(pack_parts(parts))
    assert list(found) == ["network", "colour"]
    assert np.array_equal(found["network"], parts["network"].astype(np.float16).astype(np.float32))
    assert found["colour"].dtype == np.float32


@pytest.mark.parametrize(
    "data",
    [b"", b"\x01\x05\x00\x00\x00", b"\x09" + pack_sightings(walk(0))[1:], pack_sightings(walk(0))[:-3]],
)
def test_damaged_sightings_are_refused(data: bytes) -> None:
    with pytest.raises(DamagedCollection, match="track the camera again"):
        unpack_sightings(data)


@pytest.mark.parametrize("data", [b"", b"\x02\x00[]\x00\x00", b"\x02\x00{}\x00\x00", b"\x02\x00{]"])
def test_a_damaged_description_is_refused(data: bytes) -> None:
    with pytest.raises(DamagedCollection, match="track the camera again"):
        unpack_parts(data)


def columns(**changes: object) -> SightingColumns:
    whole = walk(0, frames=3)
    values = {name: getattr(whole, name) for name in ("frame", "time", "box", "confidence", "seen")}
    return SightingColumns(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (columns(frame=np.array([1, 2])), "as many in each"),
        (columns(frame=np.array([1, 3, 3])), "do not ascend"),
        (columns(time=np.array([3, 2, 1])), "do not ascend"),
        (columns(box=np.full((3, 4), np.nan)), "out of range"),
        (columns(box=np.full((3, 4), 1e9)), "out of range"),
        (columns(confidence=np.array([0, 1, 1.5])), "out of range"),
        (
            columns(**{n: getattr(walk(0), n)[:0] for n in ("frame", "time", "box", "confidence", "seen")}),
            "one row",
        ),
    ],
)
def test_columns_that_are_no_sightings_are_refused(wrong: SightingColumns, message: str) -> None:
    with pytest.raises(InputError, match=message):
        pack_sightings(wrong)


@pytest.mark.parametrize(
    "parts", [{}, {"a": np.array([np.nan], np.float32)}, {"a": np.array([1e6], np.float32)}]
)
def test_numbers_that_half_precision_cannot_hold_are_refused(parts: dict[str, np.ndarray]) -> None:
    with pytest.raises(InputError, match="65,504"):
        pack_parts(parts)
