"""People walking on a plane before cameras whose pictures of the ground are known, drawn from a seed."""

from __future__ import annotations

import numpy as np

from lookalike.tracking.tracklets import Tracklet

WIDTH, HEIGHT = 640, 360

# The ground (x, y in 0 to 10) as two cameras see it.
FIRST = np.array([[50.0, 12.0, 40.0], [0.0, 22.0, 110.0], [0.0, 0.02, 1.0]])
SECOND = np.array([[-38.0, 20.0, 460.0], [6.0, 18.0, 120.0], [0.004, 0.015, 1.0]])


def to_picture(camera: np.ndarray, ground: np.ndarray) -> np.ndarray:
    """Points of the ground (n, 2) in a picture."""
    x, y, w = camera @ np.column_stack([ground, np.ones(len(ground))]).T
    return np.stack([x / w, y / w], axis=1)


def walk(random: np.random.Generator, seconds: float, fps: float = 10.0) -> np.ndarray:
    """A straight way across the ground, (n, 2)."""
    start, end = random.uniform(1, 9, 2), random.uniform(1, 9, 2)
    return np.linspace(start, end, int(seconds * fps))


def tracklet(
    camera: str,
    number: int,
    feet: np.ndarray,
    start: float,
    *,
    fps: float = 10.0,
    first_frame: int = 1,
    track: int | None = None,
    tall: float = 60.0,
) -> Tracklet:
    """Somebody whose feet are at ``feet`` (n, 2) in the picture."""
    n = len(feet)
    box = np.column_stack([feet[:, 0] - tall / 6, feet[:, 1] - tall, np.full(n, tall / 3), np.full(n, tall)])
    return Tracklet(
        camera=camera,
        number=number,
        frame=np.arange(first_frame, first_frame + n),
        time=start + np.arange(n) / fps,
        box=box,
        confidence=np.ones(n),
        seen=np.ones(n, dtype=np.bool_),
        category=1,
        track=number if track is None else track,
    )


def looks(random: np.random.Generator, people: np.ndarray, *, noise: float = 0.5, d: int = 32) -> np.ndarray:
    """Embeddings float32 (n, d) of sightings of some people: a direction for each person and noise."""
    directions = random.normal(size=(int(people.max()) + 1, d))
    raw = directions[people] + noise * random.normal(size=(len(people), d))
    return (raw / np.linalg.norm(raw, axis=1, keepdims=True)).astype(np.float32)
