"""Pieces of tracks described as they come, and joined to tracklets when the recording is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.collection.description import Description
from lookalike.images.thumbnails import thumbnail
from lookalike.store.tracking import NewTracklet, SightingColumns
from lookalike.tracking.appearance import AppearanceSpace, pooled
from lookalike.tracking.following import Followed
from lookalike.tracking.mending import joined, pieces_of_one
from lookalike.tracking.tracklets import Tracklet

TOGETHER = 64
"""Crops that are described together."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A described piece: its crops are gone but for the best.

    Args:
        tracklet: Where it was, and when.
        parts: float16 (d,) each: what it looks like.
        weight: Sum of the qualities of what was described.
        quality, frame: Of its best sighting.
        picture: Of its best sighting, WebP bytes.
    """

    tracklet: Tracklet
    parts: dict[str, npt.NDArray[np.float16]]
    weight: float
    quality: float
    frame: int
    picture: bytes


class PieceDesk:
    """Describes finished pieces of one camera's tracks, some at a time.

    Args:
        description: What describes crops.
    """

    def __init__(self, description: Description) -> None:
        self._description = description
        self._waiting: list[Followed] = []
        self._pieces: list[_Piece] = []
        self.unseen: list[Tracklet] = []
        """Pieces of which no pixel could be decoded."""

    def take(self, finished: Sequence[Followed]) -> None:
        """Take up pieces."""
        for each in finished:
            if each.crops:
                self._waiting.append(each)
            else:
                self.unseen.append(each.tracklet)
        if sum(len(each.crops) for each in self._waiting) >= TOGETHER:
            self._describe()

    def tracklets(self) -> list[NewTracklet]:
        """At the end: pieces of one thing joined, and ready for a store."""
        self._describe()
        pieces = self._pieces
        if not pieces:
            return []
        names = [piece.tracklet.camera for piece in pieces]
        parts = {
            part: np.stack([piece.parts[part] for piece in pieces]).astype(np.float32)
            for part in pieces[0].parts
        }
        own = [piece.tracklet for piece in pieces]
        group = np.zeros(1, dtype=np.int64)
        if len(own) > 1:
            group = pieces_of_one(own, AppearanceSpace.fitted(parts, names).embed(parts, names))
        weight = np.array([piece.weight for piece in pieces])
        described = pooled(parts, group, weight, int(group.max()) + 1)
        whole = joined(own, group)
        return [
            self._ready(
                tracklet,
                [pieces[row] for row in np.flatnonzero(group == at).tolist()],
                {part: values[at] for part, values in described.items()},
            )
            for at, tracklet in enumerate(whole)
        ]

    def _describe(self) -> None:
        """Describe whatever waits, and let go of its crops."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        parts = self._description.joined(
            [crop for each in waiting for crop in each.crops],
            [at for at, each in enumerate(waiting) for _ in each.crops],
            [worth for each in waiting for worth in each.quality.tolist()],
            len(waiting),
        )
        for at, each in enumerate(waiting):
            best = int(np.argmax(each.quality))
            self._pieces.append(
                _Piece(
                    each.tracklet,
                    {part: values[at].astype(np.float16) for part, values in parts.items()},
                    float(each.quality.sum()),
                    float(each.quality[best]),
                    int(each.tracklet.frame[each.rows[best]]),
                    thumbnail(each.crops[best]),
                )
            )

    def _ready(
        self, tracklet: Tracklet, pieces: Sequence[_Piece], parts: dict[str, npt.NDArray[np.float32]]
    ) -> NewTracklet:
        best = max(pieces, key=lambda piece: piece.quality)
        return NewTracklet(
            track=tracklet.track,
            category=tracklet.category,
            quality=min(1.0, best.quality),
            best=int(np.searchsorted(tracklet.frame, best.frame)),
            sightings=SightingColumns(
                tracklet.frame,
                np.rint(tracklet.time * 1e6).astype(np.int64),
                tracklet.box,
                np.clip(tracklet.confidence, 0.0, 1.0),
                tracklet.seen,
            ),
            crop=best.picture,
            fingerprint=self._description.fingerprint,
            parts=parts,
        )
