"""The cameras of a place: where their pictures come from, when they start, and how they lie to each other.

One JSON object with a list ``cameras``; every camera is an object. Keys that are not listed are the owner's own:

| key | meaning | default |
| --- | --- | --- |
| ``name`` | unique; part of file names | needed |
| ``video``, ``frames``, ``url`` | a video file, a folder of pictures, a stream: exactly one | needed |
| ``start`` | time of the first frame, ISO 8601 with its zone | 1970-01-01T00:00:00Z, for all cameras or for none |
| ``fps`` | frames a second | the video's; needed with ``frames`` |
| ``width``, ``height`` | of the picture, pixels | the video's |
| ``overlaps`` | names of cameras that see a part of the same ground; ``[]`` for none | not known |
| ``neighbours`` | ``{name: [least seconds, most seconds]}`` on foot, where there is a way | learned |
| ``homography`` | 3 x 3: pixels of the ground to one map | learned where views overlap |
| ``ignore`` | polygons ``[[x, y], ...]`` in pixels; who stands in one is not looked at | none |
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from lookalike.errors import InputError

SourceKind: TypeAlias = Literal["video", "frames", "url"]
SOURCES: tuple[SourceKind, ...] = get_args(SourceKind)

KEYS = (
    "name",
    *SOURCES,
    "start",
    "fps",
    "width",
    "height",
    "overlaps",
    "neighbours",
    "homography",
    "ignore",
)

EPOCH = datetime.fromtimestamp(0, tz=UTC)

_NAME = re.compile(r"[^/\\\0\s][^/\\\0]*")

Polygon: TypeAlias = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Camera:
    """One camera.

    Args:
        name: Unique.
        source: Path or address of its pictures.
        kind: What ``source`` is.
        start: Time of its first frame, aware.
        fps: Frames a second; None for what the video says.
        size: Width and height in pixels; None for what the video says.
        overlaps: Names of cameras that see a part of the same ground; None where nobody said.
        neighbours: Least and most seconds on foot to other cameras; None where nobody said.
        homography: Three rows of three numbers: pixels of the ground to a map.
        ignore: Polygons of regions that are not looked at, pixels.
    """

    name: str
    source: str
    kind: SourceKind
    start: datetime = EPOCH
    fps: float | None = None
    size: tuple[int, int] | None = None
    overlaps: tuple[str, ...] | None = None
    neighbours: Mapping[str, tuple[float, float]] | None = None
    homography: tuple[tuple[float, float, float], ...] | None = None
    ignore: tuple[Polygon, ...] = field(default=())


def read_cameras(path: Path) -> list[Camera]:
    """Read a description of cameras; sources that are relative are looked for beside it.

    Raises:
        InputError: If it cannot be read or says something that cannot be; names the camera and the key.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path} cannot be read as JSON ({error}): expected a description of cameras"
        ) from None
    return parse_cameras(document, folder=path.parent, what=str(path))


def parse_cameras(document: Any, *, folder: Path, what: str = "the description") -> list[Camera]:
    """Check a description of cameras.

    Args:
        document: What its JSON holds.
        folder: Where relative sources are.
        what: Its name in messages.

    Raises:
        InputError: As for :func:`read_cameras`.
    """
    entries = document.get("cameras") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not entries:
        raise InputError(
            f'{what} has no list of cameras: expected {{"cameras": [{{"name": ..., "video": ...}}]}}'
        )
    cameras = [_camera(entry, number, folder, what) for number, entry in enumerate(entries, 1)]
    names = [camera.name for camera in cameras]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(
            f"{what} has {', '.join(twice)} more than once: expected a name of its own for each camera"
        )
    dated = [camera.name for camera in cameras if camera.start != EPOCH]
    if dated and len(dated) < len(cameras):
        undated = [name for name in names if name not in dated]
        raise InputError(
            f"{what} gives no start for {', '.join(undated)} but one for {', '.join(dated)}: expected the time of the "
            "first frame of every camera, or of none where all start together"
        )
    for camera in cameras:
        for other in (*(camera.overlaps or ()), *(camera.neighbours or {})):
            if other not in names or other == camera.name:
                raise InputError(
                    f"camera {camera.name} of {what} names {other!r}: expected another camera, one of "
                    f"{', '.join(name for name in names if name != camera.name) or 'none, since it is the only one'}"
                )
    return cameras


def overlapping(cameras: Sequence[Camera], first: str, second: str) -> bool | None:
    """Whether two cameras see a part of the same ground; None where neither says.

    One that says so is enough; a camera that lists its overlaps without the other says that there is none.
    """
    known = {camera.name: camera.overlaps for camera in cameras}
    said = [
        other in listed
        for name, other in ((first, second), (second, first))
        if (listed := known.get(name)) is not None
    ]
    return any(said) if said else None


def least_travel(cameras: Sequence[Camera]) -> dict[tuple[str, str], float]:
    """The least time between two cameras along the ways that their neighbours give; infinite where there is none.

    Returns:
        Seconds by pair of names, for all pairs if any camera names neighbours, otherwise empty.
    """
    if not any(camera.neighbours is not None for camera in cameras):
        return {}
    names = [camera.name for camera in cameras]
    time = {(a, b): 0.0 if a == b else float("inf") for a in names for b in names}
    for camera in cameras:
        for other, (least, _) in (camera.neighbours or {}).items():
            for pair in ((camera.name, other), (other, camera.name)):
                time[pair] = min(time[pair], least)
        for other in camera.overlaps or ():
            time[camera.name, other] = time[other, camera.name] = 0.0
    for middle in names:  # Floyd and Warshall: cameras are few
        for a in names:
            for b in names:
                time[a, b] = min(time[a, b], time[a, middle] + time[middle, b])
    return time


def inside(polygons: Sequence[Polygon], x: float, y: float) -> bool:
    """Whether a point lies in any of some polygons, by the even-odd rule."""
    for polygon in polygons:
        crossings = 0
        for (x1, y1), (x2, y2) in zip(polygon, (*polygon[1:], polygon[0]), strict=True):
            if (y1 > y) != (y2 > y) and x < x1 + (y - y1) * (x2 - x1) / (y2 - y1):
                crossings += 1
        if crossings % 2:
            return True
    return False


def _camera(entry: Any, number: int, folder: Path, what: str) -> Camera:
    if not isinstance(entry, dict):
        raise InputError(
            f"camera {number} of {what} is {entry!r}: expected an object with a name and a source"
        )
    name = entry.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InputError(
            f"camera {number} of {what} has the name {name!r}: expected a text that may name a file"
        )
    where = f"camera {name} of {what}"
    for key in entry:
        meant = difflib.get_close_matches(key, KEYS, 1, cutoff=0.75)
        if key not in KEYS and meant:
            raise InputError(f"{where} has a key {key!r} that means nothing: {meant[0]} was meant, perhaps")
    # some exports write the number of frames beside a video: only a text names a folder
    kinds: list[SourceKind] = [key for key in SOURCES if isinstance(entry.get(key), str)]
    if len(kinds) != 1:
        raise InputError(
            f"{where} has {' and '.join(kinds) or 'no source'}: expected exactly one of {', '.join(SOURCES)}, a text"
        )
    kind = kinds[0]
    source = entry[kind] if kind == "url" else str((folder / entry[kind]).absolute())
    fps = entry.get("fps")
    if fps is None and kind == "frames":
        raise InputError(f"{where} is a folder of pictures without fps: say how many there are a second")
    if fps is not None and not (_number(fps) and 0 < fps < 10_000):
        raise InputError(f"{where} has fps {fps!r}: expected frames a second, greater than 0")
    return Camera(
        name=name,
        source=source,
        kind=kind,
        start=_start(entry.get("start"), where),
        fps=None if fps is None else float(fps),
        size=_size(entry.get("width"), entry.get("height"), where),
        overlaps=_names(entry.get("overlaps"), where),
        neighbours=_neighbours(entry.get("neighbours"), where),
        homography=_homography(entry.get("homography"), where),
        ignore=_polygons(entry.get("ignore"), where),
    )


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and bool(np.isfinite(value))


def _start(value: Any, where: str) -> datetime:
    if value is None:
        return EPOCH
    try:
        start = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        start = None
    if start is None or start.utcoffset() is None:
        raise InputError(
            f"{where} has start {value!r}: expected ISO 8601 with a time zone, such as 2024-06-11T09:00:02.350Z"
        )
    return start.astimezone(UTC)


def _size(width: Any, height: Any, where: str) -> tuple[int, int] | None:
    if width is None and height is None:
        return None
    if not all(isinstance(side, int) and not isinstance(side, bool) and side > 0 for side in (width, height)):
        raise InputError(f"{where} has width {width!r} and height {height!r}: expected both, whole pixels")
    return width, height


def _names(value: Any, where: str) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise InputError(f"{where} has overlaps {value!r}: expected a list of names of cameras, [] for none")
    return tuple(value)


def _neighbours(value: Any, where: str) -> dict[str, tuple[float, float]] | None:
    if value is None:
        return None
    good = isinstance(value, dict) and all(
        isinstance(pair, list) and len(pair) == 2 and all(map(_number, pair)) and 0 <= pair[0] <= pair[1]
        for pair in value.values()
    )
    if not good:
        raise InputError(
            f"{where} has neighbours {value!r}: expected {{NAME: [least seconds, most seconds]}}, "
            "0 <= least <= most"
        )
    return {name: (float(least), float(most)) for name, (least, most) in value.items()}


def _homography(value: Any, where: str) -> tuple[tuple[float, float, float], ...] | None:
    if value is None:
        return None
    try:
        matrix = np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        matrix = np.empty(0)
    if matrix.shape != (3, 3) or not np.isfinite(matrix).all() or abs(np.linalg.det(matrix)) < 1e-12:
        raise InputError(f"{where} has a homography {value!r}: expected 3 x 3 numbers that can be inverted")
    return tuple((row[0], row[1], row[2]) for row in matrix.tolist())


def _polygons(value: Any, where: str) -> tuple[Polygon, ...]:
    if value is None:
        return ()
    good = isinstance(value, list) and all(
        isinstance(polygon, list)
        and len(polygon) >= 3
        and all(isinstance(p, list) and len(p) == 2 and all(map(_number, p)) for p in polygon)
        for polygon in value
    )
    if not good:
        raise InputError(
            f"{where} has ignore {value!r}: expected a list of polygons [[x, y], ...] of 3 points or more"
        )
    return tuple(tuple((float(x), float(y)) for x, y in polygon) for polygon in value)
