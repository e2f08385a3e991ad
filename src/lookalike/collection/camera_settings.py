"""Cameras as a store keeps them, and back."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from lookalike.collection.tracking_report import CameraInfo
from lookalike.errors import DamagedCollection
from lookalike.store.interactions import microseconds, moment
from lookalike.store.tracking import CameraRecord
from lookalike.tracking.cameras import Camera


def recorded(
    camera: Camera,
    *,
    size: tuple[int, int] | None,
    fps: float | None,
    description: dict[str, Any],
    retain: int | None,
) -> CameraRecord:
    """A camera for the store.

    Args:
        camera: As it was described.
        size, fps: As they were seen, where the description does not say.
        description: What describes its tracklets, as plain types.
        retain: Age after which tracklets are erased, microseconds; None: never.
    """
    plain = asdict(camera)
    del plain["start"]
    plain["size"] = camera.size or size
    plain["neighbours"] = None if camera.neighbours is None else dict(camera.neighbours)
    settings = {"camera": plain, "measured_fps": fps, "description": description}
    return CameraRecord(
        camera.name, json.dumps(settings, sort_keys=True), start=microseconds(camera.start), retain=retain
    )


def camera_of(record: CameraRecord) -> Camera:
    """A camera as it was described, with the size that its pictures were seen to have.

    Raises:
        DamagedCollection: If its settings cannot be read.
    """
    try:
        plain = json.loads(record.settings)["camera"]
        return Camera(
            name=record.name,
            source=plain["source"],
            kind=plain["kind"],
            start=moment(record.start),
            fps=plain["fps"],
            size=_tuple(plain["size"]),
            overlaps=_tuple(plain["overlaps"]),
            neighbours=None
            if plain["neighbours"] is None
            else {name: (pair[0], pair[1]) for name, pair in plain["neighbours"].items()},
            homography=_nested(plain["homography"]),
            ignore=_nested(plain["ignore"]) or (),
        )
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise _unreadable(record, error) from None


def description_of(record: CameraRecord) -> dict[str, Any]:
    """What describes a camera's tracklets, as plain types.

    Raises:
        DamagedCollection: If its settings cannot be read.
    """
    try:
        description: dict[str, Any] = json.loads(record.settings)["description"]
    except (ValueError, KeyError, TypeError) as error:
        raise _unreadable(record, error) from None
    return description


def info_of(record: CameraRecord) -> CameraInfo:
    """A camera for people."""
    camera = camera_of(record)
    measured = json.loads(record.settings).get("measured_fps")
    return CameraInfo(
        name=record.name,
        source=camera.source,
        kind=camera.kind,
        start=camera.start,
        fps=camera.fps or measured,
        size=camera.size,
        last=None if record.last is None else moment(record.last),
        frames=record.frames,
        tracklets=record.tracklets,
        retain=None if record.retain is None else record.retain / 1e6,
    )


def _unreadable(record: CameraRecord, error: Exception) -> DamagedCollection:
    return DamagedCollection(f"the settings of camera {record.name} cannot be read ({error}): track it again")


def _tuple(values: list[Any] | None) -> Any:
    return None if values is None else tuple(values)


def _nested(values: list[Any] | None) -> Any:
    if values is None:
        return None
    return tuple(tuple(tuple(v) if isinstance(v, list) else v for v in row) for row in values)
