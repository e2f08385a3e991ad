"""How often somebody else looks as much like a picture: learned from the collection's own pictures.

The best pictures of identities are compared with all other identities, as a picture that is asked for would be.
Identities that were seen at the same time by cameras that do not overlap, or twice by one, are surely two; where there
are enough such pairs, they alone are counted, since other pairs may be one person that association did not join. A
place that saw few people does not know what strangers look like: what was measured elsewhere counts for some
comparisons.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import erfc, sqrt

import numpy as np
import numpy.typing as npt

from lookalike.collection.description import Description
from lookalike.collection.looks import Looks
from lookalike.collection.tracking_report import Line
from lookalike.errors import InputError
from lookalike.images.decode import decode
from lookalike.store.tracking import StoredTracklet
from lookalike.tracking.cameras import Camera, overlapping

Floats = npt.NDArray[np.float64]

PICTURES = 100
"""Identities whose best picture is compared with all others."""

ENOUGH = 12
"""Pairs that are surely two from which on they alone are counted."""

DEFAULT_RATE = 0.01
"""Share of comparisons with somebody else that may reach the line, unless told otherwise."""

PEAKS = 30
"""Largest cosines with somebody else that tell how fast they become rare."""

LEAST_EXCESS = 0.01
"""Cosine by which they exceed the level that they are counted up to on average, at least."""

STRANGER = (0.10, 0.23)
"""Mean and spread of the cosine of a stranger's picture with the most similar tracklet of an identity: measured on the
simulated cameras of :mod:`benchmarks.tracking`, where both hardly change with the number of people that the place knows
(2 to 8: 0.08 to 0.14, and 0.21 to 0.24)."""

STRANGERS = 30
"""Comparisons that this counts for."""

FEWEST = 2
"""Identities that it takes to know what somebody else looks like."""


@dataclass(frozen=True, slots=True)
class OpenSet:
    """What similarities mean.

    Args:
        others: float64 (n,), ascending: cosines of pictures with the most similar tracklet of somebody else.
        own: float64 (m,), ascending: with the most similar tracklet of the same identity, of another camera where
            there is one.
    """

    others: Floats
    own: Floats

    def false_match_rate(self, cosine: float) -> float:
        """Share of comparisons with somebody else that reach a cosine.

        Those of this place, and :data:`STRANGERS` measured elsewhere.
        """
        counted = len(self.others) * self._counted_rate(cosine)
        elsewhere = STRANGERS * erfc((cosine - STRANGER[0]) / STRANGER[1] / sqrt(2)) / 2
        return (counted + elsewhere) / (len(self.others) + STRANGERS)

    def _counted_rate(self, cosine: float) -> float:
        """The rate of this place alone.

        Counted up to the last few, which then fall off exponentially, so that a single large value does not decide:
        peaks over a threshold with shape 0 (Pickands 1975, https://doi.org/10.1214/aos/1176343003).
        """
        count = len(self.others)
        last = max(1, count // 50, min(count // 4, PEAKS))
        level = float(self.others[-last - 1]) if last < count else float(self.others[0])
        if cosine < level:
            return float(count - np.searchsorted(self.others, cosine)) / count
        excess = max(LEAST_EXCESS, float((self.others[-last:] - level).mean()))
        return float(last / count * np.exp(-(cosine - level) / excess))

    def line(self, rate: float) -> Line:
        """The least cosine that somebody else reaches at most so often.

        Args:
            rate: Share of comparisons, in (0, 1).
        """
        low, high = -1.0, 1.0
        for _ in range(40):  # the rate falls as the cosine rises
            middle = (low + high) / 2
            low, high = (middle, high) if self.false_match_rate(middle) > rate else (low, middle)
        missed = float(np.mean(self.own < high)) if len(self.own) else float("nan")
        return Line(high, self.false_match_rate(high), missed, len(self.others), len(self.own))


def checked_rate(rate: float) -> float:
    """A false-match rate, if it can be one.

    Raises:
        InputError: If it does not lie between 0 and 1.
    """
    if not 0 < rate < 1:
        raise InputError(
            f"false_match_rate is {rate}: expected a share between 0 and 1, such as {DEFAULT_RATE}"
        )
    return rate


def learn_open_set(looks: Looks, description: Description, cameras: Sequence[Camera]) -> OpenSet | None:
    """Learn from a collection what similarities mean; None with fewer than two identities."""
    by_identity: dict[int, list[StoredTracklet]] = {}
    for tracklet in looks.tracklets:
        if tracklet.identity is not None:
            by_identity.setdefault(tracklet.identity, []).append(tracklet)
    if len(by_identity) < FEWEST:
        return None
    asked = sorted(by_identity)
    asked = [
        asked[at]
        for at in np.unique(np.linspace(0, len(asked) - 1, min(PICTURES, len(asked))).round().astype(int))
    ]
    best = {identity: max(by_identity[identity], key=lambda t: (t.quality, -t.number)) for identity in asked}
    pictures = looks.store.crops([best[identity].number for identity in asked])
    asked = [identity for identity in asked if best[identity].number in pictures]
    images = [decode(pictures[best[identity].number]).pixels for identity in asked]
    numbers, cosines = looks.cosines(looks.of_pictures(description.describe(images)))
    column = {number: at for at, number in enumerate(numbers.tolist())}
    sure, other, own = [], [], []
    for row, identity in enumerate(asked):
        shown = best[identity]
        kin = [t for t in by_identity[identity] if t.number != shown.number and t.number in column]
        kin = [t for t in kin if t.camera != shown.camera] or kin
        if kin:
            own.append(max(cosines[row, column[t.number]] for t in kin))
        for second, members in by_identity.items():
            if second == identity:
                continue
            top = max((cosines[row, column[t.number]] for t in members if t.number in column), default=None)
            if top is not None:
                other.append(top)
                if surely_two(by_identity[identity], members, cameras):
                    sure.append(top)
    counted = sure if len(sure) >= ENOUGH else other
    if not counted:
        return None
    return OpenSet(np.sort(np.array(counted)), np.sort(np.array(own)))


def surely_two(
    first: Sequence[StoredTracklet], second: Sequence[StoredTracklet], cameras: Sequence[Camera]
) -> bool:
    """Whether two identities were seen at one time by one camera, or by two that do not overlap."""
    apart: Mapping[tuple[str, str], bool] = {
        (a, b): a == b or overlapping(cameras, a, b) is False
        for a in {t.camera for t in first}
        for b in {t.camera for t in second}
    }
    return any(
        a.start <= b.end and b.start <= a.end and apart[a.camera, b.camera] for a in first for b in second
    )
