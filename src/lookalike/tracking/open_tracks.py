"""Tracks of one camera that are still followed: their sightings, a few crops of each, and both as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.tracking.crops import crop
from lookalike.tracking.footage import Shot
from lookalike.types import Image

Floats = npt.NDArray[np.float64]

CROPS_KEPT = 64
"""Crops of a track that are kept while it is followed: the best of each of so many parts of its time at most."""

CROPS_SAVED = 16
"""Crops of a track that are saved with its state, chosen in the same way: twice as many as are described."""

LONGEST_SIDE = 384
"""Pixels that a kept crop has on its longer side: more than descriptions and pictures are made of."""

VERSION = 1
"""Of :func:`packed`."""


@dataclass(slots=True)
class OpenTrack:
    """A track that is followed.

    Args:
        frame, time, box, confidence, category, free: Of its sightings; times in seconds since the camera's first frame,
            ``free`` is the share of the box that no nearer one covers.
        crops: By part of its time: number of the frame, quality, pixels of the best crop.
        bin_seconds: Length of such a part.
    """

    frame: list[int] = field(default_factory=list)
    time: list[float] = field(default_factory=list)
    box: list[Floats] = field(default_factory=list)
    confidence: list[float] = field(default_factory=list)
    category: list[int] = field(default_factory=list)
    free: list[float] = field(default_factory=list)
    crops: dict[int, tuple[int, float, Image]] = field(default_factory=dict)
    bin_seconds: float = 0.25

    def keep_crop(self, shot: Shot, box: Floats, quality: float) -> None:
        """Keep a crop if it is the best of its part of the time; parts grow when there are too many."""
        assert shot.image is not None
        part = int((shot.seconds - self.time[0]) / self.bin_seconds)
        if quality <= 0 or (part in self.crops and self.crops[part][1] >= quality):
            return
        pixels = crop(shot.image, box)
        if pixels is None:
            return
        self.crops[part] = (shot.number, quality, _reduced(pixels))
        if len(self.crops) > CROPS_KEPT:
            self.bin_seconds *= 2
            self.crops = _halved(self.crops)


def packed(tracks: Mapping[int, OpenTrack]) -> dict[str, npt.NDArray[Any]]:
    """Tracks by number, as arrays for ``numpy.savez``; of their crops no more than :data:`CROPS_SAVED` each."""
    bins, crops = [], []
    for number, track in tracks.items():
        kept, seconds = track.crops, track.bin_seconds
        while len(kept) > CROPS_SAVED:
            kept, seconds = _halved(kept), 2 * seconds
        bins.append(seconds)
        crops += [(number, part, *each) for part, each in sorted(kept.items())]
    pixels = [np.ravel(image) for *_, image in crops]
    owner = np.repeat(np.array(list(tracks), dtype=np.int64), [len(t.frame) for t in tracks.values()])
    every = [track for track in tracks.values() if track.frame]
    return {
        "version": np.array(VERSION),
        "track": np.array(list(tracks), dtype=np.int64),
        "bin_seconds": np.array(bins, dtype=np.float64),
        "owner": owner,
        "box": np.array([box for t in every for box in t.box], dtype=np.float64).reshape(-1, 4),
        **{
            name: np.array([value for t in every for value in getattr(t, name)], dtype=kind)
            for name, kind in _COLUMNS.items()
        },
        "crop": np.array([each[:3] for each in crops], dtype=np.int64).reshape(-1, 3),
        "crop_quality": np.array([each[3] for each in crops], dtype=np.float64),
        "crop_shape": np.array([each[4].shape[:2] for each in crops], dtype=np.int64).reshape(-1, 2),
        "pixels": np.concatenate(pixels) if pixels else np.empty(0, np.uint8),
    }


_COLUMNS = {
    "frame": np.int64,
    "time": np.float64,
    "confidence": np.float64,
    "category": np.int64,
    "free": np.float64,
}


def unpacked(state: Mapping[str, npt.NDArray[Any]]) -> dict[int, OpenTrack]:
    """The tracks that :func:`packed` was given.

    Raises:
        InputError: If they were packed by another version.
    """
    if int(state["version"]) != VERSION:
        raise InputError(
            f"tracks were saved in form {int(state['version'])}: this version of lookalike reads {VERSION}"
        )
    tracks = {}
    for number, seconds in zip(state["track"].tolist(), state["bin_seconds"].tolist(), strict=True):
        own = state["owner"] == number
        columns = {name: state[name][own].tolist() for name in _COLUMNS}
        tracks[number] = OpenTrack(box=list(state["box"][own]), bin_seconds=seconds, **columns)
    sizes = state["crop_shape"].prod(axis=1) * 3
    pieces = np.split(state["pixels"], np.cumsum(sizes)[:-1]) if len(sizes) else []
    for (number, part, frame), quality, shape, piece in zip(
        state["crop"].tolist(),
        state["crop_quality"].tolist(),
        state["crop_shape"].tolist(),
        pieces,
        strict=True,
    ):
        tracks[number].crops[part] = (frame, quality, piece.reshape(*shape, 3))
    return tracks


def _halved(crops: Mapping[int, tuple[int, float, Image]]) -> dict[int, tuple[int, float, Image]]:
    """The better crop of every two parts."""
    halved: dict[int, tuple[int, float, Image]] = {}
    for old, kept in crops.items():
        if old // 2 not in halved or halved[old // 2][1] < kept[1]:
            halved[old // 2] = kept
    return halved


def _reduced(pixels: Image) -> Image:
    """A copy of no more than :data:`LONGEST_SIDE` pixels on the longer side."""
    longest = max(pixels.shape[:2])
    if longest <= LONGEST_SIDE:
        return pixels.copy()
    from PIL import Image as Pillow

    picture = Pillow.fromarray(pixels)
    size = (max(1, round(side * LONGEST_SIDE / longest)) for side in picture.size)
    return np.asarray(picture.resize(tuple(size), Pillow.Resampling.LANCZOS, reducing_gap=2.0))
