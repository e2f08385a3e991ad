"""Cameras and identities of a remote collection: who was seen where and when, and what people say about it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np

from lookalike.client.base import RemoteBase, given
from lookalike.client.examples import is_place, parts_of, read_picture, read_pictures
from lookalike.client.searching import crop_text
from lookalike.client.transport import parsed
from lookalike.collection.identity_result import (
    Candidate,
    Following,
    Identities,
    Identity,
    Recognition,
    Sightings,
    Visit,
)
from lookalike.collection.tracking_report import AuditEntry, CameraInfo, Enrolled, Erased, Line
from lookalike.errors import InputError, UnknownItem
from lookalike.reports.transitions import Transition
from lookalike.types import Crop

Moment: TypeAlias = datetime | str | None
Between: TypeAlias = tuple[Moment, Moment] | None
"""From and to, with their zone; either may be None."""

Hidden = Literal["nobody", "others", "rest"]

_ID = re.compile(r"[it][1-9]\d{0,17}")


class RemoteCameras(RemoteBase):
    """What cameras saw."""

    def cameras(self) -> list[CameraInfo]:
        """The cameras, in the order in which they came; where their recordings are stays on the service."""
        return [_camera(each) for each in self._transport.get(self._at("cameras"))["cameras"]]

    def identities(
        self,
        *,
        between: Between = None,
        camera: str | None = None,
        named: bool | None = None,
        min_sightings: int = 1,
    ) -> Identities:
        """Identities by first sighting; arguments as of ``Collection.identities``."""
        asked = given(**_span(between), camera=camera, named=named, min_sightings=min_sightings)
        found = self._transport.get(self._at("identities"), **asked)
        return Identities(
            tuple(map(_identity, found["identities"])),
            tuple(found["cameras"]),
            found["provenance"],
            self._crops,
        )

    def identity(self, identity: str) -> Identity:
        """One identity, by id or name, with all its visits.

        Raises:
            UnknownItem: If there is none.
        """
        return _identity(self._transport.get(self._identity_at(identity)))

    def best_picture(self, of: str) -> bytes:
        """The best picture of a tracklet or an identity, WebP bytes.

        Raises:
            UnknownItem: If the collection does not hold it, or not any more.
        """
        return self._read(self._at("crops", of))

    def clip(self, tracklet: str, *, hide: Hidden = "nobody") -> bytes:
        """The part of a recording that shows one tracklet, with its box: a video file's bytes.

        Args:
            tracklet: Its id.
            hide: ``others`` makes everybody else who was sighted unrecognisable, ``rest`` everything but the box.

        Raises:
            SourceError: If the recording cannot be played again.
            MissingExtra: If the service cannot write videos.
        """
        return self._transport.request("GET", self._at("clips", tracklet), params={"hide": hide}).content

    def follow(
        self,
        what: Any,
        *,
        between: Between = None,
        camera: str | None = None,
        crop: Crop | Sequence[float] | str | None = None,
        false_match_rate: float | None = None,
        reason: str = "",
    ) -> Following:
        """Where and when somebody or something was seen; arguments as of ``Collection.follow``.

        Every call is noted in the service's log under the name of the key.

        Args:
            what: An identity's id or name; or a picture, as a path, which is read here, bytes or pixels.
            false_match_rate: None: as the collection has it.

        Raises:
            UnknownItem: If it is no identity, name or picture.
            ImageError: If the picture cannot be read.
        """
        asked = given(
            **_span(between),
            camera=camera,
            crop=crop_text(crop),
            false_match_rate=false_match_rate,
            reason=reason,
        )
        if isinstance(what, str) and crop is None and not is_place(what):
            return self._followed(self._transport.post(self._at("follow"), {**asked, "identity": what}))
        form = {name: str(value) for name, value in asked.items()}
        answer = self._transport.request(
            "POST", self._at("follow"), data=form, files=parts_of([read_picture(what)])
        )
        return self._followed(parsed(answer))

    def sightings(
        self, *, identity: str | None = None, camera: str | None = None, between: Between = None
    ) -> Iterator[Sightings]:
        """The sightings of tracklets, one tracklet after another, by start; times to the millisecond."""
        found = self.identities(between=between, camera=camera)
        id = None if identity is None else self.identity(identity).id
        visits = [visit for each in found if id in (None, each.id) for visit in each.visits]
        visits.sort(key=lambda visit: (visit.start, int(visit.tracklet[1:])))
        return self._sightings(visits)

    def merge(self, first: str, second: str) -> str:
        """Say that two identities are one; returns the id that both have now."""
        body = {"first": first, "second": second}
        return str(self._transport.post(self._at("identities", "merge"), body)["identity"])

    def split(self, identity: str, tracklets: str | Sequence[str]) -> str:
        """Say that some tracklets of an identity are of somebody else; returns the new identity's id."""
        several = [tracklets] if isinstance(tracklets, str) else list(tracklets)
        path = f"{self._identity_at(identity)}/split"
        return str(self._transport.post(path, {"tracklets": several})["identity"])

    def rename(self, identity: str, name: str | None) -> None:
        """Give an identity a name, or take it away with None."""
        self._transport.request("PATCH", self._identity_at(identity), json={"name": name}, repeatable=True)

    def remove_identity(self, identity: str) -> int:
        """Say that an identity is nobody; returns the number of its tracklets."""
        return int(self._transport.request("DELETE", self._identity_at(identity)).json()["tracklets"])

    def gallery(self) -> list[Enrolled]:
        """Everybody and everything that is enrolled, by name, with the pictures."""
        return [self._enrolled(each) for each in self._transport.get(self._at("gallery"))["gallery"]]

    def enrol(
        self, name: str, images: Any, *, false_match_rate: float | None = None, reason: str = ""
    ) -> Enrolled:
        """Enrol somebody or something by name; arguments as of ``Collection.enrol``. Pictures are read here."""
        pictures = read_pictures(images)
        if not pictures:
            raise InputError(f"no picture of {name!r} was given: expected a few")
        asked = given(name=name, false_match_rate=false_match_rate, reason=reason)
        form = {key: str(value) for key, value in asked.items()}
        answer = self._transport.request("POST", self._at("gallery"), data=form, files=parts_of(pictures))
        return self._enrolled(parsed(answer))

    def unenrol(self, name: str) -> bool:
        """Remove somebody from the gallery, with the pictures; whether there was such a name."""
        return bool(self._transport.request("DELETE", self._at("gallery", name)).json()["unenrolled"])

    def transitions(self, *, between: Between = None) -> list[Transition]:
        """How identities go from camera to camera, the most frequent first."""
        found = self._transport.get(self._at("transitions"), **_span(between))
        return [Transition(**each) for each in found["transitions"]]

    def audit_log(self) -> list[AuditEntry]:
        """Every search for a person or thing, oldest first; needs a key of scope ``admin``."""
        found = self._transport.get(self._at("audit"))["searches"]
        return [AuditEntry(**{**each, "time": _time(each["time"])}) for each in found]

    def erase_expired(self) -> Erased:
        """Erase what is older than its camera's retention; needs a key of scope ``admin``."""
        return Erased(**self._transport.post(self._at("erase-expired"), None))

    def export_sightings(
        self, path: str | Path, *, between: Between = None, camera: str | None = None
    ) -> Path:
        """Write every sighting with camera, time, identity and box: ``.csv`` or ``.json``; returns the path."""
        target = Path(path)
        if target.suffix not in (".csv", ".json") or not target.parent.is_dir():
            raise InputError(
                f"cannot write {path}: expected a name that ends in .csv or .json, in a folder that exists"
            )
        target.write_bytes(self._exported(target.suffix[1:], between, camera))
        return target

    def _exported(self, format: str, between: Between, camera: str | None) -> bytes:
        asked = given(format=format, camera=camera, **_span(between))
        return self._transport.request("GET", self._at("identities", "export"), params=asked).content

    def _identity_at(self, identity: str) -> str:
        """The path of an identity; a name with a slash is looked up, since a path cannot hold it."""
        if "/" in identity:
            named = [each.id for each in self.identities() if each.name == identity]
            if not named:
                raise UnknownItem(f"the collection has no identity or name {identity!r}")
            identity = named[0]
        return self._at("identities", identity)

    def _crops(self, ids: Sequence[str]) -> dict[str, bytes]:
        return self._pictures("crops", [id for id in ids if _ID.fullmatch(id)])

    def _enrolled(self, each: Mapping[str, Any]) -> Enrolled:
        pictures = tuple(map(self._read, each["pictures"]))
        return Enrolled(each["name"], pictures, each["usable"], tuple(each["identities"]))

    def _followed(self, found: Mapping[str, Any]) -> Following:
        visits = tuple(map(_visit, found["visits"]))
        query = found["query_thumbnail"]
        return Following(
            visits=visits,
            asked_by=found["asked_by"],
            identity=found["identity"],
            name=found["name"],
            line=None if found["line"] is None else Line(**found["line"]),
            candidates=tuple(
                Candidate(c["identity"], c["name"], c["similarity"], c["matched"])
                for c in found["candidates"]
            ),
            cameras=tuple(found["cameras"]),
            provenance=found["provenance"],
            crops=self._crops,
            read_sightings=self._reader(visits),
            query=None if query is None else base64.b64decode(query.partition(",")[2]),
        )

    def _reader(self, visits: Sequence[Visit]) -> Callable[[Sequence[str]], Iterator[Sightings]]:
        known = {visit.tracklet: visit for visit in visits}
        return lambda ids: self._sightings([known[id] for id in ids if id in known])

    def _sightings(self, visits: Sequence[Visit]) -> Iterator[Sightings]:
        """The sightings of some visits, in their order, out of one export that holds them all."""
        if not visits:
            return
        names = {visit.camera for visit in visits}
        between = (min(visit.start for visit in visits), max(visit.end for visit in visits))
        data = self._exported("json", between, names.pop() if len(names) == 1 else None)
        rows: dict[str, list[Mapping[str, Any]]] = {visit.tracklet: [] for visit in visits}
        for row in json.loads(data):
            if row["tracklet"] in rows:
                rows[row["tracklet"]].append(row)
        for visit in visits:
            own = rows[visit.tracklet]
            if own:
                yield Sightings(
                    visit,
                    np.array([row["frame"] for row in own], dtype=np.int64),
                    np.array([_time(row["time"]).timestamp() for row in own]),
                    np.array([[row[side] for side in ("left", "top", "width", "height")] for row in own]),
                    np.array([row["confidence"] for row in own], dtype=np.float64),
                    np.array([row["seen"] for row in own], dtype=np.bool_),
                )


def _span(between: Between) -> dict[str, str]:
    """A time as a request holds it; the service says what is wrong with it."""
    if between is None:
        return {}
    if not isinstance(between, tuple | list) or len(between) != 2:
        raise InputError(f"between is {between!r}: expected two times, (from, to); None for an open end")
    ends = zip(("from", "to"), between, strict=True)
    return {
        name: each if isinstance(each, str) else each.isoformat() for name, each in ends if each is not None
    }


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _camera(each: Mapping[str, Any]) -> CameraInfo:
    size, last = each["size"], each["last"]
    return CameraInfo(
        **{
            **each,
            "source": "",
            "start": _time(each["start"]),
            "size": None if size is None else (size[0], size[1]),
            "last": None if last is None else _time(last),
        }
    )


def _visit(each: Mapping[str, Any]) -> Visit:
    left, top, width, height = each["box"]
    plain = {name: value for name, value in each.items() if name not in ("crop", "clip")}
    times = {name: _time(each[name]) for name in ("start", "end")}
    return Visit(**{**plain, **times, "box": (left, top, width, height)})


def _identity(each: Mapping[str, Any]) -> Identity:
    recognised = each["recognised"]
    return Identity(
        id=each["id"],
        name=each["name"],
        recognised=None if recognised is None else Recognition(**recognised),
        first=_time(each["first"]),
        last=_time(each["last"]),
        cameras=tuple(each["cameras"]),
        visits=tuple(map(_visit, each["visits"])),
        sightings=each["sightings"],
        best=each["best"],
    )
