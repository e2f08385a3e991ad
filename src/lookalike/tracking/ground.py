"""Where two cameras see the same ground: a homography between their pictures, learned from people both of them see.

The feet of a person are a point of the ground, and two pictures of a plane differ by a homography (Hartley & Zisserman
2004, chapter 13). It is fitted to the feet of tracklets that look alike and were seen at the same time; tracklets that
were matched wrongly are found out by random sampling of pairs of tracklets (RANSAC, Fischler & Bolles 1981,
https://doi.org/10.1145/358669.358692).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.tracking.tracklets import Tracklet

Floats = npt.NDArray[np.float64]

BORDER = 2.0
"""Pixels from the lower edge within which feet are thought to be out of sight."""

FEWEST_COMMON = 5
"""Moments at which both have to be seen with their feet."""

MOST_POINTS = 40
"""Points that one pair of tracklets gives to a fit, evenly in time."""

NEAR = 0.35
"""Distance, in heights of the person, up to which two sightings are taken for one while the homography is looked
for."""

FEWEST_PAIRS = 3
"""Pairs of tracklets that have to agree on a homography, the two that it was made of among them."""

TRIALS = 400


@dataclass(frozen=True, slots=True)
class Meeting:
    """Two tracklets of two cameras at the moments that both were seen.

    Args:
        first, second: float64 (k, 2), the feet in each picture, pixels.
        heights: float64 (k, 2), heights of the boxes, pixels.
    """

    first: Floats
    second: Floats
    heights: Floats


def meeting(a: Tracklet, b: Tracklet, *, heights: tuple[float, float]) -> Meeting | None:
    """What two tracklets have in common, or None where they were not seen long enough at one time.

    Args:
        a, b: Tracklets of two cameras.
        heights: Of the two cameras' pictures, pixels: feet at the lower edge are out of sight.
    """
    begin, end = max(a.start, b.start), min(a.end, b.end)
    times = a.time[(a.time >= begin) & (a.time <= end)]
    if len(times) < FEWEST_COMMON:
        return None
    sides = []
    for tracklet, limit in ((a, heights[0]), (b, heights[1])):
        near = np.clip(np.searchsorted(tracklet.time, times), 0, len(tracklet) - 1)
        known = np.abs(tracklet.time[near] - times) < 1.0  # not in the middle of a long gap
        x, y, w, h = (np.interp(times, tracklet.time, column) for column in tracklet.box.T)
        sides.append((np.stack([x + w / 2, y + h], axis=1), h, known & (y + h < limit - BORDER)))
    (first, h1, good1), (second, h2, good2) = sides
    good = np.flatnonzero(good1 & good2)
    if len(good) < FEWEST_COMMON:
        return None
    good = good[np.linspace(0, len(good) - 1, min(len(good), MOST_POINTS)).round().astype(int)]
    return Meeting(first[good], second[good], np.stack([h1, h2], axis=1)[good])


def distance(met: Meeting, homography: Floats) -> float:
    """How far apart two tracklets are, in heights of the person: the median over time, in the worse of both pictures.

    Args:
        met: The moments.
        homography: float64 (3, 3), pixels of the first camera to pixels of the second.
    """
    return float(_distances([met], homography)[0])


def learn_homography(
    meetings: Sequence[Meeting], *, fewest: int = FEWEST_PAIRS, least_share: float = 0.0, seed: int = 0
) -> Floats | None:
    """The homography that most pairs of tracklets agree on.

    Args:
        meetings: Pairs that look alike; some may be wrong.
        fewest: Pairs that have to agree, at least 3.
        least_share: Share of the pairs that has to agree.
        seed: Of the random samples.

    Returns:
        float64 (3, 3), pixels of the first camera to pixels of the second; None where too few agree.
    """
    needed = max(fewest, least_share * len(meetings))
    if len(meetings) < needed:
        return None
    random = np.random.default_rng(seed)
    best: tuple[int, float] = (0, 0.0)
    chosen: list[Meeting] = []
    for _ in range(TRIALS):
        sample = [meetings[at] for at in random.choice(len(meetings), 2, replace=False).tolist()]
        inliers, total = _agreeing(meetings, fit_homography(sample))
        if (len(inliers), -total) > best:
            best, chosen = (len(inliers), -total), inliers
    homography: Floats | None = None
    for _ in range(3):
        if len(chosen) < needed:
            return None
        homography = fit_homography(chosen)
        chosen, _ = _agreeing(meetings, homography)
    return homography if len(chosen) >= needed else None


def _agreeing(meetings: Sequence[Meeting], homography: Floats | None) -> tuple[list[Meeting], float]:
    """The pairs that lie near each other under a homography, and the sum of their distances."""
    if homography is None:
        return [], 0.0
    distances = _distances(meetings, homography)
    near = distances < NEAR
    return [meetings[at] for at in np.flatnonzero(near).tolist()], float(distances[near].sum())


def _distances(meetings: Sequence[Meeting], homography: Floats) -> Floats:
    """:func:`distance` of many pairs at once: the points of all are projected together."""
    counts = np.array([len(met.first) for met in meetings])
    first, second, heights = (
        np.concatenate(columns)
        for columns in zip(*((met.first, met.second, met.heights) for met in meetings), strict=True)
    )
    inverse = np.asarray(np.linalg.inv(homography), dtype=np.float64)
    errors = np.full((2, len(meetings), int(counts.max())), np.nan)
    place = np.arange(errors.shape[2])[None] < counts[:, None]
    errors[0][place] = np.linalg.norm(project(homography, first) - second, axis=1) / heights[:, 1]
    errors[1][place] = np.linalg.norm(project(inverse, second) - first, axis=1) / heights[:, 0]
    worse: Floats = np.nanmedian(errors, axis=2).max(axis=0)
    return worse


def fit_homography(meetings: Sequence[Meeting]) -> Floats | None:
    """The homography with the least algebraic error, by the normalised direct linear transform.

    Returns:
        float64 (3, 3), or None where the points lie on a line.
    """
    first = np.concatenate([met.first for met in meetings])
    second = np.concatenate([met.second for met in meetings])
    to_first, to_second = _conditioned(first), _conditioned(second)
    p, q = project(to_first, first), project(to_second, second)
    ones, zeros = np.ones(len(p)), np.zeros((len(p), 3))
    homogeneous = np.column_stack([p, ones])
    upper = np.hstack([zeros, -homogeneous, q[:, 1:] * homogeneous])
    lower = np.hstack([homogeneous, zeros, -q[:, :1] * homogeneous])
    _, sizes, rows = np.linalg.svd(np.vstack([upper, lower]), full_matrices=False)
    if len(sizes) < 9 or sizes[7] < 1e-4 * sizes[0]:
        return None
    homography = np.linalg.inv(to_second) @ rows[8].reshape(3, 3) @ to_first
    if abs(np.linalg.det(homography)) < 1e-12 * np.abs(homography).max() ** 3:
        return None
    result: Floats = homography / np.linalg.norm(homography)
    return result


def project(homography: Floats, points: Floats) -> Floats:
    """Points of one plane on another.

    Args:
        homography: float64 (3, 3).
        points: float64 (n, 2).

    Returns:
        float64 (n, 2); points on the horizon are very far away.
    """
    x, y, w = homography @ np.column_stack([points, np.ones(len(points))]).T
    w = np.where(np.abs(w) < 1e-12, 1e-12, w)
    return np.stack([x / w, y / w], axis=1)


def _conditioned(points: Floats) -> Floats:
    """The similarity that brings points around 0 at a mean distance of sqrt(2)."""
    middle = points.mean(axis=0)
    spread = float(np.linalg.norm(points - middle, axis=1).mean())
    scale = np.sqrt(2) / spread if spread > 0 else 1.0
    return np.array([[scale, 0, -scale * middle[0]], [0, scale, -scale * middle[1]], [0, 0, 1.0]])
