"""What cameras saw, from one store into another that has seen nothing yet.

Tracklets get new numbers, in the order of the old ones within a camera; identities keep theirs, since people know them
by it. What users said points to places and times, so it needs no translation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from lookalike.errors import DamagedCollection
from lookalike.store.interactions import END, microseconds
from lookalike.store.tracking import NewTracklet, Parts, StoredTracklet, TrackingRecord

BATCH = 256
"""Tracklets that are read and written together."""

_ALL_STAY = microseconds(END)
"""``since`` that replaces no tracklet."""


@dataclass(frozen=True, slots=True)
class TrackingCounts:
    """How much there is of what cameras saw."""

    cameras: int
    tracklets: int
    sightings: int
    identities: int
    corrections: int
    enrolled: int
    searches: int


def tracking_counts(store: TrackingRecord) -> TrackingCounts:
    """What a store holds; looks at every tracklet."""
    cameras = store.cameras()
    tracklets = [each for camera in cameras for each in store.tracklets(camera=camera.name)]
    return TrackingCounts(
        cameras=len(cameras),
        tracklets=len(tracklets),
        sightings=sum(each.sightings for each in tracklets),
        identities=len(store.stored_identities()),
        corrections=len(store.corrections()),
        enrolled=len(store.gallery_pictures()),
        searches=sum(1 for _ in store.searches()),
    )


def copy_tracking(source: TrackingRecord, destination: TrackingRecord) -> TrackingCounts:
    """Copy cameras, tracklets, identities, corrections, the gallery and the log of searches.

    Args:
        source: Is read, as of one moment.
        destination: Holds nothing of the kind.

    Returns:
        What was read.

    Raises:
        DamagedCollection: If something does not match its checksum.
    """
    counts = tracking_counts(source)
    destination.put_cameras(source.cameras())
    members: dict[int, int] = {}
    for camera in source.cameras():
        stored = sorted(source.tracklets(camera=camera.name), key=lambda each: each.number)
        for first in range(0, len(stored), BATCH):
            batch = stored[first : first + BATCH]
            # The state, which may be large, comes once, with the last call.
            written = destination.replace_tracklets(
                replace(camera, state=b""), list(_complete(source, batch)), since=_ALL_STAY
            )
            members |= {
                number: each.identity
                for number, each in zip(written, batch, strict=True)
                if each.identity is not None
            }
        destination.replace_tracklets(camera, [], since=_ALL_STAY)
    if identities := source.stored_identities():
        destination.new_identities(max(each.number for each in identities))
        destination.put_identities(identities, members)
    destination.put_corrections(source.corrections())
    for _, pictures in groupby(source.gallery_pictures(), key=lambda each: each.name):
        destination.enrol(list(pictures))
    for entry in source.searches():
        destination.log_search(entry)
    return counts


def _complete(source: TrackingRecord, batch: Sequence[StoredTracklet]) -> Iterator[NewTracklet]:
    """Tracklets with their sightings, descriptions and pictures, in the order given."""
    numbers = [each.number for each in batch]
    sightings = dict(source.stream_sightings(numbers))
    crops = source.crops(numbers)
    described: dict[int, Parts] = {}
    for fingerprint in {each.fingerprint: None for each in batch}:
        for found, parts in source.stream_descriptions(fingerprint, numbers=numbers):
            for at, number in enumerate(found.tolist()):
                described[number] = {name: values[at] for name, values in parts.items()}
    for each in batch:
        columns = sightings.get(each.number)
        if columns is None or each.number not in described or each.frame not in columns.frame:
            raise DamagedCollection(
                f"tracklet {each.number} of {each.camera} has no description, or not the sighting that is called its "
                "best: run lookalike verify, and track the camera again"
            )
        best = int(np.searchsorted(columns.frame, each.frame))
        box = columns.box.copy()
        box[best] = each.box  # as it was given, where the columns are rounded
        yield NewTracklet(
            track=each.track,
            category=each.category,
            quality=each.quality,
            best=best,
            sightings=replace(columns, box=box),
            crop=crops[each.number],
            fingerprint=each.fingerprint,
            parts=described[each.number],
        )
