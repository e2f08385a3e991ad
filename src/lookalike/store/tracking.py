"""What cameras saw, as a store takes and gives it, and what every store promises about it.

A store keeps cameras, tracklets and identities apart from its items. Times are whole microseconds since 1970 UTC. What
is large (sightings, descriptions, pictures) is read only when it is asked for.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

Integers: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]

Parts: TypeAlias = Mapping[str, npt.NDArray[np.float32]]
"""What describes one tracklet or picture, by part: float32 (d,) each."""

CorrectionKind = Literal["together", "apart", "name", "left out"]
CORRECTIONS: tuple[CorrectionKind, ...] = get_args(CorrectionKind)
"""``together``, ``apart``: two tracklets are one thing, or two; ``name``: a tracklet's thing is called so;
``left out``: a tracklet belongs to no identity."""

DESCRIPTION_BATCH = 256
"""Tracklets whose descriptions are read together, unless told otherwise."""


@dataclass(frozen=True, slots=True)
class CameraRecord:
    """A camera and how far it was looked at.

    Args:
        name: Unique.
        settings: Where its pictures come from and how it lies to others, as JSON, opaque to the store.
        run: Digest of everything that its tracklets depend on; empty before the first run.
        start: Time of the first frame.
        frames: Number of frames that were looked at.
        last: Time of the last one; None before the first run.
        tracklets: How many there are; a store counts them itself and does not take this.
        retain: Age after which tracklets are erased, microseconds; None: never.
        state: What following a stream goes on from, opaque to the store; empty for recordings.
    """

    name: str
    settings: str
    run: str = ""
    start: int = 0
    frames: int = 0
    last: int | None = None
    tracklets: int = 0
    retain: int | None = None
    state: bytes = b""


@dataclass(frozen=True, slots=True, eq=False)
class SightingColumns:
    """Sightings of one tracklet, in order of time.

    Args:
        frame: int64 (n,), from 1, ascending.
        time: int64 (n,), ascending.
        box: float64 (n, 4), left, top, width, height in pixels; kept to a hundredth.
        confidence: float64 (n,), 0 to 1; kept to a ten-thousandth.
        seen: bool (n,): False where the box was filled in.
    """

    frame: Integers
    time: Integers
    box: Floats
    confidence: Floats
    seen: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.frame)


@dataclass(frozen=True, slots=True)
class NewTracklet:
    """A tracklet on its way into a store.

    Args:
        track: Number that the camera's tracker gave; tracklets of one track follow each other.
        category: The class by number.
        quality: Of its best sighting, 0 to 1.
        best: Position of its best sighting among the columns.
        sightings: Columns, one row at least.
        crop: The best sighting's picture, WebP bytes, the longer side at most 256 pixels.
        fingerprint: Of what made the description.
        parts: The description; it is kept in half precision.
        identity: Number of the identity that it is thought to belong to until identities are put, if that exists;
            or None.
        number: Of a kept tracklet of the camera that this one is more of, or None: it takes its place, with its number
            and its identity.
    """

    track: int
    category: int
    quality: float
    best: int
    sightings: SightingColumns
    crop: bytes
    fingerprint: str
    parts: Parts
    identity: int | None = None
    number: int | None = None


@dataclass(frozen=True, slots=True)
class StoredTracklet:
    """What is known of a tracklet without reading what is large.

    Args:
        number: Counts up; never used twice.
        camera: Its name.
        track: Number that the camera's tracker gave.
        start, end: Times of its first and last sighting.
        sightings: How many.
        category: The class by number.
        quality: Of its best sighting.
        frame, time, box: Of its best sighting.
        fingerprint: Of what made its description.
        identity: Number of its identity; None if it belongs to none.
    """

    number: int
    camera: str
    track: int
    start: int
    end: int
    sightings: int
    category: int
    quality: float
    frame: int
    time: int
    box: tuple[float, float, float, float]
    fingerprint: str
    identity: int | None


@dataclass(frozen=True, slots=True)
class StoredIdentity:
    """An identity.

    Args:
        number: Counts up; never used twice.
        name: What a user calls it; no two have one name.
        recognised: Whom of the gallery it looks like, by name; None: nobody.
        similarity: Cosine that says so.
        false_match_rate: Share of comparisons with somebody else that reach this similarity.
    """

    number: int
    name: str | None = None
    recognised: str | None = None
    similarity: float | None = None
    false_match_rate: float | None = None


@dataclass(frozen=True, slots=True)
class Anchor:
    """A place and time at which a user pointed to a tracklet; it outlives the tracklet's number.

    Args:
        camera: Its name.
        time: Of a sighting.
        box: Of that sighting, left, top, width, height in pixels.
    """

    camera: str
    time: int
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Correction:
    """Something that a user said about identities.

    Args:
        kind: What.
        anchors: Two for ``together`` and ``apart``, else one.
        made: When it was said.
        name: Of ``name``.
        number: Counts up; given by the store.
    """

    kind: CorrectionKind
    anchors: tuple[Anchor, ...]
    made: int
    name: str | None = None
    number: int = 0


@dataclass(frozen=True, slots=True)
class GalleryPicture:
    """One picture of somebody or something that was enrolled.

    Args:
        name: Of whom or what.
        fingerprint: Of what made the description.
        parts: The description.
        picture: WebP bytes, the longer side at most 256 pixels.
    """

    name: str
    fingerprint: str
    parts: Parts
    picture: bytes


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One search for a person or thing: see :class:`lookalike.collection.tracking_report.AuditEntry`."""

    time: int
    who: str
    kind: str
    query: str
    reason: str
    answers: int


class TrackingRecord(ABC):
    """The part of a store that keeps what cameras saw."""

    @abstractmethod
    def tracking_version(self) -> int:
        """Counts up with every change of what follows but the log of searches.

        It is a number of its own: the version of the items, which indexes and filters depend on, stays.
        """

    # cameras and what they saw

    @abstractmethod
    def put_cameras(self, cameras: Sequence[CameraRecord]) -> None:
        """Note cameras, durably; one that is known keeps its tracklets and what was looked at.

        Args:
            cameras: ``settings``, ``start`` and ``retain`` of known ones are replaced; the rest is not looked at.

        Raises:
            InputError: If a name cannot be stored.
        """

    @abstractmethod
    def cameras(self) -> list[CameraRecord]:
        """All cameras in the order in which they came."""

    @abstractmethod
    def replace_tracklets(
        self,
        camera: CameraRecord,
        tracklets: Sequence[NewTracklet],
        *,
        since: int | None = None,
        gone: Sequence[int] = (),
    ) -> list[int]:
        """Keep what a camera saw, in the place of what was kept of it, durably and at once or not at all.

        A tracklet whose sightings are those of one that is kept already stays that one, with its number and its
        identity; description and picture become the new ones.

        Args:
            camera: With ``run``, ``frames``, ``last`` and ``state``; it is noted if it is not known.
            tracklets: All of the camera, in any order.
            since: Tracklets that started before this time stay, microseconds; None replaces all. For a stream, which
                comes in parts.
            gone: Numbers of tracklets of the camera that do not stay either, unless a new one takes their place.

        Returns:
            Their numbers, in order.

        Raises:
            InputError: If a value cannot be stored.
        """

    @abstractmethod
    def tracklets(
        self, *, camera: str | None = None, identity: int | None = None, numbers: Sequence[int] | None = None
    ) -> list[StoredTracklet]:
        """Tracklets by start, then number; of one camera, of one identity, of these numbers, or all."""

    @abstractmethod
    def stream_sightings(self, numbers: Sequence[int]) -> Iterator[tuple[int, SightingColumns]]:
        """The sightings of tracklets, one tracklet after another, in the order asked; those that are gone are left out.

        Raises:
            DamagedCollection: If one does not match its checksum.
        """

    @abstractmethod
    def stream_descriptions(
        self, fingerprint: str, *, numbers: Sequence[int] | None = None, batch: int = DESCRIPTION_BATCH
    ) -> Iterator[tuple[Integers, Mapping[str, npt.NDArray[np.float32]]]]:
        """Numbers and descriptions, (n, d) each part, of tracklets that were described so.

        Args:
            fingerprint: Of what made them.
            numbers: Which, and in which order; those that are gone or were described otherwise are left out. None: all,
                by number.
            batch: Most tracklets of one batch.

        Raises:
            DamagedCollection: If one does not match its checksum.
        """

    @abstractmethod
    def crops(self, numbers: Sequence[int]) -> dict[int, bytes]:
        """Pictures of tracklets, WebP bytes; those that are gone are left out.

        Raises:
            DamagedCollection: If one does not match its checksum.
        """

    # identities

    @abstractmethod
    def new_identities(self, count: int) -> list[int]:
        """Numbers that no identity has or had."""

    @abstractmethod
    def put_identities(
        self, identities: Sequence[StoredIdentity], members: Mapping[int, int], *, version: int | None = None
    ) -> None:
        """Keep identities in the place of all that there were, durably and at once.

        Args:
            identities: All of them, with numbers of :meth:`new_identities`.
            members: Number of a tracklet -> number of its identity; an identity without any is left out.
            version: The tracking version that this was worked out from; None: whatever it is now.

        Raises:
            CollectionBusy: If there was a change since that version: work it out again.
            InputError: If a tracklet or an identity does not exist, or two have one name.
        """

    @abstractmethod
    def stored_identities(self) -> list[StoredIdentity]:
        """All identities that have a tracklet, by number."""

    # what users said

    @abstractmethod
    def put_corrections(self, corrections: Sequence[Correction]) -> None:
        """Keep what a user said, durably."""

    @abstractmethod
    def corrections(self) -> list[Correction]:
        """What users said, in the order in which they said it."""

    @abstractmethod
    def remove_corrections(self, numbers: Sequence[int]) -> int:
        """Take back what was said; how much there was."""

    # gallery

    @abstractmethod
    def enrol(self, pictures: Sequence[GalleryPicture]) -> None:
        """Keep pictures of somebody, in the place of all that were kept under the name, durably."""

    @abstractmethod
    def gallery_pictures(self) -> list[GalleryPicture]:
        """All pictures of the gallery, by name.

        Raises:
            DamagedCollection: If one does not match its checksum.
        """

    @abstractmethod
    def unenrol(self, name: str) -> bool:
        """Remove somebody from the gallery, and identities' recognitions as them; whether there was such a name."""

    # responsibility

    @abstractmethod
    def erase_tracklets_before(self, camera: str, time: int) -> tuple[int, int]:
        """Remove the tracklets of a camera that started before a time, with sightings, pictures and descriptions.

        What users said about that camera before that time goes too, and identities of which nothing is left. What
        is left in free space goes with ``compact``: after it no byte of them is in any file of the store.

        Returns:
            Numbers of tracklets and sightings.
        """

    @abstractmethod
    def log_search(self, entry: AuditRecord) -> None:
        """Note a search, durably. Nothing takes a note away."""

    @abstractmethod
    def searches(self) -> Iterator[AuditRecord]:
        """All noted searches, oldest first."""
