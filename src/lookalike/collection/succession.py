"""Which identities new tracklets of a camera take over from those that they replace."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from lookalike.store.base import Store
from lookalike.store.tracking import NewTracklet
from lookalike.tracking.boxes import iou

LEAST_IOU = 0.5
"""Overlap of boxes of one frame that are taken for one thing."""


def succeeding(store: Store, camera: str, tracklets: list[NewTracklet]) -> list[NewTracklet]:
    """New tracklets with the identity of those before that they share most sightings with.

    Args:
        store: Has the tracklets before.
        camera: Whose they are.
        tracklets: The new ones.
    """
    before = [each for each in store.tracklets(camera=camera) if each.identity is not None]
    if not before or not tracklets:
        return tracklets
    votes: list[Counter[int]] = [Counter() for _ in tracklets]
    spans = np.array([(t.sightings.frame[0], t.sightings.frame[-1]) for t in tracklets])
    known = {each.number: each.identity for each in before}
    for number, columns in store.stream_sightings(list(known)):
        identity = known[number]
        first, last = int(columns.frame[0]), int(columns.frame[-1])
        for at in np.flatnonzero((spans[:, 0] <= last) & (spans[:, 1] >= first)).tolist():
            new = tracklets[at].sightings
            _, mine, theirs = np.intersect1d(
                new.frame, columns.frame, assume_unique=True, return_indices=True
            )
            shared = sum(
                iou(new.box[a : a + 1], columns.box[b : b + 1])[0, 0] >= LEAST_IOU
                for a, b in zip(mine.tolist(), theirs.tolist(), strict=True)
            )
            if shared and identity is not None:
                votes[at][identity] += int(shared)
    return [
        replace(each, identity=max(vote, key=lambda i: (vote[i], -i))) if vote else each
        for each, vote in zip(tracklets, votes, strict=True)
    ]
