"""The calls that change a collection in Lance and have no bulk data: each is an entry of the log."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from lookalike.store.base import Fitted
from lookalike.store.interactions import InteractionColumns
from lookalike.store.lance_replay import call
from lookalike.store.lance_replica import Change, Replica
from lookalike.store.lance_state import State
from lookalike.store.logged_values import NotLoggable, from_log, to_log
from lookalike.store.sqlite import SqliteStore
from lookalike.store.tracking import (
    AuditRecord,
    CameraRecord,
    Correction,
    GalleryPicture,
    NewTracklet,
    StoredIdentity,
)
from lookalike.types import AttributeValue, Interaction


class LanceCalls(SqliteStore):
    """Reads from the replica, which is a SQLite store; changes through the log. See the contract for each call."""

    _replica: Replica

    def _call(self, operation: str, *positional: Any, **named: Any) -> Any:
        """Make a call and log it, with arguments as every replica will read them."""
        try:
            document, data = to_log((positional, named))
        except NotLoggable:
            return self._refused(operation, positional, named)

        def work_out(connection: sqlite3.Connection, state: State) -> Change[Any]:
            result = call(connection, operation, from_log(document, data))
            return Change(result, state, operation, {"call": document}, data)

        return self._replica.commit(work_out)

    def _refused(self, operation: str, positional: Any, named: Any) -> Any:
        """Raise what a call with such arguments raises: no store can keep what the log cannot."""

        def work_out(connection: sqlite3.Connection, state: State) -> Change[Any]:  # noqa: ARG001
            call(connection, operation, (positional, named))
            raise NotLoggable(f"{operation} was given something that cannot be logged, and did not refuse it")

        return self._replica.commit(work_out)

    # items

    def set_source(self, name: str, uri: str) -> None:
        """Note that a source name stands for a uri."""
        self._call("set_source", name, uri)

    def touch(self, stamps: Mapping[str, tuple[str, str | None]]) -> None:
        """Note new ``id: (uri, stamp)`` for items whose bytes did not change; unknown ids are left out."""
        self._call("touch", stamps)

    def set_attributes(self, values: Mapping[str, Mapping[str, AttributeValue]]) -> list[str]:
        """Set attributes of existing items; returns the ids whose attributes really changed."""
        changed: list[str] = self._call("set_attributes", values)
        return changed

    def remove(self, ids: Sequence[str]) -> int:
        """Remove items; how many there were."""
        return int(self._call("remove", ids))

    # what was fitted

    def put_fitted(
        self,
        kind: str,
        name: str,
        payload: bytes,
        *,
        fingerprint: str,
        provenance: Mapping[str, Any],
        forgotten: int | None = None,
    ) -> Fitted:
        """Save something that was fitted, durably, in the place of what has the same kind and name."""
        saved: Fitted = self._call(
            "put_fitted",
            kind,
            name,
            payload,
            fingerprint=fingerprint,
            provenance=provenance,
            forgotten=forgotten,
        )
        return saved

    def remove_fitted(self, kind: str, name: str) -> bool:
        """Drop one fitted thing; whether there was one."""
        return bool(self._call("remove_fitted", kind, name))

    # interactions

    def put_interactions(self, batch: Sequence[Interaction] | InteractionColumns) -> int:
        """Keep interactions, all of them durably or none; how many were new."""
        return int(self._call("put_interactions", batch))

    def forget_user(self, user: str) -> int:
        """Remove all interactions of a user, and the user's name; how many interactions there were."""
        return int(self._call("forget_user", user))

    def set_event_weights(self, weights: Mapping[str, float | None]) -> None:
        """Set what some events weigh; None takes back what was set."""
        self._call("set_event_weights", weights)

    # what cameras saw

    def put_cameras(self, cameras: Sequence[CameraRecord]) -> None:
        """Note cameras, durably; one that is known keeps its tracklets and what was looked at."""
        self._call("put_cameras", cameras)

    def replace_tracklets(
        self,
        camera: CameraRecord,
        tracklets: Sequence[NewTracklet],
        *,
        since: int | None = None,
        gone: Sequence[int] = (),
    ) -> list[int]:
        """Keep what a camera saw, in the place of what was kept of it; the tracklets' numbers."""
        numbers: list[int] = self._call("replace_tracklets", camera, tracklets, since=since, gone=gone)
        return numbers

    def new_identities(self, count: int) -> list[int]:
        """Numbers that no identity has or had."""
        numbers: list[int] = self._call("new_identities", count)
        return numbers

    def put_identities(
        self, identities: Sequence[StoredIdentity], members: Mapping[int, int], *, version: int | None = None
    ) -> None:
        """Keep identities in the place of all that there were, durably and at once."""
        self._call("put_identities", identities, members, version=version)

    def put_corrections(self, corrections: Sequence[Correction]) -> None:
        """Keep what a user said, durably."""
        self._call("put_corrections", corrections)

    def remove_corrections(self, numbers: Sequence[int]) -> int:
        """Take back what was said; how much there was."""
        return int(self._call("remove_corrections", numbers))

    def enrol(self, pictures: Sequence[GalleryPicture]) -> None:
        """Keep pictures of somebody, in the place of all that were kept under the name, durably."""
        self._call("enrol", pictures)

    def unenrol(self, name: str) -> bool:
        """Remove somebody from the gallery; whether there was such a name."""
        return bool(self._call("unenrol", name))

    def erase_tracklets_before(self, camera: str, time: int) -> tuple[int, int]:
        """Remove the tracklets of a camera that started before a time, and all that belongs to them."""
        erased: tuple[int, int] = self._call("erase_tracklets_before", camera, time)
        return erased

    def log_search(self, entry: AuditRecord) -> None:
        """Note a search, durably."""
        self._call("log_search", entry)
