"""Sightings as files that other tools read: MOTChallenge, CSV, JSON."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import numpy as np

from lookalike.collection.identity_result import Sightings
from lookalike.collection.tracking_report import ExportedTracks
from lookalike.collection.visits import identity_number
from lookalike.datasets.mot_challenge import MotRows, write_mot
from lookalike.errors import InputError

COLUMNS = (
    "camera", "time", "frame", "identity", "name", "tracklet", "left", "top", "width", "height", "confidence", "seen"
)  # fmt: skip


def mot_rows(tracklets: Iterable[Sightings]) -> MotRows:
    """The sightings of one camera as MOTChallenge lines; the id is the number of the identity.

    Boxes that were filled in have the confidence of their neighbours. Tracklets of no identity are left out.
    """
    frames, ids, boxes, confidences, categories = [], [], [], [], []
    for each in tracklets:
        number = None if each.visit.identity is None else identity_number(each.visit.identity)
        if number is None:
            continue
        seen = np.flatnonzero(each.seen)
        frames.append(each.frame)
        ids.append(np.full(len(each), number))
        boxes.append(each.box)
        confidences.append(
            np.interp(each.frame, each.frame[seen], each.confidence[seen]) if len(seen) else each.confidence
        )
        categories.append(np.full(len(each), each.visit.category))
    if not frames:
        nothing = np.empty(0, np.int64)
        return MotRows(nothing, nothing, np.empty((0, 4)), np.empty(0), nothing, np.empty(0))
    frame = np.concatenate(frames)
    order = np.argsort(frame, kind="stable")
    return MotRows(
        frame[order],
        np.concatenate(ids)[order],
        np.concatenate(boxes)[order],
        np.concatenate(confidences)[order],
        np.concatenate(categories)[order],
        np.ones(len(frame)),
    )


def write_tracks(folder: Path, cameras: Iterable[tuple[str, Iterable[Sightings]]]) -> ExportedTracks:
    """Write one ``CAMERA.txt`` a camera; the folder is made if its parent exists.

    Raises:
        InputError: If the folder cannot be made.
    """
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise InputError(f"the folder {folder} cannot be made: {error}") from None
    files, count = [], 0
    for name, tracklets in cameras:
        rows = mot_rows(tracklets)
        path = folder / f"{name}.txt"
        write_mot(path, rows)
        files.append(str(path))
        count += len(rows)
    return ExportedTracks(tuple(files), count)


def write_sightings(path: Path, tracklets: Iterable[Sightings], names: dict[str, str]) -> ExportedTracks:
    """Write every sighting: ``.csv``, or ``.json`` as one list of objects.

    Args:
        path: Is replaced when all is written.
        tracklets: One by one.
        names: Of identities, by id.

    Raises:
        InputError: If the ending is another, or the folder does not exist.
    """
    writers = {".csv": _write_csv, ".json": _write_json}
    if path.suffix not in writers or not path.parent.is_dir():
        raise InputError(
            f"cannot write {path}: expected a name that ends in .csv or .json, in a folder that exists"
        )
    temporary = path.with_name(path.name + ".tmp")
    try:
        with temporary.open("w", encoding="utf-8", newline="") as file:
            count = writers[path.suffix](file, _rows(tracklets, names))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return ExportedTracks((str(path),), count)


def _rows(tracklets: Iterable[Sightings], names: dict[str, str]) -> Iterator[tuple[Any, ...]]:
    for each in tracklets:
        visit = each.visit
        name = names.get(visit.identity) if visit.identity is not None else None
        columns = zip(
            each.time.tolist(), each.frame.tolist(), each.box.tolist(), each.confidence.tolist(), each.seen.tolist(),
            strict=True,
        )  # fmt: skip
        for time, frame, box, confidence, seen in columns:
            moment = datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds")
            yield (
                visit.camera, moment, frame, visit.identity, name, visit.tracklet,
                *(round(side, 2) for side in box), round(confidence, 4), seen,
            )  # fmt: skip


def _write_csv(file: IO[str], rows: Iterable[tuple[Any, ...]]) -> int:
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    count = 0
    for row in rows:
        writer.writerow(["" if value is None else value for value in row])
        count += 1
    return count


def _write_json(file: IO[str], rows: Iterable[tuple[Any, ...]]) -> int:
    count = 0
    file.write("[")
    for row in rows:
        file.write((",\n" if count else "\n") + json.dumps(dict(zip(COLUMNS, row, strict=True))))
        count += 1
    file.write("\n]\n")
    return count
