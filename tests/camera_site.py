"""A collection that tracked the painted scene, made once in a test run, and copies of it."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path

import lookalike
from camera_scenes import write_scene

RATE = 0.05
"""Four people are not enough to tell what one comparison in a hundred would look like."""


@cache
def tracked_scene(base: Path) -> Path:
    """``site.lookalike`` beside ``scene/`` with its recordings; never written to by a test.

    Args:
        base: The test run's folder for temporary files.
    """
    folder = base / "camera-site"
    scene = write_scene(folder / "scene")
    with lookalike.create(folder / "site.lookalike") as site:
        site.track(scene, detections=scene.parent / "truth", progress=False)
    return folder / "site.lookalike"


def copied_site(base: Path, folder: Path) -> Path:
    """A copy that a test may change; its recordings are those of the original."""
    target = folder / "site.lookalike"
    shutil.copytree(tracked_scene(base), target)
    return target
