"""From foreground pixels to boxes of single people or things: fragments joined, groups taken apart."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from lookalike.tracking.boxes import Boxes
from lookalike.tracking.foreground import Mask
from lookalike.tracking.scene_scale import SceneScale

CLOSING = (5, 3)
"""Rows and columns of the gaps that are closed: legs and neck come apart upwards more than sideways."""

LEAST_STRONG = 0.1
"""Share of a region's box that differs strongly; less is a shadow or a reflection."""

TALLER = 1.15
"""Pieces are joined up to so many times the height of a person."""

GROUP = 1.6
"""From so many times the width of a person on a region is looked at for several people side by side."""

STACKED = 1.45
"""From so many times the height of a person on one is thought to stand behind another."""

PIECE = 0.4
"""The least part of a person's height or width that makes a person."""


def find_boxes(weak: Mask, strong: Mask, scale: SceneScale, *, least_height: float) -> Boxes:
    """Boxes of what stands in front of the scene.

    Args:
        weak, strong: bool (h, w), as :func:`lookalike.tracking.foreground.foreground` gives them.
        scale: What is known of the height of people here.
        least_height: Pixels below which a region is noise.

    Returns:
        float64 (n, 4), left, top, width, height.
    """
    from scipy import ndimage

    closed = ndimage.binary_closing(weak, np.ones(CLOSING, dtype=np.bool_))
    regions, count = ndimage.label(closed, np.ones((3, 3), dtype=np.int8))
    if not count:
        return np.empty((0, 4))
    strongly = np.bincount(regions[strong], minlength=count + 1)
    boxes: list[tuple[float, float, float, float]] = []
    masks: list[npt.NDArray[np.bool_]] = []
    for number, (rows, columns) in enumerate(ndimage.find_objects(regions), start=1):
        high, wide = rows.stop - rows.start, columns.stop - columns.start
        if strongly[number] >= LEAST_STRONG * high * wide and high * wide >= least_height:
            boxes.append((columns.start, rows.start, wide, high))
            masks.append(regions[rows, columns] == number)
    groups = _joined(np.array(boxes, dtype=np.float64).reshape(-1, 4), scale)
    found = [part for group in groups for part in _parts(group, boxes, masks, scale)]
    kept = [box for box in found if box[3] >= least_height]
    return np.array(kept, dtype=np.float64).reshape(-1, 4)


def _joined(boxes: Boxes, scale: SceneScale) -> list[list[int]]:
    """Numbers of the boxes that are pieces of one person: one above the other, together no taller than a person."""
    groups = [[at] for at in range(len(boxes))]
    around = [box.copy() for box in boxes]
    merged = True
    while merged:
        merged = False
        for a in range(len(groups)):
            for b in range(len(groups)):
                if a != b and _belong_together(around[a], around[b], scale):
                    near = np.minimum(around[a][:2], around[b][:2])
                    far = np.maximum(around[a][:2] + around[a][2:], around[b][:2] + around[b][2:])
                    around[a] = np.concatenate([near, far - near])
                    groups[a] += groups.pop(b)
                    around.pop(b)
                    merged = True
                    break
            if merged:
                break
    return groups


def _belong_together(
    upper: npt.NDArray[np.float64], lower: npt.NDArray[np.float64], scale: SceneScale
) -> bool:
    """Whether ``upper`` ends above the feet of ``lower`` and both fit into one person."""
    feet = max(upper[1] + upper[3], lower[1] + lower[3])
    size = scale.expected(feet)
    if size is None or upper[1] > lower[1]:
        return False
    shared = min(upper[0] + upper[2], lower[0] + lower[2]) - max(upper[0], lower[0])
    if shared < 0.5 * min(upper[2], lower[2]):
        return False
    wide = max(upper[0] + upper[2], lower[0] + lower[2]) - min(upper[0], lower[0])
    return bool(feet - upper[1] <= TALLER * size[0] and wide <= GROUP * size[1])


def _parts(
    group: list[int],
    boxes: list[tuple[float, float, float, float]],
    masks: list[npt.NDArray[np.bool_]],
    scale: SceneScale,
) -> list[tuple[float, float, float, float]]:
    """The boxes of the people in a region."""
    table = np.array([boxes[at] for at in group])
    left, top = table[:, :2].min(axis=0)
    right, bottom = (table[:, :2] + table[:, 2:]).max(axis=0)
    whole = (float(left), float(top), float(right - left), float(bottom - top))
    size = scale.expected(float(bottom))
    if size is None or len(group) > 1:
        return [whole]
    mask = masks[group[0]]
    if whole[2] >= GROUP * size[1]:
        cuts = _valleys(mask, size[1])
        if len(cuts) > 2:
            pairs = pairwise(cuts)
            return [box for a, b in pairs for box in _trimmed(mask[:, a:b], left + a, top)]
    if whole[3] >= STACKED * size[0]:
        line = round(mask.shape[0] - size[0])
        behind, front = (
            _trimmed(mask[:line], left, top, to_line=True),
            _trimmed(mask[line:], left, top + line),
        )
        return [*behind, *front]
    return [whole]


def _valleys(mask: npt.NDArray[np.bool_], width: float) -> list[int]:
    """Columns at which a region is cut: between the heads, which stand out of its outline."""
    from scipy.ndimage import uniform_filter1d
    from scipy.signal import find_peaks

    outline = np.where(mask.any(axis=0), mask.shape[0] - mask.argmax(axis=0), 0).astype(np.float64)
    smooth = uniform_filter1d(outline, max(1, round(width / 4)), mode="constant")
    heads, _ = find_peaks(
        np.concatenate([[0.0], smooth, [0.0]]), distance=max(1, 0.6 * width), prominence=0.1 * mask.shape[0]
    )
    heads = heads - 1
    between = [a + int(np.argmin(smooth[a : b + 1])) for a, b in pairwise(heads)]
    return [0, *between, mask.shape[1]]


def _trimmed(
    part: npt.NDArray[np.bool_], left: float, top: float, *, to_line: bool = False
) -> list[tuple[float, float, float, float]]:
    """The box around the pixels of a part; none where it is empty. ``to_line`` keeps its lower edge."""
    rows, columns = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
    if not len(rows):
        return []
    last = part.shape[0] - 1 if to_line else rows[-1]
    return [
        (
            float(left + columns[0]),
            float(top + rows[0]),
            float(columns[-1] - columns[0] + 1),
            float(last - rows[0] + 1),
        )
    ]
