"""Identities while cameras run: each track gets one as soon as it is described, in bounded memory.

A track keeps the identity it was given; the only change is that two identities turn out to be one, and then an event
says so, with the evidence. From which similarity on two tracks are one thing is learned in passing; what was measured
elsewhere stands in for what was not seen yet.

The offline mode (:mod:`lookalike.tracking.association`) sees everything at once and is better: use it for recordings.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np

from lookalike.errors import InputError
from lookalike.tracking.cameras import Camera, least_travel, overlapping
from lookalike.tracking.gates import CLOCK
from lookalike.tracking.matching_threshold import MatchingThreshold, learn_threshold
from lookalike.types import Embeddings

Change: TypeAlias = Literal["new", "merged", "forgotten"]

PROTOTYPES = 12
"""Tracks whose descriptions an identity keeps, the latest of each camera first."""

VISITS = 64
"""Visits that an identity keeps, to know where it cannot have been."""

PAIRS_KEPT = 4000
"""Similarities that the line is learned from, of each kind."""

FEWEST_PAIRS = 20
"""Pairs of tracks and identities before there is a line; until then every track is an identity of its own."""

LEARNED_EVERY = 20
"""New tracks after which the line is learned again, and sooner while there are fewer than ten times as many."""

MERGE_MARGIN = 0.02
"""Cosine above the line that two identities need to be merged: a merge is for good."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an identity.

    Args:
        change: ``new``; ``merged``: it is now known under ``into``; ``forgotten``: not seen for as long as memory goes.
        identity: Its number.
        into: The identity that it became part of.
        time: Seconds since 1970 UTC.
        similarity: Mean cosine that it was merged on.
    """

    change: Change
    identity: int
    time: float
    into: int | None = None
    similarity: float | None = None


@dataclass(slots=True)
class _Identity:
    number: int
    visits: deque[_Visit] = field(default_factory=lambda: deque(maxlen=VISITS))
    looks: dict[tuple[str, int], Embeddings] = field(default_factory=dict)
    mean: Embeddings = field(default_factory=lambda: np.empty(0, np.float32))

    @property
    def last_seen(self) -> float:
        return max(visit.end for visit in self.visits)


@dataclass(slots=True)
class _Visit:
    camera: str
    track: int
    start: float
    end: float


class OnlineAssociation:
    """Gives identities to tracks of several cameras as they come.

    Args:
        cameras: What is known of the cameras.
        threshold: The line, as an offline run learned it; None to learn it in passing.
        false_match_rate: As for :func:`lookalike.tracking.matching_threshold.learn_threshold`; used without
            ``threshold``.
        memory_seconds: Identities that were not seen for so long are forgotten, greater than 0.
        most_identities: Beyond, those not seen for longest are forgotten, at least 1.

    Raises:
        InputError: If an argument is out of range.
    """

    def __init__(
        self,
        cameras: Sequence[Camera],
        *,
        threshold: MatchingThreshold | None = None,
        false_match_rate: float | None = None,
        memory_seconds: float = 86_400.0,
        most_identities: int = 5_000,
    ) -> None:
        if not memory_seconds > 0 or most_identities < 1:
            raise InputError(
                f"memory_seconds {memory_seconds}, most_identities {most_identities}: expected a time greater than 0 "
                "and at least 1"
            )
        self._cameras = list(cameras)
        self._travel = least_travel(cameras)
        self._given = threshold is not None
        self._threshold = threshold
        self._rate = false_match_rate
        self._memory, self._most = memory_seconds, most_identities
        self._identities: dict[int, _Identity] = {}
        self._of_track: dict[tuple[str, int], int] = {}
        self._different: deque[float] = deque(maxlen=PAIRS_KEPT)
        self._other: deque[float] = deque(maxlen=PAIRS_KEPT)
        self._next, self._tracks, self._since_learned = 1, 0, 0
        self._events: list[Event] = []

    @property
    def threshold(self) -> MatchingThreshold | None:
        """The line in use; None while too little is known."""
        return self._threshold

    def observe(self, camera: str, track: int, start: float, end: float, embedding: Embeddings) -> int:
        """Take up what is known of a track by now.

        Args:
            camera: Its name.
            track: Its number in that camera; a number is one track for good.
            start, end: When it was seen so far, seconds since 1970 UTC.
            embedding: float32 (d,), L2-normalised: how it looks so far.

        Returns:
            Its identity.

        Raises:
            InputError: If the track ends before it starts, or the embedding has another length than those before.
        """
        if not end >= start:
            raise InputError(f"track {track} of camera {camera} ends at {end} before it starts at {start}")
        self._check(embedding)
        key = (camera, track)
        known = self._of_track.get(key)
        if known is None:
            known = self._placed(_Visit(camera, track, start, end), embedding)
        identity = self._identities[known]
        visit = next((v for v in identity.visits if (v.camera, v.track) == key), None)
        if visit is None:
            identity.visits.append(_Visit(camera, track, start, end))
        else:
            visit.start, visit.end = min(visit.start, start), max(visit.end, end)
        self._keep_look(identity, key, embedding)
        self._merge_with(identity, end)
        self._forget(end)
        return self._of_track[key]

    def events(self) -> list[Event]:
        """What happened since the last call, in order."""
        happened, self._events = self._events, []
        return happened

    def identity_of(self, camera: str, track: int) -> int | None:
        """The identity of a track as it is known now; None if it is not known or was forgotten."""
        return self._of_track.get((camera, track))

    def __len__(self) -> int:
        return len(self._identities)

    def _check(self, embedding: Embeddings) -> None:
        some = next(iter(self._identities.values()), None)
        expected = embedding.shape if some is None else next(iter(some.looks.values())).shape
        if embedding.ndim != 1 or embedding.shape != expected:
            raise InputError(
                f"an embedding of shape {embedding.shape} came after some of {expected}: expected one kind"
            )

    def _placed(self, visit: _Visit, embedding: Embeddings) -> int:
        """The identity of a track that is seen for the first time."""
        scores = self._compared(visit, embedding)
        line = self._threshold
        best = max(scores, key=lambda pair: pair[1], default=None)
        if line is not None and best is not None and best[1] > line.cosine:
            number = best[0]
        else:
            number = self._next
            self._next += 1
            self._identities[number] = _Identity(number)
            self._events.append(Event("new", number, visit.start))
        self._of_track[visit.camera, visit.track] = number
        self._learn()
        return number

    def _compared(self, visit: _Visit, embedding: Embeddings) -> list[tuple[int, float]]:
        """Mean cosine with every identity that it may be; what is learned of pairs is remembered."""
        possible = []
        for identity in self._identities.values():
            mean = float(embedding @ identity.mean)
            if any(self._apart(visit, other) for other in identity.visits):
                self._different.append(mean)
            else:
                self._other.append(mean)
                possible.append((identity.number, mean))
        return possible

    def _apart(self, a: _Visit, b: _Visit) -> bool:
        """Whether two visits cannot be of one thing."""
        gap = max(a.start, b.start) - min(a.end, b.end)
        if a.camera == b.camera:
            return a.track != b.track and gap <= 0
        overlap = overlapping(self._cameras, a.camera, b.camera)
        if overlap:
            return False
        needed = self._travel.get((a.camera, b.camera), 0.0 if overlap is False else None)
        return needed is not None and gap < needed - CLOCK

    def _keep_look(self, identity: _Identity, key: tuple[str, int], embedding: Embeddings) -> None:
        identity.looks.pop(key, None)
        identity.looks[key] = embedding.astype(np.float32)
        while len(identity.looks) > PROTOTYPES:
            cameras = [camera for camera, _ in identity.looks]
            crowded = max(set(cameras), key=lambda c: (cameras.count(c), c))
            identity.looks.pop(next(k for k in identity.looks if k[0] == crowded))
        # the mean of cosines with several vectors is the product with their mean
        identity.mean = np.mean(list(identity.looks.values()), axis=0)

    def _learn(self) -> None:
        if self._given:
            return
        self._tracks += 1
        self._since_learned += 1
        due = self._threshold is None or self._since_learned >= min(LEARNED_EVERY, self._tracks // 10 + 1)
        if due and len(self._different) + len(self._other) >= FEWEST_PAIRS:
            self._threshold = learn_threshold(
                np.array(self._different), np.empty(0), np.array(self._other), false_match_rate=self._rate
            )
            self._since_learned = 0

    def _merge_with(self, identity: _Identity, now: float) -> None:
        """Merge an identity with those that it turns out to be."""
        line = self._threshold
        if line is None:
            return
        while True:
            best: tuple[float, _Identity] | None = None
            for other in self._identities.values():
                if other is identity:
                    continue
                mean = float(identity.mean @ other.mean)
                if mean <= line.cosine + MERGE_MARGIN or (best is not None and mean <= best[0]):
                    continue
                if not any(self._apart(a, b) for a in identity.visits for b in other.visits):
                    best = (mean, other)
            if best is None:
                return
            identity = self._merged(identity, best[1], now, best[0])

    def _merged(self, a: _Identity, b: _Identity, now: float, similarity: float) -> _Identity:
        kept, gone = (a, b) if a.number < b.number else (b, a)
        kept.visits = deque(sorted([*kept.visits, *gone.visits], key=lambda v: v.end), maxlen=VISITS)
        for key, look in gone.looks.items():
            self._keep_look(kept, key, look)
        for key, number in self._of_track.items():
            if number == gone.number:
                self._of_track[key] = kept.number
        del self._identities[gone.number]
        self._events.append(Event("merged", gone.number, now, kept.number, similarity))
        return kept

    def _forget(self, now: float) -> None:
        old = [i for i in self._identities.values() if now - i.last_seen > self._memory]
        kept = len(self._identities) - len(old)
        if kept > self._most:
            left = sorted((i for i in self._identities.values() if i not in old), key=lambda i: i.last_seen)
            old += left[: kept - self._most]
        for identity in old:
            del self._identities[identity.number]
            self._events.append(Event("forgotten", identity.number, now))
        if old:
            self._of_track = {k: n for k, n in self._of_track.items() if n in self._identities}
