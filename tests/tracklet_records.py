"""Cameras and tracklets for the tests of stores: walks from a seed, every field settable."""

from __future__ import annotations

import numpy as np

from lookalike.store.tracking import CameraRecord, NewTracklet, SightingColumns

FINGERPRINT = "0123456789abcdef.network+colour.7"
NINE = 1_718_096_400_000_000
"""2024-06-11 09:00 UTC, microseconds since 1970."""

SECOND = 1_000_000


def camera(name: str = "gate", **values: object) -> CameraRecord:
    """A camera that was looked at for a minute and a half."""
    given: dict[str, object] = {"run": "first", "start": NINE, "frames": 900, "last": NINE + 90 * SECOND}
    return CameraRecord(name, "{}", **{**given, **values})  # type: ignore[arg-type]


def walk(seconds: float, *, frames: int = 20, seed: int = 0) -> SightingColumns:
    """Sightings of somebody who walks, ten a second, beginning so many seconds after nine."""
    rng = np.random.default_rng(seed)
    first = round(seconds * 10) + 1
    box = np.array([100.0, 50.0, 30.0, 90.0]) + np.cumsum(rng.normal(size=(frames, 4)), axis=0)
    return SightingColumns(
        frame=np.arange(first, first + frames),
        time=NINE + (np.arange(frames) + first - 1) * (SECOND // 10),
        box=np.maximum(box, 1.0).round(2),
        confidence=rng.random(frames).round(4),
        seen=rng.random(frames) > 0.1,
    )


def tracklet(seconds: float = 0, *, frames: int = 20, seed: int = 0, **values: object) -> NewTracklet:
    """A tracklet of such a walk, described by a few numbers."""
    rng = np.random.default_rng(seed + 1000)
    given: dict[str, object] = {
        "track": seed,
        "category": 1,
        "quality": 0.5,
        "best": frames // 2,
        "sightings": walk(seconds, frames=frames, seed=seed),
        "crop": f"webp {seed}".encode(),
        "fingerprint": FINGERPRINT,
        "parts": {
            "network": rng.normal(size=12).astype(np.float16).astype(np.float32),
            "colour": rng.normal(size=3).astype(np.float16).astype(np.float32),
        },
    }
    return NewTracklet(**{**given, **values})  # type: ignore[arg-type]
