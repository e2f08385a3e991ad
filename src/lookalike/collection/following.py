"""Questions about identities: who was seen, and where and when somebody was seen."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lookalike.collection.asked_pictures import Picture, digest_of_words, pixels_of
from lookalike.collection.enrolment import Enrolment
from lookalike.collection.identity_result import (
    UNKNOWN,
    AskedBy,
    Candidate,
    Following,
    Identities,
    Identity,
    Recognition,
    Sightings,
    Visit,
)
from lookalike.collection.looks import Looks
from lookalike.collection.open_set import DEFAULT_RATE, OpenSet, checked_rate
from lookalike.collection.pictures import as_crop
from lookalike.collection.tracking_report import AuditEntry, Line
from lookalike.collection.visits import (
    Between,
    crop_reader,
    identity_id,
    identity_number,
    read_sightings,
    span,
    tracklet_id,
    visit_of,
)
from lookalike.errors import InputError, UnknownItem
from lookalike.images.thumbnails import thumbnail
from lookalike.store.interactions import moment
from lookalike.store.tracking import StoredIdentity, StoredTracklet
from lookalike.types import Crop, ItemId

CANDIDATES = 5
"""Identities that an answer to a picture shows, with those that do not match."""

SHOWN = 8
"""Names that an error lists."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """Which identities answer, and how well each of their tracklets fits a picture."""

    asked_by: AskedBy
    identities: tuple[int, ...]
    name: str | None
    digest: str
    cosines: Mapping[int, float]
    known: OpenSet | None = None
    line: Line | None = None
    candidates: tuple[Candidate, ...] = ()
    query: bytes | None = None


class Asking(Enrolment):
    """Who was seen where and when."""

    def identities(
        self,
        *,
        between: Between = None,
        camera: str | None = None,
        named: bool | None = None,
        min_sightings: int = 1,
    ) -> Identities:
        """Identities by first sighting.

        Args:
            between: Only visits that touch this time, (from, to), with zones or as ISO 8601; None for an open end.
            camera: Only visits to this camera.
            named: Only identities that have a name or are recognised (True), or that are unknown (False).
            min_sightings: Only identities with as many sightings, in the visits that are left.

        Raises:
            InputError: If an argument is wrong; for an unknown camera it names those there are.
        """
        if min_sightings < 1:
            raise InputError(f"min_sightings is {min_sightings}: expected at least 1")
        wanted = self._wanted(between, camera)
        stored = {each.number: each for each in self._store.stored_identities()}
        members: dict[int, list[StoredTracklet]] = {}
        for tracklet in self._store.tracklets():
            if tracklet.identity in stored and wanted(tracklet):
                members.setdefault(tracklet.identity, []).append(tracklet)
        found = [_described(stored[number], own) for number, own in members.items()]
        return Identities(
            tuple(
                each
                for each in sorted(found, key=lambda identity: (identity.first, identity.id))
                if each.sightings >= min_sightings
                and (named is None or named == (each.name is not None or each.recognised is not None))
            ),
            tuple(each.name for each in self._store.cameras()),
            self._provenance(between=between, camera=camera, named=named, min_sightings=min_sightings),
            crop_reader(self._store),
        )

    def follow(
        self,
        what: Picture,
        *,
        between: Between = None,
        camera: str | None = None,
        crop: Crop | Sequence[float] | str | None = None,
        false_match_rate: float = DEFAULT_RATE,
        reason: str = "",
        who: str = "",
    ) -> Following:
        """Where and when somebody or something was seen. Every call is noted in :meth:`audit_log`.

        Args:
            what: An identity's id (``i3``); a name; or a picture, as a path, bytes or uint8 (h, w, 3) pixels, that
                shows the person or thing from head to foot and little else.
            between: Only visits that touch this time.
            camera: Only visits to this camera.
            crop: The region of the picture to look at, in pixels or, when all are at most 1, fractions.
            false_match_rate: For a picture: share of comparisons with somebody else that may be taken for a match.
            reason, who: Why, and who asks; the account of the operating system by default. For the log.

        Returns:
            The visits in order of time. A picture that no identity fits well enough is of somebody ``unknown``, and
            has no visits; its candidates tell who came closest.

        Raises:
            InputError: If it is no identity, name or picture; or an argument is wrong.
            ImageError: If the picture cannot be read.
        """
        wanted = self._wanted(between, camera)
        rate, region = checked_rate(false_match_rate), as_crop(crop)
        if region is not None and isinstance(what, ItemId):
            raise InputError("a crop was given, but an identity was asked for: expected a picture with it")
        answer = self._told(what) if isinstance(what, str) and region is None else None
        if answer is None:
            answer = self._looked(what, region, rate)
        tracklets = [
            each
            for number in answer.identities
            for each in self._store.tracklets(identity=number)
            if wanted(each)
        ]
        visits = tuple(
            _fitting(each, answer) for each in sorted(tracklets, key=lambda t: (t.start, t.number))
        )
        self._log(f"follow {answer.asked_by}", answer.digest, reason, who, len(visits))
        return Following(
            visits,
            answer.asked_by,
            identity_id(answer.identities[0]) if answer.identities else None,
            answer.name,
            answer.line,
            answer.candidates,
            tuple(each.name for each in self._store.cameras()),
            self._provenance(between=between, camera=camera, false_match_rate=rate, query=answer.digest),
            crop_reader(self._store),
            lambda ids: read_sightings(self._store, ids),
            answer.query,
        )

    def sightings(
        self, *, identity: str | None = None, camera: str | None = None, between: Between = None
    ) -> Iterator[Sightings]:
        """The sightings of tracklets, one tracklet after another, by start.

        Args:
            identity: Only of this identity.
            camera: Only of this camera.
            between: Only tracklets that touch this time; each is given whole.

        Raises:
            InputError: If an argument is wrong.
        """
        wanted = self._wanted(between, camera)
        number = None if identity is None else self._identity(identity).number
        ids = [tracklet_id(t.number) for t in self._store.tracklets(identity=number) if wanted(t)]
        return read_sightings(self._store, ids)

    def audit_log(self) -> list[AuditEntry]:
        """Every search for a person or thing, oldest first; what was asked for is told by its digest alone."""
        return [
            AuditEntry(moment(each.time), each.who, each.kind, each.query, each.reason, each.answers)
            for each in self._store.searches()
        ]

    def _wanted(self, between: Between, camera: str | None) -> Callable[[StoredTracklet], bool]:
        inside = span(between)
        names = [each.name for each in self._store.cameras()]
        if camera is not None and camera not in names:
            raise InputError(
                f"the collection has no camera {camera!r}: expected one of "
                f"{', '.join(names) or 'none, since none was tracked'}"
            )
        return lambda each: (camera is None or each.camera == camera) and inside(each)

    def _identity(self, text: str) -> StoredIdentity:
        """The identity of an id or a user's name.

        Raises:
            UnknownItem: If there is none; names some that there are.
        """
        identities = self._store.stored_identities()
        number = identity_number(text)
        for each in identities:
            if each.number == number or each.name == text:
                return each
        shown = ", ".join(each.name or identity_id(each.number) for each in identities[:SHOWN])
        more = f" and {len(identities) - SHOWN} more" if len(identities) > SHOWN else ""
        there = f"there are {shown}{more}" if shown else "there is none; track recordings first"
        raise UnknownItem(f"the collection has no identity or name {text!r}, and it is no picture: {there}")

    def _told(self, text: str) -> _Answer | None:
        """The answer to an id or a name; None for what may be a path."""
        identities = self._store.stored_identities()
        number = identity_number(text)
        if any(each.number == number for each in identities):
            named = next(each for each in identities if each.number == number)
            return _Answer("identity", (named.number,), named.name, digest_of_words("identity", text), {})
        own = [each.number for each in identities if each.name == text]
        own += [each.number for each in identities if each.recognised == text and each.number not in own]
        enrolled = any(each.name == text for each in self._store.gallery_pictures())
        if own or enrolled:
            return _Answer("name", tuple(own), text, digest_of_words("name", text), {})
        if not isinstance(text, ItemId) and (
            "://" in text or Path(text).exists() or re.search(r"[/\\]|\.\w{2,5}$", text)
        ):
            return None
        self._identity(text)
        return None

    def _looked(self, what: Picture, crop: Crop | None, rate: float) -> _Answer:
        """The answer to a picture: the identity that fits best, if it fits well enough."""
        pixels, digest = pixels_of(what, limits=self._limits, crop=crop)
        description = self._description()
        looks = Looks.of(self._store, self._store.tracklets(), description.fingerprint)
        known = None if looks is None else self._open_set(looks, description)
        if looks is None or known is None:
            raise InputError(
                "fewer than two identities were seen, so nobody knows how alike two different ones look: track more "
                "recordings, or ask for an identity by its id"
            )
        line = known.line(rate)
        numbers, cosines = looks.cosines(looks.of_pictures(description.describe([pixels])))
        similar = dict(zip(numbers.tolist(), cosines[0].tolist(), strict=True))
        names = {each.number: each.name or each.recognised for each in self._store.stored_identities()}
        best: dict[int, float] = {}
        for each in looks.tracklets:
            if each.identity is not None and each.number in similar:
                best[each.identity] = max(best.get(each.identity, -1.0), similar[each.number])
        order = sorted(best, key=lambda number: (-best[number], number))
        candidates = tuple(
            Candidate(identity_id(number), names.get(number), best[number], best[number] >= line.cosine)
            for number in order[:CANDIDATES]
        )
        matched = order[:1] if candidates and candidates[0].matched else []
        name = names.get(matched[0]) if matched else UNKNOWN
        return _Answer(
            "image", tuple(matched), name, digest, similar, known, line, candidates, thumbnail(pixels)
        )

    def _provenance(self, **asked: Any) -> dict[str, Any]:
        return {
            "tracking_version": self._store.tracking_version(),
            "fingerprint": self._fingerprint(),
            **{name: _plain(value) for name, value in asked.items()},
        }


def _described(identity: StoredIdentity, tracklets: Sequence[StoredTracklet]) -> Identity:
    """An identity with the visits that were asked for."""
    visits = tuple(visit_of(each) for each in tracklets)
    best = max(tracklets, key=lambda each: (each.quality, -each.number))
    recognised = None
    if identity.recognised is not None:
        recognised = Recognition(
            identity.recognised, identity.similarity or 0.0, identity.false_match_rate or 0.0
        )
    return Identity(
        id=identity_id(identity.number),
        name=identity.name,
        recognised=recognised,
        first=min(visit.start for visit in visits),
        last=max(visit.end for visit in visits),
        cameras=tuple(dict.fromkeys(visit.camera for visit in visits)),
        visits=visits,
        sightings=sum(visit.sightings for visit in visits),
        best=tracklet_id(best.number),
    )


def _fitting(tracklet: StoredTracklet, answer: _Answer) -> Visit:
    """A visit, with how well it fits the picture that was asked for."""
    cosine = answer.cosines.get(tracklet.number)
    if cosine is None or answer.known is None:
        return visit_of(tracklet)
    return visit_of(tracklet, similarity=cosine, strength=1 - answer.known.false_match_rate(cosine))


def _plain(value: Any) -> Any:
    """An argument as JSON can hold it."""
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return value if value is None or isinstance(value, bool | int | float) else str(value)
