"""What questions about identities answer: who was seen where and when."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias, overload

import numpy as np
import numpy.typing as npt

from lookalike.collection.tracking_report import Line, iso

Crops: TypeAlias = Callable[[Sequence[str]], Mapping[str, bytes]]
"""Reads the best pictures of tracklets, WebP bytes by tracklet id, as long as the collection is open; tracklets that
are gone are left out."""

AskedBy = Literal["identity", "name", "image"]

UNKNOWN = "unknown"
"""What a picture or an identity is called that matches nobody well enough."""


class Recognition(NamedTuple):
    """Whom of the gallery an identity looks like.

    Args:
        name: As enrolled.
        similarity: Cosine with the most similar enrolled picture.
        false_match_rate: Share of comparisons with somebody else that reach this similarity, as estimated.
    """

    name: str
    similarity: float
    false_match_rate: float


@dataclass(frozen=True, slots=True)
class Visit:
    """One tracklet: a stay of one thing in the view of one camera.

    Args:
        tracklet: Its id, ``t1``, ``t2``, ...
        camera: Name of the camera.
        start, end: First and last sighting, UTC.
        sightings: How many.
        identity: Id of the identity it belongs to; None if it was left out of all.
        quality: Of its best sighting, 0 to 1.
        category: The class by number; 1 is a person.
        frame: Of its best sighting, from 1.
        box: Of its best sighting: left, top, width, height in pixels.
        similarity: Cosine with the picture asked for; None when an identity was asked for.
        strength: Share of comparisons with somebody else that are less similar, as estimated; None as above.
    """

    tracklet: str
    camera: str
    start: datetime
    end: datetime
    sightings: int
    identity: str | None
    quality: float
    category: int
    frame: int
    box: tuple[float, float, float, float]
    similarity: float | None = None
    strength: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """As plain types, for JSON."""
        return {
            "tracklet": self.tracklet,
            "camera": self.camera,
            "start": iso(self.start),
            "end": iso(self.end),
            "sightings": self.sightings,
            "identity": self.identity,
            "quality": self.quality,
            "category": self.category,
            "frame": self.frame,
            "box": list(self.box),
            "similarity": self.similarity,
            "strength": self.strength,
        }


@dataclass(frozen=True, slots=True)
class Identity:
    """Tracklets of one thing, across cameras and time.

    Args:
        id: ``i1``, ``i2``, ...; never given twice.
        name: What a user calls it; None: nobody named it.
        recognised: Whom of the gallery it looks like; None: unknown.
        first, last: First and last sighting, UTC.
        cameras: Names, in the order in which they saw it first.
        visits: Its tracklets in order of time.
        sightings: How many, in all of them.
        best: Id of the tracklet with the best picture.
    """

    id: str
    name: str | None
    recognised: Recognition | None
    first: datetime
    last: datetime
    cameras: tuple[str, ...]
    visits: tuple[Visit, ...]
    sightings: int
    best: str

    @property
    def tracklets(self) -> tuple[str, ...]:
        """Ids of its tracklets in order of time."""
        return tuple(visit.tracklet for visit in self.visits)

    @property
    def label(self) -> str:
        """How to call it: its name, whom it was recognised as, or its id."""
        if self.name is not None:
            return self.name
        return self.id if self.recognised is None else f"{self.recognised.name}?"

    def to_dict(self) -> dict[str, Any]:
        """As plain types, for JSON."""
        return {
            "id": self.id,
            "name": self.name,
            "recognised": None if self.recognised is None else self.recognised._asdict(),
            "first": iso(self.first),
            "last": iso(self.last),
            "cameras": list(self.cameras),
            "sightings": self.sightings,
            "best": self.best,
            "visits": [visit.to_dict() for visit in self.visits],
        }


@dataclass(frozen=True, slots=True)
class Identities(Sequence[Identity]):
    """Identities by first sighting; behaves as a list of them.

    Args:
        items: The identities.
        cameras: Names of all cameras of the collection, in their order.
        provenance: What was asked, and the version of what answered.
        crops: Reads pictures of tracklets.
    """

    items: tuple[Identity, ...]
    cameras: tuple[str, ...]
    provenance: Mapping[str, Any]
    crops: Crops = field(repr=False, compare=False)

    @overload
    def __getitem__(self, index: int) -> Identity: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Identity]: ...
    def __getitem__(self, index: int | slice) -> Identity | Sequence[Identity]:
        """One, or several."""
        return self.items[index]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Identity]:
        return iter(self.items)

    def best_crop(self, identity: Identity) -> bytes:
        """The best picture of an identity, WebP bytes; empty if it was erased meanwhile."""
        return self.crops([identity.best]).get(identity.best, b"")

    def to_dict(self) -> dict[str, Any]:
        """As plain types, for JSON; times in ISO 8601; without the pictures."""
        return {
            "identities": [each.to_dict() for each in self.items],
            "cameras": list(self.cameras),
            "provenance": dict(self.provenance),
        }

    def save_html(self, path: str | PathLike[str]) -> Path:
        """Write a report: a timeline for each identity, and how they went from camera to camera.

        Returns:
            The path written.
        """
        from lookalike.reports.identities import report
        from lookalike.reports.page import write

        write(path, report(self.to_dict(), self.crops))
        return Path(path)


@dataclass(frozen=True, slots=True, eq=False)
class Sightings:
    """The sightings of one tracklet as columns, in order of time.

    Args:
        visit: The tracklet.
        frame: int64 (n,), from 1.
        time: float64 (n,), seconds since 1970 UTC.
        box: float64 (n, 4), left, top, width, height in pixels.
        confidence: float64 (n,), 0 to 1.
        seen: bool (n,): False where a box was filled in between two sightings.
    """

    visit: Visit
    frame: npt.NDArray[np.int64]
    time: npt.NDArray[np.float64]
    box: npt.NDArray[np.float64]
    confidence: npt.NDArray[np.float64]
    seen: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.frame)


class Candidate(NamedTuple):
    """An identity that a picture was compared with.

    Args:
        identity: Its id.
        name: Its name, if it has one.
        similarity: Cosine with its most similar tracklet.
        matched: Whether that reaches the line.
    """

    identity: str
    name: str | None
    similarity: float
    matched: bool


@dataclass(frozen=True, slots=True)
class Following(Sequence[Visit]):
    """Where and when somebody or something was seen, in order of time; behaves as a list of visits.

    Args:
        visits: Every tracklet, in order of time.
        asked_by: What was asked for.
        identity: The identity; of a picture the one that it matches best. None: the picture is of somebody unknown.
        name: Its name; the name asked for; or ``unknown``.
        line: What a picture has to reach, and how often somebody else would; None when an identity was asked for.
        candidates: The identities most similar to the picture, best first, with those that do not match. For a human to
            look at: a match is a hint, not a proof.
        cameras: Names of all cameras of the collection, in their order.
        provenance: What was asked, and the version of what answered.
        crops: Reads pictures of tracklets.
        query: WebP bytes of the picture that was asked for; None when it was none.
        read_sightings: Reads the sightings of tracklets, by their ids, one after another.
    """

    visits: tuple[Visit, ...]
    asked_by: AskedBy
    identity: str | None
    name: str | None
    line: Line | None
    candidates: tuple[Candidate, ...]
    cameras: tuple[str, ...]
    provenance: Mapping[str, Any]
    crops: Crops = field(repr=False, compare=False)
    read_sightings: Callable[[Sequence[str]], Iterator[Sightings]] = field(repr=False, compare=False)
    query: bytes | None = field(default=None, repr=False)

    @overload
    def __getitem__(self, index: int) -> Visit: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Visit]: ...
    def __getitem__(self, index: int | slice) -> Visit | Sequence[Visit]:
        """One, or several."""
        return self.visits[index]

    def __len__(self) -> int:
        return len(self.visits)

    def __iter__(self) -> Iterator[Visit]:
        return iter(self.visits)

    def sightings(self) -> Iterator[Sightings]:
        """The sightings of each visit, in the order of the visits."""
        return self.read_sightings([visit.tracklet for visit in self.visits])

    def to_dict(self) -> dict[str, Any]:
        """As plain types, for JSON; times in ISO 8601; without pictures and single sightings."""
        return {
            "identity": self.identity,
            "name": self.name,
            "asked_by": self.asked_by,
            "visits": [visit.to_dict() for visit in self.visits],
            "line": None if self.line is None else self.line._asdict(),
            "candidates": [each._asdict() for each in self.candidates],
            "cameras": list(self.cameras),
            "provenance": dict(self.provenance),
        }

    def save_html(self, path: str | PathLike[str]) -> Path:
        """Write a report: every visit with camera, interval and picture, on a timeline.

        Returns:
            The path written.
        """
        from lookalike.reports.following import report
        from lookalike.reports.page import write

        write(path, report(self.to_dict(), self.crops, self.query))
        return Path(path)
