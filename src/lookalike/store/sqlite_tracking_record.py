"""The part of a SQLite store that keeps what cameras saw: each call in a transaction of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError
from lookalike.store import sqlite_identities, sqlite_tracking
from lookalike.store.sqlite_connections import Connections
from lookalike.store.tracking import (
    DESCRIPTION_BATCH,
    AuditRecord,
    CameraRecord,
    Correction,
    GalleryPicture,
    Integers,
    NewTracklet,
    SightingColumns,
    StoredIdentity,
    StoredTracklet,
    TrackingRecord,
)


class SqliteTracking(TrackingRecord):
    """Cameras, tracklets, identities, corrections, gallery and the log of searches of a collection."""

    _connections: Connections

    def tracking_version(self) -> int:
        """Counts up with every change of what follows but the log of searches."""
        with self._connections.exclusive() as connection:
            return sqlite_tracking.read_tracking_version(connection)

    # cameras and what they saw

    def put_cameras(self, cameras: Sequence[CameraRecord]) -> None:
        """Note cameras, durably; one that is known keeps its tracklets and what was looked at.

        Raises:
            InputError: If a name cannot be stored.
        """
        with self._connections.write() as connection:
            sqlite_tracking.put_cameras(connection, cameras)

    def cameras(self) -> list[CameraRecord]:
        """All cameras in the order in which they came."""
        with self._connections.read() as connection:
            return sqlite_tracking.read_cameras(connection)

    def replace_tracklets(
        self,
        camera: CameraRecord,
        tracklets: Sequence[NewTracklet],
        *,
        since: int | None = None,
        gone: Sequence[int] = (),
    ) -> list[int]:
        """Keep what a camera saw, in the place of what was kept of it, durably and at once or not at all.

        Raises:
            InputError: If a value cannot be stored.
        """
        with self._connections.write() as connection:
            return sqlite_tracking.replace_tracklets(connection, camera, tracklets, since, gone)

    def tracklets(
        self, *, camera: str | None = None, identity: int | None = None, numbers: Sequence[int] | None = None
    ) -> list[StoredTracklet]:
        """Tracklets by start, then number; of one camera, of one identity, of these numbers, or all."""
        with self._connections.read() as connection:
            return sqlite_tracking.read_tracklets(
                connection, camera=camera, identity=identity, numbers=numbers
            )

    def stream_sightings(self, numbers: Sequence[int]) -> Iterator[tuple[int, SightingColumns]]:
        """The sightings of tracklets, one after another, in the order asked; a snapshot that no writer waits for.

        Raises:
            DamagedCollection: If one does not match its checksum.
        """
        with self._connections.read() as connection:
            yield from sqlite_tracking.stream_sightings(connection, numbers)

    def stream_descriptions(
        self, fingerprint: str, *, numbers: Sequence[int] | None = None, batch: int = DESCRIPTION_BATCH
    ) -> Iterator[tuple[Integers, Mapping[str, npt.NDArray[np.float32]]]]:
        """Numbers and descriptions of tracklets that were described so, in the order asked; a consistent snapshot.

        Raises:
            DamagedCollection: If one does not match its checksum.
        """
        if batch < 1:
            raise InputError(f"batch is {batch}: expected at least 1")
        with self._connections.read() as connection:
            yield from sqlite_tracking.stream_descriptions(connection, fingerprint, numbers, batch)

    def crops(self, numbers: Sequence[int]) -> dict[int, bytes]:
        """Pictures of tracklets, WebP bytes; those that are gone are left out.

        Raises:
            DamagedCollection: If one does not match its checksum.
        """
        with self._connections.read() as connection:
            return sqlite_tracking.read_crops(connection, numbers)

    # identities

    def new_identities(self, count: int) -> list[int]:
        """Numbers that no identity has or had."""
        with self._connections.write() as connection:
            return sqlite_identities.new_identities(connection, count)

    def put_identities(
        self, identities: Sequence[StoredIdentity], members: Mapping[int, int], *, version: int | None = None
    ) -> None:
        """Keep identities in the place of all that there were, durably and at once.

        Raises:
            CollectionBusy: If there was a change since that version: work it out again.
            InputError: If a tracklet or an identity does not exist, or two have one name.
        """
        with self._connections.write() as connection:
            sqlite_identities.put_identities(connection, identities, members, version)

    def stored_identities(self) -> list[StoredIdentity]:
        """All identities that have a tracklet, by number."""
        with self._connections.read() as connection:
            return sqlite_identities.read_identities(connection)

    # what users said

    def put_corrections(self, corrections: Sequence[Correction]) -> None:
        """Keep what a user said, durably."""
        with self._connections.write() as connection:
            sqlite_identities.put_corrections(connection, corrections)

    def corrections(self) -> list[Correction]:
        """What users said, in the order in which they said it."""
        with self._connections.read() as connection:
            return sqlite_identities.read_corrections(connection)

    def remove_corrections(self, numbers: Sequence[int]) -> int:
        """Take back what was said; how much there was."""
        with self._connections.write() as connection:
            return sqlite_identities.remove_corrections(connection, numbers)

    # gallery

    def enrol(self, pictures: Sequence[GalleryPicture]) -> None:
        """Keep pictures of somebody, in the place of all that were kept under the name, durably."""
        with self._connections.write() as connection:
            sqlite_identities.enrol(connection, pictures)

    def gallery_pictures(self) -> list[GalleryPicture]:
        """All pictures of the gallery, by name.

        Raises:
            DamagedCollection: If one does not match its checksum.
        """
        with self._connections.read() as connection:
            return sqlite_identities.read_gallery(connection)

    def unenrol(self, name: str) -> bool:
        """Remove somebody from the gallery, and identities' recognitions as them; whether there was such a name."""
        with self._connections.write() as connection:
            return sqlite_identities.unenrol(connection, name)

    # responsibility

    def erase_tracklets_before(self, camera: str, time: int) -> tuple[int, int]:
        """Remove the tracklets of a camera that started before a time, and all that belongs to them."""
        with self._connections.write() as connection:
            return sqlite_tracking.erase_tracklets_before(connection, camera, time)

    def log_search(self, entry: AuditRecord) -> None:
        """Note a search, durably."""
        with self._connections.write() as connection:
            sqlite_identities.log_search(connection, entry)

    def searches(self) -> Iterator[AuditRecord]:
        """All noted searches, oldest first."""
        with self._connections.read() as connection:
            yield from sqlite_identities.read_searches(connection)
