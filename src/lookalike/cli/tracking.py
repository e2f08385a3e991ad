"""``lookalike track``, ``lookalike identities`` and ``lookalike follow``."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import lookalike
from lookalike.cli.grammar import DONE, SOME_FAILED
from lookalike.cli.output import print_json, print_table
from lookalike.collection.annotating import AnnotatedVideos
from lookalike.collection.identity_result import Following, Identity, Visit
from lookalike.collection.opening import open_or_create
from lookalike.collection.tracking_report import CameraReport, Line, TrackingReport
from lookalike.errors import InputError
from lookalike.ingest.interactions import parse_time
from lookalike.reports.clock import lasting, moment, span, stay
from lookalike.reports.following import followed
from lookalike.reports.rates import rate_text, strength_text

SHOWN_PROBLEMS = 5
"""Problems of a camera that are printed; --json has more."""

OPEN = "-"
"""An end of an interval that is left open."""


def track(options: argparse.Namespace) -> int:
    """Find who or what was seen where and when."""
    with open_or_create(options.to) as collection, _ended_politely():
        report = collection.track(
            options.cameras,
            detections=options.detections,
            detector=options.detector,
            encoder=options.encoder,
            mode=options.mode,
            false_match_rate=options.false_match_rate,
            retain=_retention(options.retain),
            progress=not options.json,
        )
    if options.json:
        print_json(report.to_dict() | {"collection": options.to})
    else:
        _print_report(report, options.to)
    return SOME_FAILED if report.failed else DONE


@contextmanager
def _ended_politely() -> Iterator[None]:
    """A service manager's SIGTERM stops streams as Ctrl-C does: what they gave is kept."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def identities(options: argparse.Namespace) -> int:
    """Who or what was seen, where and when."""
    with lookalike.open(options.collection) as collection:
        found = collection.identities(
            between=_between(options),
            camera=options.camera,
            named=True if options.named else False if options.unknown else None,
            min_sightings=options.min_sightings,
        )
        files: dict[str, Any] = {}
        if options.mot:
            files["mot"] = list(collection.export_tracks(options.mot).files)
        if options.csv:
            files["csv"] = list(
                collection.export_sightings(
                    options.csv, between=_between(options), camera=options.camera
                ).files
            )
        if options.html:
            files["html"] = str(found.save_html(options.html))
        videos = None
        if options.video:
            videos = collection.annotate(found, options.video, progress=not options.json)
    if options.json:
        print_json(found.to_dict() | files | _videos(videos))
    else:
        rows = [_row(identity) for identity in found]
        columns = ["identity", "name", "first", "last", "cameras", "stays", "sightings"]
        print_table(f"{len(found):,} identities", columns, rows, right=columns[5:])
        _print_files(files, videos)
    return _code(videos)


def follow(options: argparse.Namespace) -> int:
    """Every sighting of one person or thing."""
    if options.hide and not options.video:
        raise InputError("--hide needs --video DIR: it says who is made unrecognisable there")
    with lookalike.open(options.collection) as collection:
        found = collection.follow(
            options.what,
            between=_between(options),
            camera=options.camera,
            crop=options.crop,
            reason=options.reason,
            who=options.who,
            **rate_of(options),
        )
        files = {"html": str(found.save_html(options.html))} if options.html else {}
        videos = None
        if options.video:
            videos = collection.annotate(
                found, options.video, hide=options.hide or "nobody", progress=not options.json
            )
    if options.json:
        print_json(found.to_dict() | files | _videos(videos))
    else:
        _print_following(found)
        _print_files(files, videos)
    return _code(videos)


def rate_of(options: argparse.Namespace) -> dict[str, float]:
    """The false-match rate where one was given; otherwise the collection's own default holds."""
    return {} if options.false_match_rate is None else {"false_match_rate": options.false_match_rate}


def _between(options: argparse.Namespace) -> tuple[datetime | None, datetime | None] | None:
    if options.between is None:
        return None
    first, last = (None if text == OPEN else parse_time(text) for text in options.between)
    return first, last


def _retention(texts: Sequence[str]) -> str | dict[str, str] | None:
    """``72h`` for all cameras, or ages by camera."""
    if not texts:
        return None
    pairs = [text.rpartition("=") for text in texts]
    if len(texts) == 1 and not pairs[0][0]:
        return texts[0]
    wrong = [text for text, (camera, _, age) in zip(texts, pairs, strict=True) if not camera or not age]
    if wrong:
        raise InputError(
            f"--retain {wrong[0]!r} beside others: expected CAMERA=AGE, as in door=72h, of each camera, or one AGE"
        )
    return {camera: age for camera, _, age in pairs}


def _print_report(report: TrackingReport, collection: str) -> None:
    rows = [_camera_row(each) for each in report.cameras]
    columns = ["camera", "", "frames", "fps", "sightings", "tracklets", "problems", "seconds"]
    print_table("cameras", columns, rows, right=columns[2:])
    print(f"{collection} holds {report.identities:,} identities of {report.tracklets:,} tracklets")
    if report.line is not None:
        print(_line(report.line))
    for event in report.events:
        print(event)
    for camera in report.cameras:
        for problem in camera.problems[:SHOWN_PROBLEMS]:
            where = "" if problem.frame is None else f", frame {problem.frame}"
            print(f"  {camera.camera}{where}: {problem.reason}", file=sys.stderr)
        more = camera.problem_count - SHOWN_PROBLEMS
        if more > 0:
            print(f"  {camera.camera}: and {more:,} more", file=sys.stderr)
    if report.footage_seconds and report.seconds:
        speed = report.footage_seconds / report.seconds
        print(
            f"{lasting(report.footage_seconds)} of recordings in {lasting(report.seconds)}: {speed:.1f} times real time"
        )


def _camera_row(each: CameraReport) -> tuple[Any, ...]:
    fps = "" if each.fps is None else f"{each.fps:.2f}"
    counts = (
        f"{each.frames:,}",
        fps,
        f"{each.sightings:,}",
        f"{each.tracklets:,}",
        f"{each.problem_count:,}",
    )
    return (each.camera, each.status, *counts, f"{each.seconds:.1f}")


def _row(identity: Identity) -> tuple[Any, ...]:
    name = identity.name or ("" if identity.recognised is None else f"{identity.recognised.name}?")
    times = (moment(identity.first), moment(identity.last))
    counts = (f"{len(identity.visits):,}", f"{identity.sightings:,}")
    return (identity.id, name, *times, ", ".join(identity.cameras), *counts)


def _print_following(found: Following) -> None:
    image = found.asked_by == "image"
    who = followed(found.to_dict())
    if not found.visits:
        print("unknown: nobody who was seen looks enough like the picture" if image else f"{who}: not seen")
    else:
        interval = span(found.visits[0].start, max(visit.end for visit in found.visits))
        columns = ["camera", "interval", "duration", "sightings", "tracklet"]
        rows: list[tuple[Any, ...]] = [
            (
                visit.camera,
                stay(visit.start, visit.end),
                lasting((visit.end - visit.start).total_seconds()),
                f"{visit.sightings:,}",
                visit.tracklet,
            )
            for visit in found.visits
        ]
        if image:
            columns += ["similarity", "strength"]
            rows = [(*row, *_match(visit)) for row, visit in zip(rows, found.visits, strict=True)]
        right = [name for name in columns if name in ("duration", "sightings", "similarity", "strength")]
        print_table(f"{who}: {interval} UTC", columns, rows, right=right)
    if image and found.line is not None:
        print(_line(found.line))
        near = [
            (each.identity, each.name or "", f"{each.similarity:.2f}", "yes" if each.matched else "no")
            for each in found.candidates
        ]
        print_table(
            "most similar identities", ["identity", "name", "similarity", "match"], near, right=["similarity"]
        )
        print("a match is a hint and no proof: look at it before you act on it", file=sys.stderr)


def _line(line: Line) -> str:
    return (
        f"a match needs a similarity of {line.cosine:.2f}: estimated false matches {rate_text(line.false_match_rate)} "
        f"of comparisons, misses {rate_text(line.miss_rate)}"
    )


def _match(visit: Visit) -> tuple[str, str]:
    """Similarity with the picture, and strength."""
    similarity = "" if visit.similarity is None else f"{visit.similarity:.2f}"
    return similarity, "" if visit.strength is None else strength_text(visit.strength)


def _videos(videos: AnnotatedVideos | None) -> dict[str, Any]:
    return {} if videos is None else {"videos": videos.to_dict()}


def _print_files(files: dict[str, Any], videos: AnnotatedVideos | None) -> None:
    for kind, written in files.items():
        for file in [written] if isinstance(written, str) else written:
            print(f"{kind}: {file}", file=sys.stderr)
    for video in () if videos is None else videos.videos:
        if video.file is None:
            print(f"  camera {video.camera}: no video: {video.problem}", file=sys.stderr)
        else:
            print(f"video: {video.file} ({video.frames:,} frames, {video.boxes:,} boxes)", file=sys.stderr)


def _code(videos: AnnotatedVideos | None) -> int:
    return SOME_FAILED if videos is not None and videos.failed else DONE
