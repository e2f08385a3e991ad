"""What a camera's tracklets depend on, as one digest: a recording that was tracked so before is not tracked again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from lookalike.collection.description import Description
from lookalike.collection.detecting import Detecting
from lookalike.images.folders import is_image_name
from lookalike.tracking.cameras import Camera

METHOD = 1
"""Counts up when the same recording would give other tracklets with this version of lookalike."""


def run_digest(camera: Camera, detecting: Detecting, description: Description) -> str:
    """The digest; empty for what may be different every time: a stream, or a source that cannot be looked at."""
    source = _source(camera)
    if source is None:
        return ""
    parts = [
        METHOD,
        source,
        camera.kind,
        camera.start.isoformat(),
        camera.fps,
        camera.size,
        camera.ignore,
        detecting.digest(camera),
        description.fingerprint,
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _source(camera: Camera) -> Any:
    """Size and time of what the frames are read from; None where that says nothing."""
    path = Path(camera.source)
    try:
        if camera.kind == "video":
            return _stamp(path)
        if camera.kind == "frames":
            return sorted([each.name, *_stamp(each)] for each in path.iterdir() if is_image_name(each.name))
    except OSError:
        return None
    return None


def _stamp(path: Path) -> list[int]:
    found = path.stat()
    return [found.st_size, found.st_mtime_ns]
