"""Recordings written anew with what was found drawn into them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

from lookalike.collection.annotated_footage import (
    HIDDEN,
    AnnotatedVideo,
    Hidden,
    Trace,
    merged,
    write_annotated,
)
from lookalike.collection.base import CollectionBase
from lookalike.collection.camera_settings import camera_of, info_of
from lookalike.collection.identity_result import Following, Identities, Visit
from lookalike.collection.progress import count_progress
from lookalike.collection.visits import identity_number, tracklet_id
from lookalike.errors import InputError
from lookalike.images.video_writing import ENDING
from lookalike.reports.identities import called

AROUND = 1.0
"""Seconds of the recording that are shown before and after somebody was seen."""


@dataclass(frozen=True, slots=True)
class AnnotatedVideos:
    """What was written.

    Args:
        videos: One for each camera that was to be shown.
    """

    videos: tuple[AnnotatedVideo, ...]

    @property
    def failed(self) -> tuple[AnnotatedVideo, ...]:
        """Those of which there is no file; each says why."""
        return tuple(video for video in self.videos if video.file is None)

    def to_dict(self) -> list[dict[str, Any]]:
        """As plain types, for JSON."""
        return [asdict(video) for video in self.videos]


class Annotating(CollectionBase):
    """Videos with boxes and names, and with people made unrecognisable."""

    def annotate(
        self,
        what: Identities | Following,
        folder: str | PathLike[str],
        *,
        hide: Hidden = "nobody",
        progress: bool = True,
    ) -> AnnotatedVideos:
        """Write a video of each camera, with boxes, identities and times, without sound.

        The recordings have to be where they were when they were tracked. The files are copies of personal data that no
        retention erases: whoever writes them has to delete them.

        Args:
            what: Identities: each camera's recording from the first to the last visit of any of them, with all of them
                drawn. An answer of :meth:`follow`: the times at which that one was seen, one after another, with
                nobody else drawn.
            folder: Where ``CAMERA.mp4`` go; made if it does not exist.
            hide: With an answer of :meth:`follow`. ``others`` makes everybody else who was sighted unrecognisable;
                whom the detector missed, or whose sightings were erased, is not hidden. ``rest`` leaves nothing of the
                picture recognisable but the box of the one that was asked for. Who overlaps with that box is hidden
                and hides a part of it.
            progress: True shows a bar when stderr is a terminal.

        Returns:
            What was written; a camera whose recording cannot be read is a problem of that camera alone.

        Raises:
            InputError: If somebody is to be hidden without a follow-up, ``hide`` is not known, or a video would take
                the place of a recording.
            MissingExtra: If PyAV is not installed.
            OSError: If a video cannot be written.

        Example:
            >>> shop.annotate(shop.follow("i3"), "videos/", hide="rest")
        """
        if hide not in HIDDEN:
            raise InputError(f"hide {hide!r} is not known: choose one of {', '.join(HIDDEN)}")
        if hide != "nobody" and isinstance(what, Identities):
            raise InputError(
                f"hide {hide!r} needs somebody who is not hidden: give the answer of follow() instead of identities"
            )
        target = Path(folder)
        labels, intervals = _labels(what), _intervals(what)
        cameras = [camera for camera in self._store.cameras() if camera.name in intervals]
        self._refuse_recordings([target / f"{camera.name}{ENDING}" for camera in cameras])
        target.mkdir(parents=True, exist_ok=True)
        written, looked_at = [], 0
        total = sum(camera.frames for camera in cameras)
        with count_progress("writing video", progress) as report:

            def step() -> None:
                nonlocal looked_at
                looked_at += 1
                report(looked_at, max(total, looked_at))

            for record in cameras:
                info = info_of(record)
                written.append(
                    write_annotated(
                        camera_of(record),
                        self._traces(record.name, labels, others=hide != "nobody"),
                        target / f"{record.name}{ENDING}",
                        intervals=intervals[record.name],
                        hidden=hide,
                        fps=info.fps,
                        size=info.size,
                        step=step,
                    )
                )
        return AnnotatedVideos(tuple(written))

    def _refuse_recordings(self, paths: Sequence[Path]) -> None:
        """Videos are named after cameras, as recordings often are: none may take the place of one."""
        recordings = {Path(camera_of(record).source).resolve() for record in self._store.cameras()}
        taken = [path for path in paths if path.resolve() in recordings]
        if taken:
            raise InputError(
                f"{taken[0]} is a recording, which the video would replace: choose another folder"
            )

    def _traces(self, camera: str, labels: Mapping[str, _Label], *, others: bool) -> list[Trace]:
        """The boxes of a camera that are drawn, and those that are hidden."""
        ids = {each.number: tracklet_id(each.number) for each in self._store.tracklets(camera=camera)}
        wanted = [number for number, id in ids.items() if others or id in labels]
        traces = []
        for number, columns in self._store.stream_sightings(wanted):
            label = labels.get(ids[number], _Label(0, ""))
            shown = ids[number] in labels
            traces.append(Trace(label.number, label.text, shown, columns.frame, columns.box, columns.seen))
        return traces


class _Label(NamedTuple):
    """What is written on an identity's boxes, and the number that gives their colour."""

    number: int
    text: str


def _labels(what: Identities | Following) -> dict[str, _Label]:
    """The label of each tracklet that is drawn, by its id."""
    if isinstance(what, Following):
        named = f" {what.name}" if what.name else ""
        return {
            v.tracklet: _Label(_number(v.identity), f"{v.identity or v.tracklet}{named}") for v in what.visits
        }
    return {
        visit.tracklet: _Label(_number(identity.id), called(identity.to_dict()))
        for identity in what
        for visit in identity.visits
    }


def _number(identity: str | None) -> int:
    return (identity_number(identity) if identity is not None else None) or 0


def _intervals(what: Identities | Following) -> dict[str, list[tuple[float, float]]]:
    """Which times of which cameras are shown, seconds since 1970."""
    seen: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for visit in _visits(what):
        seen[visit.camera].append((visit.start.timestamp(), visit.end.timestamp()))
    if isinstance(what, Identities):  # without cuts, so that the place is seen as it was
        seen.update(
            {camera: [(min(s for s, _ in times), max(e for _, e in times))] for camera, times in seen.items()}
        )
    return {camera: merged(times, around=AROUND) for camera, times in seen.items()}


def _visits(what: Identities | Following) -> Iterator[Visit]:
    if isinstance(what, Following):
        yield from what.visits
    else:
        for identity in what:
            yield from identity.visits
