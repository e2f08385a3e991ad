"""One identity, one stay in front of a camera, looked at closely: its picture, and a clip of its recording."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from lookalike.collection.annotated_footage import HIDDEN, HOLD, Hidden, Trace, write_annotated
from lookalike.collection.annotating import AROUND
from lookalike.collection.camera_settings import camera_of, info_of
from lookalike.collection.following import Asking
from lookalike.collection.identity_result import Identity, Visit
from lookalike.collection.visits import (
    Between,
    identity_id,
    tracklet_id,
    tracklet_number,
    visit_of,
)
from lookalike.errors import InputError, SourceError, UnknownItem
from lookalike.images.video_writing import ENDING
from lookalike.reports.identities import called
from lookalike.reports.transitions import Transition, transitions
from lookalike.store.tracking import CameraRecord, StoredTracklet

MOST_SECONDS = 60.0
"""Of a clip; of a longer stay, what lies around its best sighting is shown."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A part of a recording with the box of one tracklet drawn in.

    Args:
        data: A video without sound, as a file's bytes.
        media_type: Of the bytes.
        tracklet: Whose box is drawn.
        camera: Whose recording it is.
        start, end: What part of the time is shown, UTC.
        complete: Whether that is the whole stay; of a long one it is what lies around the best sighting.
        frames: Pictures in it.
    """

    data: bytes
    media_type: str
    tracklet: str
    camera: str
    start: datetime
    end: datetime
    complete: bool
    frames: int


class Replaying(Asking):
    """What there is to see of one identity or of one tracklet."""

    def identity(self, identity: str) -> Identity:
        """One identity with all its visits.

        Args:
            identity: Id (``i3``) or name.

        Raises:
            UnknownItem: If there is none.
        """
        id = identity_id(self._identity(identity).number)
        for each in self.identities():
            if each.id == id:
                return each
        raise UnknownItem(f"identity {identity!r} was erased a moment ago")

    def visit(self, tracklet: str) -> Visit:
        """One tracklet.

        Args:
            tracklet: Its id, ``t17``.

        Raises:
            InputError: If the text is no tracklet's id.
            UnknownItem: If the collection does not hold it, or not any more.
        """
        return visit_of(self._tracklet(tracklet))

    def best_picture(self, of: str) -> bytes:
        """The best picture of a tracklet or an identity.

        Args:
            of: Id of a tracklet (``t17``); or else id or name of an identity.

        Returns:
            WebP bytes, the longer side at most 256 pixels.

        Raises:
            UnknownItem: If the collection does not hold it, or not any more.
        """
        try:
            number = tracklet_number(of)
        except InputError:
            number = tracklet_number(self.identity(of).best)
        for picture in self._store.crops([number]).values():
            return picture
        raise _unknown_tracklet(of)

    def transitions(self, *, between: Between = None) -> list[Transition]:
        """How identities go from camera to camera: how often, and how long it takes them.

        Args:
            between: Only visits that touch this time, (from, to), with zones or as ISO 8601; None for an open end.

        Returns:
            The most frequent first.

        Raises:
            InputError: If a time is wrong.
        """
        return transitions([each.to_dict() for each in self.identities(between=between)])

    def clip(self, tracklet: str, *, hide: Hidden = "nobody") -> Clip:
        """The part of a recording that shows one tracklet, with its box, without sound.

        The recording is read from its beginning, so a late stay of a long recording takes a while. It has to be where
        it was when it was tracked. The clip is a copy of personal data that no retention erases.

        Args:
            tracklet: Its id, ``t17``.
            hide: ``nobody``; ``others``: everybody else who was sighted is made unrecognisable; ``rest``: everything
                but the box is. See :meth:`annotate`.

        Returns:
            At most a minute, with a second before and after the stay where it is shorter.

        Raises:
            InputError: If an argument is wrong.
            UnknownItem: If the collection does not hold the tracklet, or not any more.
            SourceError: If the recording cannot be played again; the cause has the reason, with its place.
            MissingExtra: If PyAV is not installed.

        Example:
            >>> Path("t17.mp4").write_bytes(place.clip("t17", hide="others").data)
        """
        if hide not in HIDDEN:
            raise InputError(f"hide {hide!r} is not known: choose one of {', '.join(HIDDEN)}")
        shown = self._tracklet(tracklet)
        record = next(each for each in self._store.cameras() if each.name == shown.camera)
        first, last, complete = _span(shown)
        info = info_of(record)
        with TemporaryDirectory(prefix="lookalike-clip-") as folder:
            written = write_annotated(
                camera_of(record),
                self._clip_traces(shown, None if hide == "nobody" else (first - HOLD, last + HOLD)),
                Path(folder) / f"clip{ENDING}",
                intervals=[(first, last)],
                hidden=hide,
                fps=info.fps,
                size=info.size,
            )
            if written.file is None:
                raise _no_clip(tracklet, record) from SourceError(written.problem)
            data = Path(written.file).read_bytes()
        start, end = (datetime.fromtimestamp(each, tz=UTC) for each in (first, last))
        return Clip(data, "video/mp4", tracklet, shown.camera, start, end, complete, written.frames)

    def _tracklet(self, tracklet: str) -> StoredTracklet:
        for found in self._store.tracklets(numbers=[tracklet_number(tracklet)]):
            return found
        raise _unknown_tracklet(tracklet)

    def _clip_traces(self, shown: StoredTracklet, others: tuple[float, float] | None) -> list[Trace]:
        """The box that is drawn, and those of others who were there at some time, seconds since 1970."""
        numbers = [shown.number]
        if others is not None:
            first, last = others
            numbers += [
                each.number
                for each in self._store.tracklets(camera=shown.camera)
                if each.number != shown.number and each.end / 1e6 >= first and each.start / 1e6 <= last
            ]
        text = self._clip_label(shown)
        traces = []
        for number, columns in self._store.stream_sightings(numbers):
            own = number == shown.number
            label = (shown.identity or 0, text) if own else (0, "")
            traces.append(Trace(*label, own, columns.frame, columns.box, columns.seen))
        return traces

    def _clip_label(self, shown: StoredTracklet) -> str:
        """What is written on the box."""
        if shown.identity is None:
            return tracklet_id(shown.number)
        try:
            return called(self.identity(identity_id(shown.identity)).to_dict())
        except UnknownItem:  # erased a moment ago
            return tracklet_id(shown.number)


def _span(shown: StoredTracklet) -> tuple[float, float, bool]:
    """What time a clip shows, seconds since 1970, and whether that is the whole stay."""
    first, last = shown.start / 1e6 - AROUND, shown.end / 1e6 + AROUND
    if last - first <= MOST_SECONDS:
        return first, last, True
    begin = min(max(first, shown.time / 1e6 - MOST_SECONDS / 2), last - MOST_SECONDS)
    return begin, begin + MOST_SECONDS, False


def _no_clip(tracklet: str, record: CameraRecord) -> SourceError:
    """Why there is none; without the recording's place, since this is told to strangers as well."""
    if camera_of(record).kind == "url":
        why = "a stream cannot be played again"
    else:
        why = "its recording cannot be read any more, or is another one than was tracked"
    return SourceError(f"there is no clip of {tracklet}: camera {record.name} saw it, but {why}")


def _unknown_tracklet(tracklet: str) -> UnknownItem:
    return UnknownItem(f"the collection has no tracklet {tracklet!r}: it was erased, or never was one")
