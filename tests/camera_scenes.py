"""Painted people who walk through two cameras, as folders of pictures with their true boxes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 240, 160
BODY = (24, 72)
FPS = 10.0

LOOKS: Mapping[str, tuple[tuple[int, int, int], tuple[int, int, int]]] = {
    "red": ((200, 30, 40), (40, 40, 50)),
    "green": ((40, 160, 60), (220, 210, 190)),
    "blue": ((30, 60, 190), (120, 90, 60)),
    "yellow": ((230, 200, 40), (20, 20, 90)),
    "white": ((240, 240, 240), (10, 10, 10)),
}
"""Colours of shirt and trousers."""

PEOPLE = tuple(LOOKS)


def person(name: str, width: int = BODY[0], height: int = BODY[1], *, seed: int = 0) -> np.ndarray:
    """uint8 (height, width, 3): head, shirt with stripes or without, trousers."""
    shirt, trousers = LOOKS[name]
    body = np.zeros((height, width, 3), np.float64)
    head, belt = height // 5, height * 3 // 5
    body[:head] = (205, 160, 130)
    body[head:belt] = shirt
    body[belt:] = trousers
    if PEOPLE.index(name) % 2:
        body[head:belt:6] *= 0.6
    noise = np.random.default_rng(seed).normal(0, 6, body.shape)
    return np.clip(body + noise, 0, 255).astype(np.uint8)


def backdrop(seed: int) -> np.ndarray:
    """uint8 (HEIGHT, WIDTH, 3): a wall and a floor."""
    rng = np.random.default_rng(seed)
    picture = np.full((HEIGHT, WIDTH, 3), 150.0)
    picture[HEIGHT // 2 :] = (120, 115, 105)
    return np.clip(picture + rng.normal(0, 4, picture.shape), 0, 255).astype(np.uint8)


SPEED = 8
"""Pixels a frame, to the right."""


def walk(folder: Path, truth: Path, walkers: Sequence[str], *, pause: int, seed: int = 0) -> None:
    """One after another, people cross the picture from left to right.

    Args:
        folder: Gets ``0001.png`` and so on.
        truth: Gets the boxes, MOTChallenge form; a person's id is the place in ``PEOPLE``, from 1.
        walkers: In this order.
        pause: Frames between two of them; several are in the picture at once.
        seed: Of the backdrop and noise.
    """
    folder.mkdir(parents=True)
    empty, lines = backdrop(seed), []
    for frame in range(len(walkers) * pause + (WIDTH - BODY[0]) // SPEED):
        picture = empty.copy()
        for place, name in enumerate(walkers):
            left = (frame - place * pause) * SPEED + 4
            top = 56 + 3 * PEOPLE.index(name)
            if frame < place * pause or left + BODY[0] > WIDTH - 4:
                continue
            picture[top : top + BODY[1], left : left + BODY[0]] = person(name, seed=frame)
            lines.append(f"{frame + 1},{PEOPLE.index(name) + 1},{left},{top},{BODY[0]},{BODY[1]},1,1,1\n")
        Image.fromarray(picture).save(folder / f"{frame + 1:04d}.png", compress_level=1)
    truth.write_text("".join(lines))


def write_scene(folder: Path) -> Path:
    """Two cameras that do not overlap: four people cross the first three times, then three of them the second.

    Returns:
        The description of the cameras; true boxes are in ``truth/`` beside it.
    """
    (folder / "truth").mkdir(parents=True)
    walk(folder / "gate", folder / "truth" / "gate.txt", PEOPLE[:4] * 3, pause=9, seed=1)
    walk(
        folder / "yard",
        folder / "truth" / "yard.txt",
        [PEOPLE[2], PEOPLE[0], PEOPLE[3]] * 3,
        pause=12,
        seed=2,
    )
    description = {
        "cameras": [
            {"name": "gate", "frames": "gate", "fps": FPS, "start": "2024-06-11T09:00:00Z", "overlaps": []},
            {"name": "yard", "frames": "yard", "fps": FPS, "start": "2024-06-11T09:00:26Z", "overlaps": []},
        ]
    }
    path = folder / "cameras.json"
    path.write_text(json.dumps(description))
    return path
