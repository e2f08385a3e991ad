"""The built-in detector, for cameras that do not move: whoever is not part of the scene.

No network and nothing to download. It finds anything that moves, and takes it for a person: it cannot tell people from
carts. A moving camera, waving trees or a crowd that hides the floor need a trained network
(:mod:`lookalike.tracking.onnx_detector`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from lookalike.tracking.background import Background
from lookalike.tracking.blobs import find_boxes
from lookalike.tracking.detections import PERSON, Detections
from lookalike.tracking.foreground import foreground
from lookalike.tracking.scene_scale import SceneScale
from lookalike.types import Image

LONGEST_SIDE = 640
"""Frames are reduced by whole factors until their longer side is at most about this, pixels."""

LEAST_HEIGHT = 0.05
"""Of the picture: what is less tall is noise."""

WIDEST = 3.0
"""Width by height beyond which a region is a patch of light rather than a thing that stands."""

MOST_OF_THE_SCENE = 0.5
"""Share of foreground beyond which the light changed or the camera was moved: the frame says nothing."""


class MotionDetector:
    """Background subtraction with shadows taken out, pieces joined and groups taken apart.

    Frames before the background is known (three samples) give nothing; :meth:`prime` avoids that for recordings.

    Args:
        background: How the empty scene is learned; None for the default.
        least_height: Share of the picture's height below which a region is noise, in (0, 1).
    """

    def __init__(self, background: Background | None = None, *, least_height: float = LEAST_HEIGHT) -> None:
        self._background = background or Background()
        self._least_height = least_height
        self._scale = SceneScale()

    def prime(self, images: Iterable[Image]) -> None:
        """Learn the empty scene from frames of a recording, some 45 of them, spread over a minute or more.

        Args:
            images: uint8 (h, w, 3) each, of one size.
        """
        self._background.prime(_reduced(image)[0] for image in images)

    def detect(self, image: Image, seconds: float) -> Detections:
        """What is in a frame; see :class:`lookalike.tracking.detections.Detector`.

        The confidence is the share of the box that differs strongly from the scene, doubled and cut at 1.
        """
        small, factor = _reduced(image)
        self._background.update(small, seconds)
        empty = self._background.picture
        if empty is None:
            return Detections.none()
        weak, strong = foreground(small, empty)
        if weak.mean() > MOST_OF_THE_SCENE:
            return Detections.none()
        height, width = weak.shape
        boxes = find_boxes(weak, strong, self._scale, least_height=self._least_height * height)
        boxes = boxes[boxes[:, 2] <= WIDEST * boxes[:, 3]]
        self._scale.learn(boxes, width, height)
        return Detections(
            boxes * factor, _confidence(boxes, strong), np.full(len(boxes), PERSON, dtype=np.int64)
        )

    def state(self, *, brief: bool = False) -> dict[str, npt.NDArray[np.generic]]:
        """Everything that the next frame's answer depends on, as arrays for ``numpy.savez``.

        Args:
            brief: As for :meth:`lookalike.tracking.background.Background.state`.
        """
        parts = {"background": self._background.state(brief=brief), "scale": self._scale.state()}
        return {f"{part}.{name}": value for part, state in parts.items() for name, value in state.items()}

    def restore(self, state: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Go on where :meth:`state` was taken."""
        for part, owner in (("background.", self._background), ("scale.", self._scale)):
            owner.restore({name[len(part) :]: v for name, v in state.items() if name.startswith(part)})


def _reduced(image: Image) -> tuple[Image, int]:
    """The image box-averaged by a whole factor, and the factor."""
    factor = max(1, round(max(image.shape[:2]) / LONGEST_SIDE))
    if factor == 1:
        return image, 1
    from PIL import Image as Pillow

    return np.asarray(Pillow.fromarray(image).reduce(factor)), factor


def _confidence(boxes: npt.NDArray[np.float64], strong: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    shares = [float(strong[int(y) : int(y + h), int(x) : int(x + w)].mean()) for x, y, w, h in boxes.tolist()]
    return np.minimum(1.0, 2 * np.array(shares, dtype=np.float64))
