"""From recordings of several cameras to identities in a collection."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ALL_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from os import PathLike
from pathlib import Path
from time import perf_counter
from typing import Literal, get_args

from lookalike.collection.associating import associate_all, attempted
from lookalike.collection.camera_settings import info_of, recorded
from lookalike.collection.description import Description
from lookalike.collection.detecting import Detecting
from lookalike.collection.identity_editing import IdentityEditing
from lookalike.collection.progress import count_progress
from lookalike.collection.recordings import Watched, watch
from lookalike.collection.retention import Retain, oldest_kept, retained
from lookalike.collection.run_digest import run_digest
from lookalike.collection.streams import dated, watch_stream
from lookalike.collection.succession import succeeding
from lookalike.collection.track_files import write_sightings, write_tracks
from lookalike.collection.tracking_report import (
    CameraInfo,
    CameraReport,
    Erased,
    ExportedTracks,
    Problem,
    TrackingReport,
)
from lookalike.collection.visits import Between, identity_id
from lookalike.encoders.registry import load_encoder
from lookalike.errors import CollectionBusy, ImageError, InputError, SourceError
from lookalike.store.interactions import microseconds, moment
from lookalike.store.tracking import CameraRecord
from lookalike.tracking.association import AssociationSettings
from lookalike.tracking.cameras import Camera, read_cameras

TrackingMode = Literal["offline", "online"]
MODES: tuple[TrackingMode, ...] = get_args(TrackingMode)

ASSOCIATED_EVERY = 10.0
"""Seconds after which, online, those who were seen by streams get identities."""

LEISURE = 10.0
"""Times as long as that took that is waited before it is done again."""


@dataclass(frozen=True, slots=True)
class _Run:
    """What all cameras of a run have in common."""

    detecting: Detecting
    description: Description
    retain: dict[str, int | None]
    before: dict[str, CameraRecord]
    frames: _Frames


class Tracking(IdentityEditing):
    """Identities of people and things that cameras saw."""

    def track(
        self,
        cameras: str | PathLike[str],
        *,
        detections: str | PathLike[str] | None = None,
        detector: str = "motion",
        encoder: str | None = None,
        mode: TrackingMode = "offline",
        false_match_rate: float | None = None,
        retain: Retain = None,
        progress: bool | Callable[[int, int], None] = True,
    ) -> TrackingReport:
        """Follow everybody and everything through the recordings of several cameras; safe to interrupt and to repeat.

        Each camera's tracklets are on disk when it is done, and a recording that was tracked before with the same
        settings is not tracked again. A camera that cannot be read is reported, and the rest goes on. Streams are
        followed together, until they end or Ctrl-C; what they give is saved every minute and added to what there is.

        Args:
            cameras: JSON that describes the cameras: see :mod:`lookalike.tracking.cameras`.
            detections: A folder with one MOTChallenge file a camera, ``CAMERA.txt``; None to detect.
            detector: ``motion``, built in, for cameras that do not move; or ``onnx:PATH``.
            encoder: A network that was trained to tell people (or cars) apart, ``onnx:PATH``, in the place of the
                collection's own with stripes and colours.
            mode: ``offline`` compares everything with everything; ``online`` takes tracklets as they ended, in bounded
                memory, and identities of before only grow or merge.
            false_match_rate: Share of pairs of different things that may be joined; by default the line is where false
                matches equal misses.
            retain: How long what cameras saw is kept: ``"72h"``, or by camera. What is older is not kept, and is erased
                by this and every later run and by :meth:`erase_expired`.
            progress: True shows a bar when stderr is a terminal; a function is called with (frames done, of
                how many), where the second is the first: nobody knows before.

        Raises:
            InputError: If an argument or the description is wrong.
            EncoderError: If a network cannot be used.
            MissingExtra: If an extra is needed, such as ``video``.
            CollectionBusy: If somebody else changed identities meanwhile, again and again; what cameras saw is kept.
        """
        begun = perf_counter()
        if mode not in MODES:
            raise InputError(f"mode is {mode!r}: expected {' or '.join(MODES)}")
        settings = AssociationSettings(false_match_rate=false_match_rate)
        if false_match_rate is not None and not 0 < false_match_rate < 1:
            raise InputError(f"false_match_rate is {false_match_rate}: expected a share between 0 and 1")
        listed = read_cameras(Path(cameras))
        before = {record.name: record for record in self._store.cameras()}
        detecting = Detecting(detector, None if detections is None else Path(detections))
        description = (
            Description(self.encoder) if encoder is None else Description(load_encoder(encoder), ("network",))
        )
        kept = retained(retain, listed, {name: record.retain for name, record in before.items()})
        with count_progress("tracking", progress) as show:
            run = _Run(detecting, description, kept, before, _Frames(show))
            reports, told = self._all_watched(listed, run, settings if mode == "online" else None)
        self.erase_expired()
        associated = associate_all(self._store, online=mode == "online", settings=settings)
        attempted(self._recognise)
        tracked = [report for report in reports if report.status == "tracked"]
        return TrackingReport(
            tuple(reports),
            associated.identities,
            associated.tracklets,
            (*told, *associated.events),
            associated.line,
            perf_counter() - begun,
            sum((r.last - r.first).total_seconds() for r in tracked if r.first and r.last),
            {
                "fingerprint": run.description.fingerprint,
                "detector": "given" if detections is not None else detector,
                "mode": mode,
                "false_match_rate": false_match_rate,
                "tracking_version": self._store.tracking_version(),
            },
        )

    def cameras(self) -> list[CameraInfo]:
        """The cameras of the collection, in the order in which they came."""
        return [info_of(record) for record in self._store.cameras()]

    def erase_expired(self, now: datetime | None = None) -> Erased:
        """Erase what is older than its camera's retention: sightings, pictures, descriptions, and corrections of them.

        :meth:`compact` afterwards erases what is left in free space; then no file of the collection holds a byte of it.

        Args:
            now: The time that ages count to, with its zone; None for now.
        """
        before = len(self._store.stored_identities())
        tracklets: dict[str, int] = {}
        sightings = 0
        for camera in self._store.cameras():
            oldest = oldest_kept(camera.retain, now)
            if oldest is not None:
                gone, seen = self._store.erase_tracklets_before(camera.name, oldest)
                sightings += seen
                tracklets.update({camera.name: gone} if gone else {})
        return Erased(tracklets, sightings, before - len(self._store.stored_identities()))

    def export_tracks(self, folder: str | PathLike[str]) -> ExportedTracks:
        """Write ``CAMERA.txt`` in MOTChallenge form for every camera; ids are the numbers of identities.

        Args:
            folder: Is made if it does not exist; its parent has to.
        """
        names = [camera.name for camera in self._store.cameras()]
        return write_tracks(Path(folder), ((name, self.sightings(camera=name)) for name in names))

    def export_sightings(
        self, path: str | PathLike[str], *, between: Between = None, camera: str | None = None
    ) -> ExportedTracks:
        """Write every sighting with camera, time, identity and box: ``.csv`` or ``.json``.

        Raises:
            InputError: If the ending is another, or the folder does not exist.
        """
        names = {
            identity_id(each.number): name
            for each in self._store.stored_identities()
            if (name := each.name or each.recognised) is not None
        }
        return write_sightings(Path(path), self.sightings(between=between, camera=camera), names)

    def _all_watched(
        self, cameras: Sequence[Camera], run: _Run, online: AssociationSettings | None
    ) -> tuple[list[CameraReport], list[str]]:
        """Recordings one after another, then all streams at once, until they end or somebody interrupts.

        Args:
            cameras: All.
            run: What they have in common.
            online: How streams' tracklets get identities while the streams go on; None: not before the end.

        Returns:
            Reports, and what happened to identities meanwhile.
        """
        reports = {c.name: self._watched(c, run) for c in cameras if c.kind != "url"}
        streams = [camera for camera in cameras if camera.kind == "url"]
        told: list[str] = []
        if streams:
            stop = threading.Event()
            with ThreadPoolExecutor(len(streams), thread_name_prefix="lookalike-stream") as pool:
                running = [pool.submit(self._streamed, camera, run, stop) for camera in streams]
                try:
                    self._accompanied(running, online, told)
                except (
                    KeyboardInterrupt
                ):  # how a stream is stopped: what it gave is kept, and comes into the answer
                    pass
                finally:
                    stop.set()
                reports |= {each.result().camera: each.result() for each in running}
        return [reports[camera.name] for camera in cameras], told

    def _accompanied(
        self, running: Sequence[Future[CameraReport]], online: AssociationSettings | None, told: list[str]
    ) -> None:
        """Wait for streams to end; meanwhile erase what is too old and, online, give identities to who was seen."""
        seen, pause = self._store.tracking_version(), ASSOCIATED_EVERY
        while wait(running, timeout=pause, return_when=ALL_COMPLETED).not_done:
            begun = perf_counter()
            self.erase_expired()
            version = self._store.tracking_version()
            if online is None or version == seen:
                continue
            try:
                told += associate_all(self._store, online=True, settings=online).events
                attempted(self._recognise)
                seen = self._store.tracking_version()
            except CollectionBusy:  # others write all the time: next time, or at the end
                continue
            finally:  # the more there is to compare, the more seldom: streams need the processor
                pause = max(ASSOCIATED_EVERY, LEISURE * (perf_counter() - begun))

    def _streamed(self, camera: Camera, run: _Run, stop: threading.Event) -> CameraReport:
        """Follow one stream; what it gives is kept as it comes."""
        begun = perf_counter()
        known = run.before.get(camera.name)
        camera, retain = dated(camera, known), run.retain[camera.name]
        record = recorded(camera, size=None, fps=None, description=run.description.settings(), retain=retain)
        if known is not None:
            record = replace(record, frames=known.frames, last=known.last, state=known.state)
        try:
            finder = run.detecting.finder(camera)
            watched = watch_stream(
                camera, finder, run.description, self._store, record, step=run.frames.step, stop=stop
            )
        except (SourceError, InputError, OSError) as error:
            return self._failed(camera, known, retain, error, begun)
        return _report(camera, watched, camera.start + timedelta(seconds=watched.last))

    def _watched(self, camera: Camera, run: _Run) -> CameraReport:
        """Track one camera and keep what it saw, unless that was done before."""
        begun = perf_counter()
        known = run.before.get(camera.name)
        retain = run.retain[camera.name]
        try:
            digest = run_digest(camera, run.detecting, run.description)
            if known is not None and digest and known.run == digest:
                self._store.put_cameras([_described(camera, known, run)])
                return _unchanged(camera, known)
            finder = run.detecting.finder(camera)
        except (SourceError, ImageError, InputError, OSError) as error:
            return self._failed(camera, known, retain, error, begun)
        try:
            watched = watch(
                camera, finder, run.description, oldest=oldest_kept(retain, None), step=run.frames.step
            )
        except (SourceError, OSError) as error:
            return self._failed(camera, known, retain, error, begun)
        record = recorded(
            camera, size=watched.size, fps=watched.fps, description=run.description.settings(), retain=retain
        )
        last = camera.start + timedelta(seconds=watched.last)
        record = replace(
            record, run=digest if watched.complete else "", frames=watched.frames, last=microseconds(last)
        )
        self._store.replace_tracklets(record, succeeding(self._store, camera.name, watched.tracklets))
        return _report(camera, watched, last)

    def _failed(
        self, camera: Camera, known: CameraRecord | None, retain: int | None, error: Exception, begun: float
    ) -> CameraReport:
        """Nothing could be read: what was kept of the camera stays."""
        if known is not None:
            self._store.put_cameras([replace(known, retain=retain)])
        problem = Problem(None, None, str(error))
        return CameraReport(
            camera.name, "failed", 0, None, None, None, 0, 0, 0, (problem,), 1, perf_counter() - begun
        )


class _Frames:
    """Counts frames for whoever watches the progress; several streams count together."""

    def __init__(self, show: Callable[[int, int], None]) -> None:
        self._show, self._done = show, 0
        self._guard = threading.Lock()

    def step(self) -> None:
        """One more."""
        with self._guard:
            self._done += 1
            self._show(self._done, self._done)


def _described(camera: Camera, known: CameraRecord, run: _Run) -> CameraRecord:
    """A camera that is not tracked again, with what its description says now."""
    info = info_of(known)
    return recorded(
        camera,
        size=info.size,
        fps=info.fps,
        description=run.description.settings(),
        retain=run.retain[camera.name],
    )


def _unchanged(camera: Camera, known: CameraRecord) -> CameraReport:
    last = None if known.last is None else moment(known.last)
    return CameraReport(
        camera.name,
        "unchanged",
        known.frames,
        info_of(known).fps,
        camera.start,
        last,
        0,
        known.tracklets,
        0,
        (),
        0,
        0.0,
    )


def _report(camera: Camera, watched: Watched, last: datetime) -> CameraReport:
    return CameraReport(
        camera=camera.name,
        status="tracked",
        frames=watched.frames,
        fps=watched.fps,
        first=camera.start + timedelta(seconds=watched.began),
        last=last,
        sightings=watched.sightings,
        tracklets=watched.saved + len(watched.tracklets),
        expired=watched.expired,
        problems=tuple(watched.problems),
        problem_count=watched.problem_count,
        seconds=watched.seconds,
    )
