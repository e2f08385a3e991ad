"""A small place with cameras, made for tests: coloured figures that walk over a plain ground, with the truth.

Everything follows from the seed. A figure is a rectangle in three colours (head, body, legs), as wide as a third of its
height, so that detectors and descriptions of people have something to hold on to.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Colour = tuple[int, int, int]

SKIN: Colour = (222, 184, 150)
FIGURES: tuple[tuple[Colour, Colour], ...] = (
    ((205, 40, 45), (30, 34, 70)),
    ((40, 90, 200), (150, 150, 155)),
    ((240, 200, 40), (40, 40, 40)),
    ((40, 150, 80), (110, 70, 40)),
)
"""Body and legs of each."""

START = "2024-06-11T09:00:00Z"


@dataclass(frozen=True)
class Walk:
    """One figure crossing the view of one camera, from left to right.

    Args:
        figure: Its number, from 0.
        first, last: Frames, from 1, in which it is seen.
        top: Of its box, pixels.
        height: Of its box, pixels.
    """

    figure: int
    first: int
    last: int
    top: int
    height: int

    def box(self, frame: int, width: int) -> tuple[int, int, int, int]:
        """Left, top, width and height in a frame."""
        wide = self.height // 3
        share = (frame - self.first) / max(1, self.last - self.first)
        return round(4 + share * (width - wide - 8)), self.top, wide, self.height


def paint(
    walks: list[Walk], frame: int, width: int, height: int, rng: np.random.Generator
) -> npt.NDArray[np.uint8]:
    """One frame: uint8 (height, width, 3)."""
    ground = np.empty((height, width, 3))
    ground[:] = np.linspace(120, 165, height)[:, None, None]
    image = np.clip(ground + rng.normal(0, 2, ground.shape), 0, 255).astype(np.uint8)
    for walk in walks:
        if walk.first <= frame <= walk.last:
            left, top, wide, high = walk.box(frame, width)
            body, legs = FIGURES[walk.figure]
            image[top : top + high, left : left + wide] = body
            image[top + high * 55 // 100 : top + high, left : left + wide] = legs
            image[top : top + high // 6, left + wide // 4 : left + wide - wide // 4] = SKIN
    return image


def write_video(
    path: Path, walks: list[Walk], frames: int, *, width: int = 160, height: int = 96, seed: int = 0
) -> None:
    """A video of 10 frames a second."""
    import av

    rng = np.random.default_rng(seed)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=10, options={"crf": "12", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(1, frames + 1):
            image = paint(walks, number, width, height, rng)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))


def write_truth(path: Path, walks: list[Walk], *, width: int = 160) -> None:
    """The boxes in the form of MOTChallenge; identities are figures, from 1."""
    lines = [
        f"{frame},{walk.figure + 1},{','.join(map(str, walk.box(frame, width)))},1,1,1\n"
        for walk in walks
        for frame in range(walk.first, walk.last + 1)
    ]
    path.write_text("".join(sorted(lines, key=lambda line: int(line.split(",")[0]))))


WALKS = {
    "door": [Walk(0, 3, 22, 16, 60), Walk(1, 12, 34, 24, 60)],
    "yard": [Walk(0, 30, 50, 20, 60), Walk(1, 44, 58, 12, 60)],
}
"""Two figures, who go from the door to the yard."""

FRAMES = 60


def write_scene(folder: Path) -> Path:
    """Two videos, their description and the truth; returns the description.

    ``cameras.json``, ``CAMERA.mp4``, ``gt/CAMERA.txt``, ``detections/CAMERA.txt`` (the truth without identities).
    """
    for inside in ("gt", "detections"):
        (folder / inside).mkdir(parents=True, exist_ok=True)
    entries = []
    for number, (name, walks) in enumerate(WALKS.items()):
        write_video(folder / f"{name}.mp4", walks, FRAMES, seed=number)
        write_truth(folder / "gt" / f"{name}.txt", walks)
        rows = [line.split(",") for line in (folder / "gt" / f"{name}.txt").read_text().splitlines()]
        text = "".join(",".join([row[0], "-1", *row[2:]]) + "\n" for row in rows)
        (folder / "detections" / f"{name}.txt").write_text(text)
        entries.append({"name": name, "video": f"{name}.mp4", "start": START, "fps": 10, "overlaps": []})
    (folder / "cameras.json").write_text(json.dumps({"cameras": entries}))
    return folder / "cameras.json"
