"""What users said about identities, as constraints on the tracklets that there are now.

A correction points to camera, time and box, so that it survives when a camera is tracked anew. Where corrections
contradict each other, or the same thing would be in one frame twice, the newest one holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from lookalike.store.base import Store
from lookalike.store.tracking import Anchor, Correction, SightingColumns, StoredTracklet
from lookalike.tracking.boxes import iou

NEAR = 500_000
"""Microseconds between an anchor and the sighting that is taken for it, at most."""

LEAST_IOU = 0.3
"""Overlap of an anchor with the sighting that is taken for it, at least."""


@dataclass(slots=True)
class Constraints:
    """What holds, by numbers of tracklets.

    Args:
        together, apart: Pairs.
        left_out: Tracklets that belong to no identity.
        names: What the thing of a tracklet is called.
        dropped: Why some corrections do not hold, for people.
    """

    together: list[tuple[int, int]] = field(default_factory=list)
    apart: list[tuple[int, int]] = field(default_factory=list)
    left_out: set[int] = field(default_factory=set)
    names: dict[int, str] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)


class Groups:
    """Tracklets that have to be together, and which of these groups have to be apart."""

    def __init__(self) -> None:
        self._parent: dict[int, int] = {}
        self._apart: list[tuple[int, int]] = []

    def root(self, number: int) -> int:
        """Stands for the group of a tracklet."""
        parent = self._parent.get(number, number)
        while parent != number:
            number, parent = parent, self._parent.get(parent, parent)
        return number

    def members(self, number: int) -> list[int]:
        """The group of a tracklet, itself among them."""
        own = self.root(number)
        return sorted({number, own} | {each for each in self._parent if self.root(each) == own})

    def may_join(self, a: int, b: int) -> bool:
        """Whether nothing that was said before speaks against one group."""
        both = {self.root(a), self.root(b)}
        return not any({self.root(x), self.root(y)} == both for x, y in self._apart)

    def join(self, a: int, b: int) -> None:
        """Make one group of two."""
        first, second = sorted((self.root(a), self.root(b)))
        self._parent[second] = first
        self._parent.setdefault(first, first)

    def may_part(self, a: int, b: int) -> bool:
        """Whether the two are not in one group."""
        return self.root(a) != self.root(b)

    def part(self, a: int, b: int) -> None:
        """Keep two groups apart."""
        self._apart.append((a, b))


def anchor_of(tracklet: StoredTracklet) -> Anchor:
    """Where a tracklet can be found again: its best sighting, which is the one that a user was shown."""
    return Anchor(tracklet.camera, tracklet.time, tracklet.box)


def pointed(
    store: Store, tracklets: Sequence[StoredTracklet]
) -> list[tuple[Correction, tuple[int | None, ...]]]:
    """Every correction with the tracklets that its anchors point to now, None for what is not found any more."""
    finder = _Finder(store, tracklets)
    return [(each, tuple(finder.find(anchor) for anchor in each.anchors)) for each in store.corrections()]


def resolve(store: Store, tracklets: Sequence[StoredTracklet]) -> Constraints:
    """The constraints that hold now.

    Args:
        store: Has the corrections.
        tracklets: All of them.
    """
    finder = _Finder(store, tracklets)
    found = Constraints()
    groups = Groups()
    named: dict[str, int] = {}
    for each in reversed(store.corrections()):
        numbers = [finder.find(anchor) for anchor in each.anchors]
        if any(number is None for number in numbers):
            continue  # what it was about was erased, or is not found any more
        known = [number for number in numbers if number is not None]
        if not _take(each, known, groups, named, found, finder):
            found.dropped.append(
                f"correction {each.number} ({each.kind}) does not hold: a later one, or a frame, says otherwise"
            )
    return found


def _take(
    each: Correction,
    numbers: list[int],
    groups: Groups,
    named: dict[str, int],
    found: Constraints,
    finder: _Finder,
) -> bool:
    """Take up one correction, those made later having been taken up before; whether it holds."""
    first, last = numbers[0], numbers[-1]
    if each.kind == "left out":
        found.left_out.add(first)
    elif each.kind == "apart":
        if not groups.may_part(first, last):
            return False
        groups.part(first, last)
        found.apart.append((first, last))
    elif each.kind == "together":
        if groups.root(first) == groups.root(last):
            return True
        if not groups.may_join(first, last) or finder.meet(groups.members(first), groups.members(last)):
            return False
        groups.join(first, last)
        found.together.append((first, last))
    elif each.name is not None:
        return _name(each.name, first, groups, named, found, finder)
    return True


def _name(
    name: str,
    number: int,
    groups: Groups,
    named: dict[str, int],
    found: Constraints,
    finder: _Finder,
) -> bool:
    """One name is one thing, and two names are two."""
    if any(groups.root(other) == groups.root(number) for known, other in named.items() if known != name):
        return False
    if name in named and groups.root(named[name]) != groups.root(number):
        other = named[name]
        if not groups.may_join(number, other) or finder.meet(groups.members(number), groups.members(other)):
            return False
        groups.join(number, other)
        found.together.append((number, other))
    for other in (other for known, other in named.items() if known != name):
        groups.part(number, other)
        found.apart.append((number, other))
    named.setdefault(name, number)
    found.names[number] = name
    return True


class _Finder:
    """Finds the tracklets that anchors point to, and whether tracklets share a frame."""

    def __init__(self, store: Store, tracklets: Sequence[StoredTracklet]) -> None:
        self._store = store
        self._by_camera: dict[str, list[StoredTracklet]] = {}
        for tracklet in tracklets:
            self._by_camera.setdefault(tracklet.camera, []).append(tracklet)
        self._known = {tracklet.number: tracklet for tracklet in tracklets}

    def find(self, anchor: Anchor) -> int | None:
        """The tracklet that was seen there then; None if there is none."""
        near = [
            each
            for each in self._by_camera.get(anchor.camera, ())
            if each.start - NEAR <= anchor.time <= each.end + NEAR
        ]
        exact = [each for each in near if (each.time, each.box) == (anchor.time, anchor.box)]
        if exact:
            return exact[0].number
        best, overlap = None, LEAST_IOU
        for number, columns in self._store.stream_sightings([each.number for each in near]):
            at = int(np.argmin(np.abs(columns.time - anchor.time)))
            shared = float(iou(columns.box[at : at + 1], np.array([anchor.box]))[0, 0])
            if abs(int(columns.time[at]) - anchor.time) <= NEAR and shared >= overlap:
                best, overlap = number, shared
        return best

    def meet(self, first: Iterable[int], second: Iterable[int]) -> bool:
        """Whether a tracklet of one group shares a frame with one of another."""
        return (
            meeting(self._store, [self._known[n] for n in first], [self._known[n] for n in second])
            is not None
        )


def meeting(
    store: Store, first: Sequence[StoredTracklet], second: Sequence[StoredTracklet]
) -> tuple[StoredTracklet, StoredTracklet] | None:
    """Two tracklets, one of each group, that share a frame of one camera; None if there are none such."""
    near = [
        (a, b)
        for a in first
        for b in second
        if a.camera == b.camera and a.start <= b.end and b.start <= a.end
    ]
    if not near:
        return None
    wanted = sorted({each.number for pair in near for each in pair})
    columns: dict[int, SightingColumns] = dict(store.stream_sightings(wanted))
    for a, b in near:
        if a.number != b.number and np.isin(columns[a.number].frame, columns[b.number].frame).any():
            return a, b
    return None
