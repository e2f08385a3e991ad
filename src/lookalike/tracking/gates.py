"""Which tracklets can be one thing, by time and place alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypedDict

import numpy as np
import numpy.typing as npt

from lookalike.tracking.cameras import Camera, least_travel, overlapping
from lookalike.tracking.ground import Meeting, distance, learn_homography, meeting
from lookalike.tracking.tracklets import Tracklet, conflicts


class Evidence(TypedDict, total=False):
    """Arguments of :func:`lookalike.tracking.ground.learn_homography`."""

    fewest: int
    least_share: float


Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

CLOCK = 0.5
"""Seconds by which the clocks of two cameras may differ."""

HERE, ELSEWHERE = 0.35, 1.0
"""Distances on the ground, in heights of the person, up to which two sightings are of one, and from which on of two."""

ASSUMED_HEIGHT = 100_000.0
"""Of a picture whose size is not known: no box is taken to be cut off at the lower edge."""

UNSAID: Evidence = {"fewest": 5, "least_share": 0.5}
"""What it takes to believe in common ground that nobody spoke of: three pairs may agree on something by chance."""

FEWEST_WALKS = 5
"""Tracklets that a greatest speed is learned from."""

SPEED_MARGIN = 3.0
"""Times the usual greatest speed that a gap within one camera may need: people run, boxes jump."""

FEWEST_CROSSINGS = 5
"""Confident crossings between two cameras that a least time is learned from."""

CROSSING_MARGIN = 0.5
"""Share of the shortest confident crossing that a crossing takes at least."""


@dataclass(frozen=True, slots=True)
class Gates:
    """What time and place say of n tracklets.

    Args:
        cannot: bool (n, n), symmetric: pairs that cannot be one thing.
        apart: float64 (n, n), symmetric: distance on common ground in heights of the person, NaN where not known.
        expected: bool (n, n), symmetric: pairs of cameras with a way between them, seen as far apart in time as the
            way takes. Only where cameras say how long it takes.
        reasons: How many pairs each rule forbids, by rule.
        homographies: By pair of cameras: pixels of the first to pixels of the second, given or learned.
        crossings: Least seconds between two cameras that were given or learned.
    """

    cannot: Mask
    apart: Floats
    expected: Mask
    reasons: Mapping[str, int]
    homographies: Mapping[tuple[str, str], Floats]
    crossings: Mapping[tuple[str, str], float]

    @property
    def here(self) -> Mask:
        """bool (n, n): pairs that were seen at one place at one time by two cameras."""
        near: Mask = np.nan_to_num(self.apart, nan=np.inf) <= HERE
        return near


def gates(
    tracklets: Sequence[Tracklet],
    cameras: Sequence[Camera],
    similarity: Floats,
    *,
    crossings: Mapping[tuple[str, str], float] | None = None,
    seed: int = 0,
) -> Gates:
    """Work out what time and place say.

    Args:
        tracklets: n of any cameras.
        cameras: What is known of the cameras.
        similarity: float64 (n, n), cosines of appearance; used to learn homographies where views overlap.
        crossings: Least seconds between two cameras, by pair of names in both orders, which :func:`learn_crossings`
            gives; what the cameras say themselves goes before.
        seed: Of the random samples.
    """
    n = len(tracklets)
    rules = {"one camera, one frame": conflicts(tracklets), "too fast within a camera": _too_fast(tracklets)}
    apart, homographies = _common_ground(tracklets, cameras, similarity, seed)
    rules["elsewhere on common ground"] = np.nan_to_num(apart, nan=0.0) >= ELSEWHERE
    least = {**(crossings or {}), **least_travel(cameras)}
    rules["too far apart to travel"] = _too_far(tracklets, cameras, least)
    cannot = np.zeros((n, n), dtype=np.bool_)
    for mask in rules.values():
        cannot |= mask
    return Gates(
        cannot=cannot,
        apart=apart,
        expected=_expected(tracklets, cameras),
        reasons={name: int(mask.sum()) // 2 for name, mask in rules.items()},
        homographies=homographies,
        crossings=least,
    )


def learn_crossings(
    tracklets: Sequence[Tracklet], groups: npt.NDArray[np.int64]
) -> dict[tuple[str, str], float]:
    """Least times between cameras that never saw a thing at one time, from those that were followed across them.

    Args:
        tracklets: n of any cameras.
        groups: int64 (n,), which are thought to be one thing.

    Returns:
        Seconds by pair of names, in both orders: half of the shortest of five crossings at least.
    """
    gaps: dict[tuple[str, str], list[float]] = {}
    for group in np.unique(groups).tolist():
        members = [tracklets[at] for at in np.flatnonzero(groups == group).tolist()]
        members.sort(key=lambda tracklet: tracklet.start)
        for before, after in pairwise(members):
            if before.camera != after.camera:
                pair = (min(before.camera, after.camera), max(before.camera, after.camera))
                gaps.setdefault(pair, []).append(after.start - before.end)
    learned = {}
    for (first, second), seconds in gaps.items():
        if len(seconds) >= FEWEST_CROSSINGS and min(seconds) > 0:
            learned[first, second] = learned[second, first] = CROSSING_MARGIN * min(seconds)
    return learned


def _expected(tracklets: Sequence[Tracklet], cameras: Sequence[Camera]) -> Mask:
    """Pairs whose gap in time is one that the way between their cameras takes."""
    said: dict[tuple[str, str], tuple[float, float]] = {}
    for camera in cameras:
        for other, seconds in (camera.neighbours or {}).items():
            said[camera.name, other] = seconds
            said.setdefault((other, camera.name), seconds)
    n = len(tracklets)
    expected = np.zeros((n, n), dtype=np.bool_)
    for a in range(n if said else 0):
        for b in range(n):
            least, most = said.get((tracklets[a].camera, tracklets[b].camera), (np.inf, -np.inf))
            if least - CLOCK <= tracklets[b].start - tracklets[a].end <= most + CLOCK:
                expected[a, b] = expected[b, a] = True
    return expected


def _too_far(
    tracklets: Sequence[Tracklet], cameras: Sequence[Camera], least: Mapping[tuple[str, str], float]
) -> Mask:
    """Pairs of cameras between which there was no time, or that saw both at once without a common view."""
    start = np.array([t.start for t in tracklets])
    end = np.array([t.end for t in tracklets])
    gap = np.maximum(start[:, None], start[None]) - np.minimum(end[:, None], end[None])
    needed = np.full(gap.shape, -np.inf)
    names = np.array([t.camera for t in tracklets])
    for first in np.unique(names).tolist():
        for second in np.unique(names).tolist():
            overlap = overlapping(cameras, first, second)
            if first == second or overlap:
                continue
            seconds = least.get((first, second), 0.0 if overlap is False else None)
            if seconds is not None:
                needed[np.ix_(names == first, names == second)] = seconds - CLOCK
    too_far: Mask = gap < needed
    return too_far


def _too_fast(tracklets: Sequence[Tracklet]) -> Mask:
    """Pairs of one camera between which a thing would have to move much faster than anything was seen to."""
    n = len(tracklets)
    masks = np.zeros((n, n), dtype=np.bool_)
    for camera in sorted({t.camera for t in tracklets}):
        rows = [at for at in range(n) if tracklets[at].camera == camera]
        speeds = [s for at in rows if (s := _speed(tracklets[at])) is not None]
        if len(speeds) < FEWEST_WALKS:
            continue
        greatest = SPEED_MARGIN * float(np.quantile(speeds, 0.9))
        for a in rows:
            for b in rows:
                first, second = tracklets[a], tracklets[b]
                if first.end >= second.start:
                    continue
                move = np.linalg.norm(_feet(second.box[0]) - _feet(first.box[-1]))
                height = max(first.box[-1, 3], second.box[0, 3])
                # half a height for boxes that were cut or merged
                if move / height > 0.5 + greatest * (second.start - first.end):
                    masks[a, b] = masks[b, a] = True
    return masks


def _speed(tracklet: Tracklet) -> float | None:
    """Heights a second, the median over steps of a second; None for a tracklet of less than a second."""
    steps = np.searchsorted(tracklet.time, tracklet.time + 1.0)
    ends = np.flatnonzero(steps < len(tracklet))
    if not len(ends):
        return None
    feet = np.stack(
        [tracklet.box[:, 0] + tracklet.box[:, 2] / 2, tracklet.box[:, 1] + tracklet.box[:, 3]], axis=1
    )
    move = np.linalg.norm(feet[steps[ends]] - feet[ends], axis=1)
    seconds = tracklet.time[steps[ends]] - tracklet.time[ends]
    return float(np.median(move / seconds / tracklet.box[ends, 3]))


def _feet(box: Floats) -> Floats:
    return np.array([box[0] + box[2] / 2, box[1] + box[3]])


def _common_ground(
    tracklets: Sequence[Tracklet], cameras: Sequence[Camera], similarity: Floats, seed: int
) -> tuple[Floats, dict[tuple[str, str], Floats]]:
    """Distances (n, n) where two cameras see common ground, and the homographies between those cameras."""
    n = len(tracklets)
    apart = np.full((n, n), np.nan)
    homographies: dict[tuple[str, str], Floats] = {}
    rows: dict[str, list[int]] = {}
    for at, tracklet in enumerate(tracklets):
        rows.setdefault(tracklet.camera, []).append(at)
    known = {camera.name: camera for camera in cameras}
    names = sorted(rows)
    for at, first in enumerate(names):
        for second in names[at + 1 :]:
            overlap = overlapping(cameras, first, second)
            if overlap is False:
                continue
            met = _meetings(tracklets, rows[first], rows[second], known.get(first), known.get(second))
            homography = _given(known.get(first), known.get(second))
            if homography is None:
                pairs = [met[pair] for pair in _alike(met, similarity)]
                strict: Evidence = {} if overlap else UNSAID
                homography = learn_homography(pairs, seed=seed, **strict)
            if homography is None:
                continue
            homographies[first, second] = homography
            for (a, b), moments in met.items():
                apart[a, b] = apart[b, a] = distance(moments, homography)
    return apart, homographies


def _meetings(
    tracklets: Sequence[Tracklet],
    first: list[int],
    second: list[int],
    one: Camera | None,
    other: Camera | None,
) -> dict[tuple[int, int], Meeting]:
    heights = tuple(
        ASSUMED_HEIGHT if camera is None or camera.size is None else float(camera.size[1])
        for camera in (one, other)
    )
    found = {}
    for a in first:
        for b in second:
            together = tracklets[a].start <= tracklets[b].end and tracklets[b].start <= tracklets[a].end
            met = meeting(tracklets[a], tracklets[b], heights=(heights[0], heights[1])) if together else None
            if met is not None:
                found[a, b] = met
    return found


def _given(first: Camera | None, second: Camera | None) -> Floats | None:
    """The homography between two cameras that both have one to a map."""
    if first is None or second is None or first.homography is None or second.homography is None:
        return None
    between: Floats = np.linalg.inv(np.array(second.homography)) @ np.array(first.homography)
    return between


def _alike(met: Mapping[tuple[int, int], Meeting], similarity: Floats) -> list[tuple[int, int]]:
    """Pairs that are each other's most similar among those that met."""
    best: dict[tuple[int, int], int] = {}
    for a, b in met:
        for side, own, other in ((0, a, b), (1, b, a)):
            if (side, own) not in best or similarity[own, other] > similarity[own, best[side, own]]:
                best[side, own] = other
    return [(a, b) for a, b in met if best[0, a] == b and best[1, b] == a]
