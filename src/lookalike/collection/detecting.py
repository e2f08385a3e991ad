"""Where the detections of a camera come from: a detector, or files that somebody else's detector wrote."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from lookalike.datasets.mot_challenge import MotRows, read_mot
from lookalike.errors import InputError
from lookalike.tracking.cameras import Camera
from lookalike.tracking.detections import Detections, Detector
from lookalike.tracking.footage import Shot, shots
from lookalike.tracking.motion_detector import MotionDetector
from lookalike.types import Image

MOTION = "motion"
ONNX = "onnx:"
DETECTORS = (MOTION, "onnx:PATH")

PRIMING_FRAMES = 45
PRIMING_SECONDS = 2.0
"""Frames of a recording that the empty scene is learned from before it begins, and the time between them."""


class Finder(Protocol):
    """Says what is in each frame of one camera; frames come in order."""

    def find(self, shot: Shot) -> Detections:
        """What is in a frame, which may lack its pixels."""

    def left(self) -> str | None:
        """At the end: what is wrong with what was found, or None."""

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """What finding in the next frames of a stream depends on, as arrays; empty if on nothing."""

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Go on where :meth:`state` was taken."""


class Given:
    """Detections that were read from a MOTChallenge file.

    Args:
        rows: The file's lines; ids are not looked at.
    """

    def __init__(self, rows: MotRows) -> None:
        self._rows = rows
        self._taken = 0

    def find(self, shot: Shot) -> Detections:
        """The lines of this frame; a corrupt frame has its detections too."""
        first, last = np.searchsorted(self._rows.frame, [shot.number, shot.number + 1])
        self._taken += int(last - first)
        box = self._rows.box[first:last]
        confidence = np.clip(self._rows.confidence[first:last], 0.0, 1.0)
        return Detections(box, confidence, self._rows.category[first:last])

    def left(self) -> str | None:
        """Detections of frames that the recording does not have."""
        missing = len(self._rows) - self._taken
        return (
            f"{missing} given detections are of frames that the recording does not have" if missing else None
        )

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Nothing: lines belong to frames by number."""
        return {}

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """There is nothing to restore."""


class Found:
    """Detections of a detector.

    Args:
        detector: Of this camera alone: it remembers what it saw.
    """

    def __init__(self, detector: Detector) -> None:
        self._detector = detector

    def find(self, shot: Shot) -> Detections:
        """What the detector finds; nothing where there are no pixels."""
        if shot.image is None:
            return Detections.none()
        return self._detector.detect(shot.image, shot.seconds)

    def left(self) -> str | None:
        """Nothing: every frame was looked at."""
        return None

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """The empty scene and the usual sizes, of the built-in detector; a network remembers nothing."""
        return self._detector.state(brief=True) if isinstance(self._detector, MotionDetector) else {}

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Go on with that scene."""
        if state and isinstance(self._detector, MotionDetector):
            self._detector.restore(state)


class Detecting:
    """Makes a finder for each camera.

    Args:
        detector: ``motion`` or ``onnx:PATH``.
        folder: Where ``CAMERA.txt`` files with given detections are; None to detect.

    Raises:
        InputError: If there is no such detector; lists those there are.
        EncoderError: If a network cannot be used.
    """

    def __init__(self, detector: str, folder: Path | None) -> None:
        self._folder = folder
        self._name = detector
        self._network: Detector | None = None
        if folder is not None:
            if not folder.is_dir():
                raise InputError(f"there is no folder {folder}: expected one with CAMERA.txt for each camera")
        elif detector.startswith(ONNX):
            self._network = self._loaded()
        elif detector != MOTION:
            raise InputError(f"there is no detector {detector!r}: expected {' or '.join(DETECTORS)}")

    def finder(self, camera: Camera) -> Finder:
        """What finds things in this camera.

        Raises:
            InputError: If given detections cannot be read.
            SourceError: If the camera cannot be read.
        """
        if self._folder is not None:
            return Given(read_mot(self._file(camera)))
        if self._network is not None:
            # streams run at the same time, and a network has one set of buffers
            return Found(self._loaded() if camera.kind == "url" else self._network)
        motion = MotionDetector()
        if camera.kind != "url":  # the beginning of a stream cannot be seen twice
            motion.prime(_spread(camera))
        return Found(motion)

    def digest(self, camera: Camera) -> str:
        """What the detections depend on, apart from the camera's pictures.

        Raises:
            InputError: If given detections are not there.
        """
        if self._folder is not None:
            return hashlib.sha256(self._file(camera).read_bytes()).hexdigest()
        if self._network is None:
            return MOTION
        path = Path(self._name[len(ONNX) :])
        digest = hashlib.sha256(path.read_bytes())
        said = path.with_suffix(".json")
        if said.is_file():
            digest.update(said.read_bytes())
        return digest.hexdigest()

    def _loaded(self) -> Detector:
        from lookalike.tracking.onnx_detector import OnnxDetector

        return OnnxDetector(Path(self._name[len(ONNX) :]))

    def _file(self, camera: Camera) -> Path:
        assert self._folder is not None
        path = self._folder / f"{camera.name}.txt"
        if not path.is_file():
            raise InputError(
                f"{self._folder} has no {path.name}: expected one MOTChallenge file a camera, named after it; an empty "
                "file says that nothing was seen"
            )
        return path


def _spread(camera: Camera) -> Iterator[Image]:
    """Frames from the beginning of a recording, some seconds apart, all of the first one's size."""
    shape: tuple[int, ...] | None = None
    due, taken = 0.0, 0
    with closing(shots(camera)) as frames:  # type: ignore[type-var]  # a generator, which has close()
        for shot in frames:
            if shot.image is None or shot.seconds < due:
                continue
            shape = shape or shot.image.shape
            if shot.image.shape != shape:
                return
            yield shot.image
            due, taken = shot.seconds + PRIMING_SECONDS, taken + 1
            if taken == PRIMING_FRAMES:
                return
