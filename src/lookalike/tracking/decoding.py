"""What the outputs of detection networks mean: boxes, scores and classes from raw numbers.

| family | outputs for one image | networks |
| --- | --- | --- |
| ``yolox`` | (n, 5 + classes): centre, size, objectness, classes; in cells unless decoded | YOLOX |
| ``yolo`` | (4 + classes, n): centre, size in pixels, classes | YOLOv8 and later |
| ``detr`` | (n, classes) logits and (n, 4) centre, size as shares | RT-DETR, D-FINE of Transformers |
| ``boxes`` | labels (n,), boxes (n, 4) as corners, scores (n,) | RT-DETR, D-FINE of their authors |

All functions give boxes as left, top, right, bottom in pixels of the network's input.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from lookalike.errors import EncoderError
from lookalike.tracking.boxes import iou

Family: TypeAlias = Literal["yolox", "yolo", "detr", "boxes"]
FAMILIES: tuple[Family, ...] = get_args(Family)

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

STRIDES = (8, 16, 32)
"""Pixels between cells of the three grids of YOLOX."""


class Candidates(NamedTuple):
    """Boxes before the best are taken.

    Args:
        corners: float64 (n, 4), left, top, right, bottom in pixels of the input.
        score: float64 (n,), of the best class, 0 to 1.
        label: int64 (n,), the best class by the network's own number.
    """

    corners: Floats
    score: Floats
    label: Integers


def guess_family(shapes: list[tuple[int, ...]]) -> Family | None:
    """The family that output shapes (without the batch axis) speak for; None where none does."""
    ranks = sorted(len(shape) for shape in shapes)
    if len(shapes) == 3 and ranks == [1, 1, 2]:
        return "boxes"
    if len(shapes) == 2 and ranks == [2, 2] and any(shape[1] == 4 for shape in shapes):
        return "detr"
    if len(shapes) == 1 and ranks == [2]:
        return "yolox" if shapes[0][0] > shapes[0][1] else "yolo"
    return None


def yolox(output: Floats, height: int, width: int, *, decoded: bool) -> Candidates:
    """Boxes of YOLOX (Ge et al. 2021, https://arxiv.org/abs/2107.08430).

    Args:
        output: float (n, 5 + classes); scores between 0 and 1.
        height, width: Of the input.
        decoded: Whether boxes are in pixels already (export with ``--decode_in_inference``).

    Raises:
        EncoderError: If the number of boxes is not that of the grids.
    """
    centre, size = output[:, :2].astype(np.float64), output[:, 2:4].astype(np.float64)
    if not decoded:
        cells, strides = _grids(height, width)
        if len(cells) != len(output):
            raise EncoderError(
                f"the detector gives {len(output)} boxes, but the grids of an input of {width} x {height} have "
                f'{len(cells)} cells: say "decoded": true if it was exported with --decode_in_inference'
            )
        centre = (centre + cells) * strides[:, None]
        size = np.exp(np.clip(size, -20, 20)) * strides[:, None]
    scores = output[:, 5:].astype(np.float64) * output[:, 4:5]
    return _best(centre, size, scores)


def yolo(output: Floats) -> Candidates:
    """Boxes of YOLOv8 and later: float (4 + classes, n), pixels, classes without objectness."""
    table = output.T.astype(np.float64)
    return _best(table[:, :2], table[:, 2:4], table[:, 4:])


def detr(logits: Floats, boxes: Floats, height: int, width: int) -> Candidates:
    """Boxes of RT-DETR (Zhao et al. 2023, https://arxiv.org/abs/2304.08069) and its kin: one sigmoid a class.

    Args:
        logits: float (n, classes).
        boxes: float (n, 4), centre and size as shares of the input.
        height, width: Of the input.
    """
    scores = 1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -50, 50)))
    shares = boxes.astype(np.float64) * (width, height, width, height)
    return _best(shares[:, :2], shares[:, 2:], scores)


def suppressed(candidates: Candidates, *, least_score: float, most_iou: float, most: int = 300) -> Candidates:
    """Greedy non-maximum suppression within each class.

    Args:
        candidates: Boxes.
        least_score: Below it a box is left out.
        most_iou: Overlap with a better box of the class beyond which a box is left out; 1 keeps all.
        most: Boxes that are looked at and kept at most, best first.
    """
    order = np.argsort(-candidates.score, kind="stable")
    order = order[candidates.score[order] >= least_score][:most]
    corners, label = candidates.corners[order], candidates.label[order]
    sizes = np.maximum(corners[:, 2:] - corners[:, :2], 0)
    overlap = iou(np.hstack([corners[:, :2], sizes]), np.hstack([corners[:, :2], sizes]))
    overlap[label[:, None] != label[None]] = 0.0
    kept = np.ones(len(order), dtype=np.bool_)
    for at in range(len(order)):
        if kept[at]:
            kept[at + 1 :] &= overlap[at, at + 1 :] <= most_iou
    return Candidates(corners[kept], candidates.score[order][kept], label[kept])


def _best(centre: Floats, size: Floats, scores: Floats) -> Candidates:
    label = scores.argmax(axis=1) if scores.shape[1] else np.zeros(len(scores), dtype=np.int64)
    best = scores[np.arange(len(scores)), label] if scores.shape[1] else np.ones(len(scores))
    return Candidates(np.hstack([centre - size / 2, centre + size / 2]), best, label.astype(np.int64))


def _grids(height: int, width: int) -> tuple[Floats, Floats]:
    """Column and row of every cell, float64 (n, 2), and its stride, float64 (n,)."""
    cells, strides = [], []
    for stride in STRIDES:
        rows, columns = np.mgrid[: height // stride, : width // stride]
        cells.append(np.stack([columns.ravel(), rows.ravel()], axis=1))
        strides.append(np.full(rows.size, float(stride)))
    return np.concatenate(cells).astype(np.float64), np.concatenate(strides)
