"""``onnx:PATH`` as a detector: YOLOX, YOLO, RT-DETR and D-FINE exports on OpenVINO.

A JSON file beside it, with the suffix ``.json``, may say how to use it:

| key | meaning | default |
| --- | --- | --- |
| ``family`` | ``yolox``, ``yolo``, ``detr`` or ``boxes``: see :mod:`lookalike.tracking.decoding` | by its outputs |
| ``input_size`` | ``[height, width]`` in pixels | the network's, or 640 x 640 where it takes any |
| ``resize`` | ``letterbox`` (from the upper left), ``letterbox-centre`` or ``squash`` | the family's |
| ``fill`` | grey of the border of a letterbox, 0 to 255 | 114 |
| ``mean``, ``std`` | three numbers each, 0 to 255, in the order of channels | 0; 1 for yolox, else 255 |
| ``channels`` | ``rgb`` or ``bgr`` | ``bgr`` for yolox, else ``rgb`` |
| ``decoded`` | yolox: boxes are in pixels already | false |
| ``classes`` | ``{"0": 1}``: the network's class to ours; others are left out | the first is a person |
| ``least_score`` | below it a box is left out, in (0, 1) | 0.1 |
| ``most_iou`` | overlap beyond which the lesser of two boxes is left out | 0.6; 1 for detr, boxes |
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

import lookalike.encoders  # noqa: F401 - before OpenVINO: keeps it from calling its makers
from lookalike.errors import EncoderError
from lookalike.tracking.boxes import clipped
from lookalike.tracking.decoding import (
    FAMILIES,
    Candidates,
    Family,
    detr,
    guess_family,
    suppressed,
    yolo,
    yolox,
)
from lookalike.tracking.detections import PERSON, Detections
from lookalike.types import Image

Fit: TypeAlias = Literal["letterbox", "letterbox-centre", "squash"]
FITS: tuple[Fit, ...] = get_args(Fit)

DEFAULT_SIDE = 640

FITS_OF: Mapping[Family, Fit] = {
    "yolox": "letterbox",
    "yolo": "letterbox-centre",
    "detr": "squash",
    "boxes": "squash",
}

KEYS = (
    "family",
    "input_size",
    "resize",
    "fill",
    "mean",
    "std",
    "channels",
    "decoded",
    "classes",
    "least_score",
    "most_iou",
)


@dataclass(frozen=True, slots=True)
class DetectorSpec:
    """How a detection network is fed and read; see the table above for the fields."""

    family: Family
    height: int
    width: int
    resize: Fit
    fill: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    channels: Literal["rgb", "bgr"]
    decoded: bool
    least_score: float
    most_iou: float
    classes: Mapping[int, int] = field(default_factory=dict)


class OnnxDetector:
    """A detection network of the user's.

    Args:
        path: The ``.onnx`` file.
        threads: CPU threads; None for all.

    Raises:
        EncoderError: If the file or its JSON file cannot be used; says why.
    """

    def __init__(self, path: Path, *, threads: int | None = None) -> None:
        import openvino

        if not path.is_file():
            raise EncoderError(
                f"there is no network at {path}: expected the path of an .onnx file after 'onnx:'"
            )
        self._path = path
        core = openvino.Core()
        try:
            model = core.read_model(path)
            image, self._sizes = _inputs(model, path)
            shapes = [_shape(port) for port in model.outputs]
            self.spec = read_spec(path.with_suffix(".json"), _input_size(image), shapes)
            fixed = {image: [1, 3, self.spec.height, self.spec.width]}
            if self._sizes is not None:
                fixed[self._sizes] = [1, 2]
            model.reshape(fixed)
            self._image = model.inputs.index(image)
            properties: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
            if threads is not None:
                properties["INFERENCE_NUM_THREADS"] = threads
            self._model = core.compile_model(model, "CPU", properties)
        except RuntimeError as error:
            reason = next(
                (line for line in reversed(str(error).splitlines()) if line.strip()), "no reason given"
            )
            raise EncoderError(f"{path} cannot be run as a detection network: {reason.strip()}") from None
        self._names = [min(port.get_names(), default="") for port in model.outputs]

    def detect(self, image: Image, seconds: float) -> Detections:  # noqa: ARG002  a network looks at each frame alone
        """What is in a frame; see :class:`lookalike.tracking.detections.Detector`."""
        spec = self.spec
        prepared, scale, offset = fitted(image, spec)
        feeds: dict[int, npt.NDArray[Any]] = {self._image: prepared}
        if self._sizes is not None:
            feeds[1 - self._image] = np.array([[spec.width, spec.height]], dtype=np.int64)
        try:
            result = self._model(feeds)
        except RuntimeError as error:
            raise EncoderError(f"detector {self._path.name} failed on a frame: {error}") from None
        outputs = [np.asarray(result[at]) for at in range(len(self._names))]
        candidates = suppressed(self._decoded(outputs), least_score=spec.least_score, most_iou=spec.most_iou)
        corners = (candidates.corners.reshape(-1, 2, 2) - offset) / scale
        boxes = np.hstack([corners[:, 0], corners[:, 1] - corners[:, 0]])
        boxes = clipped(boxes, image.shape[1], image.shape[0])
        known = np.array([label in spec.classes for label in candidates.label.tolist()], dtype=np.bool_)
        known &= (boxes[:, 2:] > 0).all(axis=1)
        category = np.array([spec.classes[at] for at in candidates.label[known].tolist()], dtype=np.int64)
        return Detections(boxes[known], candidates.score[known], category)

    def _decoded(self, outputs: list[npt.NDArray[Any]]) -> Candidates:
        spec = self.spec
        if spec.family == "yolox":
            return yolox(outputs[0][0], spec.height, spec.width, decoded=spec.decoded)
        if spec.family == "yolo":
            return yolo(outputs[0][0])
        if spec.family == "detr":
            at = (
                next(i for i, name in enumerate(self._names) if "box" in name)
                if self._named()
                else _boxes_at(outputs)
            )
            return detr(outputs[1 - at][0], outputs[at][0], spec.height, spec.width)
        labels = next(o[0] for o in outputs if o.ndim == 2 and np.issubdtype(o.dtype, np.integer))
        corners = next(o[0] for o in outputs if o.ndim == 3)
        scores = next(o[0] for o in outputs if o.ndim == 2 and np.issubdtype(o.dtype, np.floating))
        return Candidates(corners.astype(np.float64), scores.astype(np.float64), labels.astype(np.int64))

    def _named(self) -> bool:
        return sum("box" in name for name in self._names) == 1


def fitted(
    image: Image, spec: DetectorSpec
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Bring a frame to a network's input.

    Returns:
        float32 (1, 3, height, width); the scale and the offset (2,) in x and y by which a point of the frame becomes
        one of the input: point * scale + offset.
    """
    from PIL import Image as Pillow

    high, wide = image.shape[:2]
    inner_high, inner_wide = spec.height, spec.width
    if spec.resize != "squash":
        ratio = min(spec.height / high, spec.width / wide)
        inner_high, inner_wide = max(1, round(high * ratio)), max(1, round(wide * ratio))
    small = np.asarray(
        Pillow.fromarray(image).resize((inner_wide, inner_high), Pillow.Resampling.BILINEAR, reducing_gap=2.0)
    )
    canvas = np.full((spec.height, spec.width, 3), spec.fill, dtype=np.float32)
    centred = spec.resize == "letterbox-centre"
    top = (spec.height - inner_high) // 2 if centred else 0
    left = (spec.width - inner_wide) // 2 if centred else 0
    canvas[top : top + inner_high, left : left + inner_wide] = small
    if spec.channels == "bgr":
        canvas = canvas[..., ::-1]
    planes = canvas.transpose(2, 0, 1)
    mean, std = (np.array(values, np.float32)[:, None, None] for values in (spec.mean, spec.std))
    prepared: npt.NDArray[np.float32] = np.ascontiguousarray(((planes - mean) / std)[None], dtype=np.float32)
    scale = np.array([inner_wide / wide, inner_high / high])
    return prepared, scale, np.array([left, top], dtype=np.float64)


def read_spec(path: Path, size: tuple[int | None, int | None], shapes: list[tuple[int, ...]]) -> DetectorSpec:
    """How a network is used, from its JSON file and its shapes.

    Args:
        path: The JSON file; it need not exist.
        size: Height and width that the network takes, None where it takes any.
        shapes: Of its outputs, without the batch axis; -1 where the size varies.

    Raises:
        EncoderError: If the file says what cannot be; names the key.
    """
    values: dict[str, Any] = {}
    if path.is_file():
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise EncoderError(f"{path} cannot be read as JSON: {error}") from None
    unknown = [key for key in values if key not in KEYS] if isinstance(values, dict) else ["no object"]
    if unknown:
        raise EncoderError(
            f"{path} has {unknown[0]!r}, which means nothing: expected some of {', '.join(KEYS)}"
        )
    family = values.get("family") or guess_family(shapes)
    if family not in FAMILIES:
        raise EncoderError(
            f"{path.with_suffix('.onnx').name} has outputs of shapes {shapes}, which fit no family: say which in "
            f"{path.name}, "
            f'as {{"family": "{FAMILIES[0]}"}}; there are {", ".join(FAMILIES)}'
        )
    try:
        return _spec(values, family, size)
    except (TypeError, ValueError, KeyError, IndexError) as error:
        raise EncoderError(f"{path} cannot be used: {error}") from None


def _spec(values: Mapping[str, Any], family: Family, size: tuple[int | None, int | None]) -> DetectorSpec:
    height, width = (int(side) for side in values.get("input_size", [s or DEFAULT_SIDE for s in size]))
    if size[0] not in (None, height) or size[1] not in (None, width):
        raise ValueError(f"input_size is {[height, width]}, but the network takes {list(size)} only")
    resize = values.get("resize", FITS_OF[family])
    channels = values.get("channels", "bgr" if family == "yolox" else "rgb")
    for key, value, valid in (("resize", resize, FITS), ("channels", channels, ("rgb", "bgr"))):
        if value not in valid:
            raise ValueError(f"{key} is {value!r}: choose one of {', '.join(valid)}")
    least_score = float(values.get("least_score", 0.1))
    most_iou = float(values.get("most_iou", 1.0 if family in ("detr", "boxes") else 0.6))
    if not 0 < least_score < 1 or not 0 < most_iou <= 1:
        raise ValueError(f"least_score {least_score}, most_iou {most_iou}: expected (0, 1) and (0, 1]")
    default_std = 1.0 if family == "yolox" else 255.0
    return DetectorSpec(
        family=family,
        height=height,
        width=width,
        resize=resize,
        fill=int(values.get("fill", 114)),
        mean=_three(values.get("mean", (0.0, 0.0, 0.0)), "mean"),
        std=_three(values.get("std", (default_std,) * 3), "std"),
        channels=channels,
        decoded=bool(values.get("decoded", False)),
        least_score=least_score,
        most_iou=most_iou,
        classes={int(own): int(other) for own, other in values.get("classes", {0: PERSON}).items()},
    )


def _three(value: Any, key: str) -> tuple[float, float, float]:
    if not isinstance(value, list | tuple) or len(value) != 3:
        raise ValueError(f"{key} is {value!r}: expected three numbers on the 0 to 255 scale")
    return float(value[0]), float(value[1]), float(value[2])


def _inputs(model: Any, path: Path) -> tuple[Any, Any | None]:
    """The input for the image, and the one for its size where there is one (the authors' export of RT-DETR)."""
    images = [port for port in model.inputs if port.get_partial_shape().rank.get_length() == 4]
    others = [port for port in model.inputs if port not in images]
    sizes_fit = all(port.get_partial_shape().rank.get_length() == 2 for port in others)
    if len(images) != 1 or len(others) > 1 or not sizes_fit:
        shapes = ", ".join(str(port.get_partial_shape()) for port in model.inputs)
        raise EncoderError(
            f"{path} takes {shapes}: expected an image (1, 3, height, width) and at most its size (1, 2)"
        )
    return images[0], others[0] if others else None


def _input_size(port: Any) -> tuple[int | None, int | None]:
    shape = port.get_partial_shape()
    height, width = (shape[at].get_length() if shape[at].is_static else None for at in (2, 3))
    return height, width


def _shape(port: Any) -> tuple[int, ...]:
    shape = port.get_partial_shape()
    return tuple(axis.get_length() if axis.is_static else -1 for axis in list(shape)[1:])


def _boxes_at(outputs: list[npt.NDArray[Any]]) -> int:
    """Which of the two outputs of a ``detr`` holds boxes: the one of four columns, by value where both have four."""
    fours = [at for at, output in enumerate(outputs) if output.shape[-1] == 4]
    return fours[0] if len(fours) == 1 else int(np.argmin([float(np.abs(o).max()) for o in outputs]))
