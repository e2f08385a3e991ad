"""How a run over several cameras went, and what a collection tells of cameras, gallery, searches and retention."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

CameraStatus = Literal["tracked", "unchanged", "failed"]
"""``unchanged``: this recording was tracked before with the same settings; ``failed``: nothing could be read."""


class Problem(NamedTuple):
    """Something that went wrong with a camera.

    Args:
        frame: Number of the frame, from 1; None for what concerns the whole recording.
        time: When, UTC; None where it is not known.
        reason: What, for people.
    """

    frame: int | None
    time: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class CameraReport:
    """How one camera's recording went.

    Args:
        camera: Its name.
        status: See :data:`CameraStatus`.
        frames: How many were looked at.
        fps: Frames a second, as measured; None with fewer than two.
        first, last: Times of the first and the last frame, UTC; None without any.
        sightings, tracklets: What was found, and is kept.
        expired: Tracklets that were not kept because they are older than the camera's retention.
        problems: What went wrong, the first :data:`lookalike.collection.recordings.MOST_PROBLEMS`.
        problem_count: How much went wrong altogether.
        seconds: What it took.
    """

    camera: str
    status: CameraStatus
    frames: int
    fps: float | None
    first: datetime | None
    last: datetime | None
    sightings: int
    tracklets: int
    expired: int
    problems: tuple[Problem, ...]
    problem_count: int
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """As plain types, for JSON."""
        return {
            "camera": self.camera,
            "status": self.status,
            "frames": self.frames,
            "fps": self.fps,
            "first": iso(self.first),
            "last": iso(self.last),
            "sightings": self.sightings,
            "tracklets": self.tracklets,
            "expired": self.expired,
            "problems": [
                {"frame": each.frame, "time": iso(each.time), "reason": each.reason} for each in self.problems
            ],
            "problem_count": self.problem_count,
            "seconds": round(self.seconds, 3),
        }


class Line(NamedTuple):
    """Where the line between one thing and two lies.

    Args:
        cosine: Similarity from which on two are taken for one.
        false_match_rate: Share of comparisons of two different things that are expected to lie above it.
        miss_rate: Share of comparisons of one thing that are expected to lie below it.
        different, same: Comparisons of either kind that the line was learned from.
    """

    cosine: float
    false_match_rate: float
    miss_rate: float
    different: int
    same: int


@dataclass(frozen=True, slots=True)
class TrackingReport:
    """How a run over several cameras went.

    Args:
        cameras: Every camera of the run.
        identities: How many there are in the collection now.
        tracklets: How many tracklets they are made of.
        events: What changed about identities of earlier runs: ``i7 became part of i3``.
        line: Where the line between one thing and two was drawn; None with fewer than two tracklets.
        seconds: What the run took.
        footage_seconds: How long the recordings looked at in this run last, added up.
        provenance: Everything that the answer depends on.
    """

    cameras: tuple[CameraReport, ...]
    identities: int
    tracklets: int
    events: tuple[str, ...]
    line: Line | None
    seconds: float
    footage_seconds: float
    provenance: Mapping[str, Any]

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of the cameras of which nothing could be read."""
        return tuple(each.camera for each in self.cameras if each.status == "failed")

    def to_dict(self) -> dict[str, Any]:
        """As plain types, for JSON."""
        return {
            "cameras": [each.to_dict() for each in self.cameras],
            "identities": self.identities,
            "tracklets": self.tracklets,
            "events": list(self.events),
            "line": None if self.line is None else self.line._asdict(),
            "seconds": round(self.seconds, 3),
            "footage_seconds": round(self.footage_seconds, 3),
            "provenance": dict(self.provenance),
        }


@dataclass(frozen=True, slots=True)
class CameraInfo:
    """What a collection knows of a camera.

    Args:
        name: Unique.
        source: Path or address of its pictures.
        kind: ``video``, ``frames`` or ``url``.
        start: Time of its first frame, UTC.
        fps: Frames a second; None where it was not said or measured.
        size: Width and height, pixels; None where nothing was read.
        last: Time of the last frame that was looked at, UTC.
        frames: How many were looked at.
        tracklets: How many it has.
        retain: Seconds after which what it saw is erased; None: never.
    """

    name: str
    source: str
    kind: str
    start: datetime
    fps: float | None
    size: tuple[int, int] | None
    last: datetime | None
    frames: int
    tracklets: int
    retain: float | None

    def to_dict(self) -> dict[str, Any]:
        """As plain types, for JSON."""
        return {
            "name": self.name,
            "source": self.source,
            "kind": self.kind,
            "start": iso(self.start),
            "fps": self.fps,
            "size": None if self.size is None else list(self.size),
            "last": iso(self.last),
            "frames": self.frames,
            "tracklets": self.tracklets,
            "retain": self.retain,
        }


class Enrolled(NamedTuple):
    """Somebody or something of the gallery.

    Args:
        name: Unique in the gallery.
        pictures: WebP bytes, the longer side at most 256 pixels.
        usable: Whether its descriptions are of the kind that the collection's tracklets have now; otherwise enrol it
            anew.
        identities: Ids of the identities that are recognised as it.
    """

    name: str
    pictures: tuple[bytes, ...]
    usable: bool
    identities: tuple[str, ...]


class AuditEntry(NamedTuple):
    """One search for a person or thing.

    Args:
        time: When, UTC.
        who: Who asked, as told, or the account of the operating system.
        kind: ``follow identity``, ``follow name``, ``follow image``, ``enrol``, ...
        query: SHA-256 of what was asked for, hexadecimal: pictures and names themselves are not kept.
        reason: Why, as told.
        answers: How many tracklets were the answer.
    """

    time: datetime
    who: str
    kind: str
    query: str
    reason: str
    answers: int

    def to_dict(self) -> dict[str, Any]:
        """As plain types, for JSON."""
        return {**self._asdict(), "time": iso(self.time)}


class Erased(NamedTuple):
    """What retention took away.

    Args:
        tracklets: By camera; cameras of which nothing was old enough are left out.
        sightings: How many, of all cameras.
        identities: Identities of which nothing is left.
    """

    tracklets: dict[str, int]
    sightings: int
    identities: int


class ExportedTracks(NamedTuple):
    """Files that were written.

    Args:
        files: By camera, or the one file.
        sightings: How many, in all of them.
    """

    files: tuple[str, ...]
    sightings: int


def iso(time: datetime | None) -> str | None:
    """A time in ISO 8601."""
    return None if time is None else time.isoformat()
